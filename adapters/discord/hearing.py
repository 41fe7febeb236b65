"""From a message's payload to an event for the core, with what must be looked up: channel, target, starter.

Remembers a little of what it heard, since Discord tells neither what an edit changed nor whose message was
deleted. No look-up that fails costs the message.
"""

import re
from dataclasses import dataclass
from functools import partial

from adapters.discord.attachments import announced
from adapters.discord.guilds import Guilds
from adapters.discord.inbound import (
    REPLY,
    THREAD_STARTER,
    Around,
    addressed,
    is_speech,
    place_of,
    quote,
    said_text,
    translate_deletion,
    translate_edit,
    translate_message,
)
from adapters.discord.markup import Payload
from adapters.discord.recent import Recent
from adapters.discord.rest import Rest
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.inbound import Inbound, Quoted, Said
from bot.core.place import Author, Place
from bot.core.ports import Clock

LOOK_UP_TIMEOUT_S = 5.0
REMEMBERED_MESSAGES = 4_096
REMEMBERED_THREADS = 512
#: How old an edit of a message that is not remembered may be: a preview that is added later repeats the old
#: time.
FRESH_EDIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that was passed on: whose it is and, as a hash, its text."""

    author: Author
    place: Place
    text_hash: int


class Hearing:
    """Translates messages, edits and deletions of one bot account."""

    def __init__(
        self,
        guilds: Guilds,
        rest: Rest,
        clock: Clock,
        *,
        names: re.Pattern[str] | None,
        commands: frozenset[str],
    ) -> None:
        self._guilds = guilds
        self._rest = rest
        self._names = names
        self._commands = commands
        self._clock = clock
        self._heard: Recent[str, Heard] = Recent(REMEMBERED_MESSAGES)
        self._starters: Recent[str, Quoted | None] = Recent(REMEMBERED_THREADS)
        #: Address of each file that was announced, by the id of its AttachmentRef.
        self.files: Recent[str, str] = Recent(REMEMBERED_MESSAGES)

    def may_concern(self, message: Payload) -> bool:
        """Whether a message is worth a look-up; learns thread starters on the way. No I/O."""
        place = self._guilds.place_of(message)
        if place is not None:
            self._learn_starter(message, self._around(place))
        if message["author"]["id"] == self._guilds.account or not is_speech(message):
            return False
        return place is None or _target_unknown(message) or self._addresses_us(message, place)

    async def message(self, message: Payload, place: Place | None = None) -> Inbound | None:
        """A message as an event; None when it is not for the bot. `place` is where it stands, if known."""
        place = place or await self._find_place(message)
        around = self._around(place)
        replied = message.get("referenced_message")
        if _target_unknown(message):
            replied = await self._look_up(_target_path(message))
        if addressed(message, around, replied) is None:
            return None
        starter = await self._starter(message, around)
        inbound = translate_message(message, around, replied=replied, starter=starter)
        if inbound is not None and isinstance(inbound.event, Said):
            self._heard[message["id"]] = Heard(inbound.author, place, hash(inbound.event.text))
            self._note_files(message)
            if replied is not None:
                self._note_files(replied)
        return inbound

    def edit(self, message: Payload) -> Inbound | None:
        """An edit as an event; None when the text is the same, or nobody asked the bot with it."""
        place = self._guilds.place_of(message)
        if place is None or not message.get("edited_timestamp") or message["author"]["id"] == self._guilds.account:
            return None
        around, heard = self._around(place), self._heard.get(message["id"])
        text_hash = hash(said_text(message, around))
        inbound = translate_edit(message, around)
        if heard is None:
            age_s = (self._clock.now() - inbound.at).total_seconds()
            if age_s > FRESH_EDIT_S or not self._addresses_us(message, place):
                return None
        elif heard.text_hash == text_hash:
            return None
        self._heard[message["id"]] = Heard(inbound.author, place, text_hash)
        return inbound

    def deletion(self, message_id: str) -> Inbound | None:
        """A deletion as an event; None when the message was not for the bot."""
        heard = self._heard.pop(message_id)
        if heard is None:
            return None
        return translate_deletion(message_id, heard.place, heard.author, self._clock.now())

    def _around(self, place: Place) -> Around:
        return Around(
            bot_id=self._guilds.account,
            place=place,
            name_of=partial(self._guilds.name_of, place.space),
            role_id=self._guilds.own_role(place.space),
            names=self._names,
            commands=self._commands,
        )

    def _addresses_us(self, message: Payload, place: Place) -> bool:
        return addressed(message, self._around(place), message.get("referenced_message")) is not None

    async def _find_place(self, message: Payload) -> Place:
        """The channel is mostly cached; a thread that was archived when we connected is not."""
        known = self._guilds.place_of(message)
        if known is not None:
            return known
        channel = await self._look_up(f"/channels/{message['channel_id']}") or {}
        parent_id = channel.get("parent_id") if channel.get("type") in (10, 11, 12) else None
        return place_of(self._guilds.account, message["channel_id"], space=message["guild_id"], parent_id=parent_id)

    def _learn_starter(self, message: Payload, around: Around) -> None:
        """A post begins with its starter, a thread with a system message that quotes it."""
        thread = around.place.thread
        if thread is None:
            return
        if message["id"] == thread:
            self._note_starter(thread, message, around)
        elif message.get("type") == THREAD_STARTER and message.get("referenced_message"):
            self._note_starter(thread, message["referenced_message"], around)

    async def _starter(self, message: Payload, around: Around) -> Quoted | None:
        """The message that started the thread has the thread's id, and stands in it (a post) or above it."""
        place = around.place
        if place.thread is None or message["id"] == place.thread:
            return None
        if place.thread not in self._starters:
            channel = place.thread if self._guilds.is_post(place) else place.chat
            try:
                found = await self._fetch(f"/channels/{channel}/messages/{place.thread}")
            except DeliveryError as error:
                if error.kind not in (DeliveryKind.NOT_FOUND, DeliveryKind.FORBIDDEN):
                    return None  # try again with the next message
                self._starters[place.thread] = None
                return None
            self._note_starter(place.thread, found, around)
        return self._starters.get(place.thread)

    def _note_starter(self, thread: str, message: Payload, around: Around) -> None:
        self._starters[thread] = quote(message, around)
        self._note_files(message)

    def _note_files(self, message: Payload) -> None:
        for file in announced(message):
            self.files[file.ref.id] = file.url

    async def _look_up(self, path: str) -> Payload | None:
        try:
            return await self._fetch(path)
        except DeliveryError:
            return None

    async def _fetch(self, path: str) -> Payload:
        found: Payload = await self._rest.call("GET", path, timeout_s=LOOK_UP_TIMEOUT_S)
        return found


def _target_unknown(message: Payload) -> bool:
    """Discord sends what is replied to along, null when it was deleted; rarely it leaves it out."""
    return message.get("type") == REPLY and "referenced_message" not in message


def _target_path(message: Payload) -> str:
    reference = message["message_reference"]
    return f"/channels/{reference['channel_id']}/messages/{reference['message_id']}"
