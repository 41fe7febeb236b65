"""The money bench's servers bill like the real ones: over the wire, through the real providers."""

from contextlib import AbstractAsyncContextManager

import pytest

from bench.biller import GEMINI_TTL_S, OPENAI_TTL_S, BlockCache, Counted, Script
from bench.conversation import CHARACTERS_PER_TOKEN, SUMMARY_TOKENS, conversation, summary_text
from bench.inside import LeapClock
from bench.market import FLASH, HAIKU, LUNA, Market, Stand, stand
from bot.core.events import Usage
from bot.core.message import Message, Role
from bot.core.ports import ChatRequest
from tests.fakes.model_server import Asked, Said

EXCHANGES = conversation(exchanges=3)
#: With a system prompt of nothing: the first prompt has 2,000 tokens, the second one 500 more.
LONG = "ab cd ef" * 1_000
MORE = "gh ij kl" * 250


def request(place: Stand, *texts: str, cache_key: str | None = "thread", ttl_s: int = 300) -> ChatRequest:
    roles = (Role.USER, Role.ASSISTANT)
    messages = tuple(Message.of_text(roles[number % 2], text) for number, text in enumerate(texts))
    return ChatRequest(model=place.model, system="", messages=messages, cache_key=cache_key, cache_ttl_s=ttl_s)


def asked(text: str) -> Asked:
    return Asked(model="model", said=(Said(role="user", text=text),))


def at(market: Market) -> AbstractAsyncContextManager[Stand]:
    return stand(market, EXCHANGES)


def input_of(usage: Usage) -> tuple[int, int, int]:
    return usage.cached_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens


async def test_anthropic_reads_what_a_marked_prompt_wrote_and_writes_only_the_rest() -> None:
    async with at(HAIKU) as place:
        first = await place.ask(request(place, LONG))
        second = await place.ask(request(place, LONG, "Yes.", MORE))

    assert input_of(first) == (0, 2_000, 0)
    assert input_of(second) == (2_000, 501, 0)
    assert second.input_tokens == 2_501


async def test_anthropic_charges_a_write_a_quarter_more_a_long_one_double_and_a_read_a_tenth() -> None:
    async with at(HAIKU) as place:
        plain = place.prompt_cost(await place.ask(request(place, LONG, cache_key=None)))
        written = place.prompt_cost(await place.ask(request(place, LONG)))
        read = place.prompt_cost(await place.ask(request(place, LONG)))
        place.clock.leap(301)
        kept = place.prompt_cost(await place.ask(request(place, LONG, ttl_s=3_600)))

    assert (written, read, kept) == (plain * 5 // 4, plain // 10, plain * 2)


@pytest.mark.parametrize(("ttl_s", "held_s", "gone_s"), [(300, 299, 301), (3_600, 3_599, 3_601)])
async def test_anthropic_forgets_what_nobody_used_for_as_long_as_the_mark_says(
    ttl_s: int, held_s: int, gone_s: int
) -> None:
    async with at(HAIKU) as place:
        await place.ask(request(place, LONG, ttl_s=ttl_s))
        place.clock.leap(held_s)
        used = await place.ask(request(place, LONG, ttl_s=ttl_s))
        place.clock.leap(gone_s)
        forgotten = await place.ask(request(place, LONG, ttl_s=ttl_s))

    assert (used.cached_tokens, forgotten.cached_tokens) == (2_000, 0)


async def test_anthropic_caches_nothing_without_a_mark_or_below_1_024_tokens() -> None:
    async with at(HAIKU) as place:
        unmarked = [await place.ask(request(place, LONG, cache_key=None)) for _ in range(2)]
        short = [await place.ask(request(place, MORE)) for _ in range(2)]

    assert {input_of(usage) for usage in (*unmarked, *short)} == {(0, 0, 0)}


async def test_openai_reads_and_writes_whole_steps_without_being_asked_and_charges_the_writing() -> None:
    async with at(LUNA) as place:
        first = await place.ask(request(place, LONG))
        second = await place.ask(request(place, LONG, "Yes.", MORE))
        plain = place.prompt_cost(Usage(input_tokens=first.cache_write_tokens, output_tokens=0))
        written = place.prompt_cost(
            Usage(input_tokens=first.cache_write_tokens, output_tokens=0, cache_write_tokens=first.cache_write_tokens)
        )

    assert input_of(first) == (0, 15 * 128, 0)
    assert input_of(second) == (15 * 128, 4 * 128, 0)
    assert written == plain * 5 // 4


async def test_gemini_reads_by_itself_and_charges_no_writing() -> None:
    async with at(FLASH) as place:
        first = await place.ask(request(place, LONG))
        second = await place.ask(request(place, LONG, "Yes.", MORE))

    assert input_of(first) == (0, 0, 0)
    assert input_of(second) == (31 * 64, 0, 0)


@pytest.mark.parametrize("ttl_s", [OPENAI_TTL_S, GEMINI_TTL_S])
def test_automatic_caches_live_anew_with_each_use_and_end_when_nobody_does(ttl_s: float) -> None:
    clock = LeapClock()
    cache = BlockCache(step_tokens=128, ttl_s=ttl_s, clock=clock.monotonic)
    cache.take("model", LONG)
    reads = []
    for gap_s in (ttl_s - 1, ttl_s - 1, ttl_s + 1):
        clock.leap(gap_s)
        reads.append(cache.take("model", LONG).read)

    assert reads == [15 * 128, 15 * 128, 0]


def test_automatic_caches_know_only_beginnings_of_prompts_to_the_same_model() -> None:
    cache = BlockCache(step_tokens=128, ttl_s=300.0, clock=lambda: 0.0)
    cache.take("model", LONG)

    assert cache.take("model", MORE + LONG).read == 0
    assert cache.take("other", LONG).read == 0
    assert cache.take("model", LONG[:8_000] + MORE) == Counted(tokens=2_500, read=15 * 128, written=4 * 128)


def test_a_prompt_that_shares_less_than_1_024_tokens_reads_nothing() -> None:
    cache = BlockCache(step_tokens=128, ttl_s=300.0, clock=lambda: 0.0)
    shared = LONG[: 1_023 * CHARACTERS_PER_TOKEN]
    cache.take("model", shared + "x" * 4_000)

    assert cache.take("model", shared + "y" * 4_000).read == 0


def test_questions_get_their_answers_and_anything_else_a_summary() -> None:
    script = Script(EXCHANGES)

    assert script(asked(EXCHANGES[1].question)).pieces == (EXCHANGES[1].answer,)
    assert script(asked("[A person:]\n> Hello.")).pieces == (summary_text(1),)
    assert script(asked("[A person:]\n> Hello.")).pieces == (summary_text(2),)


def test_the_conversation_is_the_same_each_time_and_as_long_as_it_is_said_to_be() -> None:
    exchanges = conversation()
    answers = sum(len(exchange.answer) for exchange in exchanges) / CHARACTERS_PER_TOKEN / len(exchanges)
    long_ones = [exchange for exchange in exchanges if len(exchange.question) > 1_500 * CHARACTERS_PER_TOKEN]

    assert exchanges == conversation()
    assert len({exchange.question for exchange in exchanges}) == 200
    assert answers == pytest.approx(250, rel=0.05)
    assert len(long_ones) == 10
    assert len(summary_text(1)) / CHARACTERS_PER_TOKEN == pytest.approx(SUMMARY_TOKENS, rel=0.1)
