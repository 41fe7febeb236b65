"""What both fakes share: the record of requests, and a script for faults."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from aiohttp import web

from tests.fakes.script import HttpFault, Silence
from tests.fakes.wire_server import WireServer, answer_of


class MarketServer(WireServer):
    """Start with `async with`. `requests` are path and parameters of all that came, `headers` those of the last."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[tuple[str, Mapping[str, str]]] = []
        self.headers: Mapping[str, str] = MappingProxyType({})
        #: Sent with every sound answer.
        self.sent_headers: dict[str, str] = {}
        #: Answers wait for it.
        self.gate: asyncio.Event | None = None

    def _guarded(
        self, handler: Callable[[web.Request], web.Response]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(http: web.Request) -> web.StreamResponse:
            self._came(http)
            self.requests.append((http.path, MappingProxyType(dict(http.query))))
            self.headers = MappingProxyType({name.lower(): value for name, value in http.headers.items()})
            self._changed.set()
            if self.gate is not None:
                await self.gate.wait()
            step = self._script.popleft() if self._script else None
            if isinstance(step, HttpFault):
                return answer_of(step)
            if isinstance(step, Silence):
                return await self._stay_silent(self._left)
            answer = handler(http)
            answer.headers.update(self.sent_headers)
            return answer

        return guarded


def refused(status: int, body: Mapping[str, object]) -> web.Response:
    """A refusal in JSON."""
    return web.Response(status=status, text=json.dumps(body), content_type="application/json")
