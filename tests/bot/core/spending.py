"""Models, requests and booked calls for the tests about money: $2.50 and $10 per million tokens, or as named."""

from datetime import datetime

from bot.core.budget import EACH, BudgetKey, BudgetLimit, Giver, Period
from bot.core.catalogue import ModelInfo, ModelRef, Price
from bot.core.events import Usage
from bot.core.ledger import CallStatus, Certainty, Cost, LedgerRow, Whose
from bot.core.message import Message, Role
from bot.core.place import ChatKind, Place
from bot.core.ports import ChatRequest
from bot.core.pricing import Pricing
from tests.fakes.clock import START

ANN = "x:1"
CHANNEL = Place(platform="x", account="bot", chat="50", kind=ChatKind.SHARED, space="7")
USD = 10**9
PRICED = ModelInfo(ref=ModelRef("alpha", "one"), price=Price(input="2.5", output="10"), max_output_tokens=4_096)
CHEAP = ModelInfo(ref=ModelRef("alpha", "mini"), price=Price(input="0.25", output="1"), max_output_tokens=4_096)
FREE = ModelInfo(ref=ModelRef("local", "llama"), price=Price(input="0", output="0"))
UNPRICED = ModelInfo(ref=ModelRef("beta", "two"))
PRICING = Pricing()


def asks(
    model: ModelInfo = PRICED, *, max_output_tokens: int | None = None, cache_key: str | None = None
) -> ChatRequest:
    """A short question."""
    return ChatRequest(
        model=model,
        system="Be brief.",
        messages=(Message.of_text(Role.USER, "Why?"),),
        max_output_tokens=max_output_tokens,
        cache_key=cache_key,
    )


def limit(
    whose: Whose, nano_usd: int, period: Period = Period.DAY, *, key: str | None = None, giver: Giver = Giver.OWNER
) -> BudgetLimit:
    """A budget; without a key for each person, channel or server, as the settings give it."""
    each = "" if whose is Whose.ALL else EACH
    return BudgetLimit(budget=BudgetKey(whose, each if key is None else key, period), nano_usd=nano_usd, giver=giver)


def booked(
    call_id: str,
    nano_usd: int | None,
    *,
    place: Place = CHANNEL,
    author_key: str = ANN,
    at: datetime = START,
    tokens: tuple[int, int] = (100, 10),
) -> LedgerRow:
    """The row of a call that cost so much; None: nobody knows."""
    certainty = Certainty.UNKNOWN if nano_usd is None else Certainty.EXACT
    return LedgerRow(
        id=call_id,
        at=at,
        turn_uid="turn",
        thread_key=place.thread_key,
        channel_key=place.channel_key,
        space_key=place.space_key,
        author_key=author_key,
        provider="alpha",
        model="alpha/one",
        model_answered=None,
        usage=Usage(input_tokens=tokens[0], output_tokens=tokens[1]),
        usage_estimated=False,
        cost=Cost(nano_usd=nano_usd, certainty=certainty, source="test"),
        status=CallStatus.COMPLETED,
        first_token_s=0.1,
        duration_s=1.0,
    )
