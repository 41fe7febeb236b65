"""Whether one chat's large files make the others wait, and whether the bot keeps the memory that files took.

Questions come into many chats at a steady low pace, while one more sends file after file. What they wait then is partly
the machine's doing, whose cores are busy: so the same files are also read by a process that is not the bot.
"""

import asyncio
import itertools
import statistics
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import file_samples as samples
from bench.contestant import Contestant
from bench.stage import Turn
from tests.fakes.discord.records import Upload

CHATS = 40
#: 12 questions a second in all: a fifth of what the bot can answer on two cores.
_PACE_S = 0.08
_WARM_UP_TURNS = 80
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Files of one kind, sent one after another. `says` names the kind."""

    says: str
    files: Sequence[Upload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long other chats waited for first words, milliseconds; `turns` is how many questions that was."""

    turns: int
    p50_ms: float
    p95_ms: float
    worst_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """One round: nothing else going on, while the bot reads each kind, and while another process reads it."""

    quiet: Wait
    read: Mapping[str, Wait]
    beside: Mapping[str, Wait]


def large_batches(copies: int) -> tuple[Batch, ...]:
    """Files of nearly 10 MB: `copies` of the kinds that take a second, fewer of those that take several."""
    few = max(1, copies // 3)
    return (
        Batch(
            says="photo, 24 MP",
            files=_uploads("jpg", (samples.jpeg_photo(6_000, 4_000, quality=92, seed=n) for n in range(copies))),
        ),
        Batch(
            says="PDF, 8 pages with photos, as it is to the model",
            files=_uploads("pdf", (samples.illustrated_pdf(8, quality=95, seed=n) for n in range(copies))),
        ),
        Batch(
            says="PDF, 2,500 pages of words",
            files=_uploads("pdf", (samples.text_pdf(2_500, seed=n) for n in range(few))),
        ),
        Batch(
            says="text, Chinese",
            files=_uploads("txt", (samples.chinese_text(9_900_000, seed=n) for n in range(copies))),
        ),
        Batch(says="Excel, 87,000 rows", files=_uploads("xlsx", [samples.workbook(87_000)] * few)),
    )


def small_files(count: int) -> Sequence[Upload]:
    """Files of about 2 MB by turns: a photo, a PDF with photos, a log."""
    makers: tuple[tuple[str, Callable[[int], bytes]], ...] = (
        ("jpg", lambda n: samples.jpeg_photo(2_000, 1_500, quality=95, seed=n)),
        ("pdf", lambda n: samples.illustrated_pdf(2, quality=94, seed=n)),
        ("log", lambda n: samples.log(2_000_000, seed=n)),
    )
    return [
        Upload(filename=f"file.{ending}", content=make(number))
        for number, (ending, make) in zip(range(count), itertools.cycle(makers), strict=False)
    ]


async def waits(bot: Contestant, batches: Sequence[Batch], folder: Path, *, quiet_s: float) -> Waits:
    """Measure one round. Half of the quiet comes at the end, when threads have grown."""
    chats, senders = bot.stage.channels[:CHATS], iter(bot.stage.channels[CHATS:])
    for channel in itertools.islice(itertools.cycle(chats), _WARM_UP_TURNS):
        await bot.stage.ask(channel)
    quiet = await _asked_during(bot, chats, asyncio.sleep(quiet_s / 2))
    read, beside = {}, {}
    for batch in batches:
        read[batch.says] = _wait(await _asked_during(bot, chats, _send(bot, senders, batch.files)))
        beside[batch.says] = _wait(await _asked_during(bot, chats, _read_beside(batch.files, folder)))
    quiet += await _asked_during(bot, chats, asyncio.sleep(quiet_s / 2))
    return Waits(quiet=_wait(quiet), read=read, beside=beside)


async def growth_mib(bot: Contestant, files: Sequence[Upload], first: int) -> float:
    """How much memory the bot has more after all files than after the `first` ones, each in a chat of its own."""
    after_first = 0.0
    for number, (channel, file) in enumerate(zip(bot.stage.channels, files, strict=False)):
        if number == first:
            after_first = bot.rss_mib()
        await bot.stage.ask(channel, files=[file])
    return bot.rss_mib() - after_first


async def _asked_during(bot: Contestant, chats: Sequence[int], work: Awaitable[None]) -> list[Turn]:
    """The questions of other chats while `work` goes on, all answered."""
    turns: list[Turn] = []

    async def ask(channel: int) -> None:
        turns.append(await bot.stage.ask(channel))

    async with asyncio.TaskGroup() as group:

        async def keep_asking() -> None:
            for channel in itertools.cycle(chats):
                group.create_task(ask(channel))
                await asyncio.sleep(_PACE_S)

        asking = group.create_task(keep_asking())
        await work
        asking.cancel()
    return turns


async def _send(bot: Contestant, channels: Iterator[int], files: Sequence[Upload]) -> None:
    for file in files:
        await bot.stage.ask(next(channels), files=[file])


async def _read_beside(files: Sequence[Upload], folder: Path) -> None:
    paths = [folder / f"{number}-{file.filename}" for number, file in enumerate(files)]
    for path, file in zip(paths, files, strict=True):
        await asyncio.to_thread(path.write_bytes, file.content)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.reading_beside", *map(str, paths), cwd=_ROOT
    )
    if await process.wait():
        raise RuntimeError("the process beside the bot could not read the files")


def _uploads(ending: str, contents: Iterable[bytes]) -> Sequence[Upload]:
    return [Upload(filename=f"file.{ending}", content=content) for content in contents]


def _wait(turns: Sequence[Turn]) -> Wait:
    ordered = sorted(turn.first_words_ms for turn in turns)
    return Wait(
        turns=len(ordered),
        p50_ms=statistics.median(ordered),
        p95_ms=ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        worst_ms=ordered[-1],
    )
