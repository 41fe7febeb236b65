"""`make bench ARGS="--only files"`: what files cost in their worker process, and what they do to everybody else.

Orders the parts; what is measured and how is in `file_costs` and `file_latency`.
"""

import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bench.contestant import PARLEY, Contestant, running
from bench.file_costs import Costs, costs_of, usual_files
from bench.file_latency import CHATS, Batch, Waits, growth_mib, large_batches, small_files, waits
from bench.files_report import Held, held
from bench.model_process import model_apart
from bot.storage.embedded import embedded_mongod
from tests.fakes.discord.records import Upload

_ROUNDS, _COPIES, _QUIET_S = 3, 12, 24.0
_QUICK_ROUNDS, _QUICK_COPIES, _QUICK_QUIET_S = 1, 3, 8.0
_SMALL_FILES, _FIRST_FILES = 100, 10

Figures = tuple[Sequence[Costs], Held, Sequence[float]]


async def files(*, quick: bool, say: Callable[[str], None]) -> Figures:
    """All three parts; `say` tells somebody who waits what is measured."""
    rounds = _QUICK_ROUNDS if quick else _ROUNDS
    say("what files cost")
    costs = await costs_of(usual_files(), rounds)
    say("making large files")
    batches = large_batches(_QUICK_COPIES if quick else _COPIES)
    small = small_files(_SMALL_FILES)
    measured: list[Waits] = []
    growths_mib: list[float] = []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: what files do to other chats")
        measured.append(await _waits(batches, _QUICK_QUIET_S if quick else _QUIET_S))
        say(f"round {number + 1} of {rounds}: what files leave in memory")
        growths_mib.append(await _growth_mib(small))
    return costs, held(measured), growths_mib


async def _waits(batches: Sequence[Batch], quiet_s: float) -> Waits:
    async with _parley(CHATS + sum(len(batch.files) for batch in batches)) as (bot, folder):
        return await waits(bot, batches, folder, quiet_s=quiet_s)


async def _growth_mib(small: Sequence[Upload]) -> float:
    async with _parley(len(small)) as (bot, _):
        return await growth_mib(bot, small, _FIRST_FILES)


@asynccontextmanager
async def _parley(channels: int) -> AsyncIterator[tuple[Contestant, Path]]:
    """The running bot with a database and a model's server of its own, and a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as name:
        folder = Path(name)
        async with embedded_mongod(folder / "data") as uri, model_apart() as url:
            environ = {"MONGODB_URI": uri, "DATA_DIR": str(folder / "own"), "OPENAI_BASE_URL": url}
            async with running("parley", PARLEY, folder, channels=channels, environ=environ) as bot:
                yield bot, folder
