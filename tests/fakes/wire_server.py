"""What the servers of all fakes of model APIs share: an address on loopback, a script, and who came and went.

Knows no API: routes, rules and bills are the fakes' own.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes.script import HttpFault, Step
from tests.fakes.sse import hang

_POLL_S = 0.02


class WireServer:
    """Start with `async with`. A fake says in `_app` what it serves, and calls `_came` for each call of a model."""

    def __init__(self) -> None:
        self.left_early = 0
        self._script: deque[Step] = deque()
        self._changed = asyncio.Event()
        self._peers: set[object] = set()
        self._closing = False
        self._port = 0

    async def __aenter__(self) -> Self:
        # handler_cancellation: a handler is cancelled when its client leaves; that is how a Stop is noticed.
        self._runner = web.AppRunner(self._app(), handler_cancellation=True, shutdown_timeout=0.05, access_log=None)
        await self._runner.setup()
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        await self._runner.cleanup()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def connections(self) -> int:
        """As in `ModelServer`."""
        return len(self._peers)

    @property
    def pending(self) -> int:
        """Scripted steps that nobody asked for yet."""
        return len(self._script)

    def script(self, *steps: Step) -> None:
        """As in `ModelServer`."""
        self._script.extend(steps)

    async def wait_for(self, predicate: Callable[[], bool], deadline_s: float = 5.0) -> None:
        """As in `ModelServer`."""
        async with asyncio.timeout(deadline_s):
            while not predicate():
                self._changed.clear()
                # Conditions about other parties (a hold, a file) do not announce themselves: look again soon.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), _POLL_S)

    @contextlib.asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """As in `ModelServer`."""
        await self._site.stop()
        for connection in list(self._runner.server.connections if self._runner.server else ()):
            connection.force_close()  # `close` leaves an idle one open, and what comes on it is never answered
        try:
            yield
        finally:
            await self._listen()

    def _app(self) -> web.Application:
        raise NotImplementedError

    def _came(self, http: web.Request) -> None:
        self._peers.add(http.transport and http.transport.get_extra_info("peername"))

    def _left(self, *, completed: bool = False) -> bool:
        """Whether a client that is gone went before its answer was complete; counted."""
        early = not self._closing and not completed
        if early:
            self.left_early += 1
            self._changed.set()
        return early

    async def _stay_silent(self, left: Callable[[], object]) -> web.StreamResponse:
        """Never answer; `left` is called when the client has had enough of that."""
        try:
            await hang()
        except asyncio.CancelledError:
            left()
            raise
        return web.Response(status=500)  # never sent: a hang ends by cancellation

    async def _listen(self) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await self._site.start()
        self._port = self._runner.addresses[0][1]


def answer_of(fault: HttpFault, headers: Mapping[str, str] | None = None) -> web.Response:
    """A scripted HTTP answer; `headers` are the server's own."""
    sent = dict(headers or {}) | dict(fault.headers)
    if isinstance(fault.body, str):
        return web.Response(status=fault.status, text=fault.body, headers=sent)
    return web.json_response(dict(fault.body), status=fault.status, headers=sent)
