"""Whether marking prompts for caching pays in a thread, from the times at which it was used. Pure.

Knows no provider. The rates are Anthropic's, whose caches are the dearest to write: where marking pays there, it pays
everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from bot.core.events import Usage

SHORT_TTL_S, LONG_TTL_S = 300, 3_600
#: What a token of the prompt costs, in the price of one that is not cached.
READ_RATE = 0.1
WRITE_RATE = {SHORT_TTL_S: 1.25, LONG_TTL_S: 2.0}
#: How much of a prompt was not in the one before it: some 400 of 20,000 tokens. It is written, never read.
NEW_SHARE = 0.02
_FEWEST_GAPS = 3
#: Habits change: older gaps say nothing of the next one.
_NEWEST_GAPS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePlan:
    """Whether to mark the prompt, and for how long what is written then should live: 300 or 3,600 seconds."""

    enabled: bool
    ttl_s: int


def plan(times: Sequence[datetime], now: datetime) -> CachePlan:
    """The cheapest for the next messages, if they come as the last ones did.

    `times` are those of the thread's turns, oldest first. With fewer than three gaps nobody knows: on, for five
    minutes.
    """
    moments = (*times[-_NEWEST_GAPS:], now)
    gaps_s = [(after - before).total_seconds() for before, after in pairwise(moments)]
    if len(gaps_s) < _FEWEST_GAPS:
        return CachePlan(enabled=True, ttl_s=SHORT_TTL_S)
    costs = {ttl_s: cost(hit_rate(gaps_s, ttl_s), ttl_s) for ttl_s in WRITE_RATE}
    ttl_s = min(costs, key=lambda ttl_s: costs[ttl_s])
    if costs[ttl_s] >= 1.0:
        return CachePlan(enabled=False, ttl_s=SHORT_TTL_S)
    return CachePlan(enabled=True, ttl_s=ttl_s)


def hit_rate(gaps_s: Sequence[float], ttl_s: int) -> float:
    """The share of messages that came while the cache of the one before was still there."""
    return sum(gap_s < ttl_s for gap_s in gaps_s) / len(gaps_s)


def cost(hits: float, ttl_s: int) -> float:
    """What a marked prompt costs on average, in the price of one that is not marked, at a hit rate from 0 to 1."""
    write = WRITE_RATE[ttl_s]
    return (1 - NEW_SHARE) * (hits * READ_RATE + (1 - hits) * write) + NEW_SHARE * write


def price_again(usage: Usage) -> float:
    """What the prompt of a call costs if it is sent once more at once, in tokens that no cache knows."""
    held = min(usage.input_tokens, usage.cached_tokens + usage.cache_write_tokens)
    return held * READ_RATE + (usage.input_tokens - held) * WRITE_RATE[SHORT_TTL_S]


def break_even(ttl_s: int) -> float:
    """The hit rate above which marking pays: 22 % for five minutes, 54 % for an hour."""
    write = WRITE_RATE[ttl_s]
    return (write - 1) / ((1 - NEW_SHARE) * (write - READ_RATE))
