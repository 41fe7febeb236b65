"""Answers to commands and buttons as messages: long ones in several, buttons and a file with the last.

Nobody above sends them again, so what the platform only puts off is waited out here.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from adapters.telegram.markdown import utf16_length
from adapters.telegram.render import CAPTION_UNITS
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.inbound import Inbound, Invoked, Pressed
from bot.core.place import ChatKind, Place
from bot.core.ports import Answer, Button, Clock, File, Page, PageStart

#: As long as the longest penalties that Telegram is known to give.
_PATIENCE_S = 300.0
_FIRST_PAUSE_S = 1.0


class Writer(Protocol):
    """The part of the messenger that answers are made with: send and edit, the buttons laid out in rows."""

    def render(self, place: Place, markdown: str, start: PageStart = ...) -> tuple[Page, ...]: ...

    async def send_rows(
        self,
        place: Place,
        page: Page,
        *,
        reply_to: str | None = None,
        rows: Sequence[Sequence[Button]] = (),
        file: File | None = None,
        plain: bool = False,
    ) -> str: ...

    async def edit_rows(
        self,
        place: Place,
        message_id: str,
        page: Page,
        *,
        rows: Sequence[Sequence[Button]] = (),
        plain: bool = False,
    ) -> None: ...


async def send_answer(writer: Writer, clock: Clock, inbound: Inbound, answer: Answer) -> None:
    """Show an answer where it was asked for; an empty one shows nothing. Raises DeliveryError."""
    place, event = inbound.place, inbound.event
    pages = writer.render(place, answer.text)
    # Whatever else is answered is answered while it is accepted, and accepting one event holds up the next.
    patience_s = _PATIENCE_S if isinstance(event, Invoked | Pressed) else 0.0
    if answer.replace and isinstance(event, Pressed) and len(pages) == 1:
        edit = partial(writer.edit_rows, place, event.message_id, pages[0], rows=answer.rows)
        try:
            await _until_done(edit, clock, patience_s)
        except DeliveryError as error:
            if error.kind is not DeliveryKind.NOT_FOUND:
                raise
        else:
            return
    reply_to = None
    if place.kind is ChatKind.SHARED and not isinstance(event, Pressed):
        reply_to = event.message_id
    messages = _messages(pages, answer.file)
    for page, file in messages:
        send = partial(
            writer.send_rows,
            place,
            page,
            reply_to=reply_to if page is messages[0][0] else None,
            rows=answer.rows if page is messages[-1][0] else (),
            file=file,
        )
        await _until_done(send, clock, patience_s)


def _messages(pages: tuple[Page, ...], file: File | None) -> list[tuple[Page, File | None]]:
    """What each message holds; a file comes with the last page if that fits into its caption."""
    messages: list[tuple[Page, File | None]] = [(page, None) for page in pages]
    if file is None:
        return messages
    if pages and utf16_length(pages[-1].content) <= CAPTION_UNITS:
        messages[-1] = (pages[-1], file)
    else:
        messages.append((Page(content="", plain="", end=PageStart()), file))
    return messages


async def _until_done(show: Callable[..., Awaitable[object]], clock: Clock, patience_s: float) -> None:
    """Call `show(plain=…)` until it works: unformatted where that was refused, later if it was too early."""
    plain = False
    give_up_at = clock.monotonic() + patience_s
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            await show(plain=plain)
            return
        except DeliveryError as error:
            if error.kind is DeliveryKind.INVALID and not plain:
                plain = True
                continue
            if error.kind not in (DeliveryKind.RATE_LIMITED, DeliveryKind.TRANSIENT):
                raise
            wait_s = pause_s if error.retry_after_s is None else error.retry_after_s
            if clock.monotonic() + wait_s > give_up_at:
                raise
        await clock.sleep(wait_s)
        pause_s *= 2
