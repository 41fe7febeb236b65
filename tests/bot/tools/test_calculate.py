"""`calculate`: exact arithmetic, units, dates and zones; and nothing that a stranger writes takes long or gets out."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.tools import ToolOutput
from bot.tools._numbers import CalculationError
from bot.tools.calculate import Calculate
from tests.bot.storage.worlds import OwnedClock
from tests.fakes.tools import CONTEXT

NOW = datetime(2026, 11, 21, 9, 30, 15, tzinfo=UTC)


def tool() -> Calculate:
    clock = OwnedClock()
    clock.now_ = NOW
    return Calculate(clock)


async def run(expression: str) -> ToolOutput:
    return await tool().run({"expression": expression}, CONTEXT)


def result_of(output: ToolOutput) -> str:
    """What stands behind the arrow."""
    assert not output.is_error, output.text
    return output.text.partition(" → ")[2]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("0.1 + 0.2", "0.3"),
        ("2 + 3 * 4", "14"),
        ("-2 ^ 2", "-4"),
        ("2 ** 3 ** 2", "512"),
        ("2 ^ -3", "0.125"),
        ("10 / 3", "10/3 ≈ 3.33333333333333"),
        ("1/3 * 3", "1"),
        ("1,234,567.5 * 2", "2469135"),
        ("1e-9 * 3", "0.000000003"),
        ("17 % 5", "2"),
        ("-7 mod 3", "2"),
        ("17 // 5", "3"),
        ("20% of 85", "17"),
        ("15%", "0.15"),
        ("5!", "120"),
        ("2 (3 + 4)", "14"),
        ("√2 × √2", "≈ 2"),
        ("2π", "≈ 6.28318530717959"),
        ("10⁻² ÷ 4", "0.0025"),
        ("sqrt(16/9)", "4/3 ≈ 1.33333333333333"),
        ("log(8, 2)", "3"),
        ("log10(0.001)", "-3"),
        ("ln(e)", "≈ 1"),
        ("8 ^ (1/3)", "≈ 2"),
        ("sin(30 deg)", "≈ 0.5"),
        ("round(2.675, 2)", "2.68"),
        ("round(-2.5)", "-3"),
        ("comb(49, 6)", "13983816"),
        ("max(1, 7/2, 3)", "3.5"),
        ("mean(1, 2, 6)", "3"),
        ("gcd(12, 18) + lcm(4, 6)", "18"),
        ("(-1) ^ 99999999999", "-1"),
        ("0 ^ 0", "1"),
        ("7 =", "7"),
    ],
)
async def test_numbers_stay_exact_as_long_as_they_can(expression: str, result: str) -> None:
    assert result_of(await run(expression)) == result


async def test_long_whole_numbers_are_told_in_full() -> None:
    assert result_of(await run("2^1000")) == str(2**1000)


async def test_a_percentage_after_a_plus_is_one_of_what_stands_before_and_that_is_said() -> None:
    result, _, remark = result_of(await run("200 + 10%")).partition("\n")

    assert (result, "50 + 10% = 55" in remark) == ("220", True)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("5 miles in km", "8.04672 km"),
        ("70 F to C", "190/9 ≈ 21.1111111111111 °C"),
        ("-40 °C in °F", "-40 °F"),
        ("300 K to C", "26.85 °C"),
        ("2 h 30 min in s", "9000 s"),
        ("5 ft 11 in in cm", "180.34 cm"),
        ("70 in to cm", "177.8 cm"),
        ("1/2 cup in ml", "118.29411825 ml"),
        ("60 km / 2 h", "30 km/h"),
        ("60 km/h * 30 min", "30 km"),
        ("100 m / 9.58 s in km/h", "18000/479 ≈ 37.5782881002088 km/h"),
        ("10 MB / 2 Mbps in s", "40 s"),
        ("5 m2 in cm2", "50000 cm^2"),
        ("3 cubic m in l", "3000 l"),
        ("5 kg m/s^2 in N", "5 N"),
        ("1 nautical mile in m", "1852 m"),
        ("5 km / 2 m", "2500"),
        ("5 km + 300 m", "5.3 km"),
        ("350 Calories in kJ", "1464.4 kJ"),
        ("1/4 in percent", "25 %"),
        ("10 µF in nF", "10000 nF"),
        ("abs(-3 kg)", "3 kg"),
    ],
)
async def test_units_are_converted_exactly(expression: str, result: str) -> None:
    assert result_of(await run(expression)) == result


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("now in Asia/Tokyo", "2026-11-21 18:30:15 Asia/Tokyo (UTC+09:00), Saturday"),
        ("time in Lagos", "2026-11-21 10:30:15 Africa/Lagos (UTC+01:00), Saturday"),
        (
            "2026-03-01 14:00 Berlin in New York",
            "2026-03-01 14:00 Europe/Berlin (UTC+01:00) = 2026-03-01 08:00 America/New_York (UTC-05:00), Sunday",
        ),
        ("2026-03-01T14:00:00+02:00 in UTC", "2026-03-01 14:00 UTC+02:00 = 2026-03-01 12:00 UTC, Sunday"),
        (
            "3pm in London to Tokyo",
            "2026-11-21 15:00 Europe/London (UTC+00:00) = 2026-11-22 00:00 Asia/Tokyo (UTC+09:00), Sunday",
        ),
        ("days between 2026-11-21 and 2027-01-01", "from 2026-11-21 to 2027-01-01: 41 days"),
        ("days until December 25", "from 2026-11-21 to 2026-12-25: 34 days"),
        (
            # Clocks go forward in that night.
            "hours between 2026-03-28 12:00 Berlin and 2026-03-29 12:00 Berlin",
            "from 2026-03-28 12:00 Europe/Berlin (UTC+01:00) to 2026-03-29 12:00 Europe/Berlin (UTC+02:00): 23 hours",
        ),
        ("years between 1976-07-04 and today", "from 1976-07-04 to 2026-11-21: 50 years 4 months 17 days"),
        ("2027-01-01 - 2026-11-21", "from 2026-11-21 to 2027-01-01: 41 days (1 month 11 days)"),
        ("2026-11-21 - 2027-01-01", "from 2027-01-01 to 2026-11-21: minus 41 days (minus 1 month 11 days)"),
        ("2026-01-31 + 1 month", "2026-02-28, Saturday, week 9, day 59 of the year"),
        ("2024-02-29 + 1 year - 2 days", "2025-02-26, Wednesday, week 9, day 57 of the year"),
        ("3 weeks from today", "2026-12-12, Saturday, week 50, day 346 of the year"),
        ("in 90 minutes", "2026-11-21 11:00:15 UTC, Saturday"),
        ("2026-10-24 12:00 Berlin + 1 day", "2026-10-25 12:00 Europe/Berlin (UTC+01:00), Sunday"),
        ("2026-10-24 12:00 Berlin + 24 hours", "2026-10-25 11:00 Europe/Berlin (UTC+01:00), Sunday"),
        ("weekday of 4 July 1976", "1976-07-04, Sunday, week 27, day 186 of the year"),
        ("tomorrow in Sydney", "2026-11-22, Sunday, week 47, day 326 of the year"),
    ],
)
async def test_dates_and_zones_are_told_with_how_they_were_read(expression: str, result: str) -> None:
    assert result_of(await run(expression)) == result


async def test_a_time_that_can_be_meant_in_two_ways_is_told_in_both() -> None:
    there, in_utc = result_of(await run("14:00 in Berlin")).splitlines()

    assert "14:00 Europe/Berlin (UTC+01:00) = 2026-11-21 13:00 UTC" in there
    assert "14:00 UTC = 2026-11-21 15:00 Europe/Berlin" in in_utc


@pytest.mark.parametrize(
    ("expression", "remark"),
    [
        ("2026-03-29 02:30 Berlin in UTC", "does not exist"),
        ("2026-10-25 02:30 Berlin in UTC", "comes twice"),
    ],
)
async def test_a_local_time_that_is_no_plain_one_is_remarked_on(expression: str, remark: str) -> None:
    assert remark in result_of(await run(expression))


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("9**9**9", "too long"),
        ("1e3000 * 1e3000", "too long"),
        ("factorial(10^9)", "from 0 to 1,000"),
        ("exp(99999)", "too large"),
        ("1e99999999999", "exponents go up to"),
        ("9!!!!!", "from 0 to 1,000"),
        ("'a' * 10**9", "means nothing"),
        ("__import__('os').system('ls')", "means nothing"),
        ("().__class__.__bases__", "means nothing"),
        ("open(1)", "no unit, constant or function `open`"),
        ("lambda: 1", "means nothing"),
        ("(" * 100 + "1" + ")" * 99, "within each other"),
        ("-" * 150 + "1", "within each other"),
        ("1+" * 240 + "1", "more than 200"),
        ("1 / (2 - 2)", "division by zero"),
        ("sqrt(-1)", "root of a negative"),
        ("log(100)", "ln(x), log10(x)"),
        ("max(1,000, 2)", "space after each comma"),
        ("5 km + 3", "cannot be converted"),
        ("5 kg in m", "cannot be converted"),
        ("20 C + 5 C", "delta_degC"),
        ("60 rpm in Hz", "60 rpm"),
        ("m^13", "powers up to 12"),
        ("100 USD in EUR", "no unit"),
        ("03/04/2026", "YYYY-MM-DD"),
        ("2026-02-30", "does not exist"),
        ("now in Atlantis", "no time zone or city"),
        ("9999-12-31 + 1 day", "calendar"),
        ("2026-01-01 + 999999999 years", "calendar"),
        ("2 3", "not expected"),
        ("(1 + 2", "missing"),
        ("5 +", "missing"),
    ],
)
async def test_what_cannot_be_calculated_is_an_error_that_says_why(expression: str, why: str) -> None:
    output = await run(expression)

    assert (output.is_error, output.untrusted) == (True, False)
    assert why in output.text


@pytest.mark.parametrize("arguments", [{}, {"expression": ""}, {"expression": "1" * 501}, {"expression": 5, "x": 1}])
async def test_wrong_arguments_are_an_error_of_one_line(arguments: dict[str, object]) -> None:
    output = await tool().run(arguments, CONTEXT)

    assert output.is_error
    assert output.text.startswith("Wrong arguments: ")
    assert "\n" not in output.text


_WORDS = """
9 99999999 1e3000 0.1 ( ) + - * / ** ^ ! % , . // mod of in to km m^12 yottameter °C F min max( sqrt( log( exp( round(
comb( lcm( pi e 2026-01-31 14:00 today Berlin month days between and until _ __class__ ' " \\ ² √ \x00 🦜
"""
_PIECES = st.sampled_from(_WORDS.split())
HOSTILE = st.one_of(
    st.text(max_size=500), st.lists(_PIECES, max_size=120).map(" ".join), st.lists(_PIECES).map("".join)
)


@given(text=HOSTILE)
@settings(max_examples=300, deadline=None)
def test_no_text_takes_long_or_ends_in_anything_but_a_result_or_an_error(text: str) -> None:
    calculate = tool()
    calculate._result("1 km in m")  # units are loaded once
    begin_s = time.thread_time()

    try:
        result = calculate._result(text[:500])
    except CalculationError as error:
        result = str(error)

    assert result
    assert len(result) < 10_000
    assert time.thread_time() - begin_s < 0.5


async def test_other_work_goes_on_while_the_worst_is_calculated() -> None:
    worst = " + ".join(["1000! / 999!"] * 20 + ["9^3000"] * 20)
    await run("1 km in m")
    longest_s, begin_s = 0.0, time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run(worst[:500]))
        while not task.done():
            await asyncio.sleep(0)
            longest_s, begin_s = max(longest_s, time.monotonic() - begin_s), time.monotonic()

    assert longest_s < 0.1


def test_people_see_what_is_calculated() -> None:
    assert tool().status({"expression": " 2 +\n 2 "}) == "calculating: 2 + 2"
    assert len(tool().status({"expression": "1+" * 200})) < 80
    assert tool().status({"expression": None}) == "calculating …"
    assert tool().worst_nano_usd({}) == 0
    assert (tool().reads_only, tool().owners_only) == (True, False)
