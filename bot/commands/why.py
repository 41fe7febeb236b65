"""/why: what became of the last message here: which model answered it, why that one, and what it took."""

from bot.commands._target import quoted
from bot.core.catalogue import AUTO
from bot.core.command import Command, Desk, Invocation
from bot.core.events import Outcome
from bot.core.formatting import amount, cost, count
from bot.core.ledger import Certainty, LedgerRow
from bot.core.ports import Answer
from bot.core.turn_record import Route, TurnRecord

_OUTCOMES = {
    Outcome.ANSWERED: "It was answered",
    Outcome.PARTIAL: "The answer broke off",
    Outcome.FAILED: "It was not answered",
    Outcome.STOPPED: "It was stopped",
    Outcome.REFUSED: "It was refused",
}


async def _why(invocation: Invocation, desk: Desk) -> Answer:
    turn = await desk.turns.last(invocation.place.thread_key)
    if turn is None:
        return Answer(text="Nothing was asked here yet.")
    head = f"**The last message here** {quoted(turn.items[-1].text or 'without words')}"
    lines = [_outcome(turn), *_route(turn.route), *_work(turn)]
    return Answer(text="\n".join([head, "", *(f"- {line}" for line in lines)]))


def _outcome(turn: TurnRecord) -> str:
    by = f" by `{turn.model}`" if turn.model and turn.outcome in (Outcome.ANSWERED, Outcome.PARTIAL) else ""
    reason = f": {turn.reason}" if turn.reason and turn.outcome is not Outcome.STOPPED else "."
    return f"{_OUTCOMES[turn.outcome]}{by}{reason}"


def _route(route: Route | None) -> list[str]:
    """How it came to its model."""
    if route is None:
        return []
    lines = [f"`{passed.model}` was asked first, but {passed.why}." for passed in route.passed_over]
    if route.asked == AUTO:
        lines += ["The model here is `auto`, chosen for each message:", *route.reasons]
    elif route.reasons:
        lines += route.reasons
    elif not route.passed_over:
        lines.append(f"`{route.asked}` is the model here; /model shows where that is set.")
    if route.cached:
        lines.append("The answer is from the response cache: exactly the same was asked before.")
    return lines


def _work(turn: TurnRecord) -> list[str]:
    """What it took: tools, calls, tokens, time and money."""
    lines = []
    if turn.steps:
        lines.append(f"Tools used: {', '.join(dict.fromkeys(step.name for step in turn.steps))}.")
    if turn.calls:
        lines.append(_calls(turn.calls))
    waited_s = (turn.at - turn.items[-1].at).total_seconds()
    asked_again = turn.uid not in (item.uid for item in turn.items)
    if waited_s >= 0 and not asked_again:
        lines.append(f"From message to answer it took {waited_s:.1f} s.")
    return lines


def _calls(rows: tuple[LedgerRow, ...]) -> str:
    known = [row.cost.nano_usd for row in rows if row.cost.nano_usd is not None]
    certainty = max((row.cost.certainty for row in rows), key=list(Certainty).index)
    tokens_in, tokens_out = (
        sum(row.usage.input_tokens for row in rows),
        sum(row.usage.output_tokens for row in rows),
    )
    return (
        f"{amount(len(rows), 'call')}, {count(tokens_in)} tokens in, {count(tokens_out)} out, "
        f"{cost(sum(known), certainty)}."
    )


COMMAND = Command(
    name="why",
    description="Which model answered last, why that one, and what it took",
    handler=_why,
    details="Names the rules by which `auto` picked, the models that failed before, tools, calls, time and cost.",
)
