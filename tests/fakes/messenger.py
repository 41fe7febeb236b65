"""A platform in memory: a `Messenger` that keeps what it was told, and fails where a test scripts it to.

Pages are plain slices of the Markdown source; nothing of a real platform's formatting is imitated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.inbound import Inbound
from bot.core.message import AttachmentRef
from bot.core.place import Author, Place
from bot.core.ports import Answer, Button, Capabilities, Clock, File, Page, PageStart, Rate
from bot.core.sound import Voice

CAPABILITIES = Capabilities(
    edit_interval_s=1.0,
    rates=(Rate(calls=5, window_s=5.0),),
    reserved=2,
    max_pages=5,
    edits=True,
    buttons=True,
    files=True,
    idempotent_send=True,
    typing_interval_s=4.0,
    voice=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it came in: `verb` is the method's name; `at_s` the clock's monotonic.

    `error` is what it was answered with, None when it was carried out. `message_id` is None for a send that
    failed.
    """

    verb: str
    at_s: float
    place: Place
    message_id: str | None = None
    page: Page | None = None
    buttons: tuple[Button, ...] = ()
    key: str | None = None
    reply_to: str | None = None
    file: File | None = None
    plain: bool = False
    answer: Answer | None = None
    voice: Voice | None = None
    attachment: AttachmentRef | None = None
    error: DeliveryKind | None = None

    @property
    def text(self) -> str:
        """What the call shows; empty for verbs that show nothing."""
        return "" if self.page is None else self.page.plain if self.plain else self.page.content


@dataclass(slots=True, kw_only=True)
class Message:
    """A message as people see it now."""

    id: str
    place: Place
    text: str
    buttons: tuple[Button, ...] = ()
    reply_to: str | None = None
    file: File | None = None
    plain: bool = False
    voice: Voice | None = None


@dataclass(slots=True, kw_only=True)
class _Failure:
    verb: str
    error: DeliveryError
    carried_out: bool = False


@dataclass(slots=True)
class RecordingMessenger:
    """`Messenger` in memory. `latency_s` is how long each send, edit and delete takes by the clock.

    `page_chars` is the limit of one page. `admins` are the author keys that may manage chats; `files` what
    `fetch` gives, by attachment id. `refuses_files` makes a send with a file INVALID. A `key`
    seen before posts nothing new where sends are idempotent. `names` are those of renamed threads, by thread
    key; `named_by_people` are the threads that others opened.
    """

    clock: Clock
    abilities: Capabilities = CAPABILITIES
    page_chars: int = 2_000
    latency_s: float = 0.0
    admins: frozenset[str] = frozenset()
    files: dict[str, bytes] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    refuses_files: bool = False
    names: dict[str, str] = field(default_factory=dict)
    named_by_people: frozenset[str] = frozenset()
    renders: int = 0
    _failures: list[_Failure] = field(default_factory=list)
    _by_key: dict[str, str] = field(default_factory=dict)
    _posted: int = 0

    def fail(
        self,
        verb: str,
        kind: DeliveryKind,
        *,
        times: int = 1,
        retry_after_s: float | None = None,
        carried_out: bool = False,
    ) -> None:
        """Script the next `times` calls of `verb` to fail; `carried_out`: it was done, but nobody says so."""
        for _ in range(times):
            error = DeliveryError(kind, "scripted", retry_after_s=retry_after_s)
            self._failures.append(_Failure(verb=verb, error=error, carried_out=carried_out))

    def remove(self, message_id: str) -> None:
        """Somebody deletes a message of the bot: edits of it fail with NOT_FOUND from now on."""
        del self.messages[message_id]

    def texts(self, place: Place | None = None) -> tuple[str, ...]:
        """What stands in the chat (None: in all), in the order of sending."""
        return tuple(message.text for message in self.messages.values() if place in (None, message.place))

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The voice messages that stand in all chats, in the order of sending."""
        return tuple(message.voice for message in self.messages.values() if message.voice is not None)

    def calls_of(self, *verbs: str) -> tuple[Call, ...]:
        """The calls of these verbs in order, failed ones included."""
        return tuple(call for call in self.calls if call.verb in verbs)

    def capabilities(self, place: Place) -> Capabilities:
        return self.abilities

    def render(self, place: Place, markdown: str, start: PageStart = PageStart()) -> tuple[Page, ...]:  # noqa: B008
        self.renders += 1
        pages = []
        for offset in range(start.offset, len(markdown), self.page_chars):
            content = markdown[offset : offset + self.page_chars]
            end = PageStart(offset=offset + len(content))
            if content.strip():
                pages.append(Page(content=content, plain=content.replace("**", ""), end=end))
        return tuple(pages)

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
        call = Call(
            verb="send",
            at_s=self.clock.monotonic(),
            place=place,
            page=page,
            buttons=tuple(buttons),
            key=key,
            reply_to=reply_to,
            file=file,
            plain=plain,
        )
        if file is not None and self.refuses_files:
            self.fail("send", DeliveryKind.INVALID)
        return await self._carry_out(call, lambda: self._post(call))

    async def edit(
        self,
        place: Place,
        message_id: str,
        page: Page,
        *,
        buttons: Sequence[Button] = (),
        plain: bool = False,
    ) -> None:
        call = Call(
            verb="edit",
            at_s=self.clock.monotonic(),
            place=place,
            message_id=message_id,
            page=page,
            buttons=tuple(buttons),
            plain=plain,
        )
        await self._carry_out(call, lambda: self._change(message_id, call))

    async def delete(self, place: Place, message_id: str) -> None:
        call = Call(verb="delete", at_s=self.clock.monotonic(), place=place, message_id=message_id)
        await self._carry_out(call, lambda: self._take_down(message_id))

    async def typing(self, place: Place) -> None:
        await self._carry_out(Call(verb="typing", at_s=self.clock.monotonic(), place=place), lambda: None)

    async def send_voice(self, place: Place, voice: Voice, *, key: str, reply_to: str | None = None) -> str:
        call = Call(
            verb="send_voice", at_s=self.clock.monotonic(), place=place, key=key, reply_to=reply_to, voice=voice
        )
        return await self._carry_out(call, lambda: self._post(call))

    async def fetch(self, place: Place, attachment: AttachmentRef, *, max_bytes: int) -> bytes:
        call = Call(verb="fetch", at_s=self.clock.monotonic(), place=place, attachment=attachment)
        await self._carry_out(call, lambda: self._check_file(attachment.id, max_bytes))
        return self.files[attachment.id]

    async def answer(self, inbound: Inbound, answer: Answer) -> None:
        call = Call(verb="answer", at_s=self.clock.monotonic(), place=inbound.place, answer=answer)
        await self._carry_out(call, lambda: None)

    async def open_thread(self, place: Place, message_id: str, title: str) -> Place:
        call = Call(verb="open_thread", at_s=self.clock.monotonic(), place=place, message_id=message_id)
        await self._carry_out(call, lambda: None)
        return replace(place, thread=message_id)

    async def rename(self, place: Place, title: str, *, anyones: bool = False) -> None:
        call = Call(verb="rename", at_s=self.clock.monotonic(), place=place)
        await self._carry_out(call, lambda: self._name(place, title, anyones=anyones))

    async def may_manage(self, place: Place, author: Author) -> bool:
        return author.key in self.admins

    async def _carry_out(self, call: Call, act: Callable[[], str | None]) -> str:
        """Record a call and do it or not, then let its time pass and return the message id, or fail."""
        failure = next((failure for failure in self._failures if failure.verb == call.verb), None)
        if failure is not None:
            self._failures.remove(failure)
        position = len(self.calls)
        self.calls.append(call)
        try:
            if failure is None or failure.carried_out:
                self.calls[position] = replace(call, message_id=act() or call.message_id)
            if self.latency_s and call.verb != "typing":
                await self.clock.sleep(self.latency_s)
            if failure is not None:
                raise failure.error
        except DeliveryError as error:
            self.calls[position] = replace(self.calls[position], error=error.kind)
            raise
        return self.calls[position].message_id or ""

    def _post(self, call: Call) -> str:
        key = call.key or ""
        if self.abilities.idempotent_send and key in self._by_key:
            return self._by_key[key]
        self._posted += 1
        message_id = self._by_key[key] = f"m{self._posted}"
        self.messages[message_id] = Message(
            id=message_id,
            place=call.place,
            text=call.text,
            buttons=call.buttons,
            reply_to=call.reply_to,
            file=call.file,
            plain=call.plain,
            voice=call.voice,
        )
        return message_id

    def _change(self, message_id: str, call: Call) -> None:
        if message_id not in self.messages:
            raise DeliveryError(DeliveryKind.NOT_FOUND, "no such message")
        message = self.messages[message_id]
        message.text, message.buttons, message.plain = call.text, call.buttons, call.plain

    def _name(self, place: Place, title: str, *, anyones: bool) -> None:
        if not self.abilities.titles:
            raise DeliveryError(DeliveryKind.INVALID, "no names here")
        if not anyones and place.thread in self.named_by_people:
            raise DeliveryError(DeliveryKind.FORBIDDEN, "somebody else's thread")
        self.names[place.thread_key] = title

    def _check_file(self, attachment_id: str, max_bytes: int) -> None:
        content = self.files.get(attachment_id)
        if content is None:
            raise DeliveryError(DeliveryKind.NOT_FOUND, "no such attachment")
        if len(content) > max_bytes:
            raise DeliveryError(DeliveryKind.INVALID, "too large")

    def _take_down(self, message_id: str) -> None:
        self.messages.pop(message_id, None)
