"""Booked calls as CSV for spreadsheets (RFC 4180): one row a call, money to the nano-dollar. Pure."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC
from decimal import Decimal

from bot.core.ledger import Billed, LedgerRow

ROWS_MAX = 50_000
#: Discord takes files of 10 MiB.
BYTES_MAX = 9_000_000
_NANO = Decimal(10) ** 9
#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

#: Rates that have a column each; rarer ones share one.
_USUAL = (Billed.INPUT, Billed.OUTPUT, Billed.CACHED, Billed.CACHE_WRITE, Billed.CACHE_WRITE_1H)


def _rate(row: LedgerRow, billed: Billed) -> str:
    """Dollars for a million tokens; empty where nothing of the kind was used, or its price is unknown."""
    return next((_dollars(rate.nano_usd) for rate in row.cost.rates if rate.billed is billed), "")


def _other_rates(row: LedgerRow) -> str:
    """The rest, as `audio=0.5 searches=10`."""
    rest = (rate for rate in row.cost.rates if rate.billed not in _USUAL)
    return " ".join(f"{rate.billed}={_dollars(rate.nano_usd)}" for rate in rest)


_COLUMNS: tuple[tuple[str, Callable[[LedgerRow], object]], ...] = (
    ("time", lambda row: row.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")),
    ("kind", lambda row: row.kind),
    ("provider", lambda row: row.provider),
    ("model", lambda row: row.model),
    ("model_answered", lambda row: row.model_answered),
    ("input_tokens", lambda row: row.usage.input_tokens),
    ("cached_tokens", lambda row: row.usage.cached_tokens),
    ("cache_write_tokens", lambda row: row.usage.cache_write_tokens),
    ("cache_write_1h_tokens", lambda row: row.usage.cache_write_1h_tokens),
    ("image_tokens", lambda row: row.usage.image_tokens),
    ("audio_tokens", lambda row: row.usage.audio_tokens),
    ("output_tokens", lambda row: row.usage.output_tokens),
    ("reasoning_tokens", lambda row: row.usage.reasoning_tokens),
    ("audio_output_tokens", lambda row: row.usage.audio_output_tokens),
    ("audio_seconds", lambda row: row.usage.audio_s),
    ("searches", lambda row: row.usage.searches),
    ("credits", lambda row: row.usage.credits),
    ("input_rate", lambda row: _rate(row, Billed.INPUT)),
    ("output_rate", lambda row: _rate(row, Billed.OUTPUT)),
    ("cached_rate", lambda row: _rate(row, Billed.CACHED)),
    ("cache_write_rate", lambda row: _rate(row, Billed.CACHE_WRITE)),
    ("cache_write_1h_rate", lambda row: _rate(row, Billed.CACHE_WRITE_1H)),
    ("other_rates", _other_rates),
    ("cost_usd", lambda row: _dollars(row.cost.nano_usd)),
    ("certainty", lambda row: row.cost.certainty),
    ("price_source", lambda row: row.cost.source),
    ("price_date", lambda row: row.cost.priced_at),
    ("service_tier", lambda row: row.service_tier),
    ("status", lambda row: row.status),
    ("channel", lambda row: row.channel_key),
)
_AUTHOR: tuple[str, Callable[[LedgerRow], object]] = ("author", lambda row: row.author_key)


def to_csv(rows: Sequence[LedgerRow], *, authors: bool, bytes_max: int = BYTES_MAX) -> tuple[bytes, int]:
    """The rows with a header, and how many of them found room. `authors` adds a column with the ids of who asked."""
    columns = (*_COLUMNS, _AUTHOR) if authors else _COLUMNS
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([name for name, _ in columns])
    written, end = 0, text.tell()
    for row in rows[:ROWS_MAX]:
        writer.writerow([_cell(value(row)) for _, value in columns])
        if text.tell() > bytes_max:  # ids and names of models are ASCII but for the odd one
            break
        written, end = written + 1, text.tell()
    return text.getvalue()[:end].encode(), written


def _dollars(nano_usd: int | None) -> str:
    """The exact amount without an exponent; empty when it is unknown."""
    return "" if nano_usd is None else f"{(Decimal(nano_usd) / _NANO).normalize():f}"


def _cell(value: object) -> str:
    """A value as text; names come from servers and strangers, and none of them may become a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
