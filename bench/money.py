"""The money bench: what a thread of 200 turns costs with Parley, with a window that slides, and with all of it.

Everybody asks the same questions and gets the same answers, over the real SDKs, from servers that bill like the real
ones; prices are the real ones of that day. Which figures are good enough is the report's business.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bench.conversation import CHARACTERS_PER_TOKEN, Exchange, conversation
from bench.inside import inside
from bench.market import Market, Stand, stand
from bot.core.ledger import CallKind
from bot.core.message import Message, Role
from bot.core.ports import ChatRequest
from tests.fakes.model_server import Asked

#: Between two turns of a conversation that is going on.
WARM_GAP_S = 30.0
#: Until then even the longer window grows.
WARM_UP_TURNS = 20
#: For whoever wants more of a conversation sent than by default.
LARGE_CONTEXT_TOKENS = 32_000
PARLEY, PARLEY_LARGE = "Parley", f"Parley, CONTEXT_TOKENS={LARGE_CONTEXT_TOKENS}"
MESSAGES, EXCHANGES, EVERYTHING = "last 20 messages", "last 20 exchanges", "everything"
Contestant = Callable[[Market, Sequence[Exchange]], Awaitable["Bill"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What one contestant paid, in nano-dollars, and what its model could read.

    `answers` is what was said (the same for everybody), `prompts` what was sent for it, `summaries` all of the calls
    that wrote summaries. `recent` has for each turn how many tokens of the latest messages stood in the prompt word
    for word.
    """

    answers: int
    prompts: int
    summaries: int
    recent: tuple[int, ...]

    @property
    def nano_usd(self) -> int:
        """All of it."""
        return self.answers + self.without_answers

    @property
    def without_answers(self) -> int:
        """What depends on how a conversation is kept."""
        return self.prompts + self.summaries

    def turns_with_less_than(self, other: "Bill") -> int:
        """At how many turns its model could read less recent text."""
        return sum(ours < theirs for ours, theirs in zip(self.recent, other.recent, strict=True))


async def bills(market: Market, exchanges: Sequence[Exchange] | None = None) -> dict[str, Bill]:
    """What every contestant pays there, by its name."""
    asked = conversation() if exchanges is None else exchanges
    return {name: await contestant(market, asked) for name, contestant in CONTESTANTS.items()}


def parley(context_tokens: int | None = None) -> Contestant:
    """Parley as it is; `context_tokens` None: its default."""

    async def play(market: Market, exchanges: Sequence[Exchange]) -> Bill:
        async with (
            stand(market, exchanges, context_tokens=context_tokens) as place,
            inside(place.settings, place.models, place.clock) as chat,
        ):
            for exchange in exchanges:
                await chat.say(exchange.question)
                place.clock.leap(WARM_GAP_S)
            answers = [row.usage for row in chat.rows if row.kind is CallKind.ANSWER]
            prompts = sum(place.prompt_cost(usage) for usage in answers)
            booked = {row.id: place.known(row.cost) for row in chat.rows}
            summaries = sum(booked[row.id] for row in chat.rows if row.kind is not CallKind.ANSWER)
            return Bill(
                answers=sum(booked.values()) - summaries - prompts,
                prompts=prompts,
                summaries=summaries,
                recent=recent(place.server.asked, exchanges),
            )

    return play


def window(messages: int | None) -> Contestant:
    """The last so many messages before each question, None: all of them; marked for caching as Parley does."""

    async def play(market: Market, exchanges: Sequence[Exchange]) -> Bill:
        async with stand(market, exchanges) as place:
            said: list[Message] = []
            answers = prompts = 0
            for exchange in exchanges:
                question = Message.of_text(Role.USER, exchange.question)
                before = said if messages is None else said[-messages:]
                usage = await place.ask(_request(place, (*before, question)))
                prompts += place.prompt_cost(usage)
                answers += place.cost(usage) - place.prompt_cost(usage)
                said += (question, Message.of_text(Role.ASSISTANT, exchange.answer))
                place.clock.leap(WARM_GAP_S)
            return Bill(answers=answers, prompts=prompts, summaries=0, recent=recent(place.server.asked, exchanges))

    return play


CONTESTANTS: dict[str, Contestant] = {
    PARLEY: parley(),
    PARLEY_LARGE: parley(LARGE_CONTEXT_TOKENS),
    MESSAGES: window(20),
    EXCHANGES: window(40),
    EVERYTHING: window(None),
}


def recent(asked: Sequence[Asked], exchanges: Sequence[Exchange]) -> tuple[int, ...]:
    """For each turn the tokens of the latest messages that its prompt holds without a gap, word for word."""
    turns = {exchange.question: number for number, exchange in enumerate(exchanges)}
    said = [text for exchange in exchanges for text in (exchange.question, exchange.answer)]
    tokens = []
    for request in asked:
        *before, question = (each.text for each in request.said)
        if question in turns:
            latest = said[: 2 * turns[question]]
            kept = 0
            while kept < min(len(before), len(latest)) and before[-1 - kept] == latest[-1 - kept]:
                kept += 1
            tokens.append(sum(len(text) // CHARACTERS_PER_TOKEN for text in latest[len(latest) - kept :]))
    return tuple(tokens)


def _request(place: Stand, messages: tuple[Message, ...]) -> ChatRequest:
    return ChatRequest(
        model=place.model, system=place.settings.system_prompt, messages=messages, cache_key="bench", cache_ttl_s=300
    )
