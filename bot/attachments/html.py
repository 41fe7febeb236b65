"""Web pages, attached or fetched: the words that people see; title first.

Says where the main part stood for the page, for the rest may be what was asked for.
"""

from bot.attachments._decoding import declared_in, decoded
from bot.attachments._html_words import words_of
from bot.attachments._limits import LIMITS, Limits, Meter, counted, first_chars
from bot.attachments._words import word_count
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, ReadFile


def read(content: bytes, media_type: str, limits: Limits = LIMITS) -> ReadFile:
    """Read a page; see `bot.attachments.kind.Read`. `media_type` may name its charset, as servers do."""
    essence, _, parameters = media_type.partition(";")
    found = decoded(content, declared_in(parameters.encode()) or declared_in(content))
    if found is None:
        raise UnreadableFile("is not a web page, nor any kind that I can read")
    meter = Meter(limits)
    words = words_of(found[0], meter)
    text = "\n\n".join(part for part in (_heading(words.title, words.text), words.text) if part)
    remarks = [counted(word_count(words.text), "word")] if words.text else []
    if meter.was_cut:
        remarks = [first_chars(meter)]
    elif not words.is_whole:
        remarks.append("it is too deep or too long: only the first part was read")
    elif not words.text:
        remarks = ["no text in it without scripts"]
    return ReadFile(
        kind=FileKind.TEXT,
        media_type=essence.strip(),
        pages=(text[: limits.chars],) if text else (),
        remarks=tuple(remarks),
    )


def _heading(title: str, text: str) -> str:
    return "" if not title or text.startswith(f"# {title}\n") else f"# {title}"
