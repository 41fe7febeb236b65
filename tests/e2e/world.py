"""Everything around one bot: the platforms, a model provider, a database of its own, and the process.

After each test it looks at what the bot left behind: no log line and no document may hold a secret.
"""

import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from bot.storage.mongod_process import open_home
from tests.e2e.chats import Chat, DiscordDoor, Door, TelegramDoor
from tests.e2e.parley import Parley
from tests.e2e.waiting import until
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.openai.dialect import FakeModel
from tests.fakes.openai.record import Request
from tests.fakes.openai.script import Step
from tests.fakes.openai.server import FakeOpenAI, echo
from tests.fakes.telegram.server import BOT_ID, FakeTelegram
from tests.fakes.telegram.world import BotProfile

Document = dict[str, Any]


class World:
    """One bot and its surroundings. `provider` plays OpenAI, `doors` are the platforms that are on."""

    def __init__(
        self,
        parley: Parley,
        provider: FakeOpenAI,
        doors: Mapping[str, Door],
        database: AsyncDatabase[Document],
    ) -> None:
        self.parley = parley
        self.provider = provider
        self.doors = doors
        self.database = database
        #: What the provider does where nothing was scripted.
        self.otherwise: Callable[[Request], Step] = echo
        self._scripts: dict[str, deque[Step]] = {}
        provider.default = self._next_step

    def script(self, text: str, *steps: Step) -> None:
        """What the provider does when the newest user message has `text` in it; the last step stays."""
        self._scripts[text] = deque(steps)

    def _next_step(self, request: Request) -> Step:
        for text, steps in self._scripts.items():
            if text in request.last_user_text:
                return steps.popleft() if len(steps) > 1 else steps[0]
        return self.otherwise(request)

    async def start(self, **settings: str) -> None:
        """Start the bot and wait until every platform has it connected."""
        await self.parley.start(settings=settings)
        for door in self.doors.values():
            if door.platform == "telegram":
                # A poll of a killed process may still be open at the server; the log is the new one's own.
                await self.parley.wait_for_log("Telegram: connected")
            await door.until_up()

    def asked(self, text: str) -> list[Request]:
        """The calls of a model whose newest user message has this text in it."""
        return [request for request in self.provider.generations if text in request.last_user_text]

    async def until_asked(self, text: str, calls: int = 1) -> None:
        """Wait until a model was called so often about `text`."""
        await until(lambda: len(self.asked(text)) >= calls, f"{calls} calls about {text!r}")

    async def with_own_model(self, door: Door, name: str) -> Chat:
        """A private chat with a model that nobody else asks: one that fails again and again is left alone."""
        model = FakeModel(id=f"gpt-7-{name}-{door.platform}")
        self.provider.models = (*self.provider.models, model)
        chat = door.private(door.person("Ann"))
        await chat.command("model", name=f"openai/{model.id}")
        return chat

    async def turns(self, chat_key: str) -> list[Document]:
        """The stored turns of a chat in order, superseded ones too."""
        return await self.database["turns"].find({"thread_key": chat_key}, sort=[("seq", 1)]).to_list()

    async def until_turns(self, chat_key: str, count: int) -> list[Document]:
        """Wait until so many turns of a chat are stored: that happens beside showing their end."""

        async def are_stored() -> bool:
            return len(await self.turns(chat_key)) >= count

        await until(are_stored, f"{count} turns of {chat_key}")
        return await self.turns(chat_key)

    def was_left(self, question: str) -> bool:
        """Whether the provider saw the bot hang up while it answered this."""
        return any(left.request.last_user_text == question for left in self.provider.disconnects)

    async def usage(self, chat_key: str) -> list[Document]:
        """The ledger's rows of a chat, oldest first."""
        return await self.database["usage"].find({"thread_key": chat_key}, sort=[("at", 1)]).to_list()

    async def thread(self, chat_key: str) -> Document:
        """The document of a chat's queue and lease; empty when there is none."""
        return await self.database["threads"].find_one({"_id": chat_key}) or {}

    async def stored(self) -> str:
        """Every document of the bot as one text, to look for what must not be there."""
        names = await self.database.list_collection_names()
        documents = [str(document) for name in names for document in await self.database[name].find({}).to_list()]
        return "\n".join(documents)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The tokens and keys of this bot."""
        found = [value for name, value in self.parley.settings.items() if name.endswith(("_TOKEN", "_API_KEY"))]
        return (*found, *(secret.partition(":")[2] for secret in found if ":" in secret))

    async def check_nothing_leaked(self) -> None:
        """No secret in a log or a document."""
        stored = await self.stored()
        for secret in self.secrets:
            assert secret not in self.parley.log, "a secret is in the log"
            assert secret not in stored, "a secret is in the database"


def conversation(request: Request) -> list[tuple[str, str]]:
    """What a model was sent, as (role, text) in order, without the system prompt."""
    said = []
    for item in request.body["input"]:
        content = item["content"]
        text = content if isinstance(content, str) else "".join(part["text"] for part in content)
        said.append((str(item["role"]), text))
    return said


@asynccontextmanager
async def open_world(folder: Path, uri: str | None, *platforms: str, **settings: str) -> AsyncIterator[World]:
    """A world whose bot is not started yet; everyone may use it unless `settings` say otherwise.

    `uri` is a MongoDB's, in which this world gets a database of its own, or MONGODB_DATABASE, which another world has
    as well; None: the bot runs its private one.
    """
    name = settings.get("MONGODB_DATABASE") or f"e2e_{uuid.uuid4().hex[:12]}"
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(FakeOpenAI())
        values = {
            "MONGODB_URI": uri or "",
            "MONGODB_DATABASE": name,
            "OPENAI_API_KEY": provider.key,
            "OPENAI_BASE_URL": provider.url,
            "ACCESS": "open",
        }
        doors = [await stack.enter_async_context(_DOORS[platform]()) for platform in platforms]
        for door in doors:
            values |= door.settings
        server = uri or open_home(folder / "data").uri
        client = await stack.enter_async_context(AsyncMongoClient[Document](server, tz_aware=True))
        parley = await stack.enter_async_context(Parley(folder, values | settings))
        world = World(parley, provider, {door.platform: door for door in doors}, client[name])
        try:
            yield world
            await world.check_nothing_leaked()
        finally:
            if uri is None:  # the server ends with the bot, and a client without one takes long to close
                await client.close()
            await parley.close()
            if uri is not None:
                await client.drop_database(name)


@asynccontextmanager
async def _telegram(bot_id: int = BOT_ID) -> AsyncIterator[Door]:
    # Privacy mode off: the bot hears everything in its groups, and has to keep still by itself.
    profile = BotProfile(can_read_all_group_messages=True)
    async with FakeTelegram(bot_profile=profile, bot_id=bot_id) as fake:
        yield TelegramDoor(fake)


@asynccontextmanager
async def _discord() -> AsyncIterator[Door]:
    async with FakeDiscord() as fake:
        yield DiscordDoor(fake)


_DOORS: Mapping[str, Callable[[], AbstractAsyncContextManager[Door]]] = {
    "telegram": _telegram,
    "another telegram": partial(_telegram, BOT_ID + 1),
    "discord": _discord,
}
