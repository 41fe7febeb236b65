"""/budget: which budgets count here and what is left of them, and setting them."""

import re
from dataclasses import dataclass
from decimal import Decimal

from bot.commands._target import CLEAR_WORDS
from bot.core.budget import EACH, BudgetKey, BudgetLimit, Due, Giver, Period
from bot.core.budget_words import bar, budget_name, is_private, reset_words, share
from bot.core.command import Command, Desk, Invocation, Option
from bot.core.errors import NotAllowed, UsageError
from bot.core.formatting import amount as amount_of
from bot.core.formatting import money, price
from bot.core.gate import is_person, parse_entry
from bot.core.ledger import SpendingScope, Whose
from bot.core.money_stores import Spent
from bot.core.place import ChatKind
from bot.core.ports import Answer

_EVERYBODY = "everybody"
_DOLLARS = re.compile(r"\$?(\d{1,7}(?:\.\d{1,9})?)", re.ASCII)
_LISTED = 40
_EACH_WORDS = {Whose.USER: "each person", Whose.CHANNEL: "each channel", Whose.SERVER: "each server"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What is to be set, by whom, and how it is called."""

    budget: BudgetKey
    giver: Giver
    name: str

    @property
    def scope(self) -> SpendingScope:
        return SpendingScope(whose=self.budget.whose, key=self.budget.key)


async def _budget(invocation: Invocation, desk: Desk) -> Answer:
    options = invocation.options
    if not options:
        return await _show(invocation, desk)
    if len(options.keys() & {"whose", "period", "amount"}) < 3:
        raise UsageError("Say whose budget, for how long, and how much, for example `/budget channel week 5`.")
    target = await _choose(Whose(options["whose"]), Period(options["period"]), invocation, desk)
    if options["amount"].lower() in CLEAR_WORDS | {"off"}:
        return Answer(text=await _take_back(target, desk))
    return Answer(text=await _set(target, _nano_usd(options["amount"]), desk))


async def _show(invocation: Invocation, desk: Desk) -> Answer:
    status = await desk.purse.status(invocation.place, invocation.author.key)
    title = "**Budgets that count for you here**" if status else "No budget counts for you here."
    owner = await desk.gate.is_owner(invocation.author)
    private = invocation.place.kind is ChatKind.PRIVATE
    rows = (_row(due, spent, invocation, desk, sums=owner and private) for due, spent in status)
    lines = [title, "", *rows]
    if owner:
        lines += await _all_limits(desk) if private else ["", "In our private chat /budget lists all limits."]
        lines += ["", "`/budget channel week 5` sets a limit, `/budget channel week off` takes it back."]
    return Answer(text="\n".join(lines).strip())


def _row(due: Due, spent: Spent, invocation: Invocation, desk: Desk, *, sums: bool) -> str:
    """One budget; without `sums` those that are for owners are told as a share."""
    name = budget_name(due, invocation.place)
    if is_private(due) and not sums:
        used, reserved = share(due, spent), ""
    else:
        used = f"{money(spent.used_nano)} of {price(due.limit_nano)}"
        reserved = f", {money(spent.held_nano)} reserved" if spent.held_nano else ""
    resets = reset_words(due, desk.clock.now())
    return f"- {name[0].upper()}{name[1:]}: `{bar(due, spent)}` {used} spent{reserved}; it resets on {resets}"


async def _all_limits(desk: Desk) -> list[str]:
    """Every limit there is, for owners; a long list is cut."""
    changed = await desk.purse.allowance.changed()
    lines = _listing("Set with /budget", changed)
    return [*lines, *_listing("From the settings (BUDGETS)", desk.purse.allowance.fixed)]


def _listing(title: str, limits: tuple[BudgetLimit, ...]) -> list[str]:
    rows = [f"- {_words(limit)}" for limit in limits[:_LISTED]]
    rest = [f"- … and {amount_of(len(limits) - _LISTED, 'limit')} more"] if len(limits) > _LISTED else []
    return ["", f"**{title}**", "", *rows, *rest] if rows else []


def _words(limit: BudgetLimit) -> str:
    budget = limit.budget
    manager = " (by who manages it)" if limit.giver is Giver.MANAGER else ""
    return f"{_name_of(budget)}: {price(limit.nano_usd)} a {budget.period}{manager}"


def _name_of(budget: BudgetKey) -> str:
    if budget.whose is Whose.ALL:
        return "everybody together"
    return _EACH_WORDS[budget.whose] if budget.key == EACH else f"{budget.whose} `{budget.key}`"


async def _choose(whose: Whose, period: Period, invocation: Invocation, desk: Desk) -> _Target:
    """What the asker may set. Raises UsageError and NotAllowed."""
    who = invocation.options.get("who")
    if await desk.gate.is_owner(invocation.author):
        key, name = _key(whose, who, invocation)
        return _Target(budget=BudgetKey(whose, key, period), giver=Giver.OWNER, name=name)
    place = invocation.place
    if whose in (Whose.USER, Whose.ALL) or who is not None or place.kind is ChatKind.PRIVATE:
        raise NotAllowed("Only owners of this bot set that budget. Who manages a channel or server can limit that.")
    key, name = _key(whose, None, invocation)
    if not await desk.messenger.may_manage(place, invocation.author):
        raise NotAllowed(f"Only people who manage {name}, or an owner of this bot, can set its budget.")
    return _Target(budget=BudgetKey(whose, key, period), giver=Giver.MANAGER, name=name)


def _key(whose: Whose, who: str | None, invocation: Invocation) -> tuple[str, str]:
    """The key of a budget and its name; without `who` it is for this place, or for each person."""
    place = invocation.place
    everybody = who is not None and who.lower() == _EVERYBODY
    if whose is Whose.ALL:
        if who is not None and not everybody:
            raise UsageError("`all` is what everybody spends together; `user` can be for one person.")
        return "", "everybody together"
    if everybody or (whose is Whose.USER and who is None):
        return EACH, _EACH_WORDS[whose]
    if whose is Whose.USER:
        person = parse_entry(who or "")
        if not is_person(person):
            raise UsageError("A budget of `user` is for a person, for example telegram:456.")
        return person, f"`{person}`"
    if who is not None:
        raise UsageError(f"For one {whose} set it there; here you can say `{_EVERYBODY}` for each {whose}.")
    if whose is Whose.CHANNEL:
        return place.channel_key, "this chat" if place.kind is ChatKind.PRIVATE else "this channel"
    if place.space_key is None:
        raise UsageError("This chat does not belong to a server.")
    return place.space_key, "this server"


def _nano_usd(text: str) -> int:
    """An amount as it was typed. Raises UsageError."""
    found = _DOLLARS.fullmatch(text.strip())
    if found is None:
        raise UsageError("The amount is in dollars, from 0 to 9,999,999, for example `0.50`; `off` takes a limit back.")
    return int(Decimal(found[1]) * 10**9)


async def _set(target: _Target, asked_nano: int, desk: Desk) -> str:
    allowance, period = desk.purse.allowance, target.budget.period
    granted = await allowance.granted(target.scope, period) if target.giver is Giver.MANAGER else None
    nano_usd = asked_nano if granted is None else min(asked_nano, granted)
    before = await allowance.limit(target.scope, period)
    await allowance.put(BudgetLimit(budget=target.budget, nano_usd=nano_usd, giver=target.giver))
    after = await allowance.limit(target.scope, period)
    text = f"{_changed(target, before, after)}."
    if nano_usd < asked_nano:
        return f"{text} That is what the owner of this bot gave: {price(asked_nano)} would be more."
    if after != nano_usd:
        return f"{text} You set {price(nano_usd)}, but who manages {target.name} set less."
    return text


async def _take_back(target: _Target, desk: Desk) -> str:
    """Remove the asker's limit; an owner takes a manager's along."""
    allowance, period = desk.purse.allowance, target.budget.period
    before = await allowance.limit(target.scope, period)
    givers = (Giver.OWNER, Giver.MANAGER) if target.giver is Giver.OWNER else (Giver.MANAGER,)
    removed = [await allowance.remove(BudgetLimit(budget=target.budget, nano_usd=0, giver=giver)) for giver in givers]
    after = await allowance.limit(target.scope, period)
    if not any(removed):
        still = "" if after is None else f"; {price(after)} counts, which was set elsewhere"
        return f"Nothing was set for {target.name} a {period}{still}."
    return f"{_changed(target, before, after)}."


def _changed(target: _Target, before: int | None, after: int | None) -> str:
    old, new = ("no limit" if limit is None else price(limit) for limit in (before, after))
    return f"Budget of {target.name} a {target.budget.period}: {old} → {new}"


COMMAND = Command(
    name="budget",
    description="What may be spent here and what is left, and setting it",
    handler=_budget,
    options=(
        Option(name="whose", description="Whose money; without it all that count here", choices=tuple(Whose)),
        Option(name="period", description="For how long", choices=tuple(Period)),
        Option(name="amount", description="In dollars, for example 0.50, or: off"),
        Option(name="who", description="A person, as telegram:456, or: everybody; without it this place"),
    ),
    details="Owners set every budget: `/budget user day 0.50` is for each person, `/budget user day 2 telegram:456` "
    "for one, `/budget channel week 5` for this channel, `/budget all month 100` for all together. Who manages a "
    "channel or server can limit it further. A question that may cost more than what is left is refused before "
    "anybody is asked. Days, weeks and months are those of UTC.",
)
