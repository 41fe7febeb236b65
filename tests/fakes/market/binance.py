"""FakeBinance: GET /api/v3/ticker/24hr, which is all of Binance that needs no key and is used here."""

from aiohttp import web

from tests.fakes.market.server import MarketServer, refused

#: 2026-11-21 14:03:22 UTC.
CLOSE_MS = 1_795_269_802_123


def ticker(
    symbol: str,
    last: str,
    opened: str,
    *,
    high: str | None = None,
    low: str | None = None,
    quote_volume: str = "50000000.00000000",
    count: int = 1000,
    close_ms: int = CLOSE_MS,
) -> dict[str, object]:
    """One entry of type MINI."""
    return {
        "symbol": symbol,
        "openPrice": opened,
        "highPrice": last if high is None else high,
        "lowPrice": opened if low is None else low,
        "lastPrice": last,
        "volume": "1234.50000000",
        "quoteVolume": quote_volume,
        "openTime": close_ms - 86_400_000,
        "closeTime": close_ms,
        "firstId": 1,
        "lastId": count,
        "count": count,
    }


TICKERS = (
    ticker("BTCUSDT", "64321.50000000", "62870.00000000", high="65000.00000000", low="62800.10000000"),
    ticker("BTCEUR", "59000.12000000", "59000.12000000", quote_volume="9000000.00000000"),
    ticker("ETHUSDT", "3412.10000000", "3500.00000000"),
    ticker("ETHBTC", "0.05304000", "0.05200000", quote_volume="300.00000000"),
    ticker("EURUSDT", "1.08900000", "1.09000000"),
    ticker("DOGEUSDT", "0.10000000", "0.08000000"),
    ticker("PEPEUSDT", "0.00001234", "0.00001000", quote_volume="2000000.00000000"),
    ticker("TINYUSDT", "9.00000000", "1.00000000", quote_volume="999.00000000"),
    ticker("GONEUSDT", "0.00000000", "0.00000000", quote_volume="0.00000000", count=0),
)


class FakeBinance(MarketServer):
    """`tickers` are what is listed."""

    def __init__(self, *tickers: dict[str, object]) -> None:
        super().__init__()
        self.tickers: list[object] = list(tickers or TICKERS)

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/v3/ticker/24hr", self._guarded(self._tickers))
        return app

    def _tickers(self, http: web.Request) -> web.Response:
        if unknown := set(http.query) - {"symbol", "symbols", "type", "symbolStatus"}:
            return refused(400, {"code": -1101, "msg": f"Too many parameters; {sorted(unknown)}"})
        if http.query.get("type", "FULL") != "MINI":
            return refused(400, {"code": -1130, "msg": "this fake lists type MINI only"})
        headers = {"X-MBX-USED-WEIGHT": "80", "X-MBX-USED-WEIGHT-1M": "80"}
        return web.json_response(self.tickers, headers=headers)
