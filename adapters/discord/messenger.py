"""The verbs of Discord: what the core asks for, as one REST call each.

Knows nothing of turns, and nothing of the gateway.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from adapters.discord.attachments import FileId, announced
from adapters.discord.composing import compose, compose_voice, in_rows, nonce_of
from adapters.discord.guilds import Guilds
from adapters.discord.interactions import Interactions
from adapters.discord.recent import Recent
from adapters.discord.render import render
from adapters.discord.rest import Refused, Rest
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.inbound import Deleted, Edited, Inbound, Invoked, Pressed, Said
from bot.core.message import AttachmentRef
from bot.core.place import Author, ChatKind, Place
from bot.core.ports import Answer, Button, Capabilities, File, Page, PageStart, Rate
from bot.core.sound import Voice

#: Edits and sends each have 5 in 5 s for a channel; one count for both leaves room for what others send
#: there.
CAPABILITIES = Capabilities(
    edit_interval_s=1.2,
    rates=(Rate(calls=5, window_s=5.0),),
    reserved=1,
    max_pages=5,
    edits=True,
    buttons=True,
    files=True,
    idempotent_send=True,
    typing_interval_s=8.0,  # it lasts 10 s
    rates_per_thread=True,
    voice=True,
)
CAPABILITIES_WITH_THREADS = replace(CAPABILITIES, threads=True)
CAPABILITIES_IN_THREADS = replace(CAPABILITIES, titles=True)
#: Typing is left out when messages already queue up for the global limit.
_TYPING_WAIT_S = 0.25
_TITLE_CHARS = 100
_ARCHIVE_MINUTES = 1440
_THREAD_EXISTS, _NO_HISTORY_FOR_REPLY, _UNKNOWN_MESSAGE = 160004, 160002, 10008
#: No permission (in general, or for voice messages here), an invalid form, and three rules for voice messages.
_NO_VOICE_MESSAGE = frozenset({50013, 50173, 50035, 50159, 50160, 50161})


class DiscordMessenger:
    """See `bot.core.ports.Messenger`."""

    def __init__(self, rest: Rest, guilds: Guilds, interactions: Interactions, files: Recent[str, str]) -> None:
        self._rest = rest
        self._guilds = guilds
        self._interactions = interactions
        self._files = files

    def capabilities(self, place: Place) -> Capabilities:
        if place.thread is not None:
            return CAPABILITIES_IN_THREADS
        return CAPABILITIES_WITH_THREADS if self._guilds.takes_threads(place) else CAPABILITIES

    def render(self, place: Place, markdown: str, start: PageStart = PageStart()) -> tuple[Page, ...]:  # noqa: B008
        return render(markdown, start)

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
        """A thread that is gone is NOT_FOUND: its words are not for the channel above it."""
        body = compose(_shown(page, plain=plain), in_rows(buttons), file)
        return await self._post(place, body, key, reply_to, file)

    async def edit(
        self,
        place: Place,
        message_id: str,
        page: Page,
        *,
        buttons: Sequence[Button] = (),
        plain: bool = False,
    ) -> None:
        body = compose(_shown(page, plain=plain), in_rows(buttons))
        await self._rest.call("PATCH", f"{_messages(place)}/{message_id}", body)

    async def delete(self, place: Place, message_id: str) -> None:
        try:
            await self._rest.call("DELETE", f"{_messages(place)}/{message_id}")
        except Refused as error:
            if error.code != _UNKNOWN_MESSAGE:
                raise

    async def typing(self, place: Place) -> None:
        if self._rest.pacer.wait_s <= _TYPING_WAIT_S:
            await self._rest.call("POST", f"/channels/{_channel(place)}/typing")

    async def send_voice(self, place: Place, voice: Voice, *, key: str, reply_to: str | None = None) -> str:
        """Needs a permission of its own; where that is missing, the recording is an ordinary file."""
        file = File(name=voice.name, content=voice.content, media_type=voice.media_type)
        if voice.is_ogg_opus:
            ogg = replace(file, media_type="audio/ogg")  # anything else makes Discord ignore the length
            try:
                return await self._post(place, compose_voice(voice), key, reply_to, ogg)
            except Refused as error:
                if error.code not in _NO_VOICE_MESSAGE:
                    raise
        return await self._post(place, compose("", file=file), key, reply_to, file)

    async def fetch(self, place: Place, attachment: AttachmentRef, *, max_bytes: int) -> bytes:
        if (attachment.size_bytes or 0) > max_bytes:
            raise DeliveryError(DeliveryKind.INVALID, f"the file has more than {max_bytes} bytes")
        url = self._files.get(attachment.id)
        if url is not None:
            try:
                return await self._rest.download(url, max_bytes=max_bytes)
            except Refused as error:
                if error.kind not in (DeliveryKind.NOT_FOUND, DeliveryKind.FORBIDDEN):
                    raise  # else its address ran out: the message has a new one
        return await self._rest.download(await self._new_url(attachment.id), max_bytes=max_bytes)

    async def answer(self, inbound: Inbound, answer: Answer) -> None:
        bodies, file = _prepared(answer)
        match inbound.event:
            case Invoked(message_id=None) | Pressed():
                await self._interactions.answer(
                    inbound.uid, bodies, private=answer.private, replace=answer.replace, file=file
                )
            case Said() | Invoked() | Edited() | Deleted() as event:
                for number, body in enumerate(bodies):
                    key, last = f"{inbound.uid}:answer:{number}", number == len(bodies) - 1
                    await self._post(inbound.place, body, key, event.message_id, file if last else None)
            case _:
                assert_never(inbound.event)

    async def open_thread(self, place: Place, message_id: str, title: str) -> Place:
        """A thread that was opened from a message has the message's id."""
        body = {"name": title[:_TITLE_CHARS], "auto_archive_duration": _ARCHIVE_MINUTES}
        try:
            await self._rest.call("POST", f"{_messages(place)}/{message_id}/threads", body)
        except Refused as error:
            if error.code != _THREAD_EXISTS:
                raise
        return replace(place, thread=message_id)

    async def rename(self, place: Place, title: str, *, anyones: bool = False) -> None:
        """The bot's own are the threads that it opened. A name can be changed twice in ten minutes."""
        path = f"/channels/{_channel(place)}"
        if not anyones and (await self._rest.call("GET", path)).get("owner_id") != place.account:
            raise DeliveryError(DeliveryKind.FORBIDDEN, "somebody else opened this thread")
        await self._rest.call("PATCH", path, {"name": title[:_TITLE_CHARS]})

    async def may_manage(self, place: Place, author: Author) -> bool:
        """A private chat is the person's own; else an interaction told the permissions, or we ask."""
        if place.kind is ChatKind.PRIVATE:
            return True
        known = self._interactions.may_manage(place, author)
        return await self._guilds.may_manage(place, author) if known is None else known

    async def _post(
        self, place: Place, body: dict[str, object], key: str, reply_to: str | None, file: File | None
    ) -> str:
        body.update(nonce=nonce_of(key), enforce_nonce=True)
        if reply_to is not None:
            body["message_reference"] = {"message_id": reply_to, "fail_if_not_exists": False}
        try:
            sent = await self._rest.call("POST", _messages(place), body, file=file)
        except Refused as error:
            if error.code != _NO_HISTORY_FOR_REPLY:
                raise
            del body["message_reference"]
            sent = await self._rest.call("POST", _messages(place), body, file=file)
        return str(sent["id"])

    async def _new_url(self, ref_id: str) -> str:
        """A fresh address; the message need not stand where the answer will (a thread's starter stands above it)."""
        file_id = FileId.parse(ref_id)
        if file_id is not None:
            message = await self._rest.call("GET", f"/channels/{file_id.channel}/messages/{file_id.message}")
            for file in announced(message):
                if file.ref.id == ref_id:
                    self._files[ref_id] = file.url
                    return file.url
        raise DeliveryError(DeliveryKind.NOT_FOUND, "the file was removed from its message")


def _prepared(answer: Answer) -> tuple[list[dict[str, object]], File | None]:
    """An answer as messages, buttons and file with the last; one of very many pages becomes a file."""
    pages, file = render(answer.text), answer.file
    if file is None and len(pages) > CAPABILITIES.max_pages:
        file = File(name="answer.md", content=answer.text.encode(), media_type="text/markdown")
        pages = pages[:1]
    texts = [page.content for page in pages] or ([""] if file is not None else [])
    bodies = [compose(text) for text in texts[:-1]]
    bodies += [compose(text, answer.rows, file) for text in texts[-1:]]
    return bodies, file


def _shown(page: Page, *, plain: bool) -> str:
    return page.plain if plain else page.content


def _channel(place: Place) -> str:
    """A thread is a channel of its own to the API."""
    return place.thread or place.chat


def _messages(place: Place) -> str:
    return f"/channels/{_channel(place)}/messages"
