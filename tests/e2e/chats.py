"""One conversation with the bot as its people see it, in the same words for Discord and Telegram.

What only one platform has is tested with that platform's fake itself.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from tests.fakes.discord import faults as discord_faults
from tests.fakes.discord.components import BUTTON, walk
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.records import Message as DiscordMessage
from tests.fakes.telegram import faults as telegram_faults
from tests.fakes.telegram.model import Message as TelegramMessage
from tests.fakes.telegram.server import FakeTelegram


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A message of the bot that stands in the chat. `states` are all its texts, the first first."""

    id: int
    text: str
    states: tuple[str, ...]
    buttons: tuple[str, ...]
    reply_to: int | None
    pings_someone: bool


class Gate(Protocol):
    """Holds a request of the bot's; see the fakes' own."""

    async def reached(self, deadline_s: float = 5.0) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone who talks to the bot. `key` is their id in the notation of ALLOW."""

    id: int
    name: str
    key: str


class Chat(Protocol):
    """A private chat, a channel or a group. `key` is the bot's name of it in MongoDB, `id` the platform's number."""

    id: int

    @property
    def key(self) -> str: ...

    def say(self, text: str, *, by: Person | None = None, reply_to: int | None = None) -> int:
        """Write something and give the message's id. `by` None: the chat's first person."""
        ...

    @property
    def allow_entry(self) -> str:
        """What in ALLOW lets everyone in who is here."""
        ...

    def edit(self, message_id: int, text: str) -> None:
        """Rewrite a person's message."""
        ...

    def mention(self, text: str, *, by: Person | None = None) -> int:
        """Write something with the bot's mention."""
        ...

    def shown(self) -> tuple[Shown, ...]:
        """What the bot shows now, oldest first."""
        ...

    def files(self) -> tuple[bytes, ...]:
        """The files that the bot sent and that stand there now."""
        ...

    def press(self, label: str, *, by: Person | None = None) -> None:
        """Press the newest button of that label."""
        ...

    async def command(self, name: str, /, *, by: Person | None = None, **options: str) -> str:
        """Use a command and give the text of its answer."""
        ...

    async def file_of(self, name: str, /, *, by: Person | None = None, **options: str) -> tuple[str, bytes]:
        """Use a command that answers with a file, and give the text beside it and the file."""
        ...

    def typed(self) -> int:
        """How often the bot showed that it is typing."""
        ...

    async def until(self, condition: Callable[[tuple[Shown, ...]], bool], *, within_s: float = 20.0) -> Shown:
        """Wait until the condition holds for what is shown; gives the newest message."""
        ...


class Door(Protocol):
    """A platform, with a fake server behind it."""

    platform: str

    @property
    def settings(self) -> dict[str, str]: ...

    def person(self, name: str, *, is_bot: bool = False) -> Person: ...

    def private(self, person: Person) -> Chat: ...

    def shared(self, *people: Person) -> Chat:
        """A channel of a server, or a group; the first person administers it."""
        ...

    def hold_send(self, *, after: bool) -> Gate:
        """Hold the bot's next new message: before it is sent or, with `after`, before that is confirmed."""
        ...

    def hold_edit(self) -> Gate:
        """Hold the bot's next edit before it is carried out."""
        ...

    async def until_up(self, *, deadline_s: float = 20.0) -> None: ...


async def _until(
    wait_for: Callable[..., Awaitable[object]],
    chat: Chat,
    condition: Callable[[tuple[Shown, ...]], bool],
    within_s: float,
) -> Shown:
    try:
        await wait_for(lambda: condition(chat.shown()), deadline_s=within_s)
    except TimeoutError as error:
        raise AssertionError(f"not within {within_s:.0f} s in {chat.key}; shown: {chat.shown()}") from error
    return chat.shown()[-1]


class TelegramChat:
    """See `Chat`."""

    def __init__(self, fake: FakeTelegram, chat_id: int, people: tuple[Person, ...]) -> None:
        self._fake = fake
        self._people = people
        self.id = chat_id

    @property
    def key(self) -> str:
        return f"telegram:{self._fake.bot_user.id}:{self.id}"

    def say(self, text: str, *, by: Person | None = None, reply_to: int | None = None) -> int:
        return self._fake.say(self.id, (by or self._people[0]).id, text, reply_to=reply_to).id

    @property
    def allow_entry(self) -> str:
        return f"telegram:chat:{self.id}"

    def edit(self, message_id: int, text: str) -> None:
        self._fake.edit(self._fake.world.messages[self.id][message_id], text)

    def mention(self, text: str, *, by: Person | None = None) -> int:
        return self.say(f"@{self._fake.bot_user.username} {text}", by=by)

    def shown(self) -> tuple[Shown, ...]:
        return tuple(_shown_on_telegram(message) for message in self._fake.bot_messages(self.id))

    def files(self) -> tuple[bytes, ...]:
        messages = self._fake.bot_messages(self.id)
        return tuple(file.data for message in messages for file in message.media)

    def press(self, label: str, *, by: Person | None = None) -> None:
        message = next(message for message in reversed(self.shown()) if label in message.buttons)
        self._fake.click(self.id, message.id, label, (by or self._people[0]).id)

    async def command(self, name: str, /, *, by: Person | None = None, **options: str) -> str:
        known = {message.id for message in self.shown()}
        self.say(" ".join([f"/{name}", *options.values()]), by=by)
        shown = await self.until(lambda shown: any(message.id not in known for message in shown))
        return shown.text

    async def file_of(self, name: str, /, *, by: Person | None = None, **options: str) -> tuple[str, bytes]:
        known = {message.id for message in self.shown()}
        self.say(" ".join([f"/{name}", *options.values()]), by=by)

        def answers() -> list[TelegramMessage]:
            return [message for message in self._fake.bot_messages(self.id) if message.id not in known]

        await self.until(lambda _: any(message.media for message in answers()))
        (file,) = [file for message in answers() for file in message.media]
        return "\n".join(message.text for message in answers()), file.data

    def typed(self) -> int:
        return sum(1 for action in self._fake.actions if action.chat_id == self.id)

    async def until(self, condition: Callable[[tuple[Shown, ...]], bool], *, within_s: float = 20.0) -> Shown:
        return await _until(self._fake.wait_for, self, condition, within_s)


def _shown_on_telegram(message: TelegramMessage) -> Shown:
    return Shown(
        id=message.id,
        text=message.text,
        states=tuple(revision.text for revision in message.revisions),
        buttons=tuple(label for label, _ in message.buttons),
        reply_to=message.reply_to_id,
        pings_someone=bool(message.pings),
    )


class TelegramDoor:
    """See `Door`."""

    platform = "telegram"

    def __init__(self, fake: FakeTelegram) -> None:
        self.fake = fake

    @property
    def settings(self) -> dict[str, str]:
        return {"TELEGRAM_TOKEN": self.fake.token, "TELEGRAM_API_URL": self.fake.url}

    def person(self, name: str, *, is_bot: bool = False) -> Person:
        user = self.fake.add_user(name, username=f"{name.lower()}_x", is_bot=is_bot)
        return Person(id=user.id, name=name, key=f"telegram:{user.id}")

    def private(self, person: Person) -> TelegramChat:
        self.fake.add_private_chat(self.fake.world.users[person.id])
        return TelegramChat(self.fake, person.id, (person,))

    def shared(self, *people: Person) -> TelegramChat:
        first, *others = [self.fake.world.users[person.id] for person in people]
        group = self.fake.add_group(members=others, admins=[first])
        return TelegramChat(self.fake, group.id, people)

    def hold_send(self, *, after: bool) -> telegram_faults.Gate:
        gate = telegram_faults.Gate(after=after)
        self.fake.faults.add("sendMessage", gate)
        return gate

    def hold_edit(self) -> telegram_faults.Gate:
        gate = telegram_faults.Gate()
        self.fake.faults.add("editMessageText", gate)
        return gate

    async def until_up(self, *, deadline_s: float = 20.0) -> None:
        await self.fake.wait_for(lambda: self.fake.is_polled, deadline_s=deadline_s)


class DiscordChat:
    """See `Chat`."""

    def __init__(self, fake: FakeDiscord, channel_id: int, people: tuple[Person, ...]) -> None:
        self._fake = fake
        self._people = people
        self.id = channel_id

    @property
    def key(self) -> str:
        parent_id = self._fake.world.channel(self.id).parent_id
        channel = self.id if parent_id is None else f"{parent_id}:{self.id}"
        return f"discord:{self._fake.bot_user_id}:{channel}"

    @property
    def name(self) -> str:
        """What the channel or thread is called."""
        return self._fake.world.channel(self.id).name

    def say(self, text: str, *, by: Person | None = None, reply_to: int | None = None) -> int:
        return self._fake.say(self.id, (by or self._people[0]).id, text, reply_to=reply_to).id

    @property
    def allow_entry(self) -> str:
        return f"discord:guild:{self._fake.world.channel(self.id).guild_id}"

    def edit(self, message_id: int, text: str) -> None:
        self._fake.edit(message_id, text)

    def mention(self, text: str, *, by: Person | None = None) -> int:
        return self._fake.say(self.id, (by or self._people[0]).id, text, mentions=[self._fake.bot_user_id]).id

    def shown(self) -> tuple[Shown, ...]:
        return tuple(
            Shown(
                id=message.id,
                text=message.content,
                states=message.texts,
                buttons=tuple(part["label"] for part in walk(message.components) if part.get("type") == BUTTON),
                reply_to=message.reference[1] if message.reference else None,
                pings_someone=bool(message.pings),
            )
            for message in self._fake.bot_messages(self.id)
        )

    def files(self) -> tuple[bytes, ...]:
        messages = self._fake.bot_messages(self.id)
        return tuple(file.content for message in messages for file in message.attachments)

    def press(self, label: str, *, by: Person | None = None) -> None:
        message = next(message for message in reversed(self.shown()) if label in message.buttons)
        self._fake.click(message.id, label, (by or self._people[0]).id)

    async def command(self, name: str, /, *, by: Person | None = None, **options: str) -> str:
        return (await self._answer(name, by, options)).content

    async def file_of(self, name: str, /, *, by: Person | None = None, **options: str) -> tuple[str, bytes]:
        answer = await self._answer(name, by, options)
        (file,) = answer.attachments
        return answer.content, file.content

    async def _answer(self, name: str, by: Person | None, options: dict[str, str]) -> DiscordMessage:
        return await self._fake.slash(self.id, (by or self._people[0]).id, name, options).answered(20.0)

    def typed(self) -> int:
        return self._fake.count_requests("POST", f"/channels/{self.id}/typing")

    async def until(self, condition: Callable[[tuple[Shown, ...]], bool], *, within_s: float = 20.0) -> Shown:
        return await _until(self._fake.wait_for, self, condition, within_s)


class DiscordDoor:
    """See `Door`."""

    platform = "discord"

    def __init__(self, fake: FakeDiscord) -> None:
        self.fake = fake

    @property
    def settings(self) -> dict[str, str]:
        return {"DISCORD_TOKEN": self.fake.token, "DISCORD_API_URL": self.fake.url}

    def person(self, name: str, *, is_bot: bool = False) -> Person:
        user = self.fake.add_user(name, bot=is_bot)
        return Person(id=user.id, name=name, key=f"discord:{user.id}")

    def private(self, person: Person) -> DiscordChat:
        return DiscordChat(self.fake, self.fake.add_dm(person.id).id, (person,))

    def shared(self, *people: Person) -> DiscordChat:
        guild = self.fake.add_guild(members=[self.fake.world.user(person.id) for person in people])
        return self.channel(guild.id, *people)

    def channel(self, guild_id: int, *people: Person) -> DiscordChat:
        """One more channel of a server."""
        return DiscordChat(self.fake, self.fake.add_text_channel(guild_id).id, people)

    def hold_send(self, *, after: bool) -> discord_faults.Gate:
        gate = discord_faults.Gate(after=after)
        self.fake.faults.add("POST", r"^/channels/\d+/messages$", gate)
        return gate

    def hold_edit(self) -> discord_faults.Gate:
        gate = discord_faults.Gate()
        self.fake.faults.add("PATCH", r"^/channels/\d+/messages/\d+$", gate)
        return gate

    async def until_up(self, *, deadline_s: float = 20.0) -> None:
        await self.fake.wait_until_connected(deadline_s=deadline_s)
        await self.fake.wait_for(lambda: self.fake.commands, deadline_s=deadline_s)
