"""CoinGecko's public API: for coins and currencies that Binance does not have, and when it does not answer.

Without a key it takes a handful of requests a minute. Ids of coins are somebody else's words: which one is meant is
told by them, so texts with one are from outside.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bot.tools._market import Figure, MarketClient, amount_of, price_of

NAME: Final = "CoinGecko"
DEFAULT_URL: Final = "https://api.coingecko.com/api/v3"
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")
_SYMBOL: Final = re.compile(r"[A-Z0-9$.+-]{1,16}")
_CURRENCY: Final = re.compile(r"[A-Z]{2,6}")
_PER_PAGE: Final = 250
#: Under which ids the usual coins are found there, by their symbol.
_IDS: Final[Mapping[str, str]] = {
    "BTC": "bitcoin",
    "ETH": "ethereum",
    "USDT": "tether",
    "USDC": "usd-coin",
    "BNB": "binancecoin",
    "SOL": "solana",
    "XRP": "ripple",
    "DOGE": "dogecoin",
    "ADA": "cardano",
    "TRX": "tron",
    "AVAX": "avalanche-2",
    "DOT": "polkadot",
    "LINK": "chainlink",
    "LTC": "litecoin",
    "BCH": "bitcoin-cash",
    "XLM": "stellar",
    "XMR": "monero",
    "ATOM": "cosmos",
    "DAI": "dai",
    "TON": "the-open-network",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """A coin by its id there. `found` tells that it was searched for, so that people should see which one it is."""

    id: str
    found: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    id: str
    names: frozenset[str]
    rank: int


class CoinGecko:
    """Prices by the id of a coin."""

    def __init__(self, client: MarketClient) -> None:
        self._client = client

    async def find(self, word: str) -> tuple[Coin | None, Sequence[str]]:
        """The coin of that symbol or name, the largest of several; and the ids of others that a search finds.

        Raises:
            ServiceFailed: it did not answer.
        """
        if known := _IDS.get(word.upper()):
            return Coin(id=known, found=False), ()
        hits = await self._client.get("/search", {"query": word}, _hits)
        meant = sorted((hit for hit in hits if word.lower() in hit.names), key=lambda hit: hit.rank)
        return (Coin(id=meant[0].id, found=True) if meant else None), [hit.id for hit in hits[:3]]

    async def prices(self, ids: Collection[str], currency: str) -> Mapping[str, Figure]:
        """What coins cost, by id. Raises ServiceFailed, also where nobody knows the currency."""
        params = {"vs_currency": currency.lower(), "ids": ",".join(sorted(ids))}
        return await self._client.get("/coins/markets", params, lambda wire: _figures(wire, currency))

    async def movers(self, currency: str, *, gainers: bool, limit: int) -> list[Figure]:
        """Of the 250 coins that most is traded of, those that rose, or fell, the most. Raises ServiceFailed."""
        params = {"vs_currency": currency.lower(), "order": "volume_desc", "per_page": str(_PER_PAGE), "page": "1"}
        figures = await self._client.get("/coins/markets", params, lambda wire: _figures(wire, currency))
        moved = [(each.change_percent, each) for each in figures.values() if each.change_percent is not None]
        moved.sort(key=lambda pair: pair[0], reverse=gainers)
        return [figure for change, figure in moved if (change > 0 if gainers else change < 0)][:limit]

    @staticmethod
    def takes(currency: str) -> bool:
        """Whether it can be a currency at all."""
        return _CURRENCY.fullmatch(currency) is not None


def _hits(wire: object) -> Sequence[_Hit]:
    """From `{"coins": [{"id": "monero", "name": "Monero", "symbol": "XMR", "market_cap_rank": 27, …}, …], …}`."""
    listed = wire.get("coins") if isinstance(wire, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no list of coins")  # noqa: TRY004  # to whoever asks, every nonsense is the same
    hits = []
    for item in listed:
        if isinstance(item, dict) and isinstance(item.get("id"), str) and _ID.fullmatch(item["id"]):
            names = {each.lower() for key in ("id", "name", "symbol") if isinstance(each := item.get(key), str)}
            rank = item.get("market_cap_rank")
            hits.append(_Hit(id=item["id"], names=frozenset(names), rank=rank if isinstance(rank, int) else 10**9))
    return hits


def _figures(wire: object, currency: str) -> Mapping[str, Figure]:
    """From `[{"id": "bitcoin", "symbol": "btc", "current_price": 64321.5, "last_updated": "…Z", …}, …]`."""
    if not isinstance(wire, list):
        raise ValueError("no list of coins")  # noqa: TRY004  # to whoever asks, every nonsense is the same
    items = (item for item in wire if isinstance(item, dict) and isinstance(item.get("id"), str))
    return {item["id"]: figure for item in items if (figure := _figure(item, currency))}


def _figure(item: Mapping[str, object], currency: str) -> Figure | None:
    symbol, price, at = str(item.get("symbol")).upper(), price_of(item.get("current_price")), item.get("last_updated")
    if price is None or not isinstance(at, str) or not _SYMBOL.fullmatch(symbol):
        return None
    try:
        told_at = datetime.fromisoformat(at).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return Figure(
        base=symbol,
        quote=currency,
        price=price,
        at=told_at,
        source=NAME,
        change_percent=amount_of(item.get("price_change_percentage_24h")),
        high=price_of(item.get("high_24h")),
        low=price_of(item.get("low_24h")),
        quote_volume=amount_of(item.get("total_volume")),
    )
