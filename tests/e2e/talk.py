"""One person's chat with the bot in which files are sent, and the pictures that they send."""

from dataclasses import dataclass
from functools import cache

from PIL import Image

from tests.bot.attachments import pictures
from tests.e2e.attaching import Attached, Files, files_of, pictures_in
from tests.e2e.chats import Chat, Door, Person, Shown
from tests.e2e.world import World
from tests.fakes.openai.record import Request

_ORIENTATION, _GPS, _ON_ITS_SIDE = 0x0112, 0x8825, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One person's chat with the bot, with files."""

    world: World
    files: Files
    chat: Chat
    person: Person

    async def ask(self, text: str, *attached: Attached, reply_to: int | None = None) -> Shown:
        """Send a message, with files if there are any, and wait for its answer."""
        before = len(self.chat.shown())
        if attached:
            self.files.send(self.chat, self.person, text, *attached, reply_to=reply_to)
        else:
            self.chat.say(text, by=self.person, reply_to=reply_to)
        return await self.chat.until(lambda shown: len(shown) == before + 1 and "Stop" not in shown[-1].buttons)

    @property
    def about(self) -> str:
        """Words that nobody else's question has in it."""
        return f"in chat {self.chat.id}"


def private_talk(world: World, door: Door) -> Talk:
    ann = door.person("Ann")
    return Talk(world=world, files=files_of(door), chat=door.private(ann), person=ann)


@cache
def photo() -> Attached:
    """Large, taken with the camera on its side, and telling where."""
    exif = Image.Exif()
    exif[_ORIENTATION] = _ON_ITS_SIDE
    exif.get_ifd(_GPS).update({1: "N", 2: (52.0, 31.0, 12.0)})
    return Attached(content=pictures.encoded(pictures.photo(2_400, 1_600), "JPEG", exif=exif))


def small_photo(width: int) -> Attached:
    return Attached(content=pictures.encoded(pictures.quarters(width), "JPEG"))


def sizes(request: Request) -> list[tuple[int, int]]:
    return [pictures.decoded(content).size for content in pictures_in(request)]


async def check_no_address_leaked(world: World) -> None:
    """Addresses of files are as good as a password; and no platform is made to fetch what the bot names."""
    for text in (world.parley.log, await world.stored()):
        assert "hm=" not in text, "the signature of an address was left behind"
        assert "/file/bot" not in text
    for door in world.doors.values():
        assert files_of(door).previews == ()
