"""Places, pages and events for tests of the messenger."""

from datetime import UTC, datetime

from adapters.telegram.render import render
from bot.core.inbound import Event, Inbound
from bot.core.place import Author, ChatKind, Place
from bot.core.ports import Button, File, Page
from tests.fakes.telegram.model import Chat, User
from tests.fakes.telegram.server import FakeTelegram

STOP = Button(label="Stop", line="stop telegram:1:2:3")
REPORT = File(name="answer.md", content=b"# All of it", media_type="text/markdown")


def place_of(fake: FakeTelegram, chat: Chat | User, thread: int | None = None) -> Place:
    return Place(
        platform="telegram",
        account=str(fake.bot_user.id),
        chat=str(chat.id),
        kind=ChatKind.PRIVATE if isinstance(chat, User) else ChatKind.SHARED,
        thread=None if thread is None else str(thread),
    )


def page_of(markdown: str) -> Page:
    return render(markdown)[0]


def event_at(place: Place, event: Event) -> Inbound:
    author = Author(platform="telegram", id="1", name="Ann")
    return Inbound(uid="telegram:1:2:3", place=place, author=author, at=datetime.now(UTC), order=3, event=event)
