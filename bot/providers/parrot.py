"""The demo: a parrot that repeats what was said, so that the bot can be tried out with no key and no model.

Every answer says that it is a demo. It needs no network and no SDK, and is there only when no real provider
is.
"""

import re
from collections.abc import AsyncGenerator, Iterator
from itertools import takewhile

from bot.core.catalogue import ModelInfo
from bot.core.events import Finish, FinishReason, ProviderEvent, TextDelta, Usage, UsageReport
from bot.core.message import Message, Role
from bot.core.ports import ChatRequest, Clock
from bot.core.tokens import estimate_tokens
from bot.providers.connection import Connection

_PAUSE_S = 0.02
_ECHO_CHARS = 2_000
_WORD = re.compile(r"\S+\s*|\s+")
_NOTE = "This is a demo: I am a parrot, no model is connected yet. Set a provider's key (see the README) to meet one."


class Parrot:
    """`Provider` of `demo/parrot`: one word at a time with short pauses, tokens as estimated, at no cost."""

    def __init__(self, name: str, clock: Clock, *, pause_s: float = _PAUSE_S) -> None:
        self._name = name
        self._clock = clock
        self._pause_s = pause_s

    @property
    def name(self) -> str:
        return self._name

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ProviderEvent, None]:
        said: list[str] = []
        reason = FinishReason.STOP
        for word in _WORD.findall(_reply(request)):
            await self._clock.sleep(self._pause_s)
            said.append(word)
            if _exceeds(said, request.max_output_tokens):
                said.pop()
                reason = FinishReason.LENGTH
                break
            yield TextDelta(text=word)
        yield UsageReport(usage=_usage(request, "".join(said)), model=request.model.ref.id)
        yield Finish(reason=reason)

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        return None

    async def aclose(self) -> None:
        """It has no connections."""


def build(connection: Connection) -> Parrot:
    """Make the provider."""
    return Parrot(connection.name, connection.clock)


def _reply(request: ChatRequest) -> str:
    texts = [_shortened(message.text) for message in _newest(request.messages) if message.text.strip()]
    if not texts:
        return f"🦜 Squawk! I heard nothing that I could repeat.\n\n{_NOTE}"
    quoted = "\n\n".join("\n".join(f"> {line}" for line in text.splitlines()) for text in texts)
    count = "" if len(texts) == 1 else f", in {len(texts)} messages"
    return f"🦜 Squawk! You said{count}:\n\n{quoted}\n\n{_NOTE}"


def _newest(messages: tuple[Message, ...]) -> Iterator[Message]:
    """What the person said since the last answer, in order."""
    newest = list(takewhile(lambda message: message.role is Role.USER, reversed(messages)))
    return reversed(newest)


def _shortened(text: str) -> str:
    return text.strip() if len(text) <= _ECHO_CHARS else text[:_ECHO_CHARS].strip() + " …"


def _exceeds(said: list[str], limit_tokens: int | None) -> bool:
    return limit_tokens is not None and estimate_tokens("".join(said)) > limit_tokens


def _usage(request: ChatRequest, answer: str) -> Usage:
    prompt = "\n".join([request.system, *(message.text for message in request.messages)])
    return Usage(input_tokens=estimate_tokens(prompt), output_tokens=estimate_tokens(answer))
