"""Tools and look-ups where something goes wrong or is large."""

import asyncio
import json
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.core.errors import ContextTooLong, RequestRejected, StorageUnavailable
from bot.core.events import Finish, FinishReason, Outcome, Usage, UsageReport
from bot.core.ledger import CallKind, Whose
from bot.core.message import AttachmentRef, Document, Message, Role, Text, ToolCall
from bot.core.reuse import digest_of
from bot.core.tools import ToolContext, ToolOutput, ToolSpec
from bot.core.turn_record import Item, ItemKind
from tests.bot.core.house import House, Stores, until
from tests.bot.core.spending import asks, limit
from tests.bot.core.test_tools_in_turns import BILL, RAIN, last, model, open_house
from tests.fakes.memory_threads import MemoryThreadStore
from tests.fakes.providers import ScriptedProvider, calls_tool, says
from tests.fakes.stores import MemoryAccess
from tests.fakes.tools import ScriptedTool, never, searching

LONG = "It rains in all of the north. " * 400


def calls_tools(*calls: tuple[str, str]) -> Sequence[object]:
    made = [ToolCall(id=f"c{number}", name=name, arguments=text) for number, (name, text) in enumerate(calls)]
    return (*made, UsageReport(usage=Usage(input_tokens=10, output_tokens=5)), Finish(reason=FinishReason.TOOL_CALLS))


async def test_what_was_looked_up_does_not_pass_for_an_error_of_the_estimate() -> None:
    question = "Tell me about the weather in the north, please. " * 30
    provider = model(says("It rains.", usage=Usage(input_tokens=1_050, output_tokens=3)))
    tool = searching("It rains in the north. " * 150, RAIN)
    async with open_house(provider, tool) as home:
        await home.command("/settings search always")
        ref = provider.models[0].ref if provider.models else None
        assert ref is not None
        before = home.engine._parts.calibration.estimator(ref)("word " * 1_000)
        await home.say(question)
        after = home.engine._parts.calibration.estimator(ref)("word " * 1_000)

        assert after < before * 1.2, (before, after)


async def test_what_was_looked_up_counts_when_money_is_held() -> None:
    """What the prompt really costs must fit into what was held for it."""
    tool = searching(LONG, RAIN)
    held: list[int] = []
    stores = Stores()

    class Watching(ScriptedProvider):
        async def stream(self, request):  # type: ignore[no-untyped-def]
            held.append(sum(c.spent().held_nano for c in stores.budgets.counters.values()))
            words = sum(len(m.words) for m in request.messages)
            held.append(words // 4 * 2_500)
            async for event in super().stream(request):
                yield event

    provider = Watching(says("It rains."), name="alpha")
    provider.models = (provider.model(tools=True, window_tokens=400_000, max_output_tokens=16),)
    async with open_house(
        provider,
        tool,
        stores=stores,
        limits=(limit(Whose.USER, 10**9),),
    ) as home:
        await home.command("/settings search always")
        await home.say("Does it rain?")

        assert held[0] >= held[1], held


async def test_parallel_calls_cannot_pass_the_ceiling_of_an_answer() -> None:
    wants = [("web_search", json.dumps({"query": str(number)})) for number in range(10)]
    provider = model(calls_tools(*wants), says("Done."))

    async def search(arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        await asyncio.sleep(0)  # as over a wire
        return ToolOutput(text="It rains.", bill=BILL)

    tool = ScriptedTool(name="web_search", output=search, worst=8_000_000)
    async with open_house(provider, tool, ceiling_nano=16_000_000) as home:
        await home.say("Find out everything")

        assert len(tool.calls) <= 2


async def test_a_conversation_that_became_too_long_by_tools_does_not_pay_them_twice() -> None:
    too_long = ContextTooLong("too long", provider="alpha", status=400)
    search = calls_tool("web_search", '{"query": "x"}')
    provider = model(says("Hi."), search, (too_long,), search, (too_long,))
    tool = searching("It rains.", RAIN, bill=BILL, worst=8_000_000)
    async with open_house(provider, tool) as home:
        await home.say("Hello")
        await home.say("Does it rain?")

        assert len(tool.calls) == 1


async def test_a_request_that_is_refused_for_another_reason_leaves_a_model_its_tools() -> None:
    rejected = RequestRejected("image is too large", provider="alpha", status=400)
    provider = model((rejected,), (rejected,), says("Hello."), tools=None)
    async with open_house(provider, ScriptedTool()) as home:
        await home.say("Hello")
        await home.say("Hello again")

        assert len(provider.requests[-1].tools) == 1


async def test_an_outage_while_rights_are_looked_up_does_not_break_the_turn() -> None:
    class Shaky(MemoryAccess):
        failures = 0

        def _answer(self) -> None:
            if self.failures:
                self.failures -= 1
                raise StorageUnavailable("away for a moment")

    access = Shaky()
    rooms: list[House] = []
    tool = ScriptedTool(owners_only=True)

    class Breaking(ScriptedProvider):
        async def stream(self, request):  # type: ignore[no-untyped-def]
            access.failures = 1 if len(self.requests) == 0 else 0
            rooms[0].engine._parts.gate._stale_at = 0.0  # what is known of rights is old by now
            async for event in super().stream(request):
                yield event

    provider = Breaking(calls_tool("look"), says("Done."), otherwise=lambda _: says("Again."), name="alpha")
    provider.models = (provider.model(tools=True),)
    async with open_house(provider, tool, stores=Stores(access=access)) as home:
        rooms.append(home)
        await home.say("Look")

        assert [turn.answer for turn in home.turns] == ["Done."]


async def test_a_call_that_was_paid_before_a_stop_is_stored_with_the_turn() -> None:
    hangs = ScriptedTool(name="look", output=never, timeout_s=60.0)
    tool = searching("It rains.", RAIN, bill=BILL, worst=8_000_000)
    provider = model(calls_tools(("web_search", '{"query": "x"}'), ("look", "{}")))
    async with open_house(provider, tool, hangs) as home:
        await home.engine.accept(home.said("Look"))
        await until(lambda: any(row.kind is CallKind.SEARCH for row in home.stores.ledger.booked.values()))
        await home.command("/stop")

        assert "web_search" in [step.name for step in last(home).steps]


async def test_a_search_that_is_switched_off_is_not_called_missing() -> None:
    provider = model(says("I do not know."))
    async with open_house(provider, searching("It rains.", RAIN)) as home:
        await home.command("/settings search off")
        await home.command("/search-web rain in Oslo")

        assert "TAVILY_API_KEY" not in (last(home).note or ""), last(home).note


async def test_a_turn_that_is_given_up_looks_nothing_up() -> None:
    stores = Stores(threads=MemoryThreadStore("first", lease_s=0.01))
    tool = searching("It rains.", RAIN, bill=BILL, worst=8_000_000)
    async with open_house(model(), tool, stores=stores) as home:
        await home.command("/settings search always")
        inbound = home.said("Does it rain?")
        item = Item.of(inbound, ItemKind.MESSAGE, text="Does it rain?", message_id="9")
        dead = stores.threads.rival("dead")
        await dead.ingest(inbound.place, item)
        stores.threads.lanes[inbound.place.thread_key].tries = 2  # the third try is the last
        await until(lambda: home.turns)
        await home.engine.idle()

        assert last(home).outcome is Outcome.FAILED
        assert tool.calls == []


async def test_auto_answers_where_no_model_takes_tools() -> None:
    provider = model(says("Hello."), tools=False)
    async with open_house(provider, ScriptedTool(), default_choice="auto") as home:
        await home.say("Hello")

        assert last(home).answer == "Hello.", last(home).reason


def test_the_digest_of_a_request_with_files_writes_no_bytes_out() -> None:
    document = Document(content=bytes(range(256)) * 4_000, media_type="application/pdf", name="a.pdf")
    message = Message(role=Role.USER, parts=(Text(text="Read"), document, document))
    request = replace(asks(), messages=(message,))
    tracemalloc.start()
    first, second = digest_of(request), digest_of(replace(request, messages=(replace(message, parts=(document,)),)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert first != second
    assert peak < 200_000


async def test_many_tools_do_not_make_the_bot_forget_every_turn() -> None:
    """Thirty tools of an MCP server, which together describe themselves in more than a prompt may have."""

    class Wordy(ScriptedTool):
        @property
        def spec(self) -> ToolSpec:
            words = "Finds an issue by its words. " * 150
            return ToolSpec(name=self.name, description=words, parameters={"type": "object"})

    tools = [Wordy(name=f"server__tool{number}") for number in range(30)]
    provider = model(says("Hello Ada."), says("Ada."), window_tokens=200_000)
    async with open_house(provider, *tools, context_tokens=20_000) as home:
        await home.say("My name is Ada.")
        await home.say("What is my name?")

        assert any("My name is Ada." in text for text in home.asked())


async def test_an_answer_with_tools_does_not_run_out_of_budget_against_itself() -> None:
    """Each round holds its worst case; what the rounds before it really cost is little."""
    rounds = [calls_tool("look") for _ in range(4)]
    provider = model(*rounds, says("Done."), max_output_tokens=4_096)
    worst = 4_096 * 10_000 + 60_000 * 2_500
    async with open_house(provider, ScriptedTool(), limits=(limit(Whose.USER, 2 * worst),)) as home:
        await home.say("Look four times")

        assert last(home).outcome is Outcome.ANSWERED, last(home).reason
        assert {request.max_output_tokens for request in provider.requests} == {4_096}


async def test_a_row_is_settled_once_however_often_it_comes() -> None:
    async with open_house(
        model(calls_tool("look"), says("Done.")), ScriptedTool(), limits=(limit(Whose.USER, 10**12),)
    ) as home:
        await home.say("Look")

        counters = home.stores.budgets.counters.values()
        spent = sum(row.cost.nano_usd or 0 for row in last(home).calls)
        assert [(each.spent().used_nano, each.spent().held_nano) for each in counters] == [(spent, 0)]


async def test_an_answer_in_json_has_its_sources_beside_it() -> None:
    provider = model(calls_tool("web_search", '{"query": "rain"}'), says('{"rain": true}'), json=True)
    async with open_house(provider, searching("It rains.", RAIN)) as home:
        await home.command("/settings json on")
        await home.say("Does it rain?")

        assert last(home).answer == '{"rain": true}'
        assert RAIN in (last(home).note or "")


async def test_a_file_that_was_cut_out_of_sight_can_still_be_read() -> None:
    found: list[str] = []

    async def reads(arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        found.extend(note.name for note in await context.earlier_files())
        return ToolOutput(text="read")

    provider = model(says("One."), says("Two."), calls_tool("read_attachment"), says("Three."))
    tool = ScriptedTool(name="read_attachment", output=reads)
    async with open_house(provider, tool) as home:
        home.messenger.files["f"] = b"Call me Ishmael."
        ref = AttachmentRef(id="f", name="book.txt", media_type=None, size_bytes=None)
        await home.say("Read this", attachments=(ref,))
        await home.say("Go on")
        home.stores.threads.lanes["x:bot:10"].from_seq = 2  # cut
        await home.say("What was it called?")

        assert found == ["book.txt"]
