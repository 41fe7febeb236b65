"""No secret survives redaction, and ordinary text does."""

import pytest

from bot.core.redaction import MASK, Redactor, url_secrets

SHAPED = {
    "discord token": "MTk4NjIyNDgzNDcxOTI1MjQ4.Gcl5bt.ZnCjm1XVW7vRze4b7Cq4se7kKWs3qyz8XAbCdE",
    "telegram token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw4",
    "openai key": "sk-proj-Zq3ZVbT1uW5q8yX2cR7dLmN0pA4sF6hJ",
    "groq key": "gsk_9rT2vXyZ8wQ4mN6bK1pL3sD5",
    "hugging face token": "hf_AbCdEfGhIjKlMnOpQrStUvWxYz",
}


@pytest.mark.parametrize("secret", SHAPED.values(), ids=SHAPED)
def test_what_has_the_shape_of_a_token_is_removed_without_being_configured(secret: str) -> None:
    redacted = Redactor()(f"request failed (key {secret}), giving up")

    assert secret not in redacted
    assert redacted.startswith("request failed (key ")
    assert redacted.endswith("), giving up")


def test_a_telegram_token_is_removed_from_a_url() -> None:
    token = SHAPED["telegram token"]

    assert token not in Redactor()(f"POST https://api.telegram.org/bot{token}/getMe")
    assert "AAHdqTcvCH1" not in Redactor()(f"bot{token.replace(':', '%3A')}/getMe")


@pytest.mark.parametrize(
    "uri",
    ["mongodb://parley:hunter22@db:27017/?w=1", "https://user:hunter22@host/v1", "redis://:hunter22@h/0"],
)
def test_credentials_are_removed_from_a_uri_and_its_host_stays(uri: str) -> None:
    redacted = Redactor()(f"cannot reach {uri} now")

    assert "hunter22" not in redacted
    assert f"{MASK}@" in redacted


def test_an_authorization_header_is_removed() -> None:
    assert "a1b2c3d4e5f6g7h8" not in Redactor()("Authorization: Bearer a1b2c3d4e5f6g7h8i9")


def test_a_token_in_the_path_of_an_interaction_is_removed() -> None:
    assert "aW50ZXJhY3Rpb24" not in Redactor()("/interactions/1234/aW50ZXJhY3Rpb24/callback")


def test_a_configured_secret_of_no_known_shape_is_removed_in_every_spelling() -> None:
    redact = Redactor(["pa/ss w@rd"])

    assert redact("pa/ss w@rd") == MASK
    assert redact("?k=pa%2Fss%20w%40rd") == f"?k={MASK}"


def test_the_password_of_a_url_is_found_as_written_and_decoded() -> None:
    assert url_secrets("mongodb://u:p%40ss@h/db") == ("p%40ss", "p@ss")
    assert url_secrets("http://127.0.0.1:11434") == ()


@pytest.mark.parametrize(
    "text",
    [
        "pairing code ABCD2345",
        "turn telegram:123456789:987:42 of 2026-11-21T03:13:29.120Z",
        "see https://example.org/a@b and write to me@example.org",
        "bot.core.engine: taking over thread discord:1234567890123456789:1234567890123456789",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert Redactor(["x"])(text) == text
