"""The stores of the core in memory, for tests that are not about the database.

The contract suites in tests/bot/storage hold them to what the real ones do. Setting `down` makes a store
raise StorageUnavailable.
"""

import copy
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import assert_never

from bot.core.clock import SystemClock
from bot.core.files import FileNote
from bot.core.inbound import Inbound
from bot.core.ledger import Certainty, DaySpending, LedgerRow, ModelSpending, Spending, SpendingScope, Whose
from bot.core.ports import Clock
from bot.core.stores import Speaker, TurnQuery, TurnsFound
from bot.core.turn_record import TurnRecord
from tests.fakes.memory_threads import Lane, MemoryThreadStore, Outage

__all__ = [
    "MemoryAccess",
    "MemoryInvocations",
    "MemoryLedger",
    "MemorySettings",
    "MemoryThreadStore",
    "MemoryTurnStore",
]


class MemoryTurnStore(Outage):
    """See `bot.core.stores.TurnStore`; `turns` is public for assertions.

    `lanes` are those of the thread store beside it, which knows where somebody started afresh.
    """

    def __init__(self, lanes: Mapping[str, Lane] | None = None) -> None:
        self.turns: dict[str, TurnRecord] = {}
        self._lanes = {} if lanes is None else lanes

    async def recent(self, thread_key: str, *, from_seq: int, limit: int) -> tuple[TurnRecord, ...]:
        self._answer()
        turns = [turn for turn in self._current(thread_key) if turn.seq >= from_seq]
        return tuple(replace(turn, calls=()) for turn in turns[-limit:])

    async def files(self, thread_key: str, *, from_seq: int, limit: int) -> tuple[FileNote, ...]:
        turns = [turn for turn in self._current(thread_key) if turn.seq >= from_seq]
        return tuple(note for turn in turns for item in turn.items for note in item.files)[-limit:]

    async def append(self, turn: TurnRecord) -> None:
        self._answer()
        stored = self.turns.get(turn.uid)
        if stored is None or stored.fence < turn.fence:
            self.turns[turn.uid] = turn

    async def set_messages(self, uid: str, message_ids: Sequence[str]) -> None:
        self._answer()
        if uid in self.turns:
            self.turns[uid] = replace(self.turns[uid], message_ids=tuple(message_ids))

    async def load(self, uid: str) -> TurnRecord | None:
        self._answer()
        return self.turns.get(uid)

    async def last(self, thread_key: str) -> TurnRecord | None:
        self._answer()
        return next(reversed(self._current(thread_key)), None)

    async def supersede(self, uid: str, by: str) -> None:
        self._answer()
        if uid in self.turns:
            self.turns[uid] = replace(self.turns[uid], superseded_by=by)

    async def search(self, query: TurnQuery) -> TurnsFound:
        self._answer()
        lane = self._lanes.get(query.thread_key)
        turns = [turn for turn in self._current(query.thread_key) if lane is None or turn.seq >= lane.fresh]
        found = [replace(turn, steps=(), calls=()) for turn in reversed(turns) if _fits(turn, query)]
        return TurnsFound(turns=tuple(found[: query.limit]))

    def _current(self, thread_key: str) -> list[TurnRecord]:
        turns = (t for t in self.turns.values() if t.thread_key == thread_key and t.superseded_by is None)
        return sorted(turns, key=lambda turn: turn.seq)


def _fits(turn: TurnRecord, query: TurnQuery) -> bool:
    files = [file for item in turn.items for file in item.files]
    people = [item.text for item in turn.items] + [text for file in files for text in (file.name, file.excerpt)]
    said = {Speaker.ANYONE: [*people, turn.answer], Speaker.PEOPLE: people, Speaker.BOT: [turn.answer]}[query.speaker]
    author = turn.items[0]
    return (
        all(any(re.search(re.escape(word), text, re.IGNORECASE) for text in said) for word in query.words)
        and query.author_key in (None, author.author_key)
        and (query.author_name is None or query.author_name.lower() in author.author_name.lower())
        and (query.since is None or turn.at >= query.since)
        and (query.before is None or turn.at < query.before)
    )


class MemoryLedger(Outage):
    """See `bot.core.stores.Ledger`; `booked` holds the rows by id, for assertions."""

    def __init__(self) -> None:
        self.booked: dict[str, LedgerRow] = {}

    async def append(self, rows: Sequence[LedgerRow]) -> None:
        self._answer()
        for row in rows:
            self.booked.setdefault(row.id, row)

    async def spending(self, scope: SpendingScope, since: datetime | None) -> Spending:
        self._answer()
        by_model, by_day = defaultdict[str, list[LedgerRow]](list), defaultdict[date, list[LedgerRow]](list)
        for row in self._of(scope, since):
            by_model[row.model].append(row)
            by_day[row.at.astimezone(UTC).date()].append(row)
        models = [_of_model(model, rows) for model, rows in by_model.items()]
        return Spending(
            models=tuple(sorted(models, key=lambda model: (-model.nano_usd, model.model))),
            days=tuple(_of_day(day, rows) for day, rows in sorted(by_day.items())),
        )

    async def rows(self, scope: SpendingScope, since: datetime | None, limit: int) -> tuple[LedgerRow, ...]:
        self._answer()
        newest = sorted(self._of(scope, since), key=lambda row: (row.at, row.id), reverse=True)
        return tuple(newest[:limit])

    def _of(self, scope: SpendingScope, since: datetime | None) -> list[LedgerRow]:
        key_of = _key_of(scope.whose)
        rows = [row for row in self.booked.values() if key_of(row) == scope.key]
        return [row for row in rows if since is None or row.at >= since]


def _key_of(whose: Whose) -> Callable[[LedgerRow], str | None]:
    match whose:
        case Whose.USER:
            return lambda row: row.author_key
        case Whose.CHANNEL:
            return lambda row: row.channel_key
        case Whose.SERVER:
            return lambda row: row.space_key
        case Whose.ALL:
            return lambda row: ""
        case _:
            assert_never(whose)


def _money(rows: Sequence[LedgerRow]) -> tuple[int, int, int, int]:
    """Requests, known nano-USD, and how many requests are estimated and unknown."""
    certainties = [row.cost.certainty for row in rows]
    known = sum(row.cost.nano_usd or 0 for row in rows)
    return len(rows), known, certainties.count(Certainty.ESTIMATED), certainties.count(Certainty.UNKNOWN)


def _of_model(model: str, rows: Sequence[LedgerRow]) -> ModelSpending:
    requests, nano_usd, estimated, unknown = _money(rows)
    return ModelSpending(
        model=model,
        requests=requests,
        input_tokens=sum(row.usage.input_tokens for row in rows),
        cached_tokens=sum(row.usage.cached_tokens for row in rows),
        output_tokens=sum(row.usage.output_tokens for row in rows),
        nano_usd=nano_usd,
        estimated_requests=estimated,
        unknown_requests=unknown,
    )


def _of_day(day: date, rows: Sequence[LedgerRow]) -> DaySpending:
    requests, nano_usd, estimated, unknown = _money(rows)
    return DaySpending(
        day=day, requests=requests, nano_usd=nano_usd, estimated_requests=estimated, unknown_requests=unknown
    )


class MemorySettings(Outage):
    """See `bot.core.stores.SettingStore`; `values` is public for assertions."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, object]] = {}

    async def load(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        self._answer()
        return {key: copy.deepcopy(self.values[key]) for key in keys if self.values.get(key)}

    async def set(self, key: str, name: str, value: object | None) -> None:
        self._answer()
        values = self.values.setdefault(key, {})
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value


class MemoryAccess(Outage):
    """See `bot.core.stores.AccessStore`; `roles` and `refusals` are public for assertions."""

    def __init__(self) -> None:
        self.roles: dict[str, str] = {}
        self.refusals: set[tuple[str, str]] = set()

    async def entries(self) -> Mapping[str, str]:
        self._answer()
        return dict(self.roles)

    async def put(self, entry: str, role: str) -> None:
        self._answer()
        self.roles[entry] = role

    async def remove(self, entry: str) -> bool:
        self._answer()
        return self.roles.pop(entry, None) is not None

    async def first_refusal_today(self, author_key: str, today: str) -> bool:
        self._answer()
        first = (author_key, today) not in self.refusals
        self.refusals.add((author_key, today))
        return first


class MemoryInvocations(Outage):
    """See `bot.core.stores.InvocationStore`; `open` holds what was begun and not ended."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.open: dict[str, Inbound] = {}
        self._known: set[str] = set()
        self._handed: dict[str, datetime] = {}
        self._clock = SystemClock() if clock is None else clock

    async def begin(self, inbound: Inbound) -> bool:
        self._answer()
        if inbound.uid in self._known:
            return False
        self._known.add(inbound.uid)
        self.open[inbound.uid] = inbound
        self._handed[inbound.uid] = self._clock.now()
        return True

    async def end(self, uid: str) -> None:
        self._answer()
        self.open.pop(uid, None)

    async def abandoned(self, older_than_s: float, accounts: Collection[str]) -> tuple[Inbound, ...]:
        self._answer()
        now = self._clock.now()
        before = now - timedelta(seconds=older_than_s)
        served = [inbound for inbound in self.open.values() if inbound.place.account_key in accounts]
        due = tuple(inbound for inbound in served if self._handed[inbound.uid] < before)
        self._handed.update({inbound.uid: now for inbound in due})
        return due
