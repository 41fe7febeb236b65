"""/cost: what was used and what it cost, from the ledger, by model and by day, with a chart or as a file."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from importlib import import_module

from bot.commands._cost_csv import ROWS_MAX, to_csv
from bot.commands._target import manages
from bot.core.command import Command, Desk, Invocation, Option
from bot.core.errors import NotAllowed, UsageError
from bot.core.formatting import UNKNOWN, amount, cost, count
from bot.core.ledger import Certainty, DaySpending, LedgerRow, ModelSpending, Spending, SpendingScope, Whose
from bot.core.place import ChatKind
from bot.core.ports import Answer, File

_OVERVIEW, _EXPORT = "overview", "export"
_PERIODS = ("day", "week", "month", "year", "ever")
_WHOSE = ("me", "here", "server", "all")
_WHEN_WORDS = {
    "day": "today",
    "week": "this week",
    "month": "this month",
    "year": "this year",
    "ever": "since the beginning",
}
_DAYS_LISTED = 7
_CHART_DAYS_MIN = 2
#: Drawing needs Pillow, which a bot that nobody asks for a chart does not load.
_CHART = "bot.commands._cost_chart"

_Draw = Callable[[str, tuple[DaySpending, ...], date, date], bytes]


async def _cost(invocation: Invocation, desk: Desk) -> Answer:
    export = invocation.options.get("view") == _EXPORT
    period = invocation.options.get("period", "month" if export else "day")
    whose = invocation.options.get("scope", "me")
    if whose == "all" and not await desk.gate.is_owner(invocation.author):
        raise NotAllowed("What everybody spends together is for owners of this bot; try `/cost`, or `/cost here`.")
    since = _since(period, desk.clock.now())
    title = f"{_whose_words(whose, invocation)}, {_WHEN_WORDS[period]}"
    if export:
        return await _export(title, whose, period, since, invocation, desk)
    return await _overview(title, _scope(whose, invocation), since, desk)


async def _overview(title: str, scope: SpendingScope, since: datetime | None, desk: Desk) -> Answer:
    spending = await desk.ledger.spending(scope, since)
    head = f"**{title}**" + (f" (since {since:%Y-%m-%d}, UTC)" if since is not None else "")
    if not spending.models:
        return Answer(text=f"{head}: nothing so far.")
    rows = [f"- `{model.model}`: {_sums(model)}" for model in spending.models]
    total = _total(spending.models)
    sums = [_sums(total), ""] if len(rows) > 1 else []
    file = await _chart(f"{title}: {_money(total)}", spending, since, desk.clock.now().date())
    return Answer(text="\n".join([head, "", *sums, *rows, *_by_day(spending.days)]), file=file)


async def _chart(title: str, spending: Spending, since: datetime | None, today: date) -> File | None:
    """A picture of the days, drawn off the event loop; None when there are not several to compare."""
    days = spending.days
    if len(days) < _CHART_DAYS_MIN:
        return None
    first = days[0].day if since is None else since.date()
    content = await asyncio.to_thread(lambda: _draw()(title, days, first, max(today, days[-1].day)))
    return File(name="cost.png", content=content, media_type="image/png")


def _draw() -> _Draw:
    draw: _Draw = import_module(_CHART).draw
    return draw


def _by_day(days: tuple[DaySpending, ...]) -> list[str]:
    """The last days with calls, the newest first; nothing when there was only one."""
    if len(days) < _CHART_DAYS_MIN:
        return []
    rows = [f"- {day.day:%Y-%m-%d}: {amount(day.requests, 'request')} · {_money(day)}" for day in reversed(days)]
    more = len(rows) - _DAYS_LISTED
    rest = [f"- … and {amount(more, 'earlier day')}"] if more > 0 else []
    return ["", *rows[:_DAYS_LISTED], *rest]


async def _export(
    title: str, whose: str, period: str, since: datetime | None, invocation: Invocation, desk: Desk
) -> Answer:
    rows, own_only = await _rows(whose, since, invocation, desk)
    if not rows:
        return Answer(text=f"**{title}**: nothing so far.")
    owner = await desk.gate.is_owner(invocation.author)
    content, written = await asyncio.to_thread(to_csv, rows, authors=owner)
    lines = [f"**{title}**: {amount(written, 'call')}, the newest first."]
    if written < len(rows):
        lines.append("There are more, but a file holds no more than these; choose a shorter period.")
    if own_only and invocation.place.kind is ChatKind.SHARED:
        lines.append("Only your own calls: people who manage this place get all of them.")
    name = f"cost-{whose}-{period}-{desk.clock.now():%Y-%m-%d}.csv"
    return Answer(text=" ".join(lines), file=File(name=name, content=content, media_type="text/csv"))


async def _rows(
    whose: str, since: datetime | None, invocation: Invocation, desk: Desk
) -> tuple[tuple[LedgerRow, ...], bool]:
    """The calls that the asker may see one by one, one more than a file holds; whether others' were left out."""
    scope = _scope(whose, invocation)
    if whose in ("me", "all") or await manages(invocation, desk):
        return await desk.ledger.rows(scope, since, ROWS_MAX + 1), False
    own = await desk.ledger.rows(SpendingScope(whose=Whose.USER, key=invocation.author.key), since, ROWS_MAX + 1)
    return tuple(row for row in own if scope.key in (row.channel_key, row.space_key)), True


def _since(period: str, now: datetime) -> datetime | None:
    """The start of the running day, week (from Monday), month or year in UTC; None: from the beginning."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case "day":
            return today
        case "week":
            return today - timedelta(days=today.weekday())
        case "month":
            return today.replace(day=1)
        case "year":
            return today.replace(month=1, day=1)
        case _:
            return None


def _whose_words(whose: str, invocation: Invocation) -> str:
    here = "This chat" if invocation.place.kind is ChatKind.PRIVATE else "This channel"
    return {"me": "You", "here": here, "server": "This server", "all": "Everybody"}[whose]


def _scope(whose: str, invocation: Invocation) -> SpendingScope:
    place = invocation.place
    match whose:
        case "me":
            return SpendingScope(whose=Whose.USER, key=invocation.author.key)
        case "here":
            return SpendingScope(whose=Whose.CHANNEL, key=place.channel_key)
        case "server" if place.space_key is not None:
            return SpendingScope(whose=Whose.SERVER, key=place.space_key)
        case "server":
            raise UsageError("This chat does not belong to a server.")
        case _:
            return SpendingScope(whose=Whose.ALL)


def _total(models: Iterable[ModelSpending]) -> ModelSpending:
    every = tuple(models)
    return ModelSpending(
        model="",
        requests=sum(model.requests for model in every),
        input_tokens=sum(model.input_tokens for model in every),
        cached_tokens=sum(model.cached_tokens for model in every),
        output_tokens=sum(model.output_tokens for model in every),
        nano_usd=sum(model.nano_usd for model in every),
        estimated_requests=sum(model.estimated_requests for model in every),
        unknown_requests=sum(model.unknown_requests for model in every),
    )


def _sums(model: ModelSpending) -> str:
    share = model.cached_tokens * 100 // max(1, model.input_tokens)
    cached = f" ({count(model.cached_tokens)} cached, {share} %)" if model.cached_tokens else ""
    tokens = [f"{count(model.input_tokens)} tokens in{cached}", f"{count(model.output_tokens)} out"]
    # Searches and transcriptions count none.
    counted = tokens if model.input_tokens or model.output_tokens else []
    return " · ".join([amount(model.requests, "request"), *counted, _money(model)])


def _money(sums: ModelSpending | DaySpending) -> str:
    """What is known, marked where it was estimated, and for how much of it no price is known."""
    if sums.unknown_requests == sums.requests:
        return UNKNOWN
    certainty = Certainty.ESTIMATED if sums.estimated_requests else Certainty.EXACT
    known = cost(sums.nano_usd, certainty)
    if sums.unknown_requests:
        return f"{known} and {UNKNOWN} for {amount(sums.unknown_requests, 'request')}"
    return known


COMMAND = Command(
    name="cost",
    description="What was used and what it cost",
    handler=_cost,
    options=(
        Option(name="view", description="Sums with a chart, or every call as CSV", choices=(_OVERVIEW, _EXPORT)),
        Option(name="period", description="Since when; without it today, in an export this month", choices=_PERIODS),
        Option(name="scope", description="Whose; without it your own; all is for owners", choices=_WHOSE),
    ),
    details="Tokens and money as the providers reported them. `about` marks estimates; where no price is "
    "known it says `unknown`. Days, weeks and months are those of UTC. `/cost export month` gives a file for "
    "spreadsheets, one row a call.",
)
