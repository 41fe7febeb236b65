"""Binance's public market data: all pairs with their last 24 hours in one answer, which every question is read from.

GET /api/v3/ticker/24hr?type=MINI costs a weight of 80 out of 6,000 a minute, and is asked at most twice in one. Its
prices are texts. Names of pairs that are not plain ASCII are left out: nothing but letters and digits gets through.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from bot.tools._market import Figure, MarketClient, amount_of, price_of

NAME: Final = "Binance"
DEFAULT_URL: Final = "https://data-api.binance.vision"
_PATH: Final = "/api/v3/ticker/24hr"
_PAIR: Final = re.compile(r"[A-Z0-9]{4,24}")
#: What pairs are priced in, the longest first; there is no list of it but in a document of 5 MB.
_QUOTES: Final = (
    "FDUSD",
    "USDT",
    "USDC",
    "TUSD",
    "USD1",
    "EURI",
    "BRL",
    "EUR",
    "GBP",
    "TRY",
    "JPY",
    "AUD",
    "ARS",
    "COP",
    "CZK",
    "IDR",
    "MXN",
    "PLN",
    "RON",
    "UAH",
    "ZAR",
    "BNB",
    "BTC",
    "ETH",
    "DAI",
    "SOL",
    "TRX",
    "XRP",
    "DOGE",
)
#: Binance has no dollars, but coins that stand for them.
_DOLLARS: Final = ("USDT", "USDC", "FDUSD")
#: A price can jump by any percentage where hardly anybody trades.
_LIQUID_USD: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Ticker:
    """One pair, its numbers still as texts: most of the 3,000 are never looked at."""

    base: str
    quote: str
    wire: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Market:
    """All pairs at one moment, by their name (`BTCUSDT`)."""

    tickers: Mapping[str, _Ticker]

    def find(self, base: str, quote: str) -> Figure | None:
        """The price of a coin in a currency; dollars are those of the stablecoin that most is traded in."""
        for name in _DOLLARS if quote == "USD" else (quote,):
            if (ticker := self.tickers.get(f"{base}{name}")) and (figure := _figure(ticker)):
                return figure
        return None

    def find_pair(self, pair: str) -> Figure | None:
        """The price of a pair by its name there."""
        ticker = self.tickers.get(pair)
        return None if ticker is None else _figure(ticker)

    def movers(self, quote: str, *, gainers: bool, limit: int) -> list[Figure] | None:
        """Pairs of a currency that rose, or fell, the most; those with a volume of a million dollars alone.

        None: nothing is priced in it.
        """
        name = "USDT" if quote == "USD" else quote
        dollars = self._dollars(name)
        if dollars is None:
            return None
        listed = (_figure(ticker) for ticker in self.tickers.values() if ticker.quote == name)
        liquid = [each for each in listed if each and (each.quote_volume or 0) * dollars >= _LIQUID_USD]
        moved = [(each.change_percent, each) for each in liquid if each.change_percent is not None]
        moved.sort(key=lambda pair: pair[0], reverse=gainers)
        return [figure for change, figure in moved if (change > 0 if gainers else change < 0)][:limit]

    def alike(self, word: str) -> list[str]:
        """Coins that are written nearly so."""
        bases = {ticker.base for ticker in self.tickers.values()}
        return get_close_matches(word, bases, n=3, cutoff=0.6)

    def _dollars(self, quote: str) -> Decimal | None:
        """What a unit of a currency is in dollars."""
        if quote in _DOLLARS:
            return Decimal(1)
        if figure := self.find(quote, "USD"):
            return figure.price
        if figure := self.find("USDT", quote):
            return 1 / figure.price
        return None


class Binance:
    """The market as it was within the last 30 s."""

    def __init__(self, client: MarketClient) -> None:
        self._client = client

    async def market(self) -> Market:
        """All pairs. Raises ServiceFailed."""
        return await self._client.get(_PATH, {"type": "MINI"}, _market)


def _market(wire: object) -> Market:
    """From `[{"symbol": "BTCUSDT", "openPrice": "…", "lastPrice": "…", "closeTime": 1499869899040, …}, …]`."""
    if not isinstance(wire, list):
        raise ValueError("no list of tickers")  # noqa: TRY004  # to whoever asks, every nonsense is the same
    tickers = {}
    for item in wire:
        symbol = item.get("symbol") if isinstance(item, dict) else None
        if isinstance(symbol, str) and _PAIR.fullmatch(symbol):
            quote = next((each for each in _QUOTES if symbol.endswith(each) and len(symbol) > len(each)), "")
            # Pairs that are traded no more are still listed, with zeros.
            if quote and item.get("count"):
                tickers[symbol] = _Ticker(symbol.removesuffix(quote), quote, item)
    if not tickers:
        raise ValueError("no ticker among them")
    return Market(tickers)


def _figure(ticker: _Ticker) -> Figure | None:
    wire = ticker.wire
    price, opened, at_ms = price_of(wire.get("lastPrice")), price_of(wire.get("openPrice")), wire.get("closeTime")
    if price is None or not isinstance(at_ms, int) or not 0 < at_ms < 10**14:
        return None
    return Figure(
        base=ticker.base,
        quote=ticker.quote,
        price=price,
        at=datetime.fromtimestamp(at_ms // 1000, UTC),
        source=NAME,
        change_percent=None if opened is None else (price - opened) / opened * 100,
        high=price_of(wire.get("highPrice")),
        low=price_of(wire.get("lowPrice")),
        quote_volume=amount_of(wire.get("quoteVolume")),
    )
