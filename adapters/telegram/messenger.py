"""The verbs of Telegram: every call to a chat, in the terms of the core.

Knows no turns and repeats nothing that may show twice; the pace of one chat is the core's business, that of
all chats together is kept here.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    MessageEntity,
    ReplyParameters,
)
from telegram.constants import ChatAction, ChatMemberStatus
from telegram.error import TelegramError

from adapters.telegram.answers import send_answer
from adapters.telegram.failures import delivery_error, fetch_error, says
from adapters.telegram.limits import GROUP, IN_TOPICS, PRIVATE, OverallPace
from adapters.telegram.markdown import Entity
from adapters.telegram.memory import Expiring
from adapters.telegram.recordings import send_recording
from adapters.telegram.render import guards, render
from adapters.telegram.wire import Connection, Refused, understood
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.inbound import Inbound
from bot.core.message import AttachmentRef
from bot.core.place import Author, ChatKind, Place
from bot.core.ports import Answer, Button, Capabilities, Clock, File, Page, PageStart
from bot.core.sound import Voice

T = TypeVar("T")

#: A call to a chat, given its id and the thread in it.
ChatCall: TypeAlias = Callable[[str, int | None], Awaitable[T]]

_IN_CHARGE = (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)
_MAY_MANAGE_FRESH_S = 60.0
_ROW_BUTTONS = 3
_TOPIC_NAME_CHARS = 128


class TelegramMessenger:
    """`Messenger` over one bot account."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._pace = OverallPace(clock)
        self._moved: dict[str, str] = {}
        self._managers: Expiring[tuple[str, str], bool] = Expiring(clock, _MAY_MANAGE_FRESH_S)

    @property
    def _bot(self) -> Bot:
        return self._connection.bot

    def capabilities(self, place: Place) -> Capabilities:
        abilities = PRIVATE if place.kind is ChatKind.PRIVATE else GROUP
        return abilities if place.thread is None else IN_TOPICS[abilities]

    def render(self, place: Place, markdown: str, start: PageStart = PageStart()) -> tuple[Page, ...]:  # noqa: B008
        return render(markdown, start)

    # --- what is shown ---

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
        """A file bears the page as its caption, which takes less than a message: too long is INVALID."""
        return await self.send_rows(place, page, reply_to=reply_to, rows=_rows_of(buttons), file=file, plain=plain)

    async def send_rows(
        self,
        place: Place,
        page: Page,
        *,
        reply_to: str | None = None,
        rows: Sequence[Sequence[Button]] = (),
        file: File | None = None,
        plain: bool = False,
    ) -> str:
        """`send` with the buttons laid out in rows."""
        text, entities = _content(page, plain=plain)

        async def post(chat: str, thread: int | None) -> str:
            async with self._pace.send():
                message = await self._bot.send_message(
                    chat,
                    text,
                    entities=entities,
                    message_thread_id=thread,
                    reply_parameters=_reply_to(reply_to),
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                    reply_markup=_keyboard(rows),
                )
            return str(message.message_id)

        async def upload(file: File, chat: str, thread: int | None) -> str:
            async with self._pace.send():
                message = await self._bot.send_document(
                    chat,
                    InputFile(file.content, filename=file.name),
                    caption=text or None,
                    caption_entities=entities,
                    message_thread_id=thread,
                    reply_parameters=_reply_to(reply_to),
                    reply_markup=_keyboard(rows),
                )
            return str(message.message_id)

        call = post if file is None else partial(upload, file)
        return await self._carry_out(place, call, repeatable=False)

    async def edit(
        self,
        place: Place,
        message_id: str,
        page: Page,
        *,
        buttons: Sequence[Button] = (),
        plain: bool = False,
    ) -> None:
        await self.edit_rows(place, message_id, page, rows=_rows_of(buttons), plain=plain)

    async def edit_rows(
        self,
        place: Place,
        message_id: str,
        page: Page,
        *,
        rows: Sequence[Sequence[Button]] = (),
        plain: bool = False,
    ) -> None:
        """`edit` with the buttons laid out in rows."""
        text, entities = _content(page, plain=plain)

        async def change(chat: str, _thread: int | None) -> None:
            async with self._pace.edit():
                await self._bot.edit_message_text(
                    text,
                    chat,
                    int(message_id),
                    entities=entities,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                    reply_markup=_keyboard(rows),
                )

        await self._carry_out(place, _unless(change, "message is not modified"), repeatable=True)

    async def delete(self, place: Place, message_id: str) -> None:
        async def take_down(chat: str, _thread: int | None) -> None:
            await self._bot.delete_message(chat, int(message_id))

        await self._carry_out(place, _unless(take_down, "message to delete not found"), repeatable=True)

    async def typing(self, place: Place) -> None:
        async def show(chat: str, thread: int | None) -> None:
            await self._bot.send_chat_action(chat, ChatAction.TYPING, message_thread_id=thread)

        await self._carry_out(place, show, repeatable=True)

    async def send_voice(self, place: Place, voice: Voice, *, key: str, reply_to: str | None = None) -> str:
        """Who takes no voice messages gets the recording as a file."""

        async def post(chat: str, thread: int | None) -> str:
            return await send_recording(
                self._bot, self._pace, voice, chat=chat, thread=thread, reply_to=_reply_to(reply_to)
            )

        return await self._carry_out(place, post, repeatable=False)

    async def answer(self, inbound: Inbound, answer: Answer) -> None:
        """Nothing is private in a group: the answer is a reply to the command there."""
        await send_answer(self, self._clock, inbound, answer)

    async def open_thread(self, place: Place, message_id: str, title: str) -> Place:
        """Topics are opened by people: `threads` is false everywhere."""
        raise DeliveryError(DeliveryKind.INVALID, "no threads here")

    async def rename(self, place: Place, title: str, *, anyones: bool = False) -> None:
        """In private chats topics are as good as the bot's; those of a group have names that people gave them."""
        if not anyones and place.kind is not ChatKind.PRIVATE:
            raise DeliveryError(DeliveryKind.FORBIDDEN, "people named this topic")

        async def change(chat: str, thread: int | None) -> None:
            if thread is not None:  # else it was deleted meanwhile
                await self._bot.edit_forum_topic(chat, thread, name=title[:_TOPIC_NAME_CHARS])

        await self._carry_out(place, _unless(change, "topic_not_modified"), repeatable=True)

    async def acknowledge(self, query_id: str) -> None:
        """Tell the client that a press of a button has come in, so that its spinner ends."""
        try:
            await self._bot.answer_callback_query(query_id)
        except TelegramError as error:
            raise delivery_error(error, repeatable=True) from None

    # --- what is asked ---

    async def fetch(self, place: Place, attachment: AttachmentRef, *, max_bytes: int) -> bytes:
        """Bots get files of up to 20 MB only, whatever `max_bytes` says."""
        content = None
        if (attachment.size_bytes or 0) <= max_bytes:
            try:
                content = await self._connection.download(attachment.id, max_bytes=max_bytes)
            except TelegramError as error:
                raise fetch_error(error) from None
        if content is None:
            raise DeliveryError(DeliveryKind.INVALID, f"the file has more than {max_bytes} bytes")
        return content

    async def may_manage(self, place: Place, author: Author) -> bool:
        """Creators and administrators may, also those who speak as the chat; alone with the bot everyone."""
        if place.kind is ChatKind.PRIVATE or author.id == place.chat:
            return True
        key = (place.chat, author.id)
        known = self._managers.get(key)
        if known is None:
            known = await self._is_in_charge(place, author)
            self._managers.put(key, known)
        return known

    async def _is_in_charge(self, place: Place, author: Author) -> bool:
        async def ask(chat: str, _thread: int | None) -> bool:
            member = await understood(self._bot.get_chat_member(chat, int(author.id)))
            return member.status in _IN_CHARGE

        try:
            return await self._carry_out(place, ask, repeatable=True)
        except DeliveryError:
            return False

    # --- one call ---

    async def _carry_out(self, place: Place, call: ChatCall[T], *, repeatable: bool) -> T:
        """Make a call with the chat and thread of `place`, once more where these have changed.

        Both refusals come before anything is done: a group that became a supergroup has another id, and where
        a topic was deleted the chat itself is left.
        """
        chat = self._moved.get(place.chat, place.chat)
        thread = None if place.thread is None else int(place.thread)
        try:
            try:
                return await call(chat, thread)
            except Refused as error:
                if error.migrate_to is not None:
                    chat = self._moved[place.chat] = str(error.migrate_to)
                elif thread is not None and says(error, "message thread not found"):
                    thread = None
                else:
                    raise
            return await call(chat, thread)
        except TelegramError as error:
            raise delivery_error(error, repeatable=repeatable) from None


def _unless(call: ChatCall[None], refusal: str) -> ChatCall[None]:
    """`call`, but a refusal with this text is success: what was asked for is so already."""

    async def carry_out(chat: str, thread: int | None) -> None:
        try:
            await call(chat, thread)
        except Refused as error:
            if not says(error, refusal):
                raise

    return carry_out


def _content(page: Page, *, plain: bool) -> tuple[str, tuple[MessageEntity, ...]]:
    """Text and entities of a page. Also without formatting no name in it may ping anyone."""
    if plain:
        return page.plain, _to_wire(guards(page.plain))
    entities = page.markup if isinstance(page.markup, tuple) else ()
    return page.content, _to_wire(entities)


def _to_wire(entities: Sequence[Entity]) -> tuple[MessageEntity, ...]:
    return tuple(
        MessageEntity(entity.type, entity.offset, entity.length, url=entity.url, language=entity.language)
        for entity in entities
    )


def _reply_to(message_id: str | None) -> ReplyParameters | None:
    return None if message_id is None else ReplyParameters(int(message_id), allow_sending_without_reply=True)


def _rows_of(buttons: Sequence[Button]) -> tuple[tuple[Button, ...], ...]:
    return tuple(tuple(buttons[at : at + _ROW_BUTTONS]) for at in range(0, len(buttons), _ROW_BUTTONS))


def _keyboard(rows: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup | None:
    if not any(rows):
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(button.label, callback_data=button.line) for button in row] for row in rows if row]
    )
