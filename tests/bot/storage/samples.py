"""Values for the storage's tests, each with one thing that the test is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.core.events import Outcome, Usage
from bot.core.inbound import Inbound, Invoked
from bot.core.ledger import Billed, CallStatus, Certainty, Cost, LedgerRow, Rate
from bot.core.place import Author, ChatKind, Place
from bot.core.turn_record import Item, ItemKind, TurnRecord

NOON = datetime(2026, 11, 21, 12, 0, 0, 123000, tzinfo=UTC)
PLACE = Place(platform="telegram", account="99", chat="-100", kind=ChatKind.SHARED)
KEY = PLACE.thread_key
ADA, BOB = "telegram:1", "telegram:2"


def place(chat: str) -> Place:
    return replace(PLACE, chat=chat)


def item(number: int, text: str = "hello", *, author: str = ADA, order: int | None = None) -> Item:
    """Message `number` of the thread."""
    return Item(
        uid=f"telegram:99:-100:{number}",
        kind=ItemKind.MESSAGE,
        author_key=author,
        author_name="Ada" if author == ADA else "Bob",
        text=text,
        message_id=str(number),
        at=NOON + timedelta(seconds=number),
        order=number if order is None else order,
    )


def turn(seq: int, *, uid: str | None = None, fence: int = 1, answer: str = "hi", key: str = KEY) -> TurnRecord:
    return TurnRecord(
        uid=f"{key}:{seq}" if uid is None else uid,
        thread_key=key,
        seq=seq,
        fence=fence,
        at=NOON + timedelta(seconds=seq),
        items=(item(seq),),
        steps=(),
        answer=answer,
        outcome=Outcome.ANSWERED,
        reason=None,
        model="demo/parrot",
    )


RATES = (Rate(billed=Billed.INPUT, nano_usd=5_000_000), Rate(billed=Billed.OUTPUT, nano_usd=25_000_000_000_000))


def row(
    number: int,
    *,
    model: str = "openai/gpt",
    nano_usd: int | None = 1_000,
    certainty: Certainty = Certainty.EXACT,
    author: str = ADA,
    space: str | None = None,
) -> LedgerRow:
    """Call `number`: at noon plus that many seconds, 100 tokens in (10 of them cached), 20 out."""
    return LedgerRow(
        id=f"telegram:99:-100:{number}~1~0",
        at=NOON + timedelta(seconds=number),
        turn_uid=f"telegram:99:-100:{number}",
        thread_key=KEY,
        channel_key=PLACE.channel_key,
        space_key=space,
        author_key=author,
        provider="openai",
        model=model,
        model_answered=None,
        usage=Usage(input_tokens=100, output_tokens=20, cached_tokens=10),
        usage_estimated=False,
        cost=Cost(nano_usd=nano_usd, certainty=certainty, source="catalogue", priced_at="2026-11-01", rates=RATES),
        status=CallStatus.COMPLETED,
        first_token_s=None,
        duration_s=1.5,
    )


def command(number: int) -> Inbound:
    return Inbound(
        uid=f"telegram:99:-100:{number}",
        place=PLACE,
        author=Author(platform="telegram", id="1", name="Ada"),
        at=NOON,
        order=number,
        event=Invoked(name="model", options={"$name": "a.b", "scope": "thread"}),
    )
