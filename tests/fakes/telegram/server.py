"""FakeTelegram: the Bot API on loopback in the test's own event loop, with all verbs of a test."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from tests.fakes.telegram import editing, profile, sending, topics
from tests.fakes.telegram.faults import Faults
from tests.fakes.telegram.flood import FloodControl, FloodLimits
from tests.fakes.telegram.front import Front, Method
from tests.fakes.telegram.model import Call, ChatAction, Draft, JsonObject, Message, User
from tests.fakes.telegram.params import Params
from tests.fakes.telegram.places import Places
from tests.fakes.telegram.updates import MAX_POLL_S, Update, UpdateQueue
from tests.fakes.telegram.webhook import deliver
from tests.fakes.telegram.world import BotProfile, World

T = TypeVar("T")

BOT_ID = 7_000_001

METHODS: dict[str, Method] = {
    "getme": profile.get_me,
    "getchat": profile.get_chat,
    "getchatmember": profile.get_chat_member,
    "getchatadministrators": profile.get_chat_administrators,
    "getfile": profile.get_file,
    "setmycommands": profile.set_my_commands,
    "getmycommands": profile.get_my_commands,
    "deletemycommands": profile.delete_my_commands,
    "setwebhook": profile.set_webhook,
    "deletewebhook": profile.delete_webhook,
    "getwebhookinfo": profile.get_webhook_info,
    "sendmessage": sending.send_message,
    "senddocument": sending.send_document,
    "sendphoto": sending.send_photo,
    "sendvoice": sending.send_voice,
    "sendaudio": sending.send_audio,
    "sendmessagedraft": sending.send_message_draft,
    "sendchataction": sending.send_chat_action,
    "editmessagetext": editing.edit_message_text,
    "editmessagecaption": editing.edit_message_caption,
    "editmessagereplymarkup": editing.edit_message_reply_markup,
    "deletemessage": editing.delete_message,
    "setmessagereaction": editing.set_message_reaction,
    "answercallbackquery": editing.answer_callback_query,
    "leavechat": editing.leave_chat,
    "editforumtopic": topics.edit_forum_topic,
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class FakeTelegram(Places):
    """A Bot API server with one bot; use as an async context manager.

    `poll_throttle=False` turns off the server's brake on repeated getUpdates with one offset, and
    `flood_control=False` all limits but those of `penalise`. `clock` is monotonic seconds for limits, `now`
    the time on messages.
    """

    def __init__(
        self,
        *,
        flood_control: bool = True,
        flood_limits: FloodLimits | None = None,
        poll_throttle: bool = True,
        bot_profile: BotProfile | None = None,
        bot_username: str = "parley_test_bot",
        bot_id: int = BOT_ID,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        bot = User(id=bot_id, first_name="Parley", username=bot_username, is_bot=True)
        flood = FloodControl(flood_limits or FloodLimits(), clock, enabled=flood_control)
        updates = UpdateQueue(clock, poll_throttle=poll_throttle)
        world = World(bot=bot, profile=bot_profile or BotProfile(), flood=flood, updates=updates, clock=clock, now=now)
        super().__init__(world)
        self.bot_user = bot
        self.token = f"{bot.id}:AAFakeTokenOfParleyTestsNotARealOne"
        self.url = ""
        self.faults = Faults()
        self._front = Front(world, self.token, self.faults, METHODS, self._get_updates)
        self._runner: web.AppRunner | None = None
        self._webhook: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._front.application(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        # No TaskGroup: pytest-asyncio runs the setup and teardown of a fixture in different tasks.
        self._webhook = asyncio.get_running_loop().create_task(deliver(self.world))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._webhook is not None:
            self._webhook.cancel()
            await asyncio.wait((self._webhook,))
        self.world.updates.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def calls(self) -> list[Call]:
        """All requests in the order of arrival; file downloads have the method `file`."""
        return self._front.calls

    @property
    def pending_updates(self) -> tuple[Update, ...]:
        """Updates that the bot has not confirmed, oldest first."""
        return self.world.updates.pending

    @property
    def is_polled(self) -> bool:
        """Whether a getUpdates waits for updates now: the bot is up and idle."""
        return self.world.updates.is_polled

    @property
    def drafts(self) -> list[Draft]:
        """All drafts, oldest first."""
        return self.world.drafts

    @property
    def actions(self) -> list[ChatAction]:
        """All chat actions, oldest first."""
        return self.world.actions

    def calls_of(self, method: str) -> list[Call]:
        """Return the requests of one method."""
        return [call for call in self.calls if call.method.lower() == method.lower()]

    def history(self, chat_id: int) -> tuple[Message, ...]:
        """Return all messages of a chat with every revision, deleted ones too, oldest first."""
        return tuple(self.world.messages.get(chat_id, {}).values())

    def bot_messages(self, chat_id: int, topic_id: int | None = None) -> tuple[Message, ...]:
        """Return what the bot shows now in a chat, or only in one topic of it."""
        return tuple(
            message
            for message in self.history(chat_id)
            if message.sender_id == self.bot_user.id
            and message.deleted_at is None
            and message.service is None
            and topic_id in (None, message.thread_id)
        )

    @property
    def previews(self) -> tuple[str, ...]:
        """The links in the bot's messages, old states included, that Telegram's servers fetch for a preview."""
        sent = (message for chat in self.world.messages.values() for message in chat.values())
        mine = (message for message in sent if message.sender_id == self.bot_user.id)
        return tuple(link for message in mine for revision in message.revisions for link in revision.preview_of)

    def commands(self, scope: JsonObject | None = None, language_code: str = "") -> list[JsonObject]:
        """Return the commands that the bot set for exactly this scope and language."""
        return profile.commands_of(self.world, scope, language_code)

    def refusals(self, chat_id: int) -> int:
        """Return how many sends and edits in the chat got 429."""
        return self.world.flood.refusals[chat_id]

    def penalise(self, chat_id: int, seconds: float) -> None:
        """Refuse sends and edits in the chat with 429 for `seconds`, whatever the flood control setting."""
        self.world.flood.penalise(chat_id, seconds)

    def redeliver(self) -> int:
        """Queue all confirmed updates again under their old ids; return how many."""
        return self.world.updates.redeliver()

    async def wait_for(self, predicate: Callable[[], T], deadline_s: float = 10.0) -> T:
        """Return the first true value of `predicate`, looked at after each change.

        Raises:
            TimeoutError: it was never true; the message lists the last requests.
        """
        try:
            return await self.world.changed.wait_for(predicate, deadline_s)
        except TimeoutError:
            last = [(call.method, call.status, call.description) for call in self.calls[-8:]]
            raise TimeoutError(f"not within {deadline_s} s; last requests: {last}") from None

    async def _get_updates(self, params: Params) -> object:
        profile.read_allowed_updates(self.world, params)
        found = await self.world.updates.poll(
            params.integer("offset"),
            params.integer("limit", 100, 1, 100),
            params.integer("timeout", 0, 0, MAX_POLL_S),
        )
        self.world.changed.fire()
        return found
