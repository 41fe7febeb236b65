"""The demo says that it is one, and behaves like a model."""

import dataclasses
from contextlib import aclosing

import pytest

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.events import Finish, FinishReason, ProviderEvent, TextDelta, UsageReport
from bot.core.message import Message, Role
from bot.core.ports import ChatRequest
from bot.providers.parrot import Parrot
from tests.bot.providers.serving import text_of
from tests.fakes.clock import ManualClock

PARROT = ModelInfo(ref=ModelRef("demo", "parrot"))


def asks(*texts: str) -> ChatRequest:
    return ChatRequest(model=PARROT, system="", messages=tuple(Message.of_text(Role.USER, text) for text in texts))


async def answer(request: ChatRequest) -> list[ProviderEvent]:
    async with aclosing(Parrot("demo", ManualClock()).stream(request)) as stream:
        return [event async for event in stream]


@pytest.mark.parametrize("texts", [("Hello",), ("One", "Two"), ("",), ("x" * 5_000,)])
async def test_every_answer_says_that_it_is_a_demo(texts: tuple[str, ...]) -> None:
    assert "This is a demo" in text_of(await answer(asks(*texts)))


async def test_it_repeats_what_was_said() -> None:
    assert "> Good morning" in text_of(await answer(asks("Good morning")))


async def test_it_repeats_every_message_since_its_last_answer() -> None:
    request = asks("One", "Two", "Three")
    old, *new = request.messages
    reply = Message.of_text(Role.ASSISTANT, "Squawk")

    text = text_of(await answer(dataclasses.replace(request, messages=(old, reply, *new))))

    assert [word in text for word in ("One", "Two", "Three")] == [False, True, True]


async def test_it_streams_word_by_word_with_pauses() -> None:
    clock = ManualClock()
    async with aclosing(Parrot("demo", clock, pause_s=0.5).stream(asks("Hello"))) as stream:
        words = [event async for event in stream if isinstance(event, TextDelta)]

    assert len(words) > 10
    assert clock.elapsed_s == pytest.approx(0.5 * len(words))


async def test_it_counts_tokens() -> None:
    *_, report, finish = await answer(asks("Hello there"))

    assert isinstance(report, UsageReport)
    assert report.usage.input_tokens > 0 < report.usage.output_tokens
    assert finish == Finish(reason=FinishReason.STOP)


async def test_it_keeps_to_a_limit() -> None:
    *words, report, finish = await answer(dataclasses.replace(asks("Hello"), max_output_tokens=8))

    assert finish == Finish(reason=FinishReason.LENGTH)
    assert isinstance(report, UsageReport)
    assert 0 < report.usage.output_tokens <= 8
    assert words
