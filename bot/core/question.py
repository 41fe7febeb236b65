"""What a turn answers, and all that is known of it before a model is chosen. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.choosing import Choosing
from bot.core.thread_settings import ThreadSettings
from bot.core.tools import Tool
from bot.core.turn_record import Item, TurnRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a turn answers. `pops` are the queue items that it takes off, `replaces` the turn that it redoes.

    `elsewhere`: not the model of that turn is to answer but the one after it; `seeing`: the nearest that sees pictures.
    """

    uid: str
    items: tuple[Item, ...]
    pops: tuple[str, ...]
    replaces: TurnRecord | None = None
    in_place: bool = False
    elsewhere: bool = False
    seeing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that is known before a model is chosen. `tools` are those that are on here, `items` the question's, read."""

    settings: ThreadSettings
    choosing: Choosing
    system: str
    history: tuple[TurnRecord, ...]
    items: tuple[Item, ...]
    tools: Mapping[str, Tool]
