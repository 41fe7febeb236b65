"""`market_price`: what crypto coins cost now, their last 24 hours, and which rose or fell the most.

Figures from Binance, from CoinGecko where that has none or does not answer; each with its time and its source. It reads
and never trades, and its text says no more than figures.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from aiohttp import ClientSession
from pydantic import Field, model_validator

from bot.core.tools import Tool, ToolContext, ToolOutput, ToolSpec
from bot.tools import _binance, _coingecko
from bot.tools._binance import Binance, Market
from bot.tools._citing import one_line
from bot.tools._coingecko import CoinGecko
from bot.tools._look_up import Failure, ServiceFailed
from bot.tools._market import Figure, MarketClient, open_session
from bot.tools.arguments import Arguments, BadArguments, Words, parsed, schema_of
from bot.tools.supplies import Supplies

_MAX_SYMBOLS: Final = 10
_STATUS_CHARS: Final = 60
_DOLLARS: Final = "USD"
_COIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .$+-]{0,39}")
_PAIR: Final = re.compile(r"([A-Za-z0-9]{1,15})\s*[/:_-]\s*([A-Za-z0-9]{2,10})")
#: `BTCUSDT`, told apart without a list of pairs.
_DOLLAR_PAIR: Final = re.compile(r"([A-Z0-9]{2,10})(?:USDT|USDC|FDUSD)")
#: Names that people say instead of symbols.
_NAMES: Final[Mapping[str, str]] = {
    "bitcoin": "BTC",
    "ethereum": "ETH",
    "ether": "ETH",
    "tether": "USDT",
    "binance coin": "BNB",
    "solana": "SOL",
    "ripple": "XRP",
    "dogecoin": "DOGE",
    "cardano": "ADA",
    "tron": "TRX",
    "avalanche": "AVAX",
    "polkadot": "DOT",
    "chainlink": "LINK",
    "litecoin": "LTC",
    "bitcoin cash": "BCH",
    "stellar": "XLM",
    "monero": "XMR",
    "cosmos": "ATOM",
    "toncoin": "TON",
}


class Action(StrEnum):
    """What is wanted."""

    PRICE = "price"
    GAINERS = "gainers"
    LOSERS = "losers"


class _Arguments(Arguments):
    action: Action = Field(default=Action.PRICE, description="price of symbols, or the coins that moved the most")
    symbols: Words = Field(
        default=(),
        max_length=_MAX_SYMBOLS,
        description="For price: coins or pairs, such as BTC, bitcoin, ETH/EUR or BTCUSDT",
    )
    currency: str = Field(
        default=_DOLLARS, pattern=r"^[A-Za-z0-9]{2,10}$", description="What prices are told in, such as USD, EUR or BTC"
    )
    limit: int = Field(default=10, ge=1, le=25, description="For gainers and losers: how many")

    @model_validator(mode="after")
    def _has_symbols(self) -> "_Arguments":
        if self.action is Action.PRICE and not self.symbols:
            raise ValueError("`symbols` is needed for a price, for example BTC")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A coin as it was asked for. `pair` is the word itself, which may name a pair of Binance's."""

    word: str
    base: str
    quote: str
    pair: str


class MarketPrice:
    """See `bot.core.tools.Tool`."""

    spec = ToolSpec(
        name="market_price",
        description=(
            "Current prices of crypto coins with change, high, low and volume of 24 hours, or the top gainers and "
            "losers. Each figure has its time (UTC) and source: tell them. It cannot trade, and knows no stocks."
        ),
        parameters=schema_of(_Arguments),
    )
    reads_only = True
    owners_only = False
    timeout_s = 25.0

    def __init__(self, binance: Binance, coingecko: CoinGecko) -> None:
        self._binance = binance
        self._coingecko = coingecko

    def status(self, arguments: Mapping[str, object]) -> str:
        if arguments.get("action") in (Action.GAINERS, Action.LOSERS):
            return f"looking up: top {arguments['action']}"
        symbols = arguments.get("symbols")
        words = [symbols] if isinstance(symbols, str) else symbols if isinstance(symbols, list | tuple) else ()
        return f"looking up: {one_line(', '.join(str(word) for word in words) or 'prices', _STATUS_CHARS)}"

    def worst_nano_usd(self, arguments: Mapping[str, object]) -> int | None:
        return 0

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        try:
            wanted = parsed(_Arguments, arguments)
            if wanted.action is Action.PRICE:
                return await self._prices([_asked(word, wanted.currency.upper()) for word in wanted.symbols])
            return await self._movers(wanted.currency.upper(), wanted.action is Action.GAINERS, wanted.limit)
        except BadArguments as error:
            return ToolOutput(text=str(error), is_error=True)
        except ServiceFailed as failed:
            return ToolOutput(text=f"No figures: {failed.in_words()}.", is_error=True)

    async def _prices(self, asked: Sequence[_Asked]) -> ToolOutput:
        market, failed = await self._market()
        listed = [None if market is None else _in_market(market, each) for each in asked]
        missing = [each for each, figure in zip(asked, listed, strict=True) if figure is None]
        others = await self._elsewhere(missing, market) if missing else {}
        told = [figure or others[each] for each, figure in zip(asked, listed, strict=True)]
        lines = [_told(each) if isinstance(each, Figure) else each for each in told]
        figures = [each for each in told if isinstance(each, Figure)]
        if failed is not None and figures:
            lines.append(f"({failed.in_words()}; these are figures of {_coingecko.NAME})")
        is_foreign = any(isinstance(each, str) or each.note for each in told)
        return ToolOutput(text="\n".join(lines), is_error=not figures, untrusted=is_foreign)

    async def _market(self) -> tuple[Market | None, ServiceFailed | None]:
        try:
            return await self._binance.market(), None
        except ServiceFailed as failed:
            return None, failed

    async def _elsewhere(self, asked: Sequence[_Asked], market: Market | None) -> Mapping[_Asked, Figure | str]:
        """The figures of CoinGecko for what Binance does not have, or why there is none."""
        found: dict[_Asked, Figure | str] = {}
        async with asyncio.TaskGroup() as tasks:
            running = {each: tasks.create_task(self._from_coingecko(each, market)) for each in dict.fromkeys(asked)}
        for each, task in running.items():
            found[each] = task.result()
        return found

    async def _from_coingecko(self, asked: _Asked, market: Market | None) -> Figure | str:
        nowhere, nor = f"{asked.word}: not on {_binance.NAME}", f" nor on {_coingecko.NAME}"
        if market is None:
            nowhere, nor = f"{asked.word}: {_binance.NAME} did not answer", f", and it is not on {_coingecko.NAME}"
        if market is None and (pair := _DOLLAR_PAIR.fullmatch(asked.base)):
            asked = replace(asked, base=pair[1], quote=_DOLLARS)
        alike = [] if market is None else market.alike(asked.base)
        try:
            coin, others = await self._coingecko.find(asked.base)
            if coin is None:
                names = ", ".join((*alike, *others))
                return nowhere + nor + (f"; nearest: {names}" if names else "")
            figures = await self._coingecko.prices((coin.id,), asked.quote)
        except ServiceFailed as failed:
            if failed.failure is Failure.REJECTED:
                return f"{nowhere}, and {_coingecko.NAME} has no prices in {asked.quote}"
            hint = f"; nearest: {', '.join(alike)}" if alike else ""
            return f"{nowhere}, and {failed.in_words()}{hint}"
        figure = figures.get(coin.id)
        if figure is None:
            return f"{nowhere}, and {_coingecko.NAME} has no price for it"
        return replace(figure, note=coin.id) if coin.found else figure

    async def _movers(self, currency: str, gainers: bool, limit: int) -> ToolOutput:
        market, failed = await self._market()
        figures = None if market is None else market.movers(currency, gainers=gainers, limit=limit)
        if figures is None:
            figures = await self._coingecko.movers(currency, gainers=gainers, limit=limit)
        lines = [f"{number}. {_told(figure)}" for number, figure in enumerate(figures, 1)]
        what = "rose" if gainers else "fell"
        head = f"Liquid pairs in {currency} that {what} the most in 24 hours:" if lines else f"No liquid pair {what}."
        tail = [f"({failed.in_words()})"] if failed is not None else []
        return ToolOutput(text="\n".join((head, *lines, *tail)))


def _asked(word: str, currency: str) -> _Asked:
    """Raises BadArguments for what can be no coin."""
    plain = word.strip().removeprefix("$")
    if pair := _PAIR.fullmatch(plain):
        base, quote = pair.groups()
    elif _COIN.fullmatch(plain):
        base, quote = plain, currency
    else:
        raise BadArguments(f"Wrong arguments: `{word[:40]}` is no coin or pair; write BTC, bitcoin or ETH/EUR")
    base = _NAMES.get(base.lower(), base.upper())
    return _Asked(word=plain, base=base, quote=quote.upper(), pair=plain.upper())


def _in_market(market: Market, asked: _Asked) -> Figure | None:
    return market.find(asked.base, asked.quote) or market.find_pair(asked.pair)


def _told(figure: Figure) -> str:
    """One line: the price first, its time and source last."""
    parts = []
    if figure.change_percent is not None:
        parts.append(f"{figure.change_percent.quantize(Decimal('0.01')):+f} %")
    parts += [
        f"{name} {_number(value)}" for name, value in (("high", figure.high), ("low", figure.low)) if value is not None
    ]
    if figure.quote_volume is not None:
        parts.append(f"volume {_volume(figure.quote_volume)} {figure.quote}")
    day = f"; 24 h: {', '.join(parts)}" if parts else ""
    which = f" ({figure.note})" if figure.note else ""
    price = f"{figure.base}/{figure.quote}{which}: {_number(figure.price)} {figure.quote}"
    return f"{price}{day} [{figure.source}, {figure.at:%Y-%m-%d %H:%M:%S} UTC]"


def _number(value: Decimal) -> str:
    """All digits that were told, without zeros at the end."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _volume(value: Decimal) -> str:
    """Whole units where there are many."""
    return _number(value.quantize(Decimal(1)) if value >= 1_000 else value)


@asynccontextmanager
async def build(supplies: Supplies) -> AsyncIterator[Tool]:
    """The tool with its two services, which need no key."""
    async with open_session() as session:
        yield MarketPrice(
            Binance(_client(session, supplies, _binance.NAME, "BINANCE_BASE_URL", _binance.DEFAULT_URL)),
            CoinGecko(_client(session, supplies, _coingecko.NAME, "COINGECKO_BASE_URL", _coingecko.DEFAULT_URL)),
        )


def _client(session: ClientSession, supplies: Supplies, name: str, setting: str, default: str) -> MarketClient:
    return MarketClient(session, name, supplies.secret(setting) or default, supplies.clock)
