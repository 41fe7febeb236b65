"""What is measured of a bot: one function a scenario, each with figures by name.

Counts and times only; what they should be, and how they compare, is the report's business.
"""

import asyncio
import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.contestant import Contestant
from bench.stage import Turn

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of everything: turns asked one by one, in the crowd, and for the growth of memory."""

    warm_up: int
    instant: int
    streamed: int
    crowd: int
    growth: int


QUICK = Size(warm_up=20, instant=60, streamed=6, crowd=400, growth=1_000)
FULL = Size(warm_up=50, instant=300, streamed=20, crowd=2_000, growth=1_000)


async def at_rest(bot: Contestant) -> Figures:
    """Memory of a bot that was just started."""
    return {"rss_start_mib": bot.rss_mib()}


async def instant(bot: Contestant, size: Size) -> Figures:
    """One question after the other, each answered in one chunk."""
    await _one_by_one(bot, size.warm_up, streamed=False)
    before, server_before = bot.cpu_ms(), bot.server_cpu_ms()
    turns = await _one_by_one(bot, size.instant, streamed=False)
    return {
        **_latencies("instant", turns),
        "instant_cpu_ms": (bot.cpu_ms() - before) / len(turns),
        "instant_server_cpu_ms": (bot.server_cpu_ms() - server_before) / len(turns),
        "instant_calls": max(turn.calls for turn in turns),
        "instant_typing": max(turn.typing for turn in turns),
    }


async def streamed(bot: Contestant, size: Size) -> Figures:
    """One question after the other, each answered in 200 chunks, 5 ms apart."""
    before, server_before = bot.cpu_ms(), bot.server_cpu_ms()
    turns = await _one_by_one(bot, size.streamed, streamed=True)
    return {
        **_latencies("streamed", turns),
        "streamed_cpu_ms": (bot.cpu_ms() - before) / len(turns),
        "streamed_server_cpu_ms": (bot.server_cpu_ms() - server_before) / len(turns),
        "streamed_calls": max(turn.calls for turn in turns),
        "streamed_typing": max(turn.typing for turn in turns),
    }


async def crowd(bot: Contestant, size: Size) -> Figures:
    """All channels ask at once, again and again; then memory after that many messages."""
    clock = asyncio.get_running_loop()
    before, started = bot.rss_mib(), clock.time()
    await _all_at_once(bot, size.crowd)
    turns_per_s = size.crowd / (clock.time() - started)
    await _all_at_once(bot, max(0, size.growth - size.crowd))
    return {"turns_per_s": turns_per_s, "rss_growth_mib": bot.rss_mib() - before}


async def _one_by_one(bot: Contestant, count: int, *, streamed: bool) -> list[Turn]:
    channels = itertools.cycle(bot.stage.channels)
    return [await bot.stage.ask(next(channels), streamed=streamed) for _ in range(count)]


async def _all_at_once(bot: Contestant, count: int) -> None:
    """`count` questions, in each channel one after the other."""
    rounds, rest = divmod(count, len(bot.stage.channels))

    async def ask_in(channel: int, times: int) -> None:
        for _ in range(times):
            await bot.stage.ask(channel)

    async with asyncio.TaskGroup() as group:
        for number, channel in enumerate(bot.stage.channels):
            group.create_task(ask_in(channel, rounds + (number < rest)))


def _latencies(name: str, turns: Sequence[Turn]) -> Figures:
    first = sorted(turn.first_words_ms for turn in turns)
    final = sorted(turn.final_ms for turn in turns)
    return {
        f"{name}_first_p50_ms": statistics.median(first),
        f"{name}_first_p95_ms": _p95(first),
        f"{name}_final_p50_ms": statistics.median(final),
        f"{name}_final_p95_ms": _p95(final),
    }


def _p95(ordered: Sequence[float]) -> float:
    return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
