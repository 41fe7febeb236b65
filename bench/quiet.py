"""A quiet group: so long between two turns that a cache for five minutes is never there any more.

Parley's own requests are sent once more, with other marks: always for five minutes, and never.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.conversation import Exchange, conversation
from bench.inside import inside
from bench.market import Market, Stand, stand
from bot.core.ports import ChatRequest

TURNS = 60
#: An hour's cache holds over the first one, and no cache over the second.
GAPS_S = (1_200.0, 7_200.0)
_SHORT_S, _LONG_S = 300, 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """What the prompts of such a thread cost, in nano-dollars, and for how long Parley marked how many of them."""

    gap_s: float
    parley: int
    always: int
    never: int
    unmarked: int
    for_5_minutes: int
    for_1_hour: int


async def quiet(market: Market, gap_s: float, exchanges: Sequence[Exchange] | None = None) -> Quiet:
    """One thread whose turns are `gap_s` apart."""
    asked = conversation(exchanges=TURNS) if exchanges is None else exchanges
    requests = await _parleys_requests(market, asked, gap_s)
    marked = [replace(request, cache_key="bench", cache_ttl_s=_SHORT_S) for request in requests]
    plain = [replace(request, cache_key=None) for request in requests]
    ttls = [request.cache_ttl_s for request in requests if request.cache_key is not None]
    return Quiet(
        gap_s=gap_s,
        parley=await _cost(market, asked, requests, gap_s),
        always=await _cost(market, asked, marked, gap_s),
        never=await _cost(market, asked, plain, gap_s),
        unmarked=len(requests) - len(ttls),
        for_5_minutes=ttls.count(_SHORT_S),
        for_1_hour=ttls.count(_LONG_S),
    )


async def _parleys_requests(market: Market, exchanges: Sequence[Exchange], gap_s: float) -> list[ChatRequest]:
    """What Parley asks for the answers; summaries are never marked."""
    questions = {exchange.question for exchange in exchanges}
    async with (
        stand(market, exchanges) as place,
        inside(place.settings, place.models, place.clock) as chat,
    ):
        for exchange in exchanges:
            await chat.say(exchange.question)
            place.clock.leap(gap_s)
        return [request for request in chat.asked if request.messages[-1].text in questions]


async def _cost(market: Market, exchanges: Sequence[Exchange], requests: Sequence[ChatRequest], gap_s: float) -> int:
    async with stand(market, exchanges) as place:
        return sum([await _ask(place, request, gap_s) for request in requests])


async def _ask(place: Stand, request: ChatRequest, gap_s: float) -> int:
    usage = await place.ask(request)
    place.clock.leap(gap_s)
    return place.prompt_cost(usage)
