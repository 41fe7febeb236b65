"""What every provider does alike, whichever server is behind it."""

import dataclasses
import json
from contextlib import aclosing

import pytest

from bot.core.errors import EmptyAnswer, ProviderUnavailable, StreamBroken
from bot.core.events import Finish, FinishReason, TextDelta, Usage, UsageReport
from bot.core.message import Audio, Document, Image, Message, Role, Text, ToolCall, ToolResult
from tests.bot.providers.serving import ADD, World, is_early, only, reasoning_of, text_of
from tests.fakes import script
from tests.fakes.model_server import ModelServer, Trouble
from tests.fakes.script import Breakage, Broken, Hold, Reply

PNG = Image(content=b"\x89PNG", media_type="image/png")


async def test_text_comes_in_pieces_and_ends_with_usage_and_finish(world: World[ModelServer]) -> None:
    usage = script.Usage(input_tokens=30, output_tokens=7, cached_tokens=20, reasoning_tokens=3)
    world.fake.script(Reply(text="It is four.", usage=usage))

    *pieces, report, finish = await world.ask(world.request("What is 2 + 2?"))

    parts = {"cached_tokens": 20, "reasoning_tokens": 3}
    reported = {name: count for name, count in parts.items() if name in world.case.counts}
    expected = Usage(input_tokens=30, output_tokens=7, **reported)
    assert pieces == [TextDelta(text="It "), TextDelta(text="is "), TextDelta(text="four.")]
    assert report == UsageReport(usage=expected, model=world.sent.model)
    assert finish == Finish(reason=FinishReason.STOP)


async def test_several_user_messages_stay_in_order(world: World[ModelServer]) -> None:
    """Some APIs want roles to alternate: there they are parts of one message."""
    await world.ask(world.request("one", "two", "three"))

    said = [word for each in world.sent.said for word in ("one", "two", "three") if word in each.text]
    assert said == ["one", "two", "three"]
    assert {each.role for each in world.sent.said} == {"user"}


async def test_empty_texts_never_reach_the_server(world: World[ModelServer]) -> None:
    message = Message(role=Role.USER, parts=(Text(text=""), Text(text="Hi"), Text(text="")))

    events = await world.ask(world.request(message))

    assert text_of(events) == "You said: Hi"


async def test_a_tool_call_arrives_whole_and_its_result_can_be_sent_back(world: World[ModelServer]) -> None:
    arguments = '{"a": 2, "b": 40, "why": "because"}'
    world.fake.script(
        Reply(text="Let me see.", tool_calls=(script.ToolCall(name="add", arguments=arguments, call_id="c1"),)),
        Reply(text="It is 42."),
    )
    first = world.request("What is 2 + 40?", tools=(ADD,))

    events = await world.ask(first)
    call = next(event for event in events if isinstance(event, ToolCall))
    answered = (
        Message(role=Role.ASSISTANT, parts=(Text(text=text_of(events)), call)),
        Message(role=Role.TOOL, parts=(ToolResult(call_id=call.id, text="42"),)),
    )
    final = await world.ask(dataclasses.replace(first, messages=(*first.messages, *answered)))

    assert (call.name, json.loads(call.arguments)) == ("add", json.loads(arguments))
    assert call.id == "c1" or (call.id and not world.case.own_call_ids)
    assert events[-1] == Finish(reason=FinishReason.TOOL_CALLS)
    assert text_of(final) == "It is 42."
    assert [name for each in world.sent.said for name in each.calls] == ["add"]
    assert [text for each in world.sent.said for text in each.results] == ["42"]


async def test_parallel_tool_calls_keep_their_order_and_find_their_results(world: World[ModelServer]) -> None:
    calls = tuple(script.ToolCall(name="add", arguments=f'{{"a": {n}}}', call_id=f"c{n}") for n in (1, 2, 3))
    world.fake.script(Reply(tool_calls=calls), Reply(text="Six."))
    first = world.request("Add", tools=(ADD,))

    events = await world.ask(first)
    got = [event for event in events if isinstance(event, ToolCall)]
    results = tuple(ToolResult(call_id=call.id, text=f"result {n}") for n, call in enumerate(got, start=1))
    step = (Message(role=Role.ASSISTANT, parts=tuple(got)), Message(role=Role.TOOL, parts=results))
    final = await world.ask(dataclasses.replace(first, messages=(*first.messages, *step)))

    assert [json.loads(call.arguments) for call in got] == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert [call.id for call in got] == ["c1", "c2", "c3"] or not world.case.own_call_ids
    assert len({call.id for call in got}) == 3
    assert text_of(final) == "Six."
    answered = [result for each in world.sent.said for result in each.results]
    assert answered == ["result 1", "result 2", "result 3"]


async def test_ids_of_calls_differ_from_round_to_round(world: World[ModelServer]) -> None:
    asks = Reply(tool_calls=(script.ToolCall(name="add"),))
    world.fake.script(asks, asks)
    request = world.request("Add", tools=(ADD,))

    (first,) = [event for event in await world.ask(request) if isinstance(event, ToolCall)]
    step = (
        Message(role=Role.ASSISTANT, parts=(first,)),
        Message(role=Role.TOOL, parts=(ToolResult(call_id=first.id, text="4"),)),
    )
    more = dataclasses.replace(request, messages=(*request.messages, *step))
    (second,) = [event for event in await world.ask(more) if isinstance(event, ToolCall)]

    assert first.id != second.id


async def test_a_broken_or_empty_tool_step_is_repaired_when_it_is_sent_back(world: World[ModelServer]) -> None:
    call = ToolCall(id="c1", name="add", arguments='{"a": ')
    failed = ToolResult(call_id="c1", text="", is_error=True)
    messages = (
        Message.of_text(Role.USER, "Add"),
        Message(role=Role.ASSISTANT, parts=(call,)),
        Message(role=Role.TOOL, parts=(failed,)),
    )

    events = await world.ask(world.request(*messages, tools=(ADD,)))

    assert events[-1] == Finish(reason=FinishReason.STOP)


async def test_an_image_goes_to_a_model_that_sees(world: World[ModelServer]) -> None:
    message = Message(role=Role.USER, parts=(Text(text="What is this?"), PNG))

    await world.ask(world.request(message, model=world.case.sees))

    assert [each.files for each in world.sent.said] == [(PNG.content,)]


async def test_an_image_in_the_history_does_not_wedge_a_model_that_is_blind(world: World[ModelServer]) -> None:
    model = dataclasses.replace(world.case.model, vision=False)
    message = Message(role=Role.USER, parts=(Text(text="What is this?"), PNG))

    await world.ask(world.request(message, model=model))

    assert [each.files for each in world.sent.said] == [()]
    assert "[a file that this model cannot read: image/png]" in world.sent.said[0].text


async def test_a_recording_is_told_as_unreadable(world: World[ModelServer]) -> None:
    message = Message(role=Role.USER, parts=(Audio(content=b"ID3", media_type="audio/mpeg"),))

    await world.ask(world.request(message))

    assert "cannot read: audio/mpeg" in world.sent.said[0].text


async def test_an_answer_of_the_model_goes_back_as_its_own_words(world: World[ModelServer]) -> None:
    said = Message.of_text(Role.ASSISTANT, "I am well.")

    await world.ask(world.request("How are you?", said, "Good."))

    told = [(each.role, each.text) for each in world.sent.said]
    assert told == [("user", "How are you?"), ("assistant", "I am well."), ("user", "Good.")]


async def test_a_reply_that_hits_the_limit_ends_with_length(world: World[ModelServer]) -> None:
    world.fake.script(Reply(text="word " * 200))

    events = await world.ask(world.request("Talk", max_output_tokens=20))

    assert events[-1] == Finish(reason=FinishReason.LENGTH)
    assert text_of(events).startswith("word ")


@only(lambda case: case.filters)
async def test_a_filtered_answer_ends_with_content_filter(world: World[ModelServer]) -> None:
    world.fake.script(Reply(text="I think", finish=script.Finish.CONTENT_FILTER))

    events = await world.ask(world.request("Talk"))

    assert events[-1] == Finish(reason=FinishReason.CONTENT_FILTER)


@only(lambda case: case.filters)
async def test_a_refusal_is_shown_and_ends_with_content_filter(world: World[ModelServer]) -> None:
    world.fake.script(Reply(refusal="I will not say that."))

    events = await world.ask(world.request("Talk"))

    assert text_of(events) == "I will not say that."
    assert events[-1] == Finish(reason=FinishReason.CONTENT_FILTER)


@pytest.mark.parametrize("text", ["", " \n "], ids=["nothing", "white space"])
async def test_an_answer_without_a_word_is_an_error_after_its_usage(world: World[ModelServer], text: str) -> None:
    world.fake.script(Reply(chunks=(text,) if text else ()))

    events, error = await world.ask_until_error(world.request("Talk"))

    assert isinstance(error, EmptyAnswer)
    assert isinstance(events[-1], UsageReport)


@only(lambda case: case.may_omit_usage)
async def test_a_server_without_usage_gives_no_report(world: World[ModelServer]) -> None:
    world.fake.script(Reply(text="Hello", no_usage=True))

    events = await world.ask(world.request("Talk"))

    assert events == [TextDelta(text="Hello"), Finish(reason=FinishReason.STOP)]


async def test_a_broken_stream_leaves_what_was_told_of_its_prompt(world: World[ModelServer]) -> None:
    usage = script.Usage(input_tokens=900, output_tokens=60, cached_tokens=800)
    world.fake.script(Broken(how=Breakage.CUT, after_chunks=2, reply=Reply(text="one two three", usage=usage)))

    events, error = await world.ask_for_all(world.request("Talk"))

    reports = [event for event in events if isinstance(event, UsageReport)]
    told = [(report.partial, report.usage.input_tokens, report.usage.cached_tokens) for report in reports]
    assert isinstance(error, StreamBroken)
    assert told == ([(True, 900, 800)] if world.case.counts_early else [])
    assert isinstance(events[0], UsageReport if world.case.counts_early else TextDelta)


async def test_a_failure_before_the_first_word_tells_no_count(world: World[ModelServer]) -> None:
    """It would count as billed, and the call would not be made again."""
    world.fake.script(Broken(how=Breakage.ERROR, code=world.case.codes[Trouble.SERVER_ERROR], after_chunks=0))

    events, error = await world.ask_for_all(world.request("Talk"))

    assert type(error) is ProviderUnavailable
    assert events == []


async def test_the_early_count_is_followed_by_the_whole_one(world: World[ModelServer]) -> None:
    events, _ = await world.ask_for_all(world.request("Talk"))

    partial = [event.partial for event in events if isinstance(event, UsageReport)]
    assert partial == ([True, False] if world.case.counts_early else [False])


async def test_a_connection_is_used_again_after_an_answer(world: World[ModelServer]) -> None:
    for _ in range(3):
        await world.ask(world.request("Talk"))

    assert world.fake.connections == 1


async def test_the_model_that_answered_is_told(world: World[ModelServer]) -> None:
    world.fake.script(Reply(text="Hello", model_answered="another-model"))

    events = await world.ask(world.request("Talk"))

    assert [event.model for event in events if isinstance(event, UsageReport)] == ["another-model"]


async def test_closing_the_stream_early_hangs_up(world: World[ModelServer]) -> None:
    hold = Hold(after_chunks=2)
    world.fake.script(Reply(text="one two three four", hold=hold))

    async with aclosing(world.provider.stream(world.request("Talk"))) as stream:
        first = await anext(event async for event in stream if not is_early(event))
    await world.fake.wait_for(lambda: bool(world.fake.left_early))

    assert first == TextDelta(text="one ")
    assert world.fake.left_early == 1


async def test_a_server_that_is_down_is_unavailable(world: World[ModelServer]) -> None:
    async with world.fake.down():
        events, error = await world.ask_until_error(world.request("Talk"))

    assert events == []
    assert type(error) is ProviderUnavailable


async def test_the_provider_serves_again_after_an_error(world: World[ModelServer]) -> None:
    async with world.fake.down():
        await world.ask_until_error(world.request("Talk"))

    events = await world.ask(world.request("Talk"))

    assert text_of(events) == "You said: Talk"


async def test_models_are_listed_where_the_list_is_of_use(world: World[ModelServer]) -> None:
    models = await world.provider.list_models()

    assert (None if models is None else {model.ref.id for model in models}) == world.case.listed


async def test_reasoning_is_kept_apart_from_the_answer(world: World[ModelServer]) -> None:
    world.fake.script(Reply(reasoning="Two and two.", text="Four."))

    events = await world.ask(world.request("Talk"))

    expected = "Two and two." if world.case.shows_reasoning else ""
    assert reasoning_of(events) == expected
    assert text_of(events) == "Four."


async def test_a_document_is_sent_or_told_as_unreadable(world: World[ModelServer]) -> None:
    document = Document(content=b"%PDF", media_type="application/pdf", name="a.pdf")
    message = Message(role=Role.USER, parts=(Text(text="Read this"), document))

    await world.ask(world.request(message))

    (said,) = world.sent.said
    assert said.files == ((document.content,) if world.case.reads_pdf else ())
    assert ("cannot read: application/pdf" in said.text) == (not world.case.reads_pdf)
