"""What Gemini answers: its usage, its ends, its errors inside of a stream, its list of models."""

import base64
import json
from contextlib import aclosing
from typing import Any

import pytest

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import (
    AuthenticationFailed,
    ContentRefused,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    RequestRejected,
    StreamBroken,
)
from bot.core.events import Finish, FinishReason, ReasoningDelta, TextDelta, Usage, UsageReport
from bot.core.message import ToolCall
from tests.bot.providers.serving import ADD, World, serving, text_of
from tests.bot.providers.serving_gemini import GEMINI
from tests.fakes import script
from tests.fakes.gemini.models import ARGON, GEMMA
from tests.fakes.gemini.server import FakeGemini, stream_of
from tests.fakes.script import Broken, Hold, Reply

CALL = script.ToolCall(name="add", arguments='{"a": 1}')


def calls_of(events: list[Any]) -> list[ToolCall]:
    return [event for event in events if isinstance(event, ToolCall)]


def chunk(*parts: dict[str, Any], finish: str | None = None, **more: Any) -> str:
    """One chunk as Google sends it."""
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    return json.dumps({"candidates": [candidate | ({"finishReason": finish} if finish else {})], **more})


# --- answers ------------------------------------------------------------------------------------------------------


async def test_usage_is_told_once_and_counts_every_kind_of_token(gemini: World[FakeGemini]) -> None:
    usage = script.Usage(
        input_tokens=900,
        output_tokens=60,
        cached_tokens=500,
        reasoning_tokens=40,
        image_tokens=258,
        audio_tokens=32,
        audio_output_tokens=5,
    )
    gemini.fake.script(Reply(text="one two three", usage=usage))

    events = await gemini.ask(gemini.request("Hi"))

    expected = Usage(
        input_tokens=900,
        output_tokens=60,
        cached_tokens=500,
        reasoning_tokens=40,
        image_tokens=258,
        audio_tokens=32,
        audio_output_tokens=5,
    )
    reports = [event for event in events if isinstance(event, UsageReport)]
    assert reports == [UsageReport(usage=expected, model="gemini-3.8-flash")]


async def test_what_the_apis_own_tools_read_is_input_too(gemini: World[FakeGemini]) -> None:
    usage = {
        "promptTokenCount": 10,
        "toolUsePromptTokenCount": 7,
        "toolUsePromptTokensDetails": [{"modality": "IMAGE", "tokenCount": 3}],
        "candidatesTokenCount": 2,
    }
    gemini.fake.script(stream_of(chunk({"text": "Hi"}, finish="STOP", usageMetadata=usage)))

    *_, report, _ = await gemini.ask(gemini.request("Hi"))

    assert report == UsageReport(usage=Usage(input_tokens=17, output_tokens=2, image_tokens=3))


@pytest.mark.parametrize(("told", "expected"), [("flex", "flex"), ("PRIORITY", "priority"), ("standard", None)])
async def test_the_tier_that_served_is_told_where_it_has_a_price(
    gemini: World[FakeGemini], told: str, expected: str | None
) -> None:
    gemini.fake.script(Reply(text="Hi", service_tier=told))

    *_, report, _ = await gemini.ask(gemini.request("Hi"))

    assert isinstance(report, UsageReport)
    assert report.service_tier == expected


ENDS = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.LENGTH,
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "LANGUAGE",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_OTHER",
            "ESCALATION",
        ),
        FinishReason.CONTENT_FILTER,
    ),
}


@pytest.mark.parametrize("word", ENDS)
async def test_every_end_is_told_by_what_it_means(gemini: World[FakeGemini], word: str) -> None:
    last = {"finishReason": word, "continuationToken": base64.b64encode(b"go on").decode()}
    gemini.fake.script(stream_of(chunk({"text": "Hi"}), json.dumps({"candidates": [last]})))

    events = await gemini.ask(gemini.request("Hi"))

    assert events == [TextDelta(text="Hi"), Finish(reason=ENDS[word])]
    assert len(gemini.fake.requests) == 1


FAILED_ENDS = {
    "MALFORMED_FUNCTION_CALL": ProviderUnavailable,
    "UNEXPECTED_TOOL_CALL": ProviderUnavailable,
    "TOO_MANY_TOOL_CALLS": ProviderUnavailable,
    "OTHER": ProviderUnavailable,
    "MISSING_THOUGHT_SIGNATURE": RequestRejected,
    "PUP_LIMITED_DISABLED": AuthenticationFailed,
}


@pytest.mark.parametrize("word", FAILED_ENDS)
async def test_an_answer_that_failed_is_an_error_after_its_usage(gemini: World[FakeGemini], word: str) -> None:
    usage = {"promptTokenCount": 10, "thoughtsTokenCount": 5}
    gemini.fake.script(stream_of(chunk(finish=word, usageMetadata=usage)))

    events, error = await gemini.ask_until_error(gemini.request("Hi"))

    report = UsageReport(usage=Usage(input_tokens=10, output_tokens=5, reasoning_tokens=5))
    assert (events, type(error)) == ([report], FAILED_ENDS[word])


@pytest.mark.parametrize("name", ["a?key=b", "../files", "gemini:count", "a b", "a/b/c", ""])
async def test_a_name_that_would_mean_something_else_in_an_address_is_no_model(
    gemini: World[FakeGemini], name: str
) -> None:
    model = ModelInfo(ref=ModelRef("gemini", name))

    _, error = await gemini.ask_until_error(gemini.request("Hi", model=model))

    assert type(error) is ModelNotFound
    assert gemini.fake.requests == []


async def test_calls_before_one_that_failed_are_not_made(gemini: World[FakeGemini]) -> None:
    gemini.fake.script(Reply(tool_calls=(CALL, script.ToolCall(name="add", arguments="{"))))

    events, error = await gemini.ask_until_error(gemini.request("Add", tools=(ADD,)))

    assert (calls_of(events), type(error)) == ([], ProviderUnavailable)


async def test_a_failed_call_after_words_is_a_broken_stream(gemini: World[FakeGemini]) -> None:
    gemini.fake.script(Reply(text="Let me see.", tool_calls=(script.ToolCall(name="add", arguments="{"),)))

    events, error = await gemini.ask_until_error(gemini.request("Add", tools=(ADD,)))

    assert text_of(events) == "Let me see."
    assert type(error) is StreamBroken


@pytest.mark.filterwarnings("ignore:NEW_REASON is not a valid FinishReason:UserWarning")
async def test_an_end_that_nobody_knows_yet_is_no_answer(gemini: World[FakeGemini]) -> None:
    gemini.fake.script(stream_of(chunk({"text": "Hi"}, finish="NEW_REASON")))

    _, error = await gemini.ask_until_error(gemini.request("Hi"))

    assert type(error) is StreamBroken


async def test_a_blocked_prompt_is_refused_after_its_usage(gemini: World[FakeGemini]) -> None:
    feedback = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 9}}
    gemini.fake.script(stream_of(json.dumps(feedback)))

    events, error = await gemini.ask_until_error(gemini.request("Hi"))

    assert events == [UsageReport(usage=Usage(input_tokens=9, output_tokens=0))]
    assert type(error) is ContentRefused


@pytest.mark.parametrize(
    "part",
    [
        {"functionCall": {"args": {}}},
        {"functionCall": {"name": "add", "args": [1]}},
        {"functionCall": {"name": "add"}, "thoughtSignature": "no base64!"},
    ],
    ids=["no name", "no object", "no signature"],
)
async def test_a_call_that_makes_no_sense_is_no_answer(gemini: World[FakeGemini], part: dict[str, Any]) -> None:
    gemini.fake.script(stream_of(chunk(part), chunk(finish="STOP")))

    _, error = await gemini.ask_until_error(gemini.request("Hi"))

    assert type(error) is ProviderUnavailable


async def test_what_breaks_after_the_end_does_not_matter(gemini: World[FakeGemini]) -> None:
    gemini.fake.script(stream_of(chunk({"text": "Hi"}, finish="STOP"), '{"candi'))

    events = await gemini.ask(gemini.request("Hi"))

    assert events == [TextDelta(text="Hi"), Finish(reason=FinishReason.STOP)]


async def test_parts_that_are_not_for_reading_are_passed_over(gemini: World[FakeGemini]) -> None:
    blob = {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}
    parts = (blob, {"text": "Hm", "thought": True}, {"text": "Hi", "thoughtSignature": "AAAA"}, {"text": ""})
    gemini.fake.script(stream_of(chunk(*parts), json.dumps({"candidates": []}), chunk(finish="STOP")))

    events = await gemini.ask(gemini.request("Hi"))

    assert events == [ReasoningDelta(text="Hm"), TextDelta(text="Hi"), Finish(reason=FinishReason.STOP)]


async def test_hanging_up_on_one_answer_leaves_the_others(gemini: World[FakeGemini]) -> None:
    """Also where one task reads several at once."""
    holds = Hold(after_chunks=1), Hold(after_chunks=1)
    gemini.fake.script(*(Reply(text="one two", hold=hold) for hold in holds))

    async with aclosing(gemini.provider.stream(gemini.request("A"))) as kept:
        await anext(event async for event in kept if isinstance(event, TextDelta))
        async with aclosing(gemini.provider.stream(gemini.request("B"))) as left:
            await anext(event async for event in left if isinstance(event, TextDelta))
        await gemini.fake.wait_for(lambda: gemini.fake.left_early == 1)
        holds[0].release()
        rest = [event async for event in kept]

    assert rest[0] == TextDelta(text="two")
    assert rest[-1] == Finish(reason=FinishReason.STOP)
    assert gemini.fake.left_early == 1


# --- errors in a form that is only Google's: see also test_gemini_errors -------------------------------------------


async def test_an_error_without_fields_in_the_stream_breaks_it(gemini: World[FakeGemini]) -> None:
    gemini.fake.script(stream_of(chunk({"text": "Hi"}), '{"error": "gone"}'))

    events, error = await gemini.ask_until_error(gemini.request("Hi"))

    assert text_of(events) == "Hi"
    assert type(error) is StreamBroken


async def test_an_error_in_the_stream_is_told_by_its_code_and_has_no_status(gemini: World[FakeGemini]) -> None:
    gemini.fake.script(Broken(how=script.Breakage.ERROR, code="RESOURCE_EXHAUSTED", after_chunks=1))

    _, error = await gemini.ask_until_error(gemini.request("Hi"))

    assert isinstance(error, ProviderError)
    assert (type(error), error.status) == (StreamBroken, None)
    assert str(error) == "an error in the stream: 429 RESOURCE_EXHAUSTED"


# --- the list -----------------------------------------------------------------------------------------------------


async def test_the_list_tells_limits_and_abilities(gemini: World[FakeGemini]) -> None:
    models = {model.ref.id: model for model in await gemini.provider.list_models() or ()}

    assert models[ARGON.id] == ModelInfo(
        ref=ModelRef("gemini", ARGON.id),
        name="Gemini 4 Argon",
        window_tokens=1_048_576 + 65_536,
        max_output_tokens=65_536,
        vision=True,
        pdf=True,
        audio=True,
        tools=True,
        json=True,
        reasoning=True,
    )
    assert (models[GEMMA.id].vision, models[GEMMA.id].reasoning) == (None, None)


async def test_the_list_comes_in_pages_and_all_are_read(gemini: World[FakeGemini]) -> None:
    await gemini.provider.list_models()

    tokens = [request.query.get("pageToken") for request in gemini.fake.requests]
    assert tokens == [None, "4", "8"]


async def test_a_list_that_is_refused_is_an_error_of_ours() -> None:
    async with serving(GEMINI, key="AIza-wrong") as world:
        with pytest.raises(AuthenticationFailed):
            await world.provider.list_models()


async def test_a_list_of_a_server_that_is_down_is_an_error_of_ours(gemini: World[FakeGemini]) -> None:
    async with gemini.fake.down():
        with pytest.raises(ProviderUnavailable):
            await gemini.provider.list_models()
