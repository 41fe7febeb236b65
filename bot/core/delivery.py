"""Shows one answer through a Messenger while it is being made: typing, first words, paced edits, last state.

Only this calls a Messenger for an answer. Knows nothing of models, stores and turns: text and a status line
come in, and what became of them goes out.
"""

import asyncio
import logging
import random
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType

from bot.core.delivery_calls import Calls, Worker
from bot.core.delivery_pages import REPETITION, Sheets
from bot.core.errors import DeliveryError, DeliveryKind, ParleyError
from bot.core.pacing import Pacers
from bot.core.paging import closing
from bot.core.place import Place
from bot.core.ports import Button, Clock, File, Messenger, Page

#: An answer that ends sooner is one send: its first words do not go out before.
_LOOK_EVERY_S = 0.1
_FIRST_WORDS_AFTER_S = 0.7
_FIRST_WORDS_CHARS = 24
_SENTENCE_END = re.compile(r"[.!?…:][\"'”’»)\]*_`]*\s|[。！？]|\n")
#: Sooner than this most people see nothing, and an answer from a cache needs no typing at all.
_TYPING_AFTER_S = 0.05
_TYPING_TIMEOUT_S = 5.0
_AFTER_ERROR_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What stands in the chat after the last state.

    `message_ids` are the answer's messages in order, those known to be out if it was not delivered whole.
    `delivered` is False when the platform did not take all of it; `error` then says why, else it is None.
    """

    message_ids: tuple[str, ...]
    delivered: bool
    error: DeliveryError | None = None


async def _always() -> None:
    """Nobody else writes there."""


class Delivery:
    """One answer on its way: `async with` it, `feed` it, and `finish` it inside.

    `reply_to` is the message that is answered, None for none. `known` are messages of an earlier attempt or
    of the answer to be replaced: page i is shown in `known[i]`, those left over are deleted at the end.
    `resent`: an earlier attempt may have sent messages that nobody recorded; where sends cannot be
    de-duplicated the first new one says so, elsewhere what the platform kept is brought up to date.
    `before_send` is awaited with the page's index before a page is first sent there; nothing is sent if it raises.
    `permit` is awaited before every send, edit and deletion: it raises when the chat is somebody else's by now.
    `on_message` is told page index and id of each message once, beside the streaming; it handles its own
    errors.

    Leaving the `async with` waits for what `on_message` still does.
    """

    def __init__(
        self,
        messenger: Messenger,
        pacers: Pacers,
        clock: Clock,
        *,
        place: Place,
        turn_uid: str,
        reply_to: str | None,
        on_message: Callable[[int, str], Awaitable[None]],
        known: tuple[str, ...] = (),
        resent: bool = False,
        before_send: Callable[[int], Awaitable[None]] | None = None,
        permit: Callable[[], Awaitable[None]] = _always,
        jitter: Callable[[], float] = random.random,
        call_timeout_s: float = 60.0,
    ) -> None:
        self._clock = clock
        self._calls = Calls(
            messenger, pacers, clock, place, jitter=jitter, call_timeout_s=call_timeout_s, permit=permit
        )
        self._can = self._calls.capabilities
        self._sheets = Sheets(
            calls=self._calls,
            turn_uid=turn_uid,
            reply_to=reply_to,
            known=known,
            resent=resent,
            before_send=before_send,
            on_placed=self._note,
        )
        self._on_message = on_message
        self._stop = (Button(label="Stop", line=f"stop {turn_uid}"),) if self._can.buttons else ()
        self._chunks: list[str] = []
        self._status: str | None = None
        self._changed = asyncio.Event()
        self._overflowing = False
        self._tasks = asyncio.TaskGroup()
        self._typist = Worker()
        self._streamer = Worker()
        #: Nothing was sent yet, nor is about to be: `finish` will send all of it.
        self.silent = True

    async def __aenter__(self) -> "Delivery":
        await self._tasks.__aenter__()
        if self._can.typing_interval_s is not None:
            self._typist.start(self._tasks, self._type(self._can.typing_interval_s))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._typist.end()
        self._streamer.end()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        except BaseExceptionGroup as errors:
            if error is None:  # else that one goes on as it is: callers decide by its class
                raise errors.exceptions[0] from None

    def feed(self, text: str) -> None:
        """More of the answer. Returns at once; showing it goes on beside the provider's stream."""
        self._chunks.append(text)
        self._status = None
        self._wake()

    def status(self, line: str) -> None:
        """What is being done (a tool that runs), shown until more of the answer comes: under it, or in its place."""
        self._status = line
        self._wake()

    async def finish(
        self, *, reason: str | None = None, buttons: tuple[Button, ...] = (), deadline_s: float = 900.0
    ) -> Shown:
        """Bring the answer to its last state, however long the platform makes us wait, up to `deadline_s`.

        `reason` is a line that follows the text of an answer that is not whole. `buttons` go under the last
        message. With neither text nor reason all messages are taken away. May be cancelled.

        Raises:
            ParleyError: what `before_send` or `permit` raised.
        """
        self._typist.end()
        self._streamer.end()
        await self._streamer.ended()
        deadline = self._clock.monotonic() + deadline_s
        try:
            await self._land(reason, buttons if self._can.buttons else (), deadline)
        except DeliveryError as error:
            standing = dict.fromkeys((*self._sheets.message_ids, *self._sheets.surplus))
            return Shown(message_ids=tuple(standing), delivered=False, error=error)
        await self._delete_surplus(deadline)
        return Shown(message_ids=self._sheets.message_ids, delivered=True)

    def _wake(self) -> None:
        self._changed.set()
        if self._can.edits and not self._streamer.started:
            self._streamer.start(self._tasks, self._stream())

    def _text(self) -> str:
        text = "".join(self._chunks)
        self._chunks = [text]
        return text

    def _note(self, index: int, message_id: str) -> None:
        async def note() -> None:
            await self._on_message(index, message_id)

        self._tasks.create_task(note())

    # --- while it is being made ---

    async def _type(self, interval_s: float) -> None:
        await self._clock.sleep(_TYPING_AFTER_S)
        while not self._typist.ending:
            with self._typist.calling(), suppress(DeliveryError, TimeoutError):
                async with asyncio.timeout(_TYPING_TIMEOUT_S):
                    await self._calls.messenger.typing(self._calls.place)
            if not self._typist.ending:
                await self._clock.sleep(interval_s)

    async def _stream(self) -> None:
        has_words = False
        while not self._streamer.ending:
            urgent = not has_words or not self._sheets.open.placed
            has_words = has_words or await self._until_first_words()
            await self._calls.pace(urgent=urgent)
            self._changed.clear()
            self.silent = False
            try:
                with self._streamer.calling():
                    settled = await self._step()
            except DeliveryError as error:
                if error.kind not in (DeliveryKind.TRANSIENT, DeliveryKind.RATE_LIMITED):
                    return  # finish() meets it again and reports it
                settled = False
                await self._pause_after_error()
            except ParleyError:
                return  # of before_send or permit: finish() asks them again
            if settled and not self._streamer.ending:
                await self._changed.wait()

    async def _until_first_words(self) -> bool:
        """Wait for the end of a first sentence, for a while; returns whether there are words at all."""
        for _ in range(round(_FIRST_WORDS_AFTER_S / _LOOK_EVERY_S)):
            await self._clock.sleep(_LOOK_EVERY_S)
            if _SENTENCE_END.search(self._text(), _FIRST_WORDS_CHARS - 1):
                break
        return bool(self._text().strip())

    async def _pause_after_error(self) -> None:
        if not self._streamer.ending:
            await self._clock.sleep(_AFTER_ERROR_S)

    async def _step(self) -> bool:
        """Show what there is with at most one call; False when there is more to do at once."""
        page, is_full = self._newest()
        if page is None:
            return True
        buttons = () if is_full else self._stop
        done = self._sheets.shows(page, buttons) or await self._sheets.put(page, buttons, final=is_full)
        if done and is_full:
            self._sheets.turn_over(page)
        if done and self._text().strip():
            self._typist.end()
        return done and not is_full

    def _newest(self) -> tuple[Page | None, bool]:
        """What the open message should show now, None for nothing yet, and whether that is a full page."""
        text = self._text()
        if not text.strip():
            return self._line(self._status or ""), False
        pages = () if self._overflowing else self._sheets.render(text)
        if self._status and len(pages) == 1:
            with_status = self._sheets.render(_with_reason(text, self._status))
            return (with_status if len(with_status) == 1 else pages)[0], False
        if len(pages) > 1 and self._can.files and self._sheets.index >= self._can.max_pages - 1:
            self._overflowing = True
        if self._overflowing:
            return self._line(f"… still writing, {len(text) // 1_000 * 1_000:,} characters so far"), False
        return (pages[0] if pages else None), len(pages) > 1

    def _line(self, text: str) -> Page | None:
        return next(iter(self._calls.messenger.render(self._calls.place, text)), None)

    # --- the last state ---

    async def _land(self, reason: str | None, buttons: tuple[Button, ...], deadline: float) -> None:
        text = self._text()
        whole = _with_reason(text, reason)
        pages = self._sheets.render(whole)
        if self._can.files and self._sheets.index + len(pages) > self._can.max_pages:
            await self._land_pages(whole, pages, (), deadline, before=self._can.max_pages - 1)
            if await self._land_as_file(text, reason, buttons, deadline):
                return
            pages = self._sheets.render(whole)
        if not pages and self._sheets.index == 0:
            self._sheets.replace_open()
        await self._land_pages(whole, pages, buttons, deadline)

    async def _land_pages(
        self,
        text: str,
        pages: tuple[Page, ...],
        buttons: tuple[Button, ...],
        deadline: float,
        *,
        before: int | None = None,
    ) -> None:
        """Bring every one of the `pages` of `text` (those `before` an index) to its last state, in order."""
        while pages and (before is None or self._sheets.index < before):
            page, *rest = pages
            if await self._land_page(page, () if rest else buttons, deadline):
                if rest:
                    self._sheets.turn_over(page)
                pages = tuple(rest)
            else:
                pages = self._sheets.render(text)

    async def _land_page(
        self, page: Page, buttons: tuple[Button, ...], deadline: float, file: File | None = None
    ) -> bool:
        if self._sheets.shows(page, buttons):
            return True
        put = partial(self._sheets.put, page, buttons, final=True, file=file)
        return await self._calls.land(put, deadline=deadline)

    async def _land_as_file(self, text: str, reason: str | None, buttons: tuple[Button, ...], deadline: float) -> bool:
        """Send the whole answer as a file; False when the platform does not take it."""
        self._sheets.replace_open()
        file = File(name="answer.md", content=text.encode(errors="replace"), media_type="text/markdown")
        summary = _with_reason(f"The whole answer is in answer.md: {len(text):,} characters.", reason)
        try:
            while True:
                page = self._line(f"{REPETITION}\n\n{summary}" if self._sheets.open.unknown else summary)
                if page is None or await self._land_page(page, buttons, deadline, file):
                    return page is not None
        except DeliveryError as error:
            if error.kind is not DeliveryKind.INVALID:
                raise
            return False

    async def _delete_surplus(self, deadline: float) -> None:
        for message_id in self._sheets.surplus:
            try:
                await self._calls.land(partial(self._delete, message_id), deadline=deadline)
            except DeliveryError as error:
                _log.warning("a message that is not needed any more stays: %s", error)

    async def _delete(self, message_id: str) -> None:
        await self._calls.permit()
        await self._calls.once(self._calls.messenger.delete(self._calls.place, message_id))


def _with_reason(text: str, reason: str | None) -> str:
    if not reason:
        return text
    kept = text.rstrip()
    return f"{kept}{closing(kept)}\n\n{reason}" if kept else reason
