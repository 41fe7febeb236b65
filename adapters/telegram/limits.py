"""How fast Telegram takes messages: the capabilities of its chats, and the pace of all chats together.

Telegram publishes "about one a second" in a chat, "20 a minute" in a group and "30 a second" overall, and
punishes more with 30 to 250 seconds of silence. The core paces each chat by the rates here.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.core.ports import Capabilities, Clock, Rate

PRIVATE = Capabilities(
    edit_interval_s=1.1,
    # Bursts of three are taken in private; one of them stays free for the last state of an answer.
    rates=(Rate(calls=3, window_s=3.15),),
    reserved=1,
    max_pages=5,
    edits=True,
    buttons=True,
    files=True,
    idempotent_send=False,
    typing_interval_s=4.5,
    voice=True,
)
GROUP = Capabilities(
    edit_interval_s=4.0,
    # 20 a minute with room for answers to commands, which nobody paces, and for a clock that differs.
    rates=(Rate(calls=18, window_s=61.0), Rate(calls=3, window_s=3.15)),
    reserved=6,
    max_pages=5,
    edits=True,
    buttons=True,
    files=True,
    idempotent_send=False,
    typing_interval_s=4.5,
    voice=True,
)

#: The same inside of a topic.
IN_TOPICS = {abilities: replace(abilities, titles=True) for abilities in (PRIVATE, GROUP)}

OVERALL = Rate(calls=28, window_s=1.0)
#: Streaming edits leave this much of the overall rate to sends, so that first words never queue behind them.
EDITS = Rate(calls=18, window_s=1.0)


class Meter:
    """Lets calls through in the order of arrival, so that the server never gets more than `rate` allows.

    A call takes a slot from its start until `window_s` after its end: when it arrives in between is unknown,
    and slow calls followed by fast ones would otherwise arrive together.
    """

    def __init__(self, clock: Clock, rate: Rate) -> None:
        self._clock = clock
        self._window_s = rate.window_s
        self._free_at: asyncio.Queue[float] = asyncio.Queue()
        for _ in range(rate.calls):
            self._free_at.put_nowait(float("-inf"))

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until one more call may go out; it is made inside."""
        free_at = await self._free_at.get()
        try:
            wait_s = free_at - self._clock.monotonic()
            if wait_s > 0:
                await self._clock.sleep(wait_s)
            yield
        finally:
            self._free_at.put_nowait(self._clock.monotonic() + self._window_s)


class OverallPace:
    """The limit that all chats share. A chat in a penalty makes no calls, so it holds nobody up."""

    def __init__(self, clock: Clock) -> None:
        self._all = Meter(clock, OVERALL)
        self._edits = Meter(clock, EDITS)

    @asynccontextmanager
    async def send(self) -> AsyncIterator[None]:
        """Wait until a message may be sent; it is sent inside."""
        async with self._all.turn():
            yield

    @asynccontextmanager
    async def edit(self) -> AsyncIterator[None]:
        """Wait until a message may be edited; it is edited inside."""
        async with self._edits.turn(), self._all.turn():
            yield
