"""What market services have in common: a figure with its time and source, and a client that never floods them.

Numbers stay as they were written: JSON becomes Decimal, never a float. What a service wrote about an error is never
repeated. Knows no service.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final, TypeVar

import aiohttp

from bot.core.ports import Clock
from bot.tools._look_up import Failure, ServiceFailed, seconds_of
from bot.tools._recent import Recent, Shared

_KEPT_S: Final = 30.0
_KEPT: Final = 100
_MAX_BODY_BYTES: Final = 8_000_000
_DEADLINE_S: Final = 8.0
_CONNECT_S: Final = 4.0
#: How long a service is left alone that does not say so itself.
_REST_S: Final[Mapping[Failure, float]] = {Failure.RATE: 60.0, Failure.TIMEOUT: 30.0, Failure.DOWN: 30.0}
_ABSURD: Final = Decimal(10) ** 24

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one unit of `base` costs in `quote`, over 24 hours up to `at`; None: the service does not tell.

    `change_percent` is against the price 24 hours before. `note` tells which of several coins it is; it holds somebody
    else's words.
    """

    base: str
    quote: str
    price: Decimal
    at: datetime
    source: str
    change_percent: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    quote_volume: Decimal | None = None
    note: str = ""


class MarketClient:
    """GET requests to one service: each answer is kept for 30 s, one request at a time for the same thing.

    After a failure the service is left alone for as long as it asks, or half a minute.
    """

    def __init__(self, session: aiohttp.ClientSession, name: str, base_url: str, clock: Clock) -> None:
        self.name = name
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._kept: Recent[tuple[str, frozenset[tuple[str, str]]], object] = Recent(clock, size=_KEPT, ttl_s=_KEPT_S)
        self._shared: Shared[tuple[str, frozenset[tuple[str, str]]], object] = Shared()
        self._failed: ServiceFailed | None = None
        self._rests_until_s = 0.0

    async def get(self, path: str, params: Mapping[str, str], read: Callable[[object], T]) -> T:
        """What `read` makes of the JSON at `path`, in a thread: answers are large. It raises ValueError for nonsense.

        Raises:
            ServiceFailed: there is no answer.
        """
        key = (path, frozenset(params.items()))
        value = self._kept.get(key)
        if value is None:
            value, _ = await self._shared.run(key, lambda: self._asked(key, path, params, read))
        return value  # type: ignore[return-value]  # one path and its parameters are always read by the same function

    def rest(self, failed: ServiceFailed) -> None:
        """Leave the service alone for a while."""
        wait_s = _REST_S.get(failed.failure, 0.0) if failed.retry_after_s is None else failed.retry_after_s
        self._failed, self._rests_until_s = failed, self._clock.monotonic() + wait_s

    async def _asked(
        self,
        key: tuple[str, frozenset[tuple[str, str]]],
        path: str,
        params: Mapping[str, str],
        read: Callable[[object], T],
    ) -> T:
        if self._failed is not None and self._clock.monotonic() < self._rests_until_s:
            raise self._failed
        try:
            value = await self._fetched(path, params, read)
        except ServiceFailed as failed:
            self.rest(failed)
            raise
        self._kept.put(key, value)
        return value

    async def _fetched(self, path: str, params: Mapping[str, str], read: Callable[[object], T]) -> T:
        try:
            url = f"{self._base_url}{path}"
            async with self._session.get(url, params=params, allow_redirects=False) as response:
                if response.status != 200:
                    raise self._translate_status(response)
                body = await _read(response)
                value = await asyncio.to_thread(lambda: read(_parsed(body)))
                self._note_weight(response)
                return value
        except TimeoutError:
            raise ServiceFailed(self.name, Failure.TIMEOUT) from None
        except (aiohttp.ClientError, ValueError, ArithmeticError):
            raise ServiceFailed(self.name, Failure.DOWN) from None

    def _note_weight(self, response: aiohttp.ClientResponse) -> None:
        """Binance counts what all programs of one address ask for, and bans who goes on at the limit (6,000)."""
        used = seconds_of(response.headers.get("X-MBX-USED-WEIGHT-1M"))
        if used is not None and used > 5_400:
            self.rest(ServiceFailed(self.name, Failure.RATE))

    def _translate_status(self, response: aiohttp.ClientResponse) -> ServiceFailed:
        # 418: banned for a while; 403: its firewall; 451: not from this country.
        if response.status in (418, 429):
            wait_s = seconds_of(response.headers.get("Retry-After"))
            return ServiceFailed(self.name, Failure.RATE, retry_after_s=wait_s)
        is_request = 400 <= response.status < 500 and response.status not in (401, 403, 408, 451)
        return ServiceFailed(self.name, Failure.REJECTED if is_request else Failure.DOWN)


@asynccontextmanager
async def open_session() -> AsyncGenerator[aiohttp.ClientSession, None]:
    """A session for market services: they need no key, so it holds no secret."""
    async with aiohttp.ClientSession(
        headers={"Accept": "application/json"},
        timeout=aiohttp.ClientTimeout(total=_DEADLINE_S, sock_connect=_CONNECT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=True,  # proxies, as with the SDKs
    ) as session:
        yield session


def amount_of(value: object) -> Decimal | None:
    """A number of somebody's JSON, written as a number or a text; None: it is none, or an absurd one."""
    if isinstance(value, str) and len(value) <= 60:
        try:
            value = Decimal(value)
        except InvalidOperation:
            return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    return value if not value or 1 / _ABSURD < abs(value) < _ABSURD else None


def price_of(value: object) -> Decimal | None:
    """A number above zero; None: it is none."""
    amount = amount_of(value)
    return amount if amount is not None and amount > 0 else None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > _MAX_BODY_BYTES:
            raise ValueError("more than any market has")
    return bytes(body)


def _parsed(body: bytes) -> object:
    try:
        value: object = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
