"""The export of calls: what a spreadsheet reads is what was booked, and nothing of it is a formula."""

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands._cost_csv import to_csv
from bot.core.events import Usage
from bot.core.ledger import Billed, CallKind, Certainty, Cost, Rate
from tests.bot.core.spending import booked

ROW = replace(
    booked("call", 1_200_001, at=datetime(2026, 11, 1, 14, 30, 15, 123_000, tzinfo=timezone(timedelta(hours=2)))),
    kind=CallKind.SUMMARY,
    usage=Usage(input_tokens=1_000, output_tokens=100, cached_tokens=200, reasoning_tokens=60),
    cost=Cost(
        nano_usd=1_200_001,
        certainty=Certainty.EXACT,
        source="test",
        rates=(
            Rate(billed=Billed.INPUT, nano_usd=1_250_000_000),
            Rate(billed=Billed.CACHED, nano_usd=37_500_000),
            Rate(billed=Billed.OUTPUT, nano_usd=10_000_000_000),
            Rate(billed=Billed.AUDIO, nano_usd=500_000_000),
            Rate(billed=Billed.SEARCHES, nano_usd=10_000_000_000),
        ),
    ),
)


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_a_call_is_one_row_with_all_that_was_booked() -> None:
    content, written = to_csv([ROW], authors=False)

    assert written == 1
    assert read(content) == [
        {
            "time": "2026-11-01T12:30:15.123Z",
            "kind": "summary",
            "provider": "alpha",
            "model": "alpha/one",
            "model_answered": "",
            "input_tokens": "1000",
            "cached_tokens": "200",
            "cache_write_tokens": "0",
            "cache_write_1h_tokens": "0",
            "image_tokens": "0",
            "audio_tokens": "0",
            "output_tokens": "100",
            "reasoning_tokens": "60",
            "audio_output_tokens": "0",
            "audio_seconds": "0.0",
            "searches": "0",
            "credits": "0",
            "input_rate": "1.25",
            "output_rate": "10",
            "cached_rate": "0.0375",
            "cache_write_rate": "",
            "cache_write_1h_rate": "",
            "other_rates": "audio=0.5 searches=10",
            "cost_usd": "0.001200001",
            "certainty": "exact",
            "price_source": "test",
            "price_date": "",
            "service_tier": "",
            "status": "completed",
            "channel": "x:bot:50",
        }
    ]


def test_lines_end_as_rfc_4180_says() -> None:
    content, _ = to_csv([ROW], authors=False)

    assert content.count(b"\r\n") == content.count(b"\n") == 2
    assert content.endswith(b"\r\n")


@pytest.mark.parametrize(
    ("nano_usd", "shown"),
    [(0, "0"), (1, "0.000000001"), (10**9, "1"), (100 * 10**9, "100"), (1_500_000_000, "1.5"), (None, "")],
)
def test_money_is_exact_and_unknown_is_empty(nano_usd: int | None, shown: str) -> None:
    cost = Cost(nano_usd=nano_usd, certainty=Certainty.EXACT if nano_usd is not None else Certainty.UNKNOWN, source="x")
    content, _ = to_csv([replace(ROW, cost=cost)], authors=False)

    assert read(content)[0]["cost_usd"] == shown


def test_authors_are_a_column_only_when_asked_for() -> None:
    assert "author" not in read(to_csv([ROW], authors=False)[0])[0]
    assert b"x:1" not in to_csv([ROW], authors=False)[0]
    assert read(to_csv([ROW], authors=True)[0])[0]["author"] == "x:1"


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_no_name_becomes_a_formula_or_another_row(name: str) -> None:
    content, _ = to_csv([replace(ROW, model=name), ROW], authors=False)
    rows = read(content)

    assert len(rows) == 2
    assert rows[0]["model"].removeprefix("'") == name.removeprefix("'")
    assert not rows[0]["model"].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_what_does_not_fit_is_left_out_by_whole_rows() -> None:
    content, written = to_csv([ROW] * 10, authors=False, bytes_max=1_500)

    assert 0 < written < 10
    assert len(content) <= 1_500
    assert len(read(content)) == written
