"""The benchmark's table: what it says of figures and targets. No times are asserted."""

from bench.report import merged, table, verdicts
from bench.tap import Operation, sequential


def operation(sent_at_s: float, answered_at_s: float) -> Operation:
    return Operation(name="find turns", raw=b"", sent_at_s=sent_at_s, answered_at_s=answered_at_s)


def test_a_figure_is_shown_beside_the_floor_with_its_ratio_and_whether_it_meets_its_target() -> None:
    rows = table({"instant_cpu_ms": 12.0, "turns_per_s": 120.0}, {"instant_cpu_ms": 4.0, "turns_per_s": 240.0})

    assert "| instant answer: CPU, ms a turn | 12.0 | 4.0 | 3.00 | <= 10, <= 2.4 x floor | NO |" in rows
    assert "| 200 threads at once: turns a second | 120.0 | 240.0 | 0.50 | >= 100 | yes |" in rows


def test_a_limit_relative_to_the_floor_needs_a_floor() -> None:
    assert verdicts({"instant_first_p50_ms": 90.0}, {}) == {"instant_first_p50_ms": True}
    assert verdicts({"instant_first_p50_ms": 90.0}, {"instant_first_p50_ms": 10.0}) == {"instant_first_p50_ms": False}


def test_rounds_are_merged_by_their_medians() -> None:
    assert merged([{"a": 1.0}, {"a": 9.0}, {"a": 2.0, "b": 5.0}]) == {"a": 2.0, "b": 5.0}


def test_operations_that_overlap_count_as_one_wait() -> None:
    operations = [operation(0.0, 1.0), operation(0.1, 1.2), operation(1.3, 2.0), operation(2.1, 3.0)]

    assert sequential(operations) == 3
