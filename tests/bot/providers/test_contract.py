"""What every provider does alike, whichever server is behind it."""

import dataclasses
from contextlib import aclosing

import pytest

from bot.core.errors import EmptyAnswer, ProviderUnavailable
from bot.core.events import Finish, FinishReason, TextDelta, Usage, UsageReport
from bot.core.message import Audio, Document, Image, Message, Role, Text, ToolCall, ToolResult
from tests.bot.providers.serving import ADD, World, reasoning_of, text_of
from tests.fakes.openai import script
from tests.fakes.openai.script import Hold, Reply

PNG = Image(content=b"\x89PNG", media_type="image/png")


async def test_text_comes_in_pieces_and_ends_with_usage_and_finish(world: World) -> None:
    usage = script.Usage(input_tokens=30, output_tokens=7, cached_tokens=20, reasoning_tokens=3)
    world.fake.script(Reply(text="It is four.", usage=usage))

    *pieces, report, finish = await world.ask(world.request("What is 2 + 2?"))

    expected = Usage(input_tokens=30, output_tokens=7, cached_tokens=20, reasoning_tokens=3)
    assert pieces == [TextDelta(text="It "), TextDelta(text="is "), TextDelta(text="four.")]
    assert report == UsageReport(usage=expected, model=world.sent.model)
    assert finish == Finish(reason=FinishReason.STOP)


async def test_the_body_has_what_the_request_says_and_nothing_else(world: World) -> None:
    request = world.request("Hi", system="Be brief.", max_output_tokens=100, cache_key="thread-1")

    await world.ask(request)

    case = world.case
    instructions = {"instructions"} if case.speaks_responses else set()
    expected = {"model", "stream", case.input_field, case.limit_field} | case.extra_fields | instructions
    assert set(world.sent.body) == expected
    assert world.sent.body[case.limit_field] == 100


async def test_what_nobody_set_is_left_out(world: World) -> None:
    await world.ask(world.request("Hi"))

    expected = {"model", "stream", world.case.input_field} | world.case.extra_fields - {"prompt_cache_key"}
    assert set(world.sent.body) == expected


async def test_nothing_is_ever_stored_on_their_side(world: World) -> None:
    await world.ask(world.request("Hi"))

    expected = False if world.case.speaks_responses else None
    assert world.sent.store is expected


async def test_temperature_goes_out_where_the_model_takes_it(world: World) -> None:
    model = dataclasses.replace(world.case.model, temperature=True, reasoning=False)
    if world.case.speaks_responses:
        model = dataclasses.replace(model, ref=dataclasses.replace(model.ref, id="gpt-4.1-mini"))

    await world.ask(world.request("Hi", model=model, temperature=0.3))

    assert world.sent.body["temperature"] == 0.3


async def test_temperature_stays_at_home_where_the_model_refuses_it(world: World) -> None:
    model = dataclasses.replace(world.case.model, temperature=False)

    await world.ask(world.request("Hi", model=model, temperature=0.3))

    assert "temperature" not in world.sent.body


async def test_several_user_messages_stay_several_and_in_order(world: World) -> None:
    words = ("one", "two", "three")

    await world.ask(world.request(*words))

    items = world.sent.body[world.case.input_field]
    said = [(item["role"], word in str(item["content"])) for item, word in zip(items, words, strict=True)]
    assert said == [("user", True)] * 3


async def test_empty_texts_never_reach_the_server(world: World) -> None:
    message = Message(role=Role.USER, parts=(Text(text=""), Text(text="Hi"), Text(text="")))

    events = await world.ask(world.request(message))

    assert text_of(events) == "You said: Hi"


async def test_a_tool_call_arrives_whole_and_its_result_can_be_sent_back(world: World) -> None:
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

    assert (call.id, call.name, call.arguments) == ("c1", "add", arguments)
    assert events[-1] == Finish(reason=FinishReason.TOOL_CALLS)
    assert text_of(final) == "It is 42."


async def test_parallel_tool_calls_keep_their_order_and_ids(world: World) -> None:
    calls = tuple(script.ToolCall(name="add", arguments=f'{{"a": {n}}}', call_id=f"c{n}") for n in (1, 2, 3))
    world.fake.script(Reply(tool_calls=calls))

    events = await world.ask(world.request("Add", tools=(ADD,)))

    got = [(event.id, event.arguments) for event in events if isinstance(event, ToolCall)]
    assert got == [("c1", '{"a": 1}'), ("c2", '{"a": 2}'), ("c3", '{"a": 3}')]


async def test_a_broken_or_empty_tool_step_is_repaired_when_it_is_sent_back(world: World) -> None:
    call = ToolCall(id="c1", name="add", arguments='{"a": ')
    failed = ToolResult(call_id="c1", text="", is_error=True)
    messages = (
        Message.of_text(Role.USER, "Add"),
        Message(role=Role.ASSISTANT, parts=(call,)),
        Message(role=Role.TOOL, parts=(failed,)),
    )

    events = await world.ask(world.request(*messages, tools=(ADD,)))

    assert events[-1] == Finish(reason=FinishReason.STOP)


async def test_an_image_goes_to_a_model_that_sees(world: World) -> None:
    model = dataclasses.replace(world.case.model, vision=True)
    sees = [dataclasses.replace(each, vision=True) for each in world.fake.models]
    world.fake.models = tuple(sees)
    message = Message(role=Role.USER, parts=(Text(text="What is this?"), PNG))

    await world.ask(world.request(message, model=model))

    assert "data:image/png;base64,iVBORw==" in str(world.sent.body)


async def test_an_image_in_the_history_does_not_wedge_a_model_that_is_blind(world: World) -> None:
    model = dataclasses.replace(world.case.model, vision=False)
    world.fake.models = tuple(dataclasses.replace(each, vision=False) for each in world.fake.models)
    message = Message(role=Role.USER, parts=(Text(text="What is this?"), PNG))

    await world.ask(world.request(message, model=model))

    assert "base64" not in str(world.sent.body)
    assert "[a file that this model cannot read: image/png]" in str(world.sent.body)


async def test_a_recording_is_told_as_unreadable(world: World) -> None:
    message = Message(role=Role.USER, parts=(Audio(content=b"ID3", media_type="audio/mpeg"),))

    await world.ask(world.request(message))

    assert "cannot read: audio/mpeg" in str(world.sent.body)


async def test_an_answer_of_the_model_goes_back_as_its_own_words(world: World) -> None:
    said = Message.of_text(Role.ASSISTANT, "I am well.")

    await world.ask(world.request("How are you?", said, "Good."))

    items = world.sent.body[world.case.input_field]
    assert [item["role"] for item in items] == ["user", "assistant", "user"]


async def test_a_reply_that_hits_the_limit_ends_with_length(world: World) -> None:
    world.fake.script(Reply(text="word " * 200))

    events = await world.ask(world.request("Talk", max_output_tokens=20))

    assert events[-1] == Finish(reason=FinishReason.LENGTH)
    assert text_of(events).startswith("word ")


async def test_a_filtered_answer_ends_with_content_filter(world: World) -> None:
    world.fake.script(Reply(text="I think", finish=script.Finish.CONTENT_FILTER))

    events = await world.ask(world.request("Talk"))

    assert events[-1] == Finish(reason=FinishReason.CONTENT_FILTER)


async def test_a_refusal_is_shown_and_ends_with_content_filter(world: World) -> None:
    world.fake.script(Reply(refusal="I will not say that."))

    events = await world.ask(world.request("Talk"))

    assert text_of(events) == "I will not say that."
    assert events[-1] == Finish(reason=FinishReason.CONTENT_FILTER)


@pytest.mark.parametrize("text", ["", " \n "], ids=["nothing", "white space"])
async def test_an_answer_without_a_word_is_an_error_after_its_usage(world: World, text: str) -> None:
    world.fake.script(Reply(chunks=(text,) if text else ()))

    events, error = await world.ask_until_error(world.request("Talk"))

    assert isinstance(error, EmptyAnswer)
    assert isinstance(events[-1], UsageReport)


async def test_a_server_without_usage_gives_no_report(world: World) -> None:
    world.fake.script(Reply(text="Hello", no_usage=True))

    events = await world.ask(world.request("Talk"))

    assert events == [TextDelta(text="Hello"), Finish(reason=FinishReason.STOP)]


async def test_the_model_that_answered_is_told(world: World) -> None:
    world.fake.script(Reply(text="Hello", model_answered="another-model"))

    events = await world.ask(world.request("Talk"))

    assert [event.model for event in events if isinstance(event, UsageReport)] == ["another-model"]


async def test_closing_the_stream_early_hangs_up(world: World) -> None:
    hold = Hold(after_chunks=2)
    world.fake.script(Reply(text="one two three four", hold=hold))

    async with aclosing(world.provider.stream(world.request("Talk"))) as stream:
        first = await anext(stream)
    await world.fake.wait_for(lambda: bool(world.fake.disconnects))

    assert first == TextDelta(text="one ")
    assert [left.request for left in world.fake.disconnects] == [world.sent]


async def test_a_server_that_is_down_is_unavailable(world: World) -> None:
    async with world.fake.down():
        events, error = await world.ask_until_error(world.request("Talk"))

    assert events == []
    assert type(error) is ProviderUnavailable


async def test_the_provider_serves_again_after_an_error(world: World) -> None:
    async with world.fake.down():
        await world.ask_until_error(world.request("Talk"))

    events = await world.ask(world.request("Talk"))

    assert text_of(events) == "You said: Talk"


async def test_models_are_listed_where_the_list_is_of_use(world: World) -> None:
    models = await world.provider.list_models()

    assert (None if models is None else {model.ref.id for model in models}) == world.case.listed


async def test_reasoning_is_kept_apart_from_the_answer(world: World) -> None:
    world.fake.script(Reply(reasoning="Two and two.", text="Four."))

    events = await world.ask(world.request("Talk"))

    # OpenAI shows its reasoning only to those who ask for a summary, which needs a verified account.
    expected = "Two and two." if world.case.dialect.reasoning_field else ""
    assert reasoning_of(events) == expected
    assert text_of(events) == "Four."


async def test_a_document_is_sent_or_told_as_unreadable(world: World) -> None:
    document = Document(content=b"%PDF", media_type="application/pdf", name="a.pdf")
    message = Message(role=Role.USER, parts=(Text(text="Read this"), document))

    await world.ask(world.request(message))

    expected = "data:application/pdf;base64," if world.case.speaks_responses else "cannot read: application/pdf"
    assert expected in str(world.sent.body)
