"""The chart of /cost, looked at as a picture: bars where money was spent, nothing where none was."""

import io
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from PIL import Image

from bot.commands._cost_chart import draw
from bot.core.ledger import DaySpending

FIRST = date(2026, 11, 16)
BAR, GROUND = (0x5A, 0xA9, 0xFF), (0x1E, 0x22, 0x2A)


def spent(day: date, nano_usd: int, *, requests: int = 1, estimated: int = 0, unknown: int = 0) -> DaySpending:
    return DaySpending(
        day=day, requests=requests, nano_usd=nano_usd, estimated_requests=estimated, unknown_requests=unknown
    )


def picture(days: tuple[DaySpending, ...], first: date = FIRST, last: date = FIRST + timedelta(days=6)) -> Image.Image:
    return Image.open(io.BytesIO(draw("You, this week: $0.03", days, first, last))).convert("RGB")


def column(image: Image.Image, slot: int, slots: int) -> list[tuple[int, ...]]:
    """The colours in the middle of a bar, from the top of the chart to its base."""
    x = 110 + round((1_000 - 110 - 36) / slots * (slot + 0.5))
    pixels = image.load()
    assert pixels is not None
    return [found for y in range(86, 416) if isinstance(found := pixels[x, y], tuple)]


def test_the_highest_bar_is_twice_as_high_as_one_of_half_the_money() -> None:
    image = picture((spent(FIRST, 20_000_000), spent(FIRST + timedelta(days=1), 10_000_000)))

    assert image.size == (1_000, 500)
    assert column(image, 0, 7).count(BAR) == pytest.approx(2 * column(image, 1, 7).count(BAR), abs=6)


def test_a_day_without_calls_is_empty() -> None:
    image = picture((spent(FIRST, 1), spent(FIRST + timedelta(days=2), 1)))

    assert BAR not in column(image, 1, 7)
    assert BAR in column(image, 2, 7)


def test_estimated_money_is_hatched() -> None:
    image = picture((spent(FIRST, 9_000_000), spent(FIRST + timedelta(days=1), 9_000_000, estimated=1)))
    full, hatched = column(image, 0, 7)[100:], column(image, 1, 7)[100:]

    assert set(full) == {BAR}
    assert BAR in hatched
    assert GROUND in hatched


def test_what_cost_nothing_is_counted_in_requests() -> None:
    image = picture((spent(FIRST, 0, requests=40), spent(FIRST + timedelta(days=1), 0, requests=20)))

    assert column(image, 0, 7).count(BAR) == pytest.approx(2 * column(image, 1, 7).count(BAR), abs=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    id: str
    days: int
    slots: int


@pytest.mark.parametrize(
    "case",
    [
        Range(id="days", days=62, slots=62),
        Range(id="weeks", days=70, slots=10),
        Range(id="months", days=500, slots=17),
    ],
    ids=lambda case: case.id,
)
def test_long_times_are_drawn_by_week_or_month(case: Range) -> None:
    last = FIRST + timedelta(days=case.days - 1)
    image = picture((spent(FIRST, 5), spent(last, 5)), FIRST, last)

    columns = [BAR in column(image, slot, case.slots) for slot in range(case.slots)]

    assert columns == [True, *[False] * (case.slots - 2), True]


def test_a_long_title_stays_in_the_picture() -> None:
    title = "This server, since the beginning: about $123,456.7891 and unknown for 1,234,567 requests of several models"
    image = Image.open(io.BytesIO(draw(title, (spent(FIRST, 1), spent(FIRST + timedelta(days=1), 1)), FIRST, FIRST)))

    assert {image.convert("RGB").getpixel((x, y)) for x in range(990, 1_000) for y in range(60)} == {GROUND}
