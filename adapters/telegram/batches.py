"""A batch of raw updates -> what is accepted together: single updates and albums, by chat. Pure.

An album is several messages with one `media_group_id`, each an update of its own; nothing says how many.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from telegram import Message, Update

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One update, or all of one album that are there; `album` is its key, None for a single update."""

    updates: tuple[Update, ...]
    album: str | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages of an album in their order."""
        return tuple(update.message for update in self.updates if update.message is not None)


def read_updates(raw: Iterable[Mapping[str, object]]) -> Iterator[Update]:
    """The updates that the library can read; others are logged without their content and left out."""
    for item in raw:
        try:
            update = Update.de_json(dict(item), None)
        except Exception as error:
            # Without a traceback: the library's errors quote what they could not read.
            name = type(error).__name__
            log.warning("update %s cannot be read (%s) and is skipped", item.get("update_id"), name)
            continue
        yield update


def by_chat(updates: Iterable[Update]) -> Mapping[int, tuple[Unit, ...]]:
    """The units of each chat (0: of none) in their order; an album stands where its first message does."""
    chats: dict[int, dict[str, list[Update]]] = {}
    for update in updates:
        chat = update.effective_chat
        units = chats.setdefault(0 if chat is None else chat.id, {})
        units.setdefault(_album_of(update) or f"update {update.update_id}", []).append(update)
    return {chat_id: tuple(_unit(key, found) for key, found in units.items()) for chat_id, units in chats.items()}


def album_sizes(units: Iterable[Unit]) -> Mapping[str, int]:
    """How many messages of each album are there."""
    return {unit.album: len(unit.updates) for unit in units if unit.album is not None}


def _album_of(update: Update) -> str | None:
    message = update.message
    if message is None or message.media_group_id is None:
        return None
    return f"album {message.media_group_id}"


def _unit(key: str, updates: list[Update]) -> Unit:
    return Unit(updates=tuple(updates), album=key if _album_of(updates[0]) is not None else None)
