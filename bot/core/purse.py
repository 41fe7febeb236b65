"""Money and pace before a call: may it be made, and what is held for it until its real cost is known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from bot.core.allowance import Allowance, scopes_of, scopes_of_row
from bot.core.budget import BudgetLimit, Due
from bot.core.budget_words import notice, refusal, unknown_price, unknown_sum
from bot.core.catalogue import ModelInfo
from bot.core.errors import BudgetExhausted
from bot.core.ledger import LedgerRow, SpendingScope
from bot.core.money_stores import BudgetStore, RateStore, Spent, hold_id
from bot.core.place import Place
from bot.core.ports import ChatRequest, Clock, Pricer
from bot.core.prompt_bound import likely_bound
from bot.core.rate_limits import Pace, RateLimits
from bot.core.worst_case import WorstCase, worst_case

__all__ = ["Cheaper", "Pace", "Permit", "Purse"]

T = TypeVar("T")

_NO_PACE = Pace()
#: Models that could answer a request instead of its own, the cheapest first.
Cheaper = Callable[[ChatRequest], Sequence[ModelInfo]]

#: So many cheaper models are tried for one that fits: when these do not, dearer ones will not either.
_CHEAPER_TRIED = 8
#: Between our look at a counter and our next try other calls may reserve: how often that is put up with.
_RACES = 3
#: A call is released when its model fails and another is asked: how often that may be, for whoever takes over.
_HOLDS_TRIED = 4
#: People are told when so many tenths of a budget are spent.
_WARN_TENTHS = 8
#: Holds and warnings remembered in this process, at most; a forgotten one costs a look at the store.
_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A call may be made. `request` is the one to make: its `max_output_tokens` may be lower than what was asked.

    `notice` is what the person should read with the answer, None: nothing (a budget has come to 80 %). `capped`: a
    budget had no room for a longer answer, which is no setting that people could raise.
    """

    request: ChatRequest
    notice: str | None = None
    capped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hold:
    """What this process holds for a call, and where; no counters: nothing, for it is free or its price unknown.

    `ids` are the store's names of it: the call's, or another if that was released before; several where another
    process took it and nobody knows which.
    """

    ids: tuple[str, ...]
    counters: tuple[str, ...]
    output_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A call that wants to be paid for."""

    call_id: str
    request: ChatRequest
    prompt_tokens: int
    place: Place
    dues: tuple[Due, ...]


class Purse:
    """Reserves before calls and settles after them. All coroutines raise StorageUnavailable and may be repeated then.

    `limits` are those of the settings; `cheaper` is asked which model to name in a refusal, None: none is named.
    """

    def __init__(
        self,
        *,
        budgets: BudgetStore,
        rates: RateStore,
        price: Pricer,
        clock: Clock,
        limits: Sequence[BudgetLimit] = (),
        pace: Pace = _NO_PACE,
        allow_unknown: bool = False,
        cheaper: Cheaper | None = None,
    ) -> None:
        self._budgets = budgets
        self._rates = RateLimits(rates, pace)
        self._price = price
        self._clock = clock
        self._allow_unknown = allow_unknown
        self._cheaper = cheaper
        self._holds: dict[str, _Hold] = {}
        self._released: dict[str, int] = {}
        self._warned: dict[str, None] = {}
        self._settled: dict[str, None] = {}
        #: Which limits count; /budget changes them here.
        self.allowance = Allowance(budgets, limits, clock)

    async def admit(self, place: Place, author_key: str, *, prompt_tokens: int) -> None:
        """Count one request against the rate limits of the person and the channel. Raises TooFast."""
        await self._rates.admit(place, author_key, prompt_tokens=prompt_tokens)

    async def reserve(
        self, call_id: str, request: ChatRequest, *, prompt_tokens: int, place: Place, author_key: str
    ) -> Permit:
        """Hold what the call may cost at worst in every budget that it counts against.

        `call_id` is the id that its ledger row will have; `prompt_tokens` is an estimate. Costs nothing, and asks
        nobody, where there is no budget (but for the limits that people set, once in a few seconds).

        Raises:
            BudgetExhausted: it does not fit; the message says which budget, when it resets, and what would fit.
        """
        now = self._clock.now()
        dues = await self.allowance.dues(scopes_of(place, author_key), now)
        if not dues:
            return Permit(request=request)
        asked = _Asked(call_id=call_id, request=request, prompt_tokens=prompt_tokens, place=place, dues=dues)
        try:
            return await self._reserve(asked, worst_case(request, prompt_tokens, self._price, now))
        except BudgetExhausted:
            await self._rates.release(place, author_key)
            raise

    async def reserve_sum(self, call_id: str, nano_usd: int | None, *, place: Place, author_key: str) -> None:
        """Hold a sum for a call that is no model's answer (a search, a transcription); None: nobody knows its price.

        `call_id` is the id that its ledger row will have. Raises BudgetExhausted as `reserve` does.
        """
        now = self._clock.now()
        dues = () if nano_usd == 0 else await self.allowance.dues(scopes_of(place, author_key), now)
        if not dues:
            return
        if nano_usd is None:
            if not self._allow_unknown:
                raise BudgetExhausted(unknown_sum(dues[0], place))
            return
        counters = tuple(due.counter for due in dues)
        _remember(self._holds, call_id, _Hold(ids=(call_id,), counters=counters))
        reservation = await self._budgets.reserve(call_id, nano_usd, dues)
        if reservation.lacking is not None:
            del self._holds[call_id]
            spent = reservation.spent[reservation.lacking.counter]
            raise BudgetExhausted(
                refusal(reservation.lacking, spent, least_nano=nano_usd, place=place, now=now, what="this call")
            )

    async def release_sum(self, call_id: str) -> None:
        """The call was not made, or nobody bills it: nothing is held for it any more. Its id is used up."""
        hold = self._holds.get(call_id)
        if hold is not None:
            await self._settle(hold, 0)
            del self._holds[call_id]

    async def settle(self, rows: Sequence[LedgerRow]) -> None:
        """Put real costs in the place of what was held; correct the rate limits by the tokens really used.

        A call whose cost is unknown after all is charged what was held for it. Rows of calls that another process
        reserved count, too, and those for which nothing is held change nothing. A row counts once.
        """
        rows = [row for row in rows if row.id not in self._settled]
        for row in rows:
            hold = self._holds.get(row.id) or await self._hold_elsewhere(row.id, scopes_of_row(row), row.at)
            if hold.counters:
                await self._settle(hold, row.cost.nano_usd)
        await self._rates.settle(rows)
        for row in rows:
            self._holds.pop(row.id, None)
            _remember(self._settled, row.id, None)

    async def release(self, call_id: str, *, place: Place, author_key: str) -> None:
        """The call was not made after all: nothing is held for it any more. It may be reserved again."""
        hold = self._holds.get(call_id)
        if hold is None:
            hold = await self._hold_elsewhere(call_id, scopes_of(place, author_key), self._clock.now())
        if hold.counters:
            await self._settle(hold, 0)
            _remember(self._released, call_id, self._released.get(call_id, 0) + 1)
        await self._rates.release(place, author_key)
        self._holds.pop(call_id, None)

    async def status(self, place: Place, author_key: str) -> tuple[tuple[Due, Spent], ...]:
        """Every budget that a call of this person in this place counts against, and what it holds."""
        dues = await self.allowance.dues(scopes_of(place, author_key), self._clock.now())
        if not dues:
            return ()
        spent = await self._budgets.spent(dues)
        return tuple((due, spent[due.counter]) for due in dues)

    async def _settle(self, hold: _Hold, nano_usd: int | None) -> None:
        for name in hold.ids:
            await self._budgets.settle(name, nano_usd, hold.counters)

    async def _hold_elsewhere(self, call_id: str, scopes: Sequence[SpendingScope], at: datetime) -> _Hold:
        """Where a process that is gone may hold something for a call; settling what is not there changes nothing."""
        dues = await self.allowance.dues(scopes, at)
        ids = tuple(hold_id(call_id, released) for released in range(_HOLDS_TRIED))
        return _Hold(ids=ids, counters=tuple(due.counter for due in dues))

    async def _reserve(self, asked: _Asked, worst: WorstCase | None) -> Permit:
        if worst is None and not self._allow_unknown:
            cheaper = await self._fitting(asked)
            raise BudgetExhausted(unknown_price(asked.request.model, asked.dues[0], asked.place, cheaper))
        if worst is None or worst.is_free:
            _remember(self._holds, asked.call_id, _Hold(ids=(asked.call_id,), counters=()))
            return Permit(request=asked.request)
        output_tokens, spent = await self._hold(asked, worst)
        return Permit(
            request=replace(asked.request, max_output_tokens=output_tokens),
            notice=await self._notice(asked, spent),
            capped=output_tokens < worst.longest,
        )

    async def _hold(self, asked: _Asked, worst: WorstCase) -> tuple[int, Mapping[str, Spent]]:
        """Reserve for the longest answer that fits; returns its tokens and what the counters hold then."""
        counters = tuple(due.counter for due in asked.dues)
        # A reservation that timed out may stand: repeating it must not promise more than it holds.
        before = self._holds.get(asked.call_id)
        output_tokens = worst.longest if before is None else before.output_tokens
        name = hold_id(asked.call_id, self._released.get(asked.call_id, 0))
        tries = len(asked.dues) + _RACES
        while True:
            nano_usd = worst.nano_usd(output_tokens)
            hold = _Hold(ids=(name,), counters=counters, output_tokens=output_tokens)
            _remember(self._holds, asked.call_id, hold)
            reservation = await self._budgets.reserve(name, nano_usd, asked.dues)
            if reservation.lacking is None:
                return output_tokens, reservation.spent
            tries -= 1
            lacking, spent = reservation.lacking, reservation.spent[reservation.lacking.counter]
            affordable = worst.affordable(lacking.limit_nano - spent.used_nano - spent.held_nano)
            if affordable is None or not tries:
                del self._holds[asked.call_id]
                raise await self._refusal(asked, worst, lacking, spent)
            output_tokens = min(output_tokens, affordable)

    async def _refusal(self, asked: _Asked, worst: WorstCase, lacking: Due, spent: Spent) -> BudgetExhausted:
        return BudgetExhausted(
            refusal(
                lacking,
                spent,
                least_nano=worst.nano_usd(worst.least),
                place=asked.place,
                now=self._clock.now(),
                cheaper=await self._fitting(asked),
            )
        )

    async def _fitting(self, asked: _Asked) -> ModelInfo | None:
        """The cheapest model whose answer all budgets still have room for."""
        if self._cheaper is None:
            return None
        spent = await self._budgets.spent(asked.dues)
        left = min(due.limit_nano - spent[due.counter].used_nano - spent[due.counter].held_nano for due in asked.dues)
        others = (model for model in self._cheaper(asked.request) if model.ref != asked.request.model.ref)
        for model, _ in zip(others, range(_CHEAPER_TRIED), strict=False):
            request = replace(asked.request, model=model)
            if not _has_room(request, asked.prompt_tokens):
                continue
            worst = worst_case(request, asked.prompt_tokens, self._price, self._clock.now())
            if worst is not None and (worst.is_free or worst.affordable(left) is not None):
                return model
        return None

    async def _notice(self, asked: _Asked, spent: Mapping[str, Spent]) -> str | None:
        """What to tell of budgets that near their end: once for each, to whoever is first."""
        near = [due for due in asked.dues if spent[due.counter].used_nano * 10 >= due.limit_nano * _WARN_TENTHS]
        told = []
        for due in near:
            if due.counter in self._warned:
                continue
            first = await self._budgets.note_warned(due.counter)
            _remember(self._warned, due.counter, None)
            if first:
                told.append(notice(due, spent[due.counter], asked.place, self._clock.now()))
        return "\n".join(told) or None


def _has_room(request: ChatRequest, prompt_tokens: int) -> bool:
    window = request.model.window_tokens
    return window is None or likely_bound(request, prompt_tokens) < window


def _remember(kept: dict[str, T], key: str, value: T) -> None:
    """Note something, and forget the oldest when it is too much."""
    kept[key] = value
    while len(kept) > _KEPT:
        del kept[next(iter(kept))]
