"""The benchmark's table: what it says of figures and targets. No times are asserted."""

from bench.market import FLASH, HAIKU
from bench.money import EXCHANGES, PARLEY, WARM_UP_TURNS, Bill
from bench.money_report import money_results, money_tables, ratios
from bench.quiet import Quiet
from bench.report import merged, table, verdicts
from bench.tap import Operation, sequential


def operation(sent_at_s: float, answered_at_s: float) -> Operation:
    return Operation(name="find turns", raw=b"", sent_at_s=sent_at_s, answered_at_s=answered_at_s)


def bill(*, prompts: int, summaries: int = 0, least: int = 100) -> Bill:
    """In thousandths of a dollar, with answers for 100."""
    milli = 1_000_000
    recent = (0,) * WARM_UP_TURNS + (300, least)
    return Bill(answers=100 * milli, prompts=prompts * milli, summaries=summaries * milli, recent=recent)


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


def test_a_bill_is_shown_in_dollars_with_the_recent_text_after_the_warm_up() -> None:
    rows = money_tables({HAIKU: {PARLEY: bill(prompts=40, summaries=10)}}, [])

    assert "| anthropic/claude-haiku-5-5 | Parley | 0.1500 | 0.1000 | 0.0400 | 0.0100 | 200 | 100 |" in rows


def test_a_ratio_is_given_with_and_without_the_answers_and_each_is_held_to_the_target() -> None:
    rows = money_tables({HAIKU: {PARLEY: bill(prompts=40, summaries=10), EXCHANGES: bill(prompts=200)}}, [])

    assert "| Parley | last 20 exchanges | never less | 0.250 yes | 0.500 NO | <= 0.25 |" in rows


def test_a_bill_for_less_text_meets_no_target_however_low() -> None:
    paid = {PARLEY: bill(prompts=1, least=99), EXCHANGES: bill(prompts=1_000)}

    assert ratios(paid)[0].less_text == 1
    assert "| less at 1 turns | 0.001 NO | 0.092 NO | <= 0.25 |" in money_tables({HAIKU: paid}, [])


def test_where_nothing_was_promised_there_is_no_verdict() -> None:
    rows = money_tables({FLASH: {PARLEY: bill(prompts=40), EXCHANGES: bill(prompts=200)}}, [])

    assert "| never less | 0.200 | 0.467 |  |" in rows


def test_a_quiet_thread_is_shown_with_what_its_marks_cost_and_how_many_there_were() -> None:
    slow = Quiet(gap_s=1_200, parley=1, always=90_000_000, never=75_000_000, unmarked=0, for_5_minutes=3, for_1_hour=57)

    rows = money_tables({}, [slow])

    assert "| 20 | 0.0000 | 0.0900 | 0.0750 | 3 for 5 minutes, 57 for an hour, 0 not at all |" in rows
    assert money_results({}, [slow])["quiet"] == [
        {
            "gap_s": 1_200,
            "parley": 1,
            "always": 90_000_000,
            "never": 75_000_000,
            "unmarked": 0,
            "for_5_minutes": 3,
            "for_1_hour": 57,
        }
    ]


def test_the_year_of_the_ledger_has_its_rows_in_the_table() -> None:
    rows = table({"year_all_ms": 12.0, "rebuild_s": 30.0}, {})

    assert "| the same: everyone, ms | 12.0 |  |  | <= 100 | yes |" in rows
    assert "| adding up that year anew, s | 30.0 |  |  |  |  |" in rows
