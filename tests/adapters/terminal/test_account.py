"""Two chats on one folder are two accounts."""

from pathlib import Path

from adapters.terminal.account import claim_account


def test_the_first_is_main_and_others_are_numbered(tmp_path: Path) -> None:
    with (
        claim_account(tmp_path) as first,
        claim_account(tmp_path) as second,
        claim_account(tmp_path) as third,
    ):
        assert (first, second, third) == ("main", "2", "3")


def test_an_account_is_free_again_when_its_chat_ends(tmp_path: Path) -> None:
    with claim_account(tmp_path / "new"):
        pass

    with claim_account(tmp_path / "new") as account:
        assert account == "main"
