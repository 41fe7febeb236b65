"""Where a bot is measured: a Discord server with many channels, a model, and a stopwatch on every question.

The fakes run in the benchmark's process, never in the bot's, so that their work is not counted as its. Knows
neither which bot plays nor what is measured.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.records import Upload
from tests.fakes.discord.server import Seen
from tests.fakes.openai.record import Request
from tests.fakes.openai.script import Reply
from tests.fakes.openai.server import FakeOpenAI

MODEL = "openai/gpt-6-luna"
INSTANT = "The answer to that is forty-two."
STREAM_CHUNKS = 200
STREAM_INTERVAL_S = 0.005
#: One word a chunk, a sentence every ten: about 1,100 characters, one Discord message.
_CHUNKS = (*(f"word{'. ' if n % 10 == 9 else ' '}" for n in range(STREAM_CHUNKS - 1)), "The end.")
STREAMED = "".join(_CHUNKS)
_ANSWER_TIMEOUT_S = 60.0
_FOREVER_S = 86_400.0


@dataclass(slots=True, kw_only=True)
class Turn:
    """One question and what the server saw of its answer; moments are seconds of one monotonic clock.

    `calls` counts sends and edits, `typing` apart. `first_words_at_s` and `final_at_s` are set in `answered`.
    """

    channel_id: int
    message_id: int = 0
    expected: str
    asked_at_s: float
    first_words_at_s: float = 0.0
    final_at_s: float = 0.0
    calls: int = 0
    typing: int = 0
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def first_words_ms(self) -> float:
        return (self.first_words_at_s - self.asked_at_s) * 1000

    @property
    def final_ms(self) -> float:
        return (self.final_at_s - self.asked_at_s) * 1000


class Stage:
    """One server of one bot. `channels` are the ids of its text channels."""

    def __init__(self, discord: FakeDiscord, openai: FakeOpenAI, channels: int) -> None:
        self.discord = discord
        self.openai = openai
        openai.default = _reply
        guild = discord.add_guild()
        self.channels = tuple(discord.add_text_channel(guild.id, f"channel-{n}").id for n in range(channels))
        self._person = discord.add_user().id
        self._open: dict[int, Turn] = {}
        self._read = 0

    async def ask(self, channel_id: int, *, streamed: bool = False, files: Sequence[Upload] = ()) -> Turn:
        """Mention the bot in a channel, with files, and wait until the whole answer is visible.

        Raises:
            TimeoutError: it never was.
        """
        turn = Turn(
            channel_id=channel_id,
            expected=STREAMED if streamed else INSTANT,
            asked_at_s=time.perf_counter(),
        )
        self._open[channel_id] = turn
        text = "Please tell me a long story." if streamed else "What is the answer?"
        said = self.discord.say(channel_id, self._person, text, [self.discord.bot_user_id], attachments=files)
        turn.message_id = said.id
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            await turn.answered.wait()
        return turn

    async def watch(self) -> None:
        """Take the time of what reaches the server, for ever."""
        requests = self.discord.requests
        while True:
            await self.discord.world.changes.wait_for(lambda: len(requests) > self._read, _FOREVER_S)
            now_s = time.perf_counter()
            for seen in requests[self._read :]:
                self._note(seen, now_s)
            self._read = len(requests)

    def _note(self, seen: Seen, now_s: float) -> None:
        match seen.path.split("/"):
            case ["", "channels", channel, verb, *_] if channel.isdigit() and int(channel) in self._open:
                turn = self._open[int(channel)]
            case _:
                return
        if verb == "typing":
            turn.typing += 1
        elif verb == "messages" and seen.method in ("POST", "PATCH") and isinstance(seen.json, dict):
            turn.calls += 1
            if not turn.answered.is_set() and seen.json.get("content"):
                _show(turn, seen.json, now_s)


@asynccontextmanager
async def open_stage(channels: int) -> AsyncIterator[Stage]:
    """Both fakes, without rate limits, and the stopwatch."""
    async with FakeDiscord(rate_limits=False) as discord, FakeOpenAI() as openai:
        stage = Stage(discord, openai, channels)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(stage.watch())
            yield stage
            watching.cancel()


def _reply(request: Request) -> Reply:
    if "story" in request.last_user_text:
        return Reply(chunks=_CHUNKS, chunk_interval_s=STREAM_INTERVAL_S)
    return Reply(chunks=(INSTANT,))


def _show(turn: Turn, body: dict[str, object], now_s: float) -> None:
    """Note what a send or an edit made visible; an answer under a Stop button is not final yet.

    What follows the answer is the receipt of its files.
    """
    if not turn.first_words_at_s:
        turn.first_words_at_s = now_s
    if str(body["content"]).startswith(turn.expected) and not body.get("components"):
        turn.final_at_s = now_s
        turn.answered.set()
