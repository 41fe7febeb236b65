"""Files in a conversation as its people see them: what they send, and what the bot sends, in the same words for both.

Knows what platforms make of a file, and nothing of what is in one.
"""

import base64
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from tests.e2e.chats import Chat, DiscordDoor, Door, Person, TelegramDoor
from tests.fakes.body import Body
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.records import VOICE_MESSAGE, Upload
from tests.fakes.openai.record import Request
from tests.fakes.telegram.server import FakeTelegram

_CUT = Body(pieces=[b"the beginning"], length=1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A file that somebody sends; without a `name` it is a photo, where a platform tells photos from files."""

    content: bytes
    name: str | None = None


class Files(Protocol):
    """What a platform does with files."""

    def send(self, chat: Chat, person: Person, text: str, *files: Attached, reply_to: int | None = None) -> int:
        """Send files with words (or none) as one message or album, and give the first message's id."""
        ...

    def record(
        self, chat: Chat, person: Person, content: bytes, *, duration_s: int, reply_to: int | None = None
    ) -> int:
        """Record a voice message."""
        ...

    def cut_off(self) -> AbstractContextManager[None]:
        """Inside the block every file that the bot fetches breaks off."""
        ...

    def use(self, chat: Chat, person: Person, command: str) -> None:
        """Use a command, and do not wait for what is answered."""
        ...

    def voices(self, chat: Chat) -> tuple[bytes, ...]:
        """The voice messages of the bot that stand in the chat; recordings sent as files do not count."""
        ...

    @property
    def downloads(self) -> int:
        """How many files the bot has fetched."""
        ...

    @property
    def previews(self) -> tuple[str, ...]:
        """The links in the bot's messages that the platform itself would fetch."""
        ...


class TelegramFiles:
    """See `Files`."""

    def __init__(self, fake: FakeTelegram) -> None:
        self._fake = fake

    def send(self, chat: Chat, person: Person, text: str, *files: Attached, reply_to: int | None = None) -> int:
        fake, photos = self._fake, [file.content for file in files if file.name is None]
        named = {file.name: file.content for file in files if file.name is not None}
        assert not (photos and named), "an album holds photos or files"
        if len(files) > 1 and photos:
            return fake.album(chat.id, person.id, photos, caption=text, reply_to=reply_to)[0].id
        if photos:
            return fake.photo(chat.id, person.id, photos[0], caption=text, reply_to=reply_to).id
        if len(files) > 1:
            return fake.file_album(chat.id, person.id, named, captions=[text], reply_to=reply_to)[0].id
        ((name, content),) = named.items()
        return fake.document(chat.id, person.id, content, name=name, caption=text, reply_to=reply_to).id

    def record(
        self, chat: Chat, person: Person, content: bytes, *, duration_s: int, reply_to: int | None = None
    ) -> int:
        return self._fake.voice(chat.id, person.id, content, duration_s=duration_s, reply_to=reply_to).id

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        self._fake.faults.add("file", _CUT, times=None)
        yield
        self._fake.faults.clear()

    def use(self, chat: Chat, person: Person, command: str) -> None:
        chat.say(f"/{command}", by=person)

    def voices(self, chat: Chat) -> tuple[bytes, ...]:
        sent = (file for message in self._fake.bot_messages(chat.id) for file in message.media)
        return tuple(file.data for file in sent if file.kind == "voice")

    @property
    def downloads(self) -> int:
        return len(self._fake.calls_of("file"))

    @property
    def previews(self) -> tuple[str, ...]:
        return self._fake.previews


class DiscordFiles:
    """See `Files`."""

    def __init__(self, fake: FakeDiscord) -> None:
        self._fake = fake

    def send(self, chat: Chat, person: Person, text: str, *files: Attached, reply_to: int | None = None) -> int:
        uploads = [
            Upload(filename=file.name or f"image{number}.jpg", content=file.content)
            for number, file in enumerate(files)
        ]
        return self._fake.say(chat.id, person.id, text, reply_to=reply_to, attachments=uploads).id

    def record(
        self, chat: Chat, person: Person, content: bytes, *, duration_s: int, reply_to: int | None = None
    ) -> int:
        return self._fake.voice_say(chat.id, person.id, content, duration_s=duration_s, reply_to=reply_to).id

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        self._fake.faults.add("GET", "^/attachments/", _CUT, times=None)
        yield
        self._fake.faults.clear()

    def use(self, chat: Chat, person: Person, command: str) -> None:
        self._fake.slash(chat.id, person.id, command, {})

    def voices(self, chat: Chat) -> tuple[bytes, ...]:
        messages = (each for each in self._fake.bot_messages(chat.id) if each.flags & VOICE_MESSAGE)
        return tuple(file.content for message in messages for file in message.attachments)

    @property
    def downloads(self) -> int:
        return len(self._fake.downloads)

    @property
    def previews(self) -> tuple[str, ...]:
        return self._fake.previews


def files_of(door: Door) -> Files:
    """What the door's platform does with files."""
    match door:
        case TelegramDoor(fake=fake):
            return TelegramFiles(fake)
        case DiscordDoor(fake=fake):
            return DiscordFiles(fake)
        case _:
            raise AssertionError(f"{door.platform} has no files")


def pictures_in(request: Request) -> list[bytes]:
    """The pictures that a model was sent, those of earlier messages first."""
    return [_decoded(part["image_url"]) for part in _parts(request, "input_image")]


def documents_in(request: Request) -> list[tuple[str, bytes]]:
    """The files that a model was sent as they are, with their names."""
    return [(part["filename"], _decoded(part["file_data"])) for part in _parts(request, "input_file")]


def _parts(request: Request, kind: str) -> list[dict[str, str]]:
    contents = (item["content"] for item in request.body["input"] if "content" in item)
    return [part for content in contents if isinstance(content, list) for part in content if part["type"] == kind]


def _decoded(url: str) -> bytes:
    return base64.b64decode(url.partition(";base64,")[2], validate=True)
