"""/cost: what was used and what it cost, from the ledger, by model."""

from datetime import datetime, timedelta

from bot.core.command import Command, Desk, Invocation, Option
from bot.core.errors import UsageError
from bot.core.formatting import UNKNOWN, amount, cost, count
from bot.core.ledger import Certainty, ModelSpending, SpendingScope
from bot.core.place import Scope
from bot.core.ports import Answer

_PERIODS = ("day", "week", "month", "all")
_WHOSE = ("me", "here", "server")
_WHOSE_WORDS = {"me": "You", "here": "This channel", "server": "This server"}
_WHEN_WORDS = {"day": "today", "week": "this week", "month": "this month", "all": "since the beginning"}


async def _cost(invocation: Invocation, desk: Desk) -> Answer:
    period = invocation.options.get("period", "day")
    whose = invocation.options.get("scope", "me")
    since = _since(period, desk.clock.now())
    spending = await desk.ledger.spending(_scope(whose, invocation), since)
    title = f"**{_WHOSE_WORDS[whose]}, {_WHEN_WORDS[period]}**"
    if since is not None:
        title += f" (since {since:%Y-%m-%d}, UTC)"
    if not spending.models:
        return Answer(text=f"{title}: nothing so far.")
    rows = [f"- `{model.model}`: {_sums(model)}" for model in spending.models]
    total = [_sums(_total(spending.models)), ""] if len(rows) > 1 else []
    return Answer(text="\n".join([title, "", *total, *rows]))


def _since(period: str, now: datetime) -> datetime | None:
    """The start of the running day, week (from Monday) or month in UTC; None: from the beginning."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case "day":
            return today
        case "week":
            return today - timedelta(days=today.weekday())
        case "month":
            return today.replace(day=1)
        case _:
            return None


def _scope(whose: str, invocation: Invocation) -> SpendingScope:
    place = invocation.place
    if whose == "me":
        return SpendingScope(scope=Scope.ME, key=invocation.author.key)
    if whose == "here":
        return SpendingScope(scope=Scope.CHANNEL, key=place.channel_key)
    if place.space_key is None:
        raise UsageError("This chat does not belong to a server.")
    return SpendingScope(scope=Scope.SERVER, key=place.space_key)


def _total(models: tuple[ModelSpending, ...]) -> ModelSpending:
    return ModelSpending(
        model="",
        requests=sum(model.requests for model in models),
        input_tokens=sum(model.input_tokens for model in models),
        cached_tokens=sum(model.cached_tokens for model in models),
        output_tokens=sum(model.output_tokens for model in models),
        nano_usd=sum(model.nano_usd for model in models),
        estimated_requests=sum(model.estimated_requests for model in models),
        unknown_requests=sum(model.unknown_requests for model in models),
    )


def _sums(model: ModelSpending) -> str:
    cached = f" ({count(model.cached_tokens)} cached)" if model.cached_tokens else ""
    return " · ".join(
        [
            amount(model.requests, "request"),
            f"{count(model.input_tokens)} tokens in{cached}",
            f"{count(model.output_tokens)} out",
            _money(model),
        ]
    )


def _money(model: ModelSpending) -> str:
    """What is known, marked where it was estimated, and for how much of it no price is known."""
    if model.unknown_requests == model.requests:
        return UNKNOWN
    certainty = Certainty.ESTIMATED if model.estimated_requests else Certainty.EXACT
    known = cost(model.nano_usd, certainty)
    if model.unknown_requests:
        return f"{known} and {UNKNOWN} for {amount(model.unknown_requests, 'request')}"
    return known


COMMAND = Command(
    name="cost",
    description="What was used and what it cost",
    handler=_cost,
    options=(
        Option(name="period", description="Since when; without it today", choices=_PERIODS),
        Option(name="scope", description="Whose; without it your own", choices=_WHOSE),
    ),
    details="Tokens and money as the providers reported them. `about` marks estimates; where no price is "
    "known it says `unknown`. Days, weeks and months are those of UTC.",
)
