"""The verbs of the terminal: a message is text that was written, and can only grow.

Where it streams (a screen) an edit writes what was added; through a pipe each answer is written once, whole.
Knows nothing of prompts and keys.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from adapters.terminal import attaching
from adapters.terminal.inbound import PLATFORM
from adapters.terminal.screen import Screen
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.inbound import Inbound
from bot.core.message import AttachmentRef
from bot.core.place import Author, Place
from bot.core.ports import Answer, Button, Capabilities, File, Page, PageStart
from bot.core.sound import Voice

_UNLIMITED_PAGES = 1_000_000
#: A disk that does not answer for so long is somewhere in a network.
_READ_TIMEOUT_S = 30.0
_WHOLE = "whole"
_LIVE = "live"
#: Ctrl-C does that here.
_STOP = "stop"


@dataclass(slots=True, kw_only=True)
class _Message:
    """The newest message. `open` while its line is not ended, so that it can grow."""

    id: str
    text: str
    buttons: tuple[Button, ...]
    open: bool = True


class TerminalMessenger:
    """`Messenger` on a screen. `own` are the uids of what was asked in this run: other answers get a note.

    Files are saved in `folder`, which is made when there is one.
    """

    def __init__(self, screen: Screen, *, streams: bool, new_id: Callable[[], str], folder: Path) -> None:
        self._folder = folder
        self.own: set[str] = set()
        #: How often an answer, or more of one, was written.
        self.written = 0
        #: Whether nobody reads any more: the pipe or the terminal is closed.
        self.gone = False
        self._wrote = asyncio.Event()
        self._screen = screen
        self._streams = streams
        self._new_id = new_id
        self._newest: _Message | None = None

    def capabilities(self, place: Place) -> Capabilities:
        return Capabilities(
            edit_interval_s=0.05,
            rates=(),
            reserved=0,
            max_pages=_UNLIMITED_PAGES,
            edits=self._streams,
            buttons=True,
            files=False,
            idempotent_send=False,
            typing_interval_s=None,
        )

    def render(self, place: Place, markdown: str, start: PageStart = PageStart()) -> tuple[Page, ...]:  # noqa: B008
        """One page of any length: the source itself."""
        text = start.reopen + markdown[start.offset :]
        if not text.strip():
            return ()
        return (Page(content=text, plain=text, end=PageStart(offset=len(markdown))),)

    async def send(
        self,
        place: Place,
        page: Page,
        *,
        key: str,
        reply_to: str | None = None,
        buttons: Sequence[Button] = (),
        file: File | None = None,
        plain: bool = False,
    ) -> str:
        await self._screen.turn()
        self.end_message()
        if key.endswith(":notice"):
            self._carry_out(lambda: self._screen.note(page.content))
            return self._new_id()
        if key.partition("~")[0] not in self.own:
            self._carry_out(lambda: self._screen.note("to what was left unanswered last time:"))
        kind = _LIVE if self._streams else _WHOLE
        message = _Message(
            id=f"{kind}-{_digest(page.content)}-{self._new_id()}", text=page.content, buttons=tuple(buttons)
        )
        self._carry_out(lambda: self._screen.write(page.content))
        self._newest = message
        if not self._streams:
            self.end_message()
        self._note_written()
        return message.id

    async def edit(
        self,
        place: Place,
        message_id: str,
        page: Page,
        *,
        buttons: Sequence[Button] = (),
        plain: bool = False,
    ) -> None:
        """Write what was added; a text that changed otherwise is written anew, whole.

        A message of an earlier run is fine if it stood there whole, else it counts as gone and is sent again.
        """
        message = self._newest
        if message is None or message.id != message_id:
            if _stood_whole(message_id, page.content):
                self._note_written()
                return
            raise DeliveryError(DeliveryKind.NOT_FOUND, "it was written elsewhere")
        if not message.open:
            if message.text != page.content:
                raise DeliveryError(DeliveryKind.NOT_FOUND, "it cannot be changed any more")
            return
        await self._screen.turn()
        if page.content != message.text:
            added = _added(message.text, page.content)
            self._carry_out(lambda: self._screen.write(added))
        message.text, message.buttons = page.content, tuple(buttons)
        self._note_written()

    async def delete(self, place: Place, message_id: str) -> None:
        """What was written stays; the message counts as gone."""

    async def typing(self, place: Place) -> None:
        """The chat itself shows that an answer is awaited."""

    async def send_voice(self, place: Place, voice: Voice, *, key: str, reply_to: str | None = None) -> str:
        """Nothing sounds here: the recording is saved, under a name of its own, and its place is told."""
        await self._screen.turn()
        self.end_message()
        file = File(name=voice.name, content=voice.content, media_type=voice.media_type)
        where = await asyncio.to_thread(self._save_anew, file)
        self._carry_out(lambda: self._screen.note(where))
        self._note_written()
        return self._new_id()

    async def fetch(self, place: Place, attachment: AttachmentRef, *, max_bytes: int) -> bytes:
        try:
            async with asyncio.timeout(_READ_TIMEOUT_S):
                return await asyncio.to_thread(attaching.read, attachment.id, max_bytes)
        except TimeoutError:
            raise DeliveryError(DeliveryKind.TRANSIENT, f"{attachment.name} could not be read in time") from None

    async def answer(self, inbound: Inbound, answer: Answer) -> None:
        if answer.text:
            await self._screen.turn()
            self.end_message()
            self._carry_out(lambda: self._screen.write(f"{answer.text}\n"))
        self._hint([button for row in answer.rows for button in row])
        if answer.file is not None:
            where = await asyncio.to_thread(self._save, answer.file)
            self._carry_out(lambda: self._screen.note(where))
        self._note_written()

    def _save(self, file: File) -> str:
        """Write a file for the person at the keyboard; returns where it is, or why it is nowhere. Blocks."""
        path = self._folder / Path(file.name).name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
        except OSError as error:
            return f"{path.name} could not be saved in {self._folder} ({error.strerror})"
        return f"saved as {path}"

    def _save_anew(self, file: File) -> str:
        """`_save`, but a file of that name stays: the new one gets a number."""
        first = self._folder / Path(file.name).name
        paths = (first if number == 1 else first.with_stem(f"{first.stem}-{number}") for number in count(1))
        free = next(path for path in paths if not path.exists())
        return self._save(replace(file, name=free.name))

    async def open_thread(self, place: Place, message_id: str, title: str) -> Place:
        raise DeliveryError(DeliveryKind.INVALID, "the terminal has no threads")

    async def rename(self, place: Place, title: str, *, anyones: bool = False) -> None:
        raise DeliveryError(DeliveryKind.INVALID, "a terminal has no name")

    async def may_manage(self, place: Place, author: Author) -> bool:
        return True

    def end_message(self) -> None:
        """The newest message is complete: end its line, say what can be done. Raises DeliveryError."""
        message = self._newest
        if message is None or not message.open:
            return
        message.open = False
        self._carry_out(lambda: self._screen.write("\n"))
        self._hint(message.buttons)

    async def more_than(self, written: int) -> None:
        """Wait until `written` is more than that, or nobody reads any more."""
        while self.written <= written and not self.gone:
            self._wrote.clear()
            await self._wrote.wait()

    def _note_written(self) -> None:
        self.written += 1
        self._wrote.set()

    def _hint(self, buttons: Sequence[Button]) -> None:
        """There is nothing to press here: say what to type instead."""
        hints = [_hint(button) for button in buttons if button.line.split()[0] != _STOP]
        if hints:
            self._carry_out(lambda: self._screen.note(" · ".join(hints)))

    def _carry_out(self, write: Callable[[], None]) -> None:
        try:
            write()
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            self.gone = True
            self._wrote.set()
            raise DeliveryError(DeliveryKind.FORBIDDEN, f"nobody reads ({type(error).__name__})") from error


def _added(before: str, after: str) -> str:
    """What to write so that `after` stands there; one that did not just grow begins on its own line."""
    return after[len(before) :] if after.startswith(before) else f"\n{after}"


def _hint(button: Button) -> str:
    """`Retry: /retry`: a button names its turn, but by hand the last one is meant anyway."""
    words = [word for word in button.line.split() if not word.startswith(f"{PLATFORM}:")]
    line = f"/{' '.join(words)}"
    return line if line.endswith(button.label) else f"{button.label}: {line}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _stood_whole(message_id: str, text: str) -> bool:
    return message_id.startswith(f"{_WHOLE}-{_digest(text)}-")
