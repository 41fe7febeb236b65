"""`search_history`: what was said in this conversation before, beyond what a model still has before it.

Looks only into the thread that it is called from, and not behind /new. What people said is data like any other text
from outside. Knows no database.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from pydantic import Field

from bot.core.stores import Speaker, TurnQuery, TurnStore
from bot.core.tools import Tool, ToolContext, ToolOutput, ToolSpec
from bot.core.turn_record import TurnRecord
from bot.tools._citing import one_line
from bot.tools.arguments import Arguments, BadArguments, parsed, schema_of
from bot.tools.supplies import Supplies

_MAX_WORDS: Final = 8
_AROUND_CHARS: Final = 240
_STATUS_CHARS: Final = 60
_ME: Final = "me"
#: Words in quotation marks belong together.
_WORD = re.compile(r"[\"“„«]([^\"“”„«»]+)[\"”“»]|(\S+)")


class _Arguments(Arguments):
    words: str = Field(
        default="",
        max_length=200,
        description='All must be in the same exchange, in any case; "in quotes" for a phrase. Empty: everything',
    )
    said_by: Speaker = Field(default=Speaker.ANYONE, description="Whose words are searched")
    author: str | None = Field(default=None, max_length=60, description="A person's name or part of it; me: who asks")
    since: datetime | None = Field(default=None, description="From this date or time on, UTC: 2026-11-01")
    before: datetime | None = Field(default=None, description="Only before this date or time, UTC")
    limit: int = Field(default=8, ge=1, le=20, description="How many exchanges, the newest first")


class SearchHistory:
    """See `bot.core.tools.Tool`."""

    spec = ToolSpec(
        name="search_history",
        description=(
            "Search what was said earlier in this conversation, by people and by you, for what is not before you any "
            "more. Gives exchanges with date, author and excerpts, newest first. It sees no other conversation."
        ),
        parameters=schema_of(_Arguments),
    )
    reads_only = True
    owners_only = False
    timeout_s = 10.0

    def __init__(self, turns: TurnStore) -> None:
        self._turns = turns

    def status(self, arguments: Mapping[str, object]) -> str:
        words = one_line(str(arguments.get("words") or ""), _STATUS_CHARS)
        return f"searching this conversation: {words}" if words else "searching this conversation"

    def worst_nano_usd(self, arguments: Mapping[str, object]) -> int | None:
        return 0

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        try:
            wanted = parsed(_Arguments, arguments)
            words = _split(wanted.words)
        except BadArguments as error:
            return ToolOutput(text=str(error), is_error=True)
        is_me = (wanted.author or "").lower() == _ME
        query = TurnQuery(
            thread_key=context.place.thread_key,
            words=words,
            speaker=wanted.said_by,
            author_key=context.author.key if is_me else None,
            author_name=None if is_me else wanted.author or None,
            since=_in_utc(wanted.since),
            before=_in_utc(wanted.before),
            limit=wanted.limit,
        )
        found = await self._turns.search(query)
        if not found.in_time:
            text = "The conversation is too long to search all of it at once. Narrow it with `since` and `before`."
            return ToolOutput(text=text, is_error=True)
        if not found.turns:
            what = f"with {' and '.join(f'`{word}`' for word in words)}" if words else "of that time"
            return ToolOutput(text=f"Nothing {what} was said here. Try fewer words, other ones, or parts of them.")
        return ToolOutput(text="\n\n".join(_lines(found.turns, query)), untrusted=True)


@asynccontextmanager
async def build(supplies: Supplies) -> AsyncIterator[Tool]:
    """The tool over the turns that are stored."""
    yield SearchHistory(supplies.turns)


def _split(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys((phrase or word).strip() for phrase, word in _WORD.findall(text)))
    if len(words) > _MAX_WORDS:
        raise BadArguments(f"Wrong arguments: `words` takes at most {_MAX_WORDS} words, since all must be there")
    return tuple(word for word in words if word)


def _in_utc(time: datetime | None) -> datetime | None:
    return time if time is None else time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _lines(turns: tuple[TurnRecord, ...], query: TurnQuery) -> Iterator[str]:
    oldest = turns[-1].at
    if len(turns) == query.limit:
        yield f"{len(turns)} exchanges, there may be more: go on with before={oldest:%Y-%m-%dT%H:%M:%S}Z"
    else:
        yield f"{len(turns)} exchange{'' if len(turns) == 1 else 's'}:"
    for turn in turns:
        yield "\n".join(_told(turn, query))


def _told(turn: TurnRecord, query: TurnQuery) -> Iterator[str]:
    """One exchange: who said what around the words, and what was answered."""
    for item in turn.items:
        yield f"{item.at:%Y-%m-%d %H:%M} UTC, {one_line(item.author_name, 40)}: {_excerpt(item.text, query.words)}"
        for file in item.files:
            words = f": {_excerpt(file.excerpt, query.words)}" if file.excerpt else ""
            yield f"  file {one_line(file.name, 60)}{words}"
    if turn.answer:
        yield f"  you answered: {_excerpt(turn.answer, query.words)}"


def _excerpt(text: str, words: tuple[str, ...]) -> str:
    """What stands around the first of the words in a text; its beginning, where none is in it."""
    line = " ".join(text.split())
    hits = [found.start() for word in words if (found := re.search(re.escape(word), line, re.IGNORECASE))]
    begin = max(0, min(hits, default=0) - _AROUND_CHARS)
    end = min(hits, default=0) + _AROUND_CHARS
    return f"{'…' if begin else ''}{line[begin:end]}{'…' if end < len(line) else ''}"
