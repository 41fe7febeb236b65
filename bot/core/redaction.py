"""Removes secrets from text: those that are configured, and whatever has the shape of one.

Pure. Does not know where the text goes; logging and the command line pass everything through it.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

MASK = "[redacted]"
#: Shorter ones would take ordinary words out of the log.
_SHORTEST_SECRET = 6

_SHAPES = (
    # Whole prefixes first, so that a token that contains another shape goes as one piece.
    (re.compile(r"(?i)\b(bearer|basic|bot)( +)(?=\S*\d)[\w.~+/:-]{16,}=*"), rf"\1\2{MASK}"),
    # Interaction and webhook tokens of Discord stand in paths.
    (re.compile(r"(/(?:webhooks|interactions)/\d+/)[\w.-]{8,}"), rf"\1{MASK}"),
    # Telegram: in URLs it follows "bot" without a gap, its colon may be escaped.
    (re.compile(r"(?<!\d)\d{6,12}(?::|%3[Aa])[\w-]{30,}"), MASK),
    # Discord: id, time and signature in base64.
    (re.compile(r"(?<![\w-])[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}"), MASK),
    # OpenAI, OpenRouter and Anthropic; Groq; Hugging Face; xAI; Google.
    (re.compile(r"(?<![A-Za-z0-9])(?:sk-|gsk_|hf_|xai-)[\w-]{16,}"), MASK),
    (re.compile(r"(?<![A-Za-z0-9])AIza[\w-]{30,}"), MASK),
    (re.compile(r"(://)[^\s/]+@"), rf"\1{MASK}@"),
    (
        re.compile(r"(?i)([?&](?:api[_-]?key|key|token|access_token|secret|password)=)[^\s&'\"]+"),
        rf"\1{MASK}",
    ),
)


class Redactor:
    """A function from text to text without secrets. `secrets` are known ones, in any of their spellings."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {spelling for secret in secrets for spelling in _spellings(secret)}
        longest_first = sorted((each for each in known if len(each) >= _SHORTEST_SECRET), key=len, reverse=True)
        self._known = re.compile("|".join(re.escape(each) for each in longest_first)) if longest_first else None

    def __call__(self, text: str) -> str:
        """The text with `MASK` in place of each secret."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for shape, replacement in _SHAPES:
            text = shape.sub(replacement, text)
        return text


def url_secrets(url: str) -> tuple[str, ...]:
    """The password that a URL carries, as it is written and decoded; empty when there is none."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return ()
    return (password, unquote(password)) if password else ()


def _spellings(secret: str) -> tuple[str, ...]:
    escaped = secret.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return (secret, quote(secret, safe=""), quote(secret), escaped)
