"""What a turn pays besides its model calls: searches, transcriptions. Held before, booked at once after.

Knows neither tools nor services; the holds are settled with the turn, together with those of its model calls.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from bot.core.errors import BudgetExhausted
from bot.core.events import Usage
from bot.core.ledger import CallKind, CallStatus, Certainty, Cost, LedgerRow
from bot.core.parts import Parts
from bot.core.patience import Patience
from bot.core.tools import ToolBill
from bot.core.turn_record import Claim

T = TypeVar("T")


class Bills:
    """One attempt's. `rows` are those of the whole turn; it adds to them."""

    def __init__(
        self, parts: Parts, patience: Patience, claim: Claim, *, turn_uid: str, author_key: str, rows: list[LedgerRow]
    ) -> None:
        self._parts = parts
        self._patience = patience
        self._claim = claim
        self._turn_uid = turn_uid
        self._author_key = author_key
        self._rows = rows
        self._numbers = 0
        self._held: dict[str, int] = {}

    @property
    def spent_nano(self) -> int:
        """What the turn has cost so far as far as that is known, with what is held for calls that run."""
        return sum(row.cost.nano_usd or 0 for row in self._rows) + sum(self._held.values())

    async def hold(self, nano_usd: int | None) -> str:
        """Hold what something may cost at most (None: nobody knows), and return the id of its row to come.

        Raises:
            BudgetExhausted: no budget has room for it.
        """
        row_id = f"{self._turn_uid}~{self._claim.fence}~s{self._numbers}"
        self._numbers += 1
        self._held[row_id] = nano_usd or 0
        place = self._claim.place
        try:
            await self._persist(
                lambda: self._parts.purse.reserve_sum(row_id, nano_usd, place=place, author_key=self._author_key)
            )
        except BudgetExhausted:
            del self._held[row_id]
            raise
        return row_id

    async def release(self, row_id: str) -> None:
        """Nothing is billed for it."""
        self._held.pop(row_id, None)
        await self._persist(lambda: self._parts.purse.release_sum(row_id))

    def tool_broken_off(self, row_id: str, name: str, nano_usd: int | None, *, duration_s: float) -> None:
        """A tool's call that nobody waits for any more."""
        self.broken_off(row_id, CallKind.SEARCH, f"tool/{name}", nano_usd, duration_s=duration_s)

    async def book_tool(self, row_id: str, bill: ToolBill, *, duration_s: float) -> None:
        """What a tool's service asks: a look-up, like all that tools pay for."""
        await self.book(row_id, CallKind.SEARCH, bill.service, bill.usage, bill.cost, duration_s=duration_s)

    async def book(
        self,
        row_id: str,
        kind: CallKind,
        service: str,
        usage: Usage,
        cost: Cost,
        *,
        estimated: bool = False,
        duration_s: float,
    ) -> None:
        """Put the call into the ledger, now: what it found may be used by an attempt that takes over."""
        row = self._row(row_id, kind, service, usage, cost, estimated, CallStatus.COMPLETED, duration_s)
        self._rows.append(row)
        await self.settle([row])

    async def settle(self, rows: Sequence[LedgerRow]) -> None:
        """Book rows and put what they cost in the place of what was held: the rest of the turn needs the room."""
        await self._persist(lambda: self._parts.ledger.append(rows))
        await self._persist(lambda: self._parts.purse.settle(rows))

    def broken_off(self, row_id: str, kind: CallKind, service: str, nano_usd: int | None, *, duration_s: float) -> None:
        """Nobody waits for the call any more, but it may be billed, up to what was held; booked with the turn."""
        known = nano_usd is not None
        cost = Cost(
            nano_usd=nano_usd,
            certainty=Certainty.ESTIMATED if known else Certainty.UNKNOWN,
            source="what was held" if known else "none",
        )
        usage = Usage(input_tokens=0, output_tokens=0)
        self._rows.append(self._row(row_id, kind, service, usage, cost, True, CallStatus.INCOMPLETE, duration_s))

    def _row(
        self,
        row_id: str,
        kind: CallKind,
        service: str,
        usage: Usage,
        cost: Cost,
        estimated: bool,
        status: CallStatus,
        duration_s: float,
    ) -> LedgerRow:
        self._held.pop(row_id, None)
        place = self._claim.place
        return LedgerRow(
            id=row_id,
            at=self._parts.clock.now(),
            turn_uid=self._turn_uid,
            thread_key=place.thread_key,
            channel_key=place.channel_key,
            space_key=place.space_key,
            author_key=self._author_key,
            provider=service.partition("/")[0],
            model=service,
            model_answered=None,
            usage=usage,
            usage_estimated=estimated,
            cost=cost,
            status=status,
            first_token_s=None,
            duration_s=duration_s,
            kind=kind,
        )

    async def _persist(self, operation: Callable[[], Awaitable[T]]) -> T:
        return await self._patience.persist(operation, place=self._claim.place)
