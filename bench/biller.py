"""Model servers on loopback that answer from a script and count what they charge as the real ones do.

Anthropic's fake has its caches itself: 1,024 tokens at least, marked prompts only, for as long as the mark says. For
the other two the caches are here: automatic, whole blocks from the beginning of a prompt, forgotten when nobody used
them for a while. Prices are nobody's business here.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from bench.conversation import CHARACTERS_PER_TOKEN, Exchange, summary_text
from bot.core.ports import Clock
from tests.fakes.anthropic.server import FakeAnthropic
from tests.fakes.gemini.models import FLASH
from tests.fakes.gemini.models import FakeModel as GeminiModel
from tests.fakes.gemini.server import FakeGemini
from tests.fakes.model_server import Asked
from tests.fakes.openai.dialect import OPENAI, OPENAI_EFFORTS
from tests.fakes.openai.dialect import FakeModel as OpenAIModel
from tests.fakes.openai.prompt import uses_cache
from tests.fakes.openai.reading import read
from tests.fakes.openai.server import FakeOpenAI
from tests.fakes.script import Reply, Usage

FLOOR_TOKENS = 1_024
#: OpenAI's models since gpt-5.6 keep what they have written for half an hour, and charge the writing.
OPENAI_STEP_TOKENS, OPENAI_TTL_S = 128, 1_800.0
GEMINI_STEP_TOKENS, GEMINI_TTL_S = 64, 300.0
_OPENAI_MODELS = (
    *OPENAI.models,
    OpenAIModel(id="gpt-6.1-terra", window_tokens=1_050_000, efforts=OPENAI_EFFORTS, cache_options=True),
)
_GEMINI_MODELS = (FLASH, GeminiModel(id="gemini-3.5-flash-lite", name="Gemini 3.5 Flash-Lite"))


class Server(Protocol):
    """A model API that is running."""

    @property
    def base_url(self) -> str:
        """Where it is."""
        ...

    @property
    def key(self) -> str:
        """What it takes for its key."""
        ...

    @property
    def asked(self) -> list[Asked]:
        """The requests for an answer, in order of arrival."""
        ...


class Script:
    """Answers a question of the conversation with its answer; whatever else is asked is taken for a summary."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self._answers = {exchange.question: exchange.answer for exchange in exchanges}
        self._summaries = 0

    def __call__(self, asked: Asked) -> Reply:
        answer = self._answers.get(asked.said[-1].text)
        if answer is None:
            self._summaries += 1
            answer = summary_text(self._summaries)
        return Reply(chunks=(answer,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A prompt in tokens, and how many of them the cache read and wrote."""

    tokens: int
    read: int
    written: int


class BlockCache:
    """Prefixes of prompts in blocks of `step_tokens`, from FLOOR_TOKENS on; `clock` gives seconds."""

    def __init__(self, *, step_tokens: int, ttl_s: float, clock: Callable[[], float]) -> None:
        self._step_tokens = step_tokens
        self._ttl_s = ttl_s
        self._clock = clock
        self._until: dict[bytes, float] = {}

    def take(self, model: str, prompt: str) -> Counted:
        """Read what is there of the prompt and write the rest."""
        now = self._clock()
        prefixes = list(_prefixes(model, prompt, self._step_tokens * CHARACTERS_PER_TOKEN))
        known = next((at for at, key in enumerate(prefixes) if self._until.get(key, 0.0) <= now), len(prefixes))
        self._until |= dict.fromkeys(prefixes, now + self._ttl_s)
        read = self._cacheable(known)
        return Counted(
            tokens=_tokens(prompt),
            read=read,
            written=self._cacheable(len(prefixes)) - read,
        )

    def _cacheable(self, blocks: int) -> int:
        tokens = blocks * self._step_tokens
        return tokens if tokens >= FLOOR_TOKENS else 0


@asynccontextmanager
async def open_anthropic(exchanges: Sequence[Exchange], clock: Clock) -> AsyncIterator[Server]:
    """Explicit caches: what a prompt wrote under its mark is found by the next one that begins with it."""
    async with FakeAnthropic(clock=clock.monotonic) as server:
        server.default = Script(exchanges)
        yield server


@asynccontextmanager
async def open_openai(exchanges: Sequence[Exchange], clock: Clock) -> AsyncIterator[Server]:
    """Automatic caches, whose writing is reported (and by its prices charged)."""
    script = Script(exchanges)
    cache = BlockCache(step_tokens=OPENAI_STEP_TOKENS, ttl_s=OPENAI_TTL_S, clock=clock.monotonic)
    async with FakeOpenAI(models=_OPENAI_MODELS) as server:
        # In the explicit mode, which is what Parley switches caching off with, nothing is read or written.
        server.default = lambda request: _counted(
            script, cache if uses_cache(request.body) else None, read(request), reports_writes=True
        )
        yield server


@asynccontextmanager
async def open_gemini(exchanges: Sequence[Exchange], clock: Clock) -> AsyncIterator[Server]:
    """Implicit caches, whose writing costs nothing."""
    script = Script(exchanges)
    cache = BlockCache(step_tokens=GEMINI_STEP_TOKENS, ttl_s=GEMINI_TTL_S, clock=clock.monotonic)
    async with FakeGemini(models=_GEMINI_MODELS) as server:
        server.default = lambda asked: _counted(script, cache, asked, reports_writes=False)
        yield server


def _counted(script: Script, cache: BlockCache | None, asked: Asked, *, reports_writes: bool) -> Reply:
    """The answer with its usage; `cache` None: the request does not use any."""
    reply = script(asked)
    prompt = "\n".join([asked.system, *(f"{said.role}: {said.text}" for said in asked.said)])
    counted = cache.take(asked.model, prompt) if cache else Counted(tokens=_tokens(prompt), read=0, written=0)
    usage = Usage(
        input_tokens=counted.tokens,
        output_tokens=-(-sum(map(len, reply.pieces)) // CHARACTERS_PER_TOKEN),
        cached_tokens=counted.read,
        cache_write_tokens=counted.written if reports_writes else 0,
    )
    return Reply(chunks=reply.pieces, usage=usage)


def _tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _prefixes(model: str, prompt: str, characters: int) -> Iterator[bytes]:
    """A key for each whole block and everything before it."""
    digest = blake2b(model.encode(), digest_size=16)
    for at in range(0, len(prompt) - characters + 1, characters):
        digest.update(prompt[at : at + characters].encode())
        yield digest.digest()
