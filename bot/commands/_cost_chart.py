"""A bar chart of what each day cost, as PNG. Loads Pillow: import it only where a chart is drawn.

Draws with Pillow's own font on its own ground, so that it can be read in light and dark chats alike.
"""

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from bot.core.formatting import count, money
from bot.core.ledger import DaySpending

_WIDTH, _HEIGHT = 1_000, 500
_LEFT, _RIGHT, _TOP, _BOTTOM = 110, 36, 84, 82
#: Drawn larger and scaled down: smooth edges.
_SCALE = 2
_GROUND, _GRID, _TEXT, _MUTED, _BAR = "#1e222a", "#3a404c", "#e8ebf0", "#a3abb8", "#5aa9ff"
_TITLE_PX, _LABEL_PX = 24, 17
_MANY_BARS = 62
_TICKS = 5
_HATCH_PX = 9
#: What a date below a bar takes.
_DATE_PX = 84
_NANO_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    """One day, week or month from `first` on; `value` counts nano-dollars, or requests where nothing cost anything."""

    first: date
    value: int = 0
    estimated: bool = False
    unknown: bool = False


def draw(title: str, days: tuple[DaySpending, ...], first: date, last: date) -> bytes:
    """The chart of the days from `first` to `last`, of which `days` had calls; long times by week or month."""
    in_money = any(day.nano_usd for day in days)
    unit, bars = _bars(days, first, last, in_money=in_money)
    chart = _Chart(unit, bars, in_money=in_money)
    chart.frame(title, f"{'Cost' if in_money else 'Requests'} per {unit} (UTC)")
    for number in range(len(bars)):
        chart.bar(number)
    return chart.png()


def _bars(days: Sequence[DaySpending], first: date, last: date, *, in_money: bool) -> tuple[str, tuple[_Bar, ...]]:
    span_days = (last - first).days + 1
    unit = "day" if span_days <= _MANY_BARS else "week" if span_days <= _MANY_BARS * 7 else "month"
    bars = {start: _Bar(first=max(start, first)) for start in _starts(unit, first, last)}
    for day in days:
        if not first <= day.day <= last:
            continue
        bar = bars[start := _start(unit, day.day)]
        bars[start] = replace(
            bar,
            value=bar.value + (day.nano_usd if in_money else day.requests),
            estimated=bar.estimated or (in_money and day.estimated_requests > 0),
            unknown=bar.unknown or day.unknown_requests > 0,
        )
    return unit, tuple(bars.values())


def _starts(unit: str, first: date, last: date) -> Iterator[date]:
    day = _start(unit, first)
    while day <= last:
        yield day
        day = _start(unit, day + timedelta(days={"day": 1, "week": 7, "month": 32}[unit]))


def _start(unit: str, day: date) -> date:
    if unit == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if unit == "week" else day


def _step(largest: int) -> int:
    """The distance of grid lines: 1, 2 or 5 times a power of ten, so that about `_TICKS` of them reach `largest`."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power * _TICKS >= largest:
                return factor * power
        power *= 10


class _Chart:
    """The picture as it is drawn; all lengths are those of the finished picture."""

    def __init__(self, unit: str, bars: tuple[_Bar, ...], *, in_money: bool) -> None:
        self._bars = bars
        self._by_month = unit == "month"
        self._in_money = in_money
        largest = max(1, *(bar.value for bar in bars))
        self._step = _step(largest)
        self._top_value = -(-largest // self._step) * self._step
        self._slot = (_WIDTH - _LEFT - _RIGHT) / len(bars)
        longest = max(_font(_LABEL_PX).getlength(self._value(bar)) for bar in bars)
        self._values_fit = longest <= self._slot
        self._image = Image.new("RGB", (_WIDTH * _SCALE, _HEIGHT * _SCALE), _GROUND)
        self._pen = ImageDraw.Draw(self._image)

    def frame(self, title: str, axis: str) -> None:
        """Title, grid, both axes and what the marks mean."""
        self._text((_LEFT, 38), title, _title_px(title), anchor="ls")
        self._text((_LEFT, 64), axis, _LABEL_PX, anchor="ls", color=_MUTED)
        for value in range(0, self._top_value + 1, self._step):
            y = self._y(value)
            self._line((_LEFT, y, _WIDTH - _RIGHT, y), _GRID if value else _MUTED)
            self._text((_LEFT - 12, y), self._tick(value), _LABEL_PX, anchor="rm", color=_MUTED)
        every = math.ceil(_DATE_PX / self._slot)
        for number in range(0, len(self._bars), every):
            day = self._bars[number].first
            text = f"{day:%b %Y}" if self._by_month else f"{day:%b} {day.day}"
            self._text((self._x(number), _HEIGHT - _BOTTOM + 12), text, _LABEL_PX, anchor="mt", color=_MUTED)
        self._text((_WIDTH - _RIGHT, _HEIGHT - 16), self._legend(), _LABEL_PX, anchor="rs", color=_MUTED)

    def bar(self, number: int) -> None:
        """One bar, hatched where it is partly estimated, its value above it where there is room."""
        bar, half = self._bars[number], max(0.5, self._slot * 0.36)
        x, top, base = self._x(number), self._y(bar.value), self._y(0)
        if bar.value:
            corners = (x - half, min(top, base - 2), x + half, base)
            left, upper, right, lower = (round(at * _SCALE) for at in corners)
            self._pen.rectangle((left, upper, right, lower), fill=_BAR)
            if bar.estimated:
                self._hatch(left, upper, right, lower)
        words = [self._value(bar)] if bar.value and self._values_fit else []
        words += ["?"] if bar.unknown and self._in_money else []
        self._text((x, top - 6), " + ".join(words), _LABEL_PX, anchor="ms")

    def png(self) -> bytes:
        """The finished picture."""
        content = io.BytesIO()
        self._image.reduce(_SCALE).save(content, "PNG", optimize=True)
        return content.getvalue()

    def _legend(self) -> str:
        marks = []
        if any(bar.estimated for bar in self._bars):
            marks.append("hatched: partly estimated")
        if self._in_money and any(bar.unknown for bar in self._bars):
            marks.append("?: the cost of some is unknown")
        return "     ".join(marks)

    def _tick(self, value: int) -> str:
        """A number at the axis, with as many decimals as its neighbours."""
        if not self._in_money:
            return count(value)
        decimals = max(2, _NANO_DIGITS - len(str(self._step)) + 1)
        return f"${Decimal(value).scaleb(-_NANO_DIGITS):,.{decimals}f}" if value else "$0"

    def _value(self, bar: _Bar) -> str:
        return money(bar.value) if self._in_money else count(bar.value)

    def _hatch(self, left: int, upper: int, right: int, lower: int) -> None:
        """Stripes in the colour of the ground, on a piece of its own so that they end at the bar's edges."""
        edge = 2 * _SCALE
        size = (max(1, right - left - 2 * edge), max(1, lower - upper - edge))
        piece = Image.new("RGB", size, _BAR)
        pen = ImageDraw.Draw(piece)
        for start in range(-size[1], size[0], _HATCH_PX * _SCALE):
            pen.line((start, size[1], start + size[1], 0), fill=_GROUND, width=3 * _SCALE)
        self._image.paste(piece, (left + edge, upper + edge))

    def _x(self, number: int) -> float:
        """The middle of a bar."""
        return _LEFT + self._slot * (number + 0.5)

    def _y(self, value: int) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value / self._top_value

    def _line(self, ends: tuple[float, float, float, float], color: str) -> None:
        self._pen.line(tuple(at * _SCALE for at in ends), fill=color, width=_SCALE)

    def _text(self, at: tuple[float, float], text: str, size_px: int, *, anchor: str, color: str = _TEXT) -> None:
        self._pen.text((at[0] * _SCALE, at[1] * _SCALE), text, fill=color, font=_font(size_px * _SCALE), anchor=anchor)


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def _title_px(title: str) -> int:
    """The largest size in which the title still fits on its line."""
    return next(
        (size for size in range(_TITLE_PX, 10, -1) if _font(size).getlength(title) <= _WIDTH - _LEFT - _RIGHT), 10
    )
