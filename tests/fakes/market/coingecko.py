"""FakeCoinGecko: /search and /coins/markets of the public API. Prices keep the digits that they are given in."""

from dataclasses import dataclass

from aiohttp import web

from tests.fakes.market.server import MarketServer, refused

_MARKET_PARAMETERS = {"vs_currency", "ids", "order", "per_page", "page", "sparkline", "precision"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCoin:
    """A coin. Numbers are JSON texts, so that a test says exactly what stands on the wire."""

    id: str
    symbol: str
    name: str
    price: str
    change: str = "1.25"
    volume: str = "123456789"
    rank: int | None = 100
    updated: str = "2026-11-21T14:02:00.123Z"


COINS = (
    FakeCoin(id="bitcoin", symbol="btc", name="Bitcoin", price="64300.123456789012345", rank=1, volume="30000000000"),
    FakeCoin(id="monero", symbol="xmr", name="Monero", price="155.02", rank=27),
    FakeCoin(id="kaspa", symbol="kas", name="Kaspa", price="0.1234", change="-8.5", rank=40),
    FakeCoin(id="kas-fake", symbol="kas", name="Kasimir", price="7", rank=None),
)


class FakeCoinGecko(MarketServer):
    """`coins` are what is listed; prices are the same in all `currencies`."""

    def __init__(self, *coins: FakeCoin, currencies: tuple[str, ...] = ("usd", "eur", "chf", "btc")) -> None:
        super().__init__()
        self.coins = coins or COINS
        self._currencies = currencies

    @property
    def url(self) -> str:
        """What the setting takes."""
        return f"{self.origin}/api/v3"

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/v3/search", self._guarded(self._search))
        app.router.add_get("/api/v3/coins/markets", self._guarded(self._markets))
        return app

    def _search(self, http: web.Request) -> web.Response:
        if set(http.query) != {"query"}:
            return refused(400, {"error": "Missing parameter query"})
        word = http.query["query"].lower()
        hits = [coin for coin in self.coins if word in coin.name.lower() or word in coin.symbol]
        fields = ("id", "name", "symbol")
        listed = [
            {**{field: getattr(coin, field) for field in fields}, "market_cap_rank": coin.rank, "thumb": "x.png"}
            for coin in hits
        ]
        return web.json_response({"coins": listed, "exchanges": [], "nfts": []})

    def _markets(self, http: web.Request) -> web.Response:
        if unknown := set(http.query) - _MARKET_PARAMETERS:
            return refused(400, {"error": f"unknown {sorted(unknown)}"})
        if http.query.get("vs_currency") not in self._currencies:
            return refused(422, {"error": "invalid vs_currency"})
        coins = list(self.coins)
        if "ids" in http.query:
            coins = [coin for coin in coins if coin.id in http.query["ids"].split(",")]
        if http.query.get("order") == "volume_desc":
            coins.sort(key=lambda coin: float(coin.volume), reverse=True)
        page = ", ".join(_listed(coin) for coin in coins[: int(http.query.get("per_page", 100))])
        return web.Response(text=f"[{page}]", content_type="application/json")


def _listed(coin: FakeCoin) -> str:
    return (
        f'{{"id": "{coin.id}", "symbol": "{coin.symbol}", "name": "{coin.name}", "image": "x.png", '
        f'"current_price": {coin.price}, "high_24h": {coin.price}, "low_24h": {coin.price}, '
        f'"total_volume": {coin.volume}, "price_change_percentage_24h": {coin.change}, '
        f'"last_updated": "{coin.updated}"}}'
    )
