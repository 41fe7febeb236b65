"""What Gemini is sent: a conversation by its rules, and what its models take."""

import base64
import dataclasses
import json
from typing import Any

import pytest

from bot.core.events import Finish, FinishReason
from bot.core.message import Audio, Document, Image, Message, Part, Role, Text, ToolCall, ToolResult
from tests.bot.providers.serving import ADD, World, text_of
from tests.bot.providers.serving_gemini import model_of
from tests.fakes import script
from tests.fakes.gemini.check_contents import DUMMY_SIGNATURES
from tests.fakes.gemini.models import ARGON, FLASH, GEMMA, OLDER
from tests.fakes.gemini.server import FakeGemini
from tests.fakes.script import Reply

SCHEMA = {"type": "object", "properties": {"verdict": {"type": "string"}}}
CALL = script.ToolCall(name="add", arguments='{"a": 1}')


def step(*calls: ToolCall, results: tuple[ToolResult, ...] | None = None) -> tuple[Message, ...]:
    """A round of tool calls and their results."""
    told = tuple(ToolResult(call_id=call.id, text="4") for call in calls) if results is None else results
    return (Message(role=Role.ASSISTANT, parts=calls), Message(role=Role.TOOL, parts=told))


def calls_of(events: list[Any]) -> list[ToolCall]:
    return [event for event in events if isinstance(event, ToolCall)]


async def test_a_signature_travels_with_its_call_inside_one_loop(gemini: World[FakeGemini]) -> None:
    request = gemini.request("Add", tools=(ADD,))
    gemini.fake.script(Reply(tool_calls=(CALL, CALL)), Reply(tool_calls=(CALL,)), Reply(text="Done."))

    first = calls_of(await gemini.ask(request))
    request = dataclasses.replace(request, messages=(*request.messages, *step(*first)))
    second = calls_of(await gemini.ask(request))
    request = dataclasses.replace(request, messages=(*request.messages, *step(*second)))
    final = await gemini.ask(request)

    # The fake refuses signatures that are missing or not its own.
    assert text_of(final) == "Done."
    signed = [["thoughtSignature" in part for part in each["parts"]] for each in gemini.sent.body["contents"]]
    assert signed == [[False], [True, False], [False, False], [True], [False]]


@pytest.mark.parametrize("replay", [None, '[{"type": "reasoning"}]', "no json", '{"model": "gemini-3.8-flash"}'])
async def test_a_call_that_another_model_made_is_let_through(gemini: World[FakeGemini], replay: str | None) -> None:
    call = ToolCall(id="toolu_1", name="add", arguments="{}", replay=replay)

    events = await gemini.ask(gemini.request("Add", *step(call), tools=(ADD,)))

    assert events[-1] == Finish(reason=FinishReason.STOP)
    assert gemini.sent.body["contents"][1]["parts"][0]["thoughtSignature"] in DUMMY_SIGNATURES


async def test_a_signature_of_one_gemini_is_not_shown_to_another(gemini: World[FakeGemini]) -> None:
    gemini.fake.script(Reply(tool_calls=(CALL,)))
    calls = calls_of(await gemini.ask(gemini.request("Add", tools=(ADD,), model=model_of(ARGON))))

    events = await gemini.ask(gemini.request("Add", *step(*calls), tools=(ADD,)))

    assert events[-1] == Finish(reason=FinishReason.STOP)


@pytest.mark.parametrize("model", [OLDER, GEMMA], ids=lambda model: model.id)
async def test_models_that_sign_nothing_get_no_signature(gemini: World[FakeGemini], model: Any) -> None:
    call = ToolCall(id="c1", name="add", arguments="{}")

    await gemini.ask(gemini.request("Add", *step(call), tools=(ADD,), model=model_of(model)))

    assert "thoughtSignature" not in json.dumps(gemini.sent.body)


async def test_calls_without_ids_get_some_that_hold_through_several_rounds(gemini: World[FakeGemini]) -> None:
    request = gemini.request("Add", tools=(ADD,), model=model_of(OLDER))
    gemini.fake.script(Reply(tool_calls=(CALL, CALL)), Reply(tool_calls=(CALL,)), Reply(text="Done."))

    first = calls_of(await gemini.ask(request))
    request = dataclasses.replace(request, messages=(*request.messages, *step(*first)))
    second = calls_of(await gemini.ask(request))
    request = dataclasses.replace(request, messages=(*request.messages, *step(*second)))
    final = await gemini.ask(request)

    assert text_of(final) == "Done."
    assert len({call.id for call in (*first, *second)}) == 3
    assert all(call.id for call in (*first, *second))


async def test_results_come_back_in_one_content_in_the_order_of_the_calls(gemini: World[FakeGemini]) -> None:
    calls = tuple(ToolCall(id=f"c{n}", name="add", arguments="{}") for n in (1, 2, 3))
    late = [Message(role=Role.TOOL, parts=(ToolResult(call_id=f"c{n}", text=str(n)),)) for n in (3, 1, 2)]

    await gemini.ask(gemini.request("Add", Message(role=Role.ASSISTANT, parts=calls), *late, tools=(ADD,)))

    told = gemini.sent.body["contents"][2]["parts"]
    assert [part["functionResponse"]["response"] for part in told] == [{"output": n} for n in ("1", "2", "3")]
    assert [part["functionResponse"]["id"] for part in told] == ["c1", "c2", "c3"]
    assert len(gemini.sent.body["contents"]) == 3


async def test_results_are_told_apart_where_an_id_comes_again(gemini: World[FakeGemini]) -> None:
    call = ToolCall(id="call_1", name="add", arguments="{}")
    rounds = [step(call, results=(ToolResult(call_id="call_1", text=text),)) for text in ("first", "second")]

    await gemini.ask(gemini.request("Add", *rounds[0], *rounds[1], tools=(ADD,)))

    assert [said.results for said in gemini.sent.said if said.results] == [("first",), ("second",)]


async def test_a_failed_tool_is_told_as_an_error(gemini: World[FakeGemini]) -> None:
    call = ToolCall(id="c1", name="add", arguments="{}")
    failed = ToolResult(call_id="c1", text="no such file", is_error=True)

    await gemini.ask(gemini.request("Add", *step(call, results=(failed,)), tools=(ADD,)))

    response = gemini.sent.body["contents"][2]["parts"][0]["functionResponse"]
    assert response == {"id": "c1", "name": "add", "response": {"error": "no such file"}}


async def test_a_history_with_holes_is_mended(gemini: World[FakeGemini]) -> None:
    calls = tuple(ToolCall(id=f"c{n}", name="add", arguments="[1]") for n in (1, 2))
    orphan = Message(role=Role.TOOL, parts=(ToolResult(call_id="c9", text="9"),))
    messages = (orphan, Message(role=Role.ASSISTANT, parts=calls), Message.of_text(Role.USER, "Well?"))

    events = await gemini.ask(gemini.request("Add", *messages, tools=(ADD,)))

    assert text_of(events) == "You said: Well?"
    responses = [part["functionResponse"]["response"] for part in gemini.sent.body["contents"][2]["parts"]]
    assert responses == [{"error": "there is no result"}] * 2


async def test_what_the_model_said_in_several_messages_becomes_one(gemini: World[FakeGemini]) -> None:
    call = ToolCall(id="c1", name="add", arguments="{}")
    said = Message.of_text(Role.ASSISTANT, "Let me see.")

    await gemini.ask(gemini.request("Add", said, *step(call), tools=(ADD,)))

    assert [each["role"] for each in gemini.sent.body["contents"]] == ["user", "model", "user"]


PDF = Document(content=b"%PDF", media_type="application/pdf", name="a.pdf")


@pytest.mark.parametrize(
    ("part", "sent_as"),
    [
        (Image(content=b"img", media_type="image/webp"), "image/webp"),
        (Image(content=b"img", media_type="image/gif"), None),
        (PDF, "application/pdf"),
        (dataclasses.replace(PDF, media_type="text/csv"), None),
        (Audio(content=b"snd", media_type="audio/mpeg"), "audio/mp3"),
        (Audio(content=b"snd", media_type="audio/ogg; codecs=opus"), "audio/ogg"),
        (Audio(content=b"snd", media_type="audio/midi"), None),
    ],
    ids=lambda value: getattr(value, "media_type", ""),
)
async def test_files_go_as_they_are_where_the_api_knows_their_type(
    gemini: World[FakeGemini], part: Part, sent_as: str | None
) -> None:
    message = Message(role=Role.USER, parts=(Text(text="See"), part))

    await gemini.ask(gemini.request(message, model=model_of(FLASH, vision=True, pdf=True, audio=True)))

    assert isinstance(part, Image | Document | Audio)
    wired = gemini.sent.body["contents"][0]["parts"][1]
    data = base64.b64encode(part.content).decode()
    told = {"text": f"[a file that this model cannot read: {part.media_type}]"}
    assert wired == ({"inlineData": {"mimeType": sent_as, "data": data}} if sent_as else told)


@pytest.mark.parametrize("part", [PDF, Audio(content=b"snd", media_type="audio/ogg")], ids=["pdf", "audio"])
async def test_a_model_that_cannot_read_a_file_is_told_of_it(gemini: World[FakeGemini], part: Part) -> None:
    message = Message(role=Role.USER, parts=(part,))

    await gemini.ask(gemini.request(message, model=model_of(FLASH, pdf=False, audio=False)))

    assert "cannot read" in gemini.sent.said[0].text


async def test_a_model_that_does_not_think_is_asked_for_nothing_of_it(gemini: World[FakeGemini]) -> None:
    await gemini.ask(gemini.request("Hi", model=model_of(GEMMA), reasoning_effort="low"))

    assert gemini.sent.fields == {"contents", "generationConfig"}
    assert gemini.sent.body["generationConfig"] == {}


async def test_the_effort_goes_out_as_a_thinking_level(gemini: World[FakeGemini]) -> None:
    model = model_of(FLASH, efforts=("minimal", "low"), reasoning_effort="minimal")

    await gemini.ask(gemini.request("Hi", model=model))

    thinking = gemini.sent.body["generationConfig"]["thinkingConfig"]
    assert thinking == {"includeThoughts": True, "thinkingLevel": "MINIMAL"}


async def test_a_current_model_has_tools_and_a_schema_at_once(gemini: World[FakeGemini]) -> None:
    await gemini.ask(gemini.request("Hi", model=model_of(FLASH, json=True), tools=(ADD,), response_schema=SCHEMA))

    assert (gemini.sent.tools, gemini.sent.schema, gemini.sent.system) == (("add",), SCHEMA, "")


async def test_an_older_model_with_tools_is_asked_for_json_in_words(gemini: World[FakeGemini]) -> None:
    await gemini.ask(gemini.request("Hi", model=model_of(OLDER, json=True), tools=(ADD,), json=True))

    assert not gemini.sent.json
    assert "JSON" in gemini.sent.system


async def test_a_tools_schema_goes_out_as_it_is(gemini: World[FakeGemini]) -> None:
    await gemini.ask(gemini.request("Hi", tools=(ADD,)))

    (tool,) = gemini.sent.body["tools"]
    assert tool["functionDeclarations"][0]["parametersJsonSchema"] == ADD.parameters
    assert "parameters" not in tool["functionDeclarations"][0]
