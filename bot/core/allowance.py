"""Which limits count for a call: those of the settings, of owners and of people who manage a server.

For the same budget an owner's limit for exactly that person or place replaces the owner's for each, which
replaces the one of the settings; a manager's counts besides. Knows what may be spent, not what was.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.budget import EACH, BudgetKey, BudgetLimit, Due, Giver, Period
from bot.core.ledger import LedgerRow, SpendingScope, Whose
from bot.core.money_stores import BudgetStore
from bot.core.place import Place
from bot.core.ports import Clock

#: How old the known limits may get: other processes change them in the shared database.
LIMITS_FRESH_S = 5.0

_Limits = Mapping[tuple[Giver, BudgetKey], int]


class Allowance:
    """The limits of the settings (`fixed`) and those that were set at run time.

    Limits that other processes set take up to `LIMITS_FRESH_S` to count here, own changes none. All coroutines raise
    StorageUnavailable.
    """

    def __init__(self, store: BudgetStore, fixed: Sequence[BudgetLimit], clock: Clock) -> None:
        self._store = store
        self._fixed = {limit.budget: limit.nano_usd for limit in fixed}
        self._clock = clock
        self._known: _Limits | None = None
        self._stale_at = 0.0
        self._changes = 0

    @property
    def fixed(self) -> tuple[BudgetLimit, ...]:
        """The limits of the settings."""
        return tuple(BudgetLimit(budget=budget, nano_usd=nano_usd) for budget, nano_usd in self._fixed.items())

    async def dues(self, scopes: Sequence[SpendingScope], at: datetime) -> tuple[Due, ...]:
        """Every counter that money spent at a time on behalf of `scopes` has to fit; at most one for a budget."""
        limits = await self._limits()
        if not limits and not self._fixed:
            return ()
        found = ((scope, period, self._limit(limits, scope, period)) for scope in scopes for period in Period)
        return tuple(Due.of(scope, period, limit, at) for scope, period, limit in found if limit is not None)

    async def limit(self, scope: SpendingScope, period: Period) -> int | None:
        """What counts, in nano-dollars; None: there is no limit. A scope whose key is `EACH` stands for all others."""
        return self._limit(await self._limits(), scope, period)

    async def granted(self, scope: SpendingScope, period: Period) -> int | None:
        """What an owner or the settings give, in nano-dollars, whatever a manager set; None: there is no limit."""
        return self._granted(await self._limits(), scope, period)

    async def changed(self) -> tuple[BudgetLimit, ...]:
        """Every limit that was set at run time, in a steady order."""
        limits = await self._limits()
        return tuple(
            BudgetLimit(budget=budget, nano_usd=limits[giver, budget], giver=giver)
            for giver, budget in sorted(limits, key=lambda entry: (entry[1], entry[0]))
        )

    async def put(self, limit: BudgetLimit) -> None:
        """Set a limit, in the place of what the same giver set before."""
        await self._store.set_limit(limit)
        self._forget()

    async def remove(self, limit: BudgetLimit) -> bool:
        """Take back what this giver set for this budget; False when nothing was."""
        removed = await self._store.remove_limit(limit)
        self._forget()
        return removed

    def _limit(self, limits: _Limits, scope: SpendingScope, period: Period) -> int | None:
        granted = self._granted(limits, scope, period)
        managed = limits.get((Giver.MANAGER, BudgetKey(scope.whose, scope.key, period)))
        return min((limit for limit in (granted, managed) if limit is not None), default=None)

    def _granted(self, limits: _Limits, scope: SpendingScope, period: Period) -> int | None:
        own, each = BudgetKey(scope.whose, scope.key, period), BudgetKey(scope.whose, EACH, period)
        chosen = (limits.get((Giver.OWNER, own)), limits.get((Giver.OWNER, each)))
        settings = (self._fixed.get(own), self._fixed.get(each))
        return next((limit for limit in (*chosen, *settings) if limit is not None), None)

    async def _limits(self) -> _Limits:
        now = self._clock.monotonic()
        if self._known is not None and now < self._stale_at:
            return self._known
        # While one caller reads, the others go on with what is known instead of all reading at once.
        self._stale_at = now + LIMITS_FRESH_S
        changes = self._changes
        read = {(limit.giver, limit.budget): limit.nano_usd for limit in await self._store.limits()}
        if changes == self._changes:
            self._known = read
        return read

    def _forget(self) -> None:
        self._changes += 1
        self._known = None


def scopes_of(place: Place, author_key: str) -> tuple[SpendingScope, ...]:
    """Whose money a call of this person in this place is."""
    return _scopes(author_key, place.channel_key, place.space_key)


def scopes_of_row(row: LedgerRow) -> tuple[SpendingScope, ...]:
    """Whose money a booked call was."""
    return _scopes(row.author_key, row.channel_key, row.space_key)


def _scopes(author_key: str, channel_key: str, space_key: str | None) -> tuple[SpendingScope, ...]:
    scopes = (
        SpendingScope(whose=Whose.USER, key=author_key),
        SpendingScope(whose=Whose.CHANNEL, key=channel_key),
    )
    server = () if space_key is None else (SpendingScope(whose=Whose.SERVER, key=space_key),)
    return (*scopes, *server, SpendingScope(whose=Whose.ALL))
