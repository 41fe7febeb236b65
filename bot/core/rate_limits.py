"""Requests and tokens a minute, for each person and each channel: before a call by estimate, after it by use.

Knows neither money nor models; what a bucket holds, and since when, is the RateStore's business.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.core.errors import TooFast
from bot.core.formatting import amount
from bot.core.ledger import CallKind, LedgerRow
from bot.core.money_stores import Bucket, RateStore
from bot.core.place import ChatKind, Place

#: Estimates remembered of turns that were admitted and came to no end, at most.
_PENDING_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What each person and each channel may ask and use in a minute; None: no limit."""

    user_requests: int | None = None
    user_tokens: int | None = None
    channel_requests: int | None = None
    channel_tokens: int | None = None


class RateLimits:
    """Takes from the buckets of a person and a channel. All coroutines raise StorageUnavailable."""

    def __init__(self, store: RateStore, pace: Pace) -> None:
        self._store = store
        self._pace = pace
        # By author and channel, not by turn: what is taken too much or too little adds up over all of them.
        self._pending: Counter[tuple[str, str]] = Counter()

    async def admit(self, place: Place, author_key: str, *, prompt_tokens: int) -> None:
        """Take one request and the estimate of its prompt, or nothing. Raises TooFast."""
        channel_key = place.channel_key
        asked = (*self._requests(author_key, channel_key), *self._tokens(author_key, channel_key, prompt_tokens))
        if not asked:
            return
        refused = await self._store.take(asked)
        if refused is not None:
            raise _too_fast(*refused, place)
        if self._counts_tokens:
            self._pending[author_key, channel_key] += prompt_tokens
            while len(self._pending) > _PENDING_KEPT:
                del self._pending[next(iter(self._pending))]

    async def settle(self, rows: Sequence[LedgerRow]) -> None:
        """Put the tokens that were used in the place of what was estimated.

        Summaries and titles are left out: nobody asked for so many tokens in this minute.
        """
        if not self._counts_tokens:
            return
        used: Counter[tuple[str, str]] = Counter()
        for row in rows:
            if row.kind in (CallKind.SUMMARY, CallKind.TITLE):
                continue
            used[row.author_key, row.channel_key] += row.usage.input_tokens + row.usage.output_tokens
        for (author_key, channel_key), tokens in used.items():
            await self._correct(author_key, channel_key, tokens)

    async def release(self, place: Place, author_key: str) -> None:
        """Give back what was estimated for this person here: nothing was used."""
        if self._counts_tokens:
            await self._correct(author_key, place.channel_key, 0)

    async def _correct(self, author_key: str, channel_key: str, used_tokens: int) -> None:
        estimated = self._pending.pop((author_key, channel_key), 0)  # now, for others may settle while we wait
        if used_tokens == estimated:
            return
        try:
            await self._store.correct(tuple(self._tokens(author_key, channel_key, used_tokens - estimated)))
        except BaseException:
            self._pending[author_key, channel_key] += estimated
            raise

    @property
    def _counts_tokens(self) -> bool:
        return self._pace.user_tokens is not None or self._pace.channel_tokens is not None

    def _requests(self, author_key: str, channel_key: str) -> Iterator[Bucket]:
        if self._pace.user_requests is not None:
            yield Bucket(key=f"requests/user:{author_key}", per_minute=self._pace.user_requests, amount=1)
        if self._pace.channel_requests is not None:
            yield Bucket(key=f"requests/channel:{channel_key}", per_minute=self._pace.channel_requests, amount=1)

    def _tokens(self, author_key: str, channel_key: str, tokens: int) -> Iterator[Bucket]:
        if self._pace.user_tokens is not None:
            yield Bucket(key=f"tokens/user:{author_key}", per_minute=self._pace.user_tokens, amount=tokens)
        if self._pace.channel_tokens is not None:
            yield Bucket(key=f"tokens/channel:{channel_key}", per_minute=self._pace.channel_tokens, amount=tokens)


def _too_fast(bucket: Bucket, wait_s: float, place: Place) -> TooFast:
    what, _, owner = bucket.key.partition("/")
    here = "This chat" if place.kind is ChatKind.PRIVATE else "This channel"
    who = "You" if owner.startswith("user:") else here
    verb, noun = ("send", "request") if what == "requests" else ("use", "token")
    seconds = max(1, math.ceil(wait_s))
    return TooFast(
        f"{who} may {verb} {amount(bucket.per_minute, noun)} a minute; try again in {amount(seconds, 'second')}.",
        retry_after_s=wait_s,
    )
