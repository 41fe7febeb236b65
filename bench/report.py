"""From figures to the table that people read: Parley beside the floor, and beside what was promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.scenarios import Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure should be at most (`at_least`: at least); `times_floor` is relative to the floor's figure."""

    figure: str
    says: str
    at_most: float | None = None
    at_least: float | None = None
    times_floor: float | None = None

    def is_met(self, parley: float, floor: float | None) -> bool:
        """Whether every limit that is given holds."""
        return (
            (self.at_most is None or parley <= self.at_most)
            and (self.at_least is None or parley >= self.at_least)
            and (self.times_floor is None or floor is None or parley <= self.times_floor * floor)
        )


TARGETS: tuple[Target, ...] = (
    Target(figure="instant_first_p50_ms", says="instant answer: first words, p50 ms", times_floor=3.0),
    Target(figure="instant_first_p95_ms", says="instant answer: first words, p95 ms"),
    Target(figure="instant_cpu_ms", says="instant answer: CPU, ms a turn", at_most=10.0, times_floor=2.4),
    Target(figure="instant_server_cpu_ms", says="instant answer: CPU of mongod, ms a turn"),
    Target(figure="instant_calls", says="instant answer: sends and edits", at_most=1.0),
    Target(figure="streamed_first_p50_ms", says="200 chunks: first words, p50 ms"),
    Target(figure="streamed_final_p50_ms", says="200 chunks: whole answer, p50 ms"),
    Target(figure="streamed_final_p95_ms", says="200 chunks: whole answer, p95 ms"),
    Target(figure="streamed_cpu_ms", says="200 chunks: CPU, ms a turn", at_most=40.0, times_floor=1.5),
    Target(figure="streamed_server_cpu_ms", says="200 chunks: CPU of mongod, ms a turn"),
    Target(figure="streamed_calls", says="200 chunks: sends and edits", at_most=4.0),
    Target(figure="streamed_typing", says="200 chunks: typing calls"),
    Target(figure="turns_per_s", says="200 threads at once: turns a second", at_least=100.0),
    Target(figure="rss_start_mib", says="memory after start, MiB", at_most=115.0),
    Target(figure="rss_growth_mib", says="its growth over 1,000 messages in 200 threads, MiB", at_most=20.0),
    Target(figure="database_operations", says="database operations of an instant turn"),
    Target(figure="database_waits", says="of which wait for each other", at_most=5.0),
    Target(figure="database_ms_at_10", says="database time of a turn, 10 stored turns, ms"),
    Target(figure="database_ms_at_10000", says="database time of a turn, 10,000 stored turns, ms"),
    Target(figure="stored_turns_ratio", says="ratio of the two", at_most=1.3),
    Target(figure="year_user_ms", says="/cost over a year of 1,000,000 calls: the heaviest person, ms", at_most=100.0),
    Target(figure="year_server_ms", says="the same: a server, ms", at_most=100.0),
    Target(figure="year_all_ms", says="the same: everyone, ms", at_most=100.0),
    Target(figure="rebuild_s", says="adding up that year anew, s"),
    Target(figure="rolled_rows_per_s", says="new calls added to the sums, a second"),
)
_HEAD = ("what", "Parley", "floor", "ratio", "target", "met")


def merged(runs: Sequence[Figures]) -> Figures:
    """The median of each figure over several runs."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: _median([run[name] for run in runs if name in run]) for name in names}


def table(parley: Figures, floor: Figures) -> str:
    """A Markdown table with a row for each figure that was measured."""
    return markdown(_HEAD, [_row(target, parley, floor) for target in TARGETS if target.figure in parley])


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown writes it."""
    return "\n".join(_line(row) for row in (head, ("---",) * len(head), *rows))


def verdicts(parley: Figures, floor: Figures) -> Mapping[str, bool]:
    """Whether each figure that has a target met it."""
    return {
        target.figure: target.is_met(parley[target.figure], floor.get(target.figure))
        for target in TARGETS
        if target.figure in parley and _limits(target)
    }


def _row(target: Target, parley: Figures, floor: Figures) -> tuple[str, ...]:
    ours, least = parley[target.figure], floor.get(target.figure)
    ratio = f"{ours / least:.2f}" if least else ""
    met = ("yes" if target.is_met(ours, least) else "NO") if _limits(target) else ""
    return target.says, f"{ours:,.1f}", "" if least is None else f"{least:,.1f}", ratio, _limits(target), met


def _limits(target: Target) -> str:
    limits = []
    if target.at_most is not None:
        limits.append(f"<= {target.at_most:g}")
    if target.at_least is not None:
        limits.append(f">= {target.at_least:g}")
    if target.times_floor is not None:
        limits.append(f"<= {target.times_floor:g} x floor")
    return ", ".join(limits)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
