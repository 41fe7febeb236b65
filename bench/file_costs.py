"""What one file costs in its worker process, beside the plain library's work on the same file in a process of its own.

Both are measured from outside: CPU time by what the system accounts for ended children, memory by looking at the child
while it runs. Knows no chat and no bot.
"""

import asyncio
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import file_samples as samples
from bot.attachments.reader import SubprocessReader

_LOOK_EVERY_S = 0.01
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A file to read. `library` is the word that `bench.plain_library` knows for its kind."""

    says: str
    name: str
    library: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a process took: CPU (user and system), time by the clock, peak of resident memory."""

    cpu_ms: float
    wall_ms: float
    peak_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """One file: in the worker, and by the plain library. `remark` is what the worker says that it read."""

    sample: Sample
    worker: Cost
    library: Cost
    remark: str

    @property
    def is_file(self) -> bool:
        """Whether there is anything to read: the empty run only shows what it takes to start and end."""
        return self.sample is not EMPTY


EMPTY = Sample(says="one word: start and end alone", name="a.txt", library="nothing", content=b"word")


def usual_files() -> Sequence[Sample]:
    """What people send, smallest of its kind first."""
    return (
        Sample(
            says="photo, 12 MP (JPEG)",
            name="a.jpg",
            library="jpeg",
            content=samples.jpeg_photo(4_000, 3_000, quality=85),
        ),
        Sample(
            says="photo, 50 MP (JPEG)",
            name="b.jpg",
            library="jpeg",
            content=samples.jpeg_photo(8_660, 5_774, quality=78),
        ),
        Sample(says="screenshot, 4K (PNG)", name="a.png", library="png", content=samples.screenshot()),
        *(
            Sample(says=f"PDF, {pages:,} pages", name="a.pdf", library="pdf", content=samples.text_pdf(pages))
            for pages in (10, 100, 1_000)
        ),
        Sample(says="Word, 300 pages", name="a.docx", library="docx", content=samples.word_document(300)),
        Sample(says="Excel, 44,000 rows", name="a.xlsx", library="xlsx", content=samples.workbook(44_000)),
    )


async def costs_of(files: Sequence[Sample], rounds: int) -> tuple[Costs, ...]:
    """An empty run first, then these; all of them round by round, so that drift of the machine hits all."""
    everything = (EMPTY, *files)
    worker: dict[str, list[Cost]] = {each.says: [] for each in everything}
    library: dict[str, list[Cost]] = {each.says: [] for each in everything}
    remarks: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        for _ in range(rounds):
            for sample in everything:
                cost, remarks[sample.says] = await _in_worker(sample)
                worker[sample.says].append(cost)
                library[sample.says].append(await _by_library(sample, Path(folder)))
    return tuple(
        Costs(
            sample=each,
            worker=_median(worker[each.says]),
            library=_median(library[each.says]),
            remark=remarks[each.says],
        )
        for each in everything
    )


async def _in_worker(sample: Sample) -> tuple[Cost, str]:
    async with _Watch() as watch:
        file = await SubprocessReader().read(sample.name, None, sample.content)
    return watch.cost, "; ".join(file.remarks)


async def _by_library(sample: Sample, folder: Path) -> Cost:
    path = folder / sample.name
    path.write_bytes(sample.content)
    async with _Watch() as watch:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.plain_library", sample.library, str(path), cwd=_ROOT
        )
        if await process.wait():
            raise RuntimeError(f"the plain library did not read {sample.says}")
    return watch.cost


class _Watch:
    """An async context in which one child runs and ends; `cost` is set at the end."""

    def __init__(self) -> None:
        self.cost: Cost
        self._peak_bytes = 0

    async def __aenter__(self) -> "_Watch":
        self._cpu_s, self._started_s = _children_cpu_s(), time.perf_counter()
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._looking = self._group.create_task(self._look())
        return self

    async def __aexit__(self, *error: object) -> None:
        wall_ms = (time.perf_counter() - self._started_s) * 1000
        self._looking.cancel()
        await self._group.__aexit__(None, None, None)
        cpu_ms = (_children_cpu_s() - self._cpu_s) * 1000
        self.cost = Cost(cpu_ms=cpu_ms, wall_ms=wall_ms, peak_mib=self._peak_bytes / 2**20)

    async def _look(self) -> None:
        children: Sequence[psutil.Process] = ()
        while True:
            children = children or psutil.Process().children()
            self._peak_bytes = max(self._peak_bytes, *map(_peak_bytes, children), 0)
            await asyncio.sleep(_LOOK_EVERY_S)


def _peak_bytes(process: psutil.Process) -> int:
    """The most that it had so far where the system tells, else what it has now; 0: it is gone."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return _rss_bytes(process)
    sizes = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(sizes["VmHWM"].split()[0]) * 1024 if "VmHWM" in sizes else 0


def _rss_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _children_cpu_s() -> float:
    """CPU time of all children that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        cpu_ms=statistics.median(cost.cpu_ms for cost in costs),
        wall_ms=statistics.median(cost.wall_ms for cost in costs),
        peak_mib=statistics.median(cost.peak_mib for cost in costs),
    )
