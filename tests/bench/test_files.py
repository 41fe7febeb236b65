"""The files bench's tables: what is compared with what, and when a target counts as met. No times are asserted."""

from collections.abc import Callable

from bench.file_costs import EMPTY, Cost, Costs, Sample
from bench.file_latency import Wait, Waits
from bench.file_samples import chinese_text, illustrated_pdf, jpeg_photo, log, text_pdf
from bench.files_report import files_results, files_tables, held

PHOTO = Sample(says="photo", name="a.jpg", library="jpeg", content=bytes(2_500_000))


def cost(*, sample: Sample = PHOTO, cpu_ms: float = 300.0, peak_mib: float = 100.0) -> Costs:
    return Costs(
        sample=sample,
        worker=Cost(cpu_ms=cpu_ms, wall_ms=400.0, peak_mib=peak_mib),
        library=Cost(cpu_ms=200.0, wall_ms=210.0, peak_mib=50.0),
        remark="",
    )


def wait(p95_ms: float, worst_ms: float = 90.0) -> Wait:
    return Wait(turns=10, p50_ms=15.0, p95_ms=p95_ms, worst_ms=worst_ms)


def waits(quiet: float, read: float, beside: float = 30.0) -> Waits:
    return Waits(quiet=wait(quiet, 40.0), read={"photo": wait(read)}, beside={"photo": wait(beside)})


def test_a_file_may_cost_half_as_much_again_as_the_library_alone() -> None:
    met = "| photo | 2.5 | 300 | 400 | 100 | 200 | 50 | 1.50 | <= 1.5 x library, <= 256 MiB | yes |"

    assert met in files_tables([cost()], held([waits(20, 30)]), [1.0])
    for costly in (cost(cpu_ms=301), cost(peak_mib=257)):
        assert "256 MiB | NO |" in files_tables([costly], held([waits(20, 30)]), [1.0])


def test_starting_and_ending_alone_is_shown_and_held_to_nothing() -> None:
    costs, quick = [cost(sample=EMPTY, cpu_ms=900.0), cost()], held([waits(20, 30)])

    assert "| 4.50 |  |  |" in files_tables(costs, quick, [1.0])
    assert files_results(costs, quick, [1.0])["met"] == {"costs": True, "waits": True, "growth": True}


def test_each_round_is_compared_with_its_own_quiet_and_the_median_of_rounds_counts() -> None:
    rounds = held([waits(20, 40.5), waits(100, 105), waits(10, 95)])

    rows = files_tables([cost()], rounds, [1.0])

    assert rounds.read[0].later_ms == 20.5
    assert "| read by the bot: photo | 30 | 15.0 | 95.0 | 90.0 | 20.5 | <= 20 | NO |" in rows
    assert "| nothing | 30 | 15.0 | 20.0 | 40.0 |  |  |  |" in rows


def test_memory_is_held_to_the_median_of_rounds() -> None:
    assert "| 20.0 | <= 20 | yes |" in files_tables([cost()], held([waits(20, 30)]), [1.0, 20.0, 90.0])
    assert "| 21.0 | <= 20 | NO |" in files_tables([cost()], held([waits(20, 30)]), [1.0, 21.0, 90.0])


def test_files_differ_by_their_seed_and_are_the_same_each_time() -> None:
    makers: tuple[Callable[[int], bytes], ...] = (
        lambda seed: jpeg_photo(320, 240, quality=80, seed=seed),
        lambda seed: text_pdf(2, seed),
        lambda seed: illustrated_pdf(2, 30, seed),
        lambda seed: log(2_000, seed),
        lambda seed: chinese_text(900_000, seed),
    )

    for make in makers:
        assert make(1) == make(1)
        assert make(1) != make(2)
