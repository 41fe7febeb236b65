"""From figures to the tables that people read: what files cost, whom they hold up, and what stays in memory."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.file_costs import Costs
from bench.file_latency import Wait, Waits
from bench.report import markdown

#: What the worker process with its checks and limits may cost beside the library alone.
CPU_TIMES_LIBRARY = 1.5
PEAK_MIB = 256.0
#: How much later the first words of other chats may come, at p95, while a file is read.
LATER_MS = 20.0
GROWTH_MIB = 20.0

_COSTS_HEAD = ("file", "MB", "worker: CPU, ms", "wall, ms", "peak, MiB", "library: CPU, ms", "peak, MiB", "CPU ratio")
_WAITS_HEAD = ("meanwhile", "questions", "first words, p50 ms", "p95 ms", "worst ms", "later at p95, ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """How long other chats waited while one kind of file was read, and how much longer at p95 than in the quiet."""

    says: str
    wait: Wait
    later_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """All rounds together: the quiet, while the bot read each kind, and while another process read it."""

    quiet: Wait
    read: Sequence[Later]
    beside: Sequence[Later]


def held(rounds: Sequence[Waits]) -> Held:
    """The medians over rounds; each round is compared with its own quiet."""
    return Held(
        quiet=_median([each.quiet for each in rounds]),
        read=_later([(each.quiet, each.read) for each in rounds]),
        beside=_later([(each.quiet, each.beside) for each in rounds]),
    )


def files_tables(costs: Sequence[Costs], waits: Held, growths_mib: Sequence[float]) -> str:
    """The tables, in Markdown."""
    grown = statistics.median(growths_mib)
    growth = ("memory of the bot after 100 files of 2 MB more than after 10, MiB", f"{grown:,.1f}")
    return "\n\n".join(
        (
            markdown((*_COSTS_HEAD, "target", "met"), [_cost_row(cost) for cost in costs]),
            markdown((*_WAITS_HEAD, "target", "met"), _wait_rows(waits)),
            markdown(
                ("what", "Parley", "target", "met"), [(*growth, f"<= {GROWTH_MIB:g}", _word(grown <= GROWTH_MIB))]
            ),
        )
    )


def files_results(costs: Sequence[Costs], waits: Held, growths_mib: Sequence[float]) -> Mapping[str, object]:
    """The same figures, for a file."""
    return {
        "costs": {
            cost.sample.says: {"worker": asdict(cost.worker), "library": asdict(cost.library), "read": cost.remark}
            for cost in costs
        },
        "waits": asdict(waits),
        "growth_mib": list(growths_mib),
        "met": {
            "costs": all(_is_cheap(cost) for cost in costs if cost.is_file),
            "waits": all(each.later_ms <= LATER_MS for each in waits.read),
            "growth": statistics.median(growths_mib) <= GROWTH_MIB,
        },
    }


def _cost_row(cost: Costs) -> tuple[str, ...]:
    worker, library = cost.worker, cost.library
    return (
        cost.sample.says,
        f"{len(cost.sample.content) / 1e6:,.1f}",
        f"{worker.cpu_ms:,.0f}",
        f"{worker.wall_ms:,.0f}",
        f"{worker.peak_mib:,.0f}",
        f"{library.cpu_ms:,.0f}",
        f"{library.peak_mib:,.0f}",
        f"{worker.cpu_ms / library.cpu_ms:.2f}",
        f"<= {CPU_TIMES_LIBRARY:g} x library, <= {PEAK_MIB:g} MiB" if cost.is_file else "",
        _word(_is_cheap(cost)) if cost.is_file else "",
    )


def _is_cheap(cost: Costs) -> bool:
    return cost.worker.cpu_ms <= CPU_TIMES_LIBRARY * cost.library.cpu_ms and cost.worker.peak_mib <= PEAK_MIB


def _wait_rows(waits: Held) -> list[tuple[str, ...]]:
    rows = [("nothing", *_wait_cells(waits.quiet), "", "", "")]
    for read, beside in zip(waits.read, waits.beside, strict=True):
        later = f"{read.later_ms:,.1f}"
        met = _word(read.later_ms <= LATER_MS)
        rows.append((f"read by the bot: {read.says}", *_wait_cells(read.wait), later, f"<= {LATER_MS:g}", met))
        rows.append(("the same files, read beside it", *_wait_cells(beside.wait), f"{beside.later_ms:,.1f}", "", ""))
    return rows


def _wait_cells(wait: Wait) -> tuple[str, ...]:
    return (f"{wait.turns}", f"{wait.p50_ms:,.1f}", f"{wait.p95_ms:,.1f}", f"{wait.worst_ms:,.1f}")


def _later(rounds: Sequence[tuple[Wait, Mapping[str, Wait]]]) -> Sequence[Later]:
    return [
        Later(
            says=says,
            wait=_median([waits[says] for _, waits in rounds]),
            later_ms=statistics.median(waits[says].p95_ms - quiet.p95_ms for quiet, waits in rounds),
        )
        for says in rounds[0][1]
    ]


def _median(waits: Sequence[Wait]) -> Wait:
    """Of each figure; `turns` are all."""
    return Wait(
        turns=sum(wait.turns for wait in waits),
        p50_ms=statistics.median(wait.p50_ms for wait in waits),
        p95_ms=statistics.median(wait.p95_ms for wait in waits),
        worst_ms=max(wait.worst_ms for wait in waits),
    )


def _word(met: bool) -> str:
    return "yes" if met else "NO"
