"""A core in memory for the terminal chat: it answers by repeating, as a stream of words.

`slow …` is answered forever, until Stop. What a real delivery does with a Messenger is done here in the same
order: a send with a Stop button, edits, and a last edit with the final buttons.
"""

import asyncio
from collections.abc import Callable, Coroutine

from bot.core.inbound import Inbound, Invoked, Pressed, Said
from bot.core.place import Place
from bot.core.ports import Answer, Button, Messenger

_STOP = (Button(label="Stop", line="stop terminal:main:1"),)
_RETRY = (Button(label="Retry", line="retry terminal:main:1"),)


class EchoCore:
    """`accept` and `idle` of an engine, working in `group`; `messenger` is set before the first event."""

    messenger: Callable[[], Messenger]

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self.accepted: list[Inbound] = []
        #: While set, messages are taken but not answered: another process still holds the lane.
        self.held: list[Inbound] | None = None
        self._group = group
        self._work: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()

    async def accept(self, inbound: Inbound) -> None:
        self.accepted.append(inbound)
        match inbound.event:
            case Said() if self.held is not None:
                self.held.append(inbound)
            case Said(text=text):
                self._start(inbound, text)
            case Invoked(name=name):
                await self.messenger().answer(inbound, Answer(text=f"ran {name}", rows=(_RETRY,)))
            case Pressed():
                self._stopped.set()
            case _:
                raise AssertionError(f"the terminal never sends {inbound.event}")

    async def idle(self) -> None:
        while self._work:
            await asyncio.wait(self._work)

    def take_over(self) -> None:
        """The lane is ours: everything that was held is answered."""
        held, self.held = self.held or [], None
        for inbound in held:
            if isinstance(inbound.event, Said):
                self._start(inbound, inbound.event.text)

    def answer_unasked(self, place: Place, text: str) -> None:
        """An answer to something that a killed process left."""
        self._run(self._show(place, "terminal:main:before", text, last="."))

    def _start(self, inbound: Inbound, text: str) -> None:
        if text.startswith("slow"):
            self._run(self._until_stopped(inbound))
        else:
            self._run(self._show(inbound.place, inbound.uid, f"You said: {text}", last="."))

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = self._group.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _show(self, place: Place, uid: str, text: str, *, last: str) -> None:
        messenger = self.messenger()
        (whole,) = messenger.render(place, text + last)
        if not messenger.capabilities(place).edits:
            await messenger.send(place, whole, key=f"{uid}~0")
            return
        (first,) = messenger.render(place, text[:5])
        message_id = await messenger.send(place, first, key=f"{uid}~0", buttons=_STOP)
        for end in range(6, len(text) + 1):
            (page,) = messenger.render(place, text[:end])
            await messenger.edit(place, message_id, page, buttons=_STOP)
        await messenger.edit(place, message_id, whole)

    async def _until_stopped(self, inbound: Inbound) -> None:
        messenger, place = self.messenger(), inbound.place
        (first,) = messenger.render(place, "So slow")
        message_id = await messenger.send(place, first, key=f"{inbound.uid}~0", buttons=_STOP)
        await self._stopped.wait()
        self._stopped.clear()
        (last,) = messenger.render(place, "So slow\n\nStopped.")
        await messenger.edit(place, message_id, last, buttons=_RETRY)
