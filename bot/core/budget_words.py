"""Budgets in words: whose and for how long, what is left, when it begins anew, and why a call is refused. Pure."""

from datetime import datetime

from bot.core.budget import Due, Period
from bot.core.catalogue import ModelInfo, handle
from bot.core.formatting import money, price, span
from bot.core.ledger import Whose
from bot.core.money_stores import Spent
from bot.core.place import ChatKind, Place

PERIOD_WORDS = {Period.DAY: "today", Period.WEEK: "this week", Period.MONTH: "this month"}
_BAR_CELLS = 10


def budget_name(due: Due, place: Place) -> str:
    """`your budget for today`, `this channel's budget for this week`, as read in `place`."""
    here = "this chat's" if place.kind is ChatKind.PRIVATE else "this channel's"
    owners = {Whose.USER: "your", Whose.CHANNEL: here, Whose.SERVER: "this server's", Whose.ALL: "the bot's"}
    return f"{owners[due.scope.whose]} budget for {PERIOD_WORDS[due.period]}"


def is_private(due: Due) -> bool:
    """Whether its sums are for owners only: what the whole bot spends is nobody else's business."""
    return due.scope.whose is Whose.ALL


def reset_words(due: Due, now: datetime) -> str:
    """`2026-11-22 00:00 UTC, in 3 h 20 min`."""
    return f"{due.resets_at:%Y-%m-%d %H:%M} UTC, in {span((due.resets_at - now).total_seconds())}"


def bar(due: Due, spent: Spent) -> str:
    """How full a budget is, ten cells wide: spent `█`, reserved `▒`, free `░`."""
    full = max(1, due.limit_nano)
    used = min(_BAR_CELLS, round(spent.used_nano * _BAR_CELLS / full))
    taken = min(_BAR_CELLS, round((spent.used_nano + spent.held_nano) * _BAR_CELLS / full))
    return "█" * used + "▒" * (taken - used) + "░" * (_BAR_CELLS - taken)


def share(due: Due, spent: Spent) -> str:
    """`83 %`: how much of it is spent."""
    return f"{spent.used_nano * 100 // max(1, due.limit_nano)} %"


def notice(due: Due, spent: Spent, place: Place, now: datetime) -> str:
    """What is told once when most of a budget is spent."""
    sums = "" if is_private(due) else f" ({money(spent.used_nano)} of {price(due.limit_nano)})"
    name = budget_name(due, place)
    return f"{share(due, spent)} of {name} is spent{sums}; it resets on {reset_words(due, now)}."


def refusal(
    due: Due,
    spent: Spent,
    *,
    least_nano: int,
    place: Place,
    now: datetime,
    cheaper: ModelInfo | None = None,
    what: str = "an answer",
) -> str:
    """Why a call was refused: `what` would cost at least `least_nano`. `cheaper` is a model that fits, None: none."""
    name = budget_name(due, place)
    if is_private(due):
        sums = f"{share(due, spent)} of it spent"
        reserved = "a part"
    else:
        sums = f"{money(spent.used_nano)} of {price(due.limit_nano)} spent"
        reserved = money(spent.held_nano)
    if spent.held_nano:
        sums += f", {reserved} reserved for answers that are being written"
    if spent.held_nano and spent.used_nano + least_nano <= due.limit_nano:
        why, when = "has too little left at the moment", "Try again when those answers are done; it resets on"
    elif spent.used_nano >= due.limit_nano:
        why, when = "is spent", "It resets on"
    else:
        why, when = "has too little left", "It resets on"
    need = f"{name[0].upper()}{name[1:]} {why}: {sums}; {what} may cost {money(least_nano)}."
    other = "" if cheaper is None else f" `{cheaper.ref}` still fits: `/model {handle(cheaper.ref)}`"
    return f"{need} {when} {reset_words(due, now)}.{other}"


def unknown_price(model: ModelInfo, due: Due, place: Place, cheaper: ModelInfo | None) -> str:
    """Why a model without a known price is refused under a budget."""
    other = "pick another one with /model" if cheaper is None else f"this one fits: `/model {handle(cheaper.ref)}`"
    return (
        f"I don't know what `{model.ref}` costs, so {budget_name(due, place)} can't cover it: {other}. "
        "An operator can give it a price, or allow such models (`UNKNOWN_PRICES=allow`)."
    )


def unknown_sum(due: Due, place: Place) -> str:
    """Why something without a known price (a search, a transcription) is refused under a budget."""
    return (
        f"I don't know what this costs, so {budget_name(due, place)} can't cover it. An operator can give it a price, "
        "or allow such calls (`UNKNOWN_PRICES=allow`)."
    )
