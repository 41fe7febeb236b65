"""The database's part of a turn: how many operations, how many wait for each other, and whether storage slows it.

Counted at a tap between the bot and its MongoDB, so that the bot is measured as it is.
"""

import asyncio
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from bench.contestant import PARLEY, Contestant, running
from bench.scenarios import Figures, Size
from bench.stage import Turn
from bench.tap import Operation, Tap, open_tap, sequential
from bot.core.events import Outcome
from bot.core.turn_record import Item, ItemKind, TurnRecord
from bot.storage.database import Database, open_database
from bot.storage.turns import TurnStore

#: Longer than anything else in a turn, so that what waits for a reply cannot overlap with what sent it.
_HELD_UP_S = 0.03
_FEW, _MANY = 10, 10_000
_ASKED = 10
_DATABASE = "bench_database"
_AT = datetime(2026, 1, 1, tzinfo=UTC)


async def database(folder: Path, uri: str, size: Size) -> Figures:
    """Operations and sequential waits of an instant turn, and their time with 10 and 10,000 stored turns."""
    async with open_tap(unquote(uri.removeprefix("mongodb://").partition("/?")[0])) as tap:
        environ = {
            "MONGODB_URI": f"mongodb://127.0.0.1:{tap.port}/?directConnection=true",
            "MONGODB_DATABASE": _DATABASE,
            "DATA_DIR": str(folder / "database"),
        }
        async with (
            running("database", PARLEY, folder, channels=3 + size.warm_up, environ=environ) as bot,
            open_database(uri, _DATABASE) as stored,
        ):
            few, many, counted, *warm_up = bot.stage.channels
            for channel in warm_up:
                await bot.stage.ask(channel)
            tap.delay_s = _HELD_UP_S
            operations = await _operations(bot, tap, counted)
            tap.delay_s = 0.0
            times = {_FEW: few, _MANY: many}
            for count, channel in times.items():
                await _store(bot, stored, channel, count)
            few_ms, many_ms = await _alternating_ms(bot, tap, few, many)
    return {
        "database_operations": len(operations),
        "database_waits": sequential(operations),
        "database_ms_at_10": few_ms,
        "database_ms_at_10000": many_ms,
        "stored_turns_ratio": many_ms / few_ms,
    }


async def _alternating_ms(bot: Contestant, tap: Tap, few: int, many: int) -> tuple[float, float]:
    """Medians of the summed database time of a turn, asked in turn so that drift of the machine hits both."""
    spent: dict[int, list[float]] = {few: [], many: []}
    for _ in range(_ASKED):
        for channel, times in spent.items():
            times.append(sum(each.ms for each in await _operations(bot, tap, channel)))
    return statistics.median(spent[few]), statistics.median(spent[many])


async def _operations(bot: Contestant, tap: Tap, channel: int) -> Sequence[Operation]:
    """What one turn asks of the database, all answered; without heartbeats and sweeps."""
    seen = len(tap.operations)
    turn = await bot.stage.ask(channel)
    async with asyncio.timeout(10.0):
        while True:
            found = [each for each in tap.operations[seen:] if _is_of(each, turn)]
            steps = [each for each in found if each.name == "findAndModify threads"]
            # The first one takes the message in, the second one takes it off the queue.
            if len(steps) > 1 and all(each.answered_at_s < float("inf") for each in found):
                return found
            await asyncio.sleep(0.001)


def _is_of(operation: Operation, turn: Turn) -> bool:
    reads = operation.name in ("find turns", "find settings") and operation.concerns(turn.channel_id)
    return reads or operation.concerns(turn.message_id)


async def _store(bot: Contestant, stored: Database, channel: int, count: int) -> None:
    """Make the channel's thread one with so many stored turns."""
    await bot.stage.ask(channel)
    thread_key = f"discord:{bot.stage.discord.bot_user_id}:{channel}"
    turns = TurnStore(stored)
    for seq in range(1, count + 1):
        await turns.append(_turn(thread_key, seq))
    async with stored.operation():
        await stored.collection("threads").update_one({"_id": thread_key}, {"$set": {"n": count + 1}})
    await bot.stage.ask(channel)


def _turn(thread_key: str, seq: int) -> TurnRecord:
    item = Item(
        uid=f"bench:{thread_key}:{seq}",
        kind=ItemKind.MESSAGE,
        author_key="discord:1",
        author_name="Ada",
        text="What is the answer?",
        message_id=str(seq),
        at=_AT,
        order=seq,
    )
    return TurnRecord(
        uid=item.uid,
        thread_key=thread_key,
        seq=seq,
        fence=1,
        at=_AT,
        items=(item,),
        steps=(),
        answer="The answer to that is forty-two.",
        outcome=Outcome.ANSWERED,
        reason=None,
        model="openai/gpt-6-luna",
    )
