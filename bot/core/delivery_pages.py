"""The messages that an answer is shown in: which page stands where, and what has to change.

One page is open at a time; those before it are full and never touched again. Knows nothing of time: pacing
and repeating is left to whoever calls.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from bot.core.delivery_calls import Calls
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.ports import Button, File, Page, PageStart

REPETITION = "_(This may be a repetition.)_"


@dataclass(frozen=True, slots=True)
class Look:
    """What a message looks like: two equal looks need no edit."""

    content: str
    markup: object
    buttons: tuple[Button, ...]
    plain: bool


@dataclass(slots=True, kw_only=True)
class Sheet:
    """One message of the answer.

    `shown` is None while nothing is known of what stands there. `doubtful`: an earlier send with the same
    key may be what the platform de-duplicates to, so what stands there may be older than what was sent.
    `refused` is the page that the platform did not take formatted. `unknown` counts sends of which nobody
    knows whether they were carried out. `deleted` counts messages that somebody took away.
    """

    start: PageStart
    message_id: str | None
    key: str
    shown: Look | None = None
    placed: bool = False
    doubtful: bool = False
    refused: Page | None = None
    unknown: int = 0
    deleted: int = 0


@dataclass(slots=True, kw_only=True)
class Sheets:
    """The messages of one answer.

    `known` are ids of messages to use before new ones are sent. `resent`: an earlier attempt may have sent
    some that nobody recorded. `before_send` is awaited before a page is first sent where sends cannot be
    de-duplicated. `on_placed` is told each message's page index and id when the page first stands
    there.
    """

    calls: Calls
    turn_uid: str
    reply_to: str | None
    known: Sequence[str]
    resent: bool
    before_send: Callable[[int], Awaitable[None]] | None
    on_placed: Callable[[int, str], None]
    _sheets: list[Sheet] = field(default_factory=list)
    _marks: list[tuple[int, str]] = field(default_factory=list)
    _replaced: list[str] = field(default_factory=list)
    _announced: int = 0

    def __post_init__(self) -> None:
        self._append(PageStart())

    @property
    def index(self) -> int:
        """The number of the open page, from 0."""
        return len(self._sheets) - 1

    @property
    def open(self) -> Sheet:
        """The page that still changes."""
        return self._sheets[-1]

    @property
    def message_ids(self) -> tuple[str, ...]:
        """The ids of all pages that stand, in order."""
        return tuple(sheet.message_id for sheet in self._sheets if sheet.message_id and sheet.placed)

    @property
    def surplus(self) -> tuple[str, ...]:
        """Known or replaced messages in which no page stands."""
        ids = [*self.known, *(sheet.message_id for sheet in self._sheets), *self._replaced]
        return tuple(dict.fromkeys(id_ for id_ in ids if id_ and id_ not in self.message_ids))

    def render(self, text: str) -> tuple[Page, ...]:
        """The pages of the answer from the open one on."""
        for offset, mark in self._marks:
            text = text[:offset] + mark + text[offset:]
        return self.calls.messenger.render(self.calls.place, text, self.open.start)

    def shows(self, page: Page, buttons: tuple[Button, ...]) -> bool:
        """Whether the open message looks like `page` already, and was not refused its formatting."""
        return self.open.shown == Look(page.content, page.markup, buttons, self.open.refused == page)

    def turn_over(self, page: Page) -> None:
        """The open page is full with `page`: it stays as it is, and the next one is opened."""
        self._append(page.end)

    def replace_open(self) -> None:
        """Show the open page in a message of its own; the one it stood in becomes surplus."""
        sheet = self._sheets.pop()
        if sheet.message_id is not None:
            self._replaced.append(sheet.message_id)
        self._sheets.append(Sheet(start=sheet.start, message_id=None, key=f"{sheet.key}~file"))

    async def put(self, page: Page, buttons: tuple[Button, ...] = (), *, final: bool, file: File | None = None) -> bool:
        """Make the open message look like `page` with at most one call.

        Returns False when something stood in the way that another try gets around; the source may have
        changed then, so render anew. `final` gives a page that was refused formatted in another state a new
        chance.

        Raises:
            DeliveryError: TRANSIENT and RATE_LIMITED may pass, other kinds will not.
        """
        sheet = self.open
        plain = sheet.refused == page if final else sheet.refused is not None
        look = Look(page.content, page.markup, buttons, plain)
        if self.resent and sheet.message_id is None and not self.calls.capabilities.idempotent_send:
            self.resent = False
            self._mark(sheet)
            return False
        try:
            if sheet.message_id is None:
                await self._send(sheet, page, look, file)
            else:
                await self._edit(sheet.message_id, page, look)
                sheet.shown = look
        except DeliveryError as error:
            self._recover(sheet, page, plain, error)
            return False
        self._note_placed(sheet)
        return sheet.shown == look

    async def _announce(self) -> None:
        if self.before_send is not None and not self.calls.capabilities.idempotent_send:
            if self.index >= self._announced:
                await self.before_send(self.index)
            self._announced = max(self._announced, self.index + 1)

    async def _send(self, sheet: Sheet, page: Page, look: Look, file: File | None) -> None:
        await self.calls.permit()
        await self._announce()
        send = self.calls.messenger.send(
            self.calls.place,
            page,
            key=sheet.key if not sheet.deleted else f"{sheet.key}~{sheet.deleted}",
            reply_to=self.reply_to if self.index == 0 else None,
            buttons=look.buttons,
            file=file,
            plain=look.plain,
        )
        sheet.message_id = await self.calls.once(send)
        sheet.shown = None if sheet.doubtful else look
        sheet.doubtful = False

    async def _edit(self, message_id: str, page: Page, look: Look) -> None:
        await self.calls.permit()
        edit = self.calls.messenger.edit(self.calls.place, message_id, page, buttons=look.buttons, plain=look.plain)
        await self.calls.once(edit)

    def _recover(self, sheet: Sheet, page: Page, plain: bool, error: DeliveryError) -> None:
        """Get the sheet ready for another try, or raise."""
        sending = sheet.message_id is None
        match error.kind:
            case DeliveryKind.INVALID if not plain:
                sheet.refused = page
            case DeliveryKind.NOT_FOUND if not sending:
                sheet.message_id, sheet.shown, sheet.placed = None, None, False
                sheet.deleted += 1
            case DeliveryKind.UNKNOWN_AFTER_SEND if not sending or self.calls.capabilities.idempotent_send:
                sheet.doubtful = sending
                raise DeliveryError(DeliveryKind.TRANSIENT, str(error)) from error
            case DeliveryKind.UNKNOWN_AFTER_SEND if sheet.unknown == 0:
                sheet.unknown += 1
                self._mark(sheet)
            case (
                DeliveryKind.INVALID
                | DeliveryKind.NOT_FOUND
                | DeliveryKind.UNKNOWN_AFTER_SEND
                | DeliveryKind.TRANSIENT
                | DeliveryKind.RATE_LIMITED
                | DeliveryKind.FORBIDDEN
            ):
                raise error
            case _:
                assert_never(error.kind)

    def _mark(self, sheet: Sheet) -> None:
        """From now on the page begins with the line that it may be a repetition."""
        if any(offset == sheet.start.offset for offset, _ in self._marks):
            return
        self._marks.append((sheet.start.offset, f"{REPETITION}\n\n{sheet.start.reopen}"))
        sheet.start = PageStart(offset=sheet.start.offset)

    def _append(self, start: PageStart) -> None:
        index = len(self._sheets)
        message_id = self.known[index] if index < len(self.known) else None
        doubtful = self.resent and message_id is None and self.calls.capabilities.idempotent_send
        key = f"{self.turn_uid}~{index}"
        self._sheets.append(Sheet(start=start, message_id=message_id, key=key, doubtful=doubtful))

    def _note_placed(self, sheet: Sheet) -> None:
        if not sheet.placed and sheet.message_id is not None:
            sheet.placed = True
            self.on_placed(self.index, sheet.message_id)
