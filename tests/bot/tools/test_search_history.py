"""`search_history`: what was said in this conversation, and in no other."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.files import FileKind, FileNote
from bot.core.place import Author
from bot.core.stores import TurnQuery, TurnsFound
from bot.core.tools import ToolContext, ToolOutput
from bot.tools.search_history import SearchHistory
from tests.bot.storage.samples import BOB, NOON, PLACE, item, turn
from tests.fakes.stores import MemoryTurnStore
from tests.fakes.tools import CONTEXT as SOMEWHERE

CONTEXT: ToolContext = replace(SOMEWHERE, place=PLACE, author=Author(platform="telegram", id="2", name="Bob"))


class SlowTurns(MemoryTurnStore):
    """Every search takes too long."""

    async def search(self, query: TurnQuery) -> TurnsFound:
        return TurnsFound(turns=(), in_time=False)


@pytest.fixture
async def turns() -> MemoryTurnStore:
    store = MemoryTurnStore()
    note = FileNote(name="lease.pdf", kind=FileKind.PDF, excerpt="The deposit is 900.")
    for stored in (
        replace(turn(1, answer="About 5,000."), items=(item(1, "What is the budget for March?"),)),
        replace(turn(2, answer="Yes."), items=(replace(item(2, "Is it signed?", author=BOB), files=(note,)),)),
        replace(turn(3, answer="x" * 500 + " the march budget " + "y" * 500), items=(item(3, "Sum up, please"),)),
        replace(turn(4), uid="other", thread_key="telegram:99:-200", items=(item(4, "The budget is secret"),)),
    ):
        await store.append(stored)
    return store


async def search(turns: MemoryTurnStore, **arguments: object) -> ToolOutput:
    return await SearchHistory(turns).run(arguments, CONTEXT)


async def test_exchanges_are_told_newest_first_with_date_author_and_excerpts(turns: MemoryTurnStore) -> None:
    output = await search(turns, words="BUDGET march")

    assert output.text.split("\n\n") == [
        "2 exchanges:",
        f"2026-11-21 12:00 UTC, Ada: Sum up, please\n  you answered: …{'x' * 235} the march budget {'y' * 227}…",
        "2026-11-21 12:00 UTC, Ada: What is the budget for March?\n  you answered: About 5,000.",
    ]
    assert (output.untrusted, output.is_error) == (True, False)
    assert "secret" not in output.text


async def test_words_in_quotes_are_a_phrase(turns: MemoryTurnStore) -> None:
    assert (await search(turns, words='"budget for" march')).text.startswith("1 exchange:")
    assert (await search(turns, words="„march budget“")).text.startswith("1 exchange:")


async def test_files_are_told_with_the_turn_that_brought_them(turns: MemoryTurnStore) -> None:
    output = await search(turns, words="deposit")

    assert "  file lease.pdf: The deposit is 900." in output.text


async def test_authors_are_found_by_name_and_as_me(turns: MemoryTurnStore) -> None:
    by_name = await search(turns, author="ada")
    mine = await search(turns, author="me")

    assert by_name.text.startswith("2 exchanges:")
    assert mine.text.startswith("1 exchange:")
    assert "Bob: Is it signed?" in mine.text


async def test_times_are_dates_or_moments_in_utc(turns: MemoryTurnStore) -> None:
    assert (await search(turns, since="2026-11-22")).text.startswith("Nothing of that time")
    assert (await search(turns, before="2026-11-21T12:00:02Z")).text.startswith("1 exchange:")
    assert (await search(turns, since="2026-11-21T13:00:03+01:00")).text.startswith("1 exchange:")


async def test_where_there_may_be_more_the_result_says_how_to_go_on(turns: MemoryTurnStore) -> None:
    first = await search(turns, limit=2)
    before = (NOON + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    second = await search(turns, limit=2, before=before)

    assert first.text.startswith(f"2 exchanges, there may be more: go on with before={before}\n")
    assert second.text.startswith("1 exchange:")
    assert "What is the budget" in second.text


async def test_nothing_found_is_a_result_with_advice(turns: MemoryTurnStore) -> None:
    output = await search(turns, words="budget unicorn")

    assert output == ToolOutput(
        text="Nothing with `budget` and `unicorn` was said here. Try fewer words, other ones, or parts of them."
    )


async def test_a_conversation_that_is_too_long_to_search_is_told() -> None:
    output = await search(SlowTurns(), words="tea")

    assert output.is_error
    assert "`since` and `before`" in output.text


@pytest.mark.parametrize(
    "arguments", [{"limit": 50}, {"since": "yesterday"}, {"words": "a b c d e f g h i"}, {"thread": "telegram:99:-200"}]
)
async def test_wrong_arguments_are_an_error(turns: MemoryTurnStore, arguments: dict[str, object]) -> None:
    output = await search(turns, **arguments)

    assert output.is_error
    assert output.text.startswith("Wrong arguments: ")


def test_people_see_what_is_searched() -> None:
    tool = SearchHistory(MemoryTurnStore())

    assert tool.status({"words": "budget\nMarch"}) == "searching this conversation: budget March"
    assert tool.status({}) == "searching this conversation"
    assert tool.worst_nano_usd({}) == 0
    assert (tool.reads_only, tool.owners_only) == (True, False)
