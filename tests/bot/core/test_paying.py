"""Turns under budgets, rate limits and the response cache: what is held, what is refused, what is settled."""

from decimal import Decimal

import pytest

from bot.core.budget import EACH, BudgetKey, BudgetLimit, Due, Period
from bot.core.clock import SystemClock
from bot.core.errors import ProviderUnavailable, StreamBroken
from bot.core.events import Finish, FinishReason, Outcome, TextDelta, Usage, UsageReport
from bot.core.ledger import CallKind, SpendingScope, Whose
from bot.core.purse import Pace
from bot.core.turn_record import Claim
from tests.bot.core.house import ADA, House, house
from tests.fakes.memory_threads import MemoryThreadStore
from tests.fakes.messenger import RecordingMessenger
from tests.fakes.providers import Script, ScriptedProvider, calls_tool, says
from tests.fakes.tools import Adder

USED = Usage(input_tokens=1_000, output_tokens=100)
#: By the prices of the desk: $2.50 and $10 per million.
COST_NANO = 1_000 * 2_500 + 100 * 10_000
DOWN = ProviderUnavailable("down", provider="alpha", status=503, retry_after_s=0.0)


def alpha(*scripts: Script) -> ScriptedProvider:
    return ScriptedProvider(*scripts, name="alpha")


def daily(dollars: str) -> tuple[BudgetLimit, ...]:
    nano = int(Decimal(dollars) * 10**9)
    return (BudgetLimit(budget=BudgetKey(Whose.USER, EACH, Period.DAY), nano_usd=nano),)


async def counter(home: House) -> tuple[int, int]:
    """What Ada's counter of today has used and holds."""
    scope = SpendingScope(whose=Whose.USER, key=ADA.key)
    due = Due.of(scope, Period.DAY, 0, SystemClock().now())
    [spent] = (await home.stores.budgets.spent([due])).values()
    return spent.used_nano, spent.held_nano


async def test_what_was_held_is_settled_with_what_it_cost() -> None:
    async with house(alpha(says("Hi.", usage=USED)), limits=daily("1")) as home:
        await home.say("hello")

        assert await counter(home) == (COST_NANO, 0)


async def test_a_call_that_nobody_bills_holds_nothing_afterwards() -> None:
    async with house(alpha((DOWN,), (DOWN,), (DOWN,)), limits=daily("1")) as home:
        await home.say("hello")

        assert home.turns[0].outcome is Outcome.FAILED
        assert await counter(home) == (0, 0)


async def test_every_call_of_a_tool_loop_is_held_and_settled() -> None:
    async with house(
        alpha(calls_tool("add", '{"a": 1}'), says("3", usage=USED)), tools=(Adder(),), limits=daily("1")
    ) as home:
        await home.say("1 + 2?")

        assert await counter(home) == (10 * 2_500 + 5 * 10_000 + COST_NANO, 0)


async def test_a_spent_budget_refuses_plainly_and_asks_nobody() -> None:
    async with house(alpha(says("never")), limits=daily("0.0001")) as home:
        await home.say("hello")

        [message] = home.messenger.messages.values()
        assert "budget" in message.text
        assert [button.label for button in message.buttons] == ["Retry"]
        assert home.provider.requests == []
        assert home.turns[0].outcome is Outcome.FAILED


async def test_under_a_budget_the_answer_has_a_limit() -> None:
    async with house(alpha(says("Hi.", usage=USED)), limits=daily("1")) as home:
        await home.say("hello")

        assert home.provider.requests[0].max_output_tokens == 16_384


async def test_an_answer_that_a_budget_cut_short_says_so() -> None:
    long = (TextDelta(text="A long story"), UsageReport(usage=USED), Finish(reason=FinishReason.LENGTH))
    async with house(alpha(long), limits=daily("0.05")) as home:
        await home.say("hello")

        assert "The budget had no room for a longer answer." in home.messenger.texts()[-1]
        assert "/settings max_output" not in home.messenger.texts()[-1]


async def test_one_that_reached_its_own_limit_says_how_to_raise_that() -> None:
    long = (TextDelta(text="A long story"), UsageReport(usage=USED), Finish(reason=FinishReason.LENGTH))
    async with house(alpha(long), limits=daily("1")) as home:
        await home.say("hello")

        assert "/settings max_output" in home.messenger.texts()[-1]


async def test_without_a_budget_it_has_none() -> None:
    async with house(alpha(says("Hi.", usage=USED))) as home:
        await home.say("hello")

        assert home.provider.requests[0].max_output_tokens is None


async def test_who_asks_too_fast_is_told_when_it_goes_on() -> None:
    async with house(alpha(says("One."), says("never")), pace=Pace(user_requests=1)) as home:
        await home.say("first")
        await home.say("second")

        assert len(home.provider.requests) == 1
        assert "seconds" in home.messenger.texts()[-1]


async def test_a_turn_counts_once_however_many_models_it_takes() -> None:
    beta = ScriptedProvider(says("Here."), name="beta")
    async with house(
        alpha((DOWN,), (DOWN,)), others=(beta,), fallback=("beta/model",), pace=Pace(user_requests=1)
    ) as home:
        await home.say("hello")

        assert home.turns[0].outcome is Outcome.ANSWERED


async def test_the_same_request_is_answered_from_the_cache_and_costs_nothing() -> None:
    async with house(alpha(says("Hi.", usage=USED)), answer_ttl_s=60.0) as home:
        await home.say("hello")
        await home.command("/new")
        await home.say("hello")

        assert len(home.provider.requests) == 1
        first, second = home.messenger.texts()
        assert first == "Hi."
        assert second.startswith("Hi.\n\nThis answer was given before")
        last = list(home.stores.ledger.booked.values())[-1]
        assert (last.kind, last.cost.nano_usd) == (CallKind.CACHED, 0)


async def test_whoever_asks_again_wants_another_answer() -> None:
    async with house(alpha(says("Hi."), says("Hello.")), answer_ttl_s=60.0) as home:
        said = await home.say("hello")
        await home.engine.accept(home.pressed(f"retry {said.uid}"))
        await home.engine.idle()

        assert home.messenger.texts() == ("Hello.",)


async def test_another_parameter_is_another_request() -> None:
    async with house(alpha(says("Hi."), says("Hello.")), answer_ttl_s=60.0) as home:
        await home.say("hello")
        await home.command("/new")
        await home.command("/settings temperature 0.5")
        await home.say("hello")

        assert len(home.provider.requests) == 2


async def test_what_tools_found_is_not_kept() -> None:
    scripts = (calls_tool("add", '{"a": 1}'), says("3"), calls_tool("add", '{"a": 1}'), says("3"))
    async with house(alpha(*scripts), tools=(Adder(),), answer_ttl_s=60.0) as home:
        await home.say("1 + 2?")
        await home.command("/new")
        await home.say("1 + 2?")

        assert len(home.provider.requests) == 4


async def test_a_call_that_failed_and_an_answer_from_the_cache_are_both_in_the_ledger() -> None:
    nothing = (*says(usage=USED),)
    async with house(
        alpha(nothing, nothing),
        others=(ScriptedProvider(says("Hi."), name="beta"),),
        fallback=("beta/model",),
        answer_ttl_s=60.0,
    ) as home:
        await home.say("hello")
        await home.command("/new")
        await home.say("hello")

        kinds = [row.kind for row in home.stores.ledger.booked.values()]
        assert kinds == [CallKind.ANSWER, CallKind.ANSWER, CallKind.ANSWER, CallKind.CACHED]


async def near_the_end(home: House) -> None:
    """Spend most of the budget; nobody is told yet, for it happened after the look at it."""
    await home.say("first")
    assert "budget" not in home.messenger.texts()[0]


NEARLY_ALL = Usage(input_tokens=340_000, output_tokens=0)


async def test_that_a_budget_nears_its_end_is_told_under_an_answer_that_broke_off() -> None:
    cut = StreamBroken("cut", provider="alpha")
    scripts = (says("One.", usage=NEARLY_ALL), (TextDelta(text="Half of it"), cut))
    async with house(alpha(*scripts), limits=daily("1")) as home:
        await near_the_end(home)
        await home.say("second")

        assert home.turns[1].outcome is Outcome.PARTIAL
        assert "broke in the middle" in home.messenger.texts()[1]
        assert "budget" in home.messenger.texts()[1]


async def test_that_a_budget_nears_its_end_is_told_when_nobody_answers() -> None:
    scripts = (says("One.", usage=NEARLY_ALL), (DOWN,), (DOWN,), (DOWN,))
    async with house(alpha(*scripts), limits=daily("1")) as home:
        await near_the_end(home)
        await home.say("second")

        assert home.turns[1].outcome is Outcome.FAILED
        assert "not reachable" in home.messenger.texts()[1]
        assert "budget" in home.messenger.texts()[1]


class NotingThreads(MemoryThreadStore):
    """Remembers which pages were noted while an answer was made."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[int] = []

    async def record_message(self, claim: Claim, page: int, message_id: str) -> None:
        self.noted.append(page)
        await super().record_message(claim, page, message_id)


@pytest.mark.parametrize(("page_chars", "noted"), [(400, []), (40, [0, 1])])
async def test_messages_are_noted_at_once_where_the_footer_needs_a_page_of_its_own(
    page_chars: int, noted: list[int]
) -> None:
    threads = NotingThreads()
    messenger = RecordingMessenger(SystemClock(), page_chars=page_chars)
    async with house(alpha(says("A short answer.", usage=USED)), threads=threads, messenger=messenger) as home:
        home.stores.settings.values["me:x:1"] = {"footer": True}
        await home.say("hello")

    assert threads.noted[:2] == noted
