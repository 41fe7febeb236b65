"""/context: how full the window is, what fills it, and what the next message will about cost."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.commands._conversation import Conversation, look
from bot.core.caching import CachePlan, plan
from bot.core.command import Command, Desk, Invocation
from bot.core.compaction import DUE_SHARE
from bot.core.context import Estimate
from bot.core.events import Usage
from bot.core.formatting import amount, count, money
from bot.core.ports import Answer

_BAR_CELLS = 20
#: Providers cache no shorter prompts.
_LEAST_CACHED_TOKENS = 1_024
#: What is taken for a usual question and answer where nothing was said yet, in tokens.
_USUAL_QUESTION, _USUAL_ANSWER = 50, 300
_LOOK_BACK = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Usual:
    """A question and an answer as the last ones were, in tokens."""

    question: int
    answer: int


async def _context(invocation: Invocation, desk: Desk) -> Answer:
    here = await look(invocation, desk)
    estimate = desk.calibration.estimator(here.model.ref)
    caching = _last_plan(here, desk)
    parts = (
        _fill(here),
        "\n".join(_parts(here, estimate)),
        _caching(caching),
        _next_cost(here, caching, _usual(here, estimate), desk),
        f"From {count(int(here.window.high * DUE_SHARE))} tokens on the oldest part is summarised by itself. /compact "
        "does it now, /new starts afresh.",
    )
    return Answer(text="\n\n".join(parts))


def _last_plan(here: Conversation, desk: Desk) -> CachePlan:
    """How the last prompt was marked: what is cached now was written then."""
    times = [turn.at for turn in here.turns]
    return plan(times[:-1], times[-1]) if times else plan((), desk.clock.now())


def _fill(here: Conversation) -> str:
    used, limit = here.context.filling.conversation, here.window.high
    share = used / limit
    cells = min(_BAR_CELLS, round(share * _BAR_CELLS))
    bar = "█" * cells + "░" * (_BAR_CELLS - cells)
    return f"**Context**: about {count(used)} of {count(limit)} tokens with `{here.model.ref}`\n`{bar}` {share:.0%}"


def _parts(here: Conversation, estimate: Estimate) -> list[str]:
    filling = here.context.filling
    lines = [f"- System prompt: {count(filling.system)}"]
    if filling.summary:
        lines.append(f"- Summary of what was said before: {count(filling.summary)}")
    if here.turns:
        newest = min(filling.turns, _tokens_of_newest(here, estimate))
        older = len(here.turns) - 1
        since = here.turns[0].items[0].at
        if older:
            lines.append(f"- {amount(older, 'exchange')} since {_when(since)}: {count(filling.turns - newest)}")
        lines.append(f"- The newest exchange, of {_when(here.turns[-1].at)}: {count(newest)}")
    if filling.files:
        lines.append(f"- Pictures, PDFs and recordings: {count(filling.files)}")
    if filling.tools:
        lines.append(f"- What the model is told of its tools, beside these: {count(filling.tools)}")
    lines.append(f"- Kept free for the answer, beside these: {count(here.reserve)}")
    return lines


def _caching(caching: CachePlan) -> str:
    if not caching.enabled:
        return (
            "Prompt caching is off: messages here come so far apart that asking for it would cost more than it saves. "
            "Providers that cache by themselves may do so all the same."
        )
    return (
        f"Prompt caching is on, where the provider has it: asked for are {_span(caching)} in which what was sent is "
        "cheap to send again; providers that cache by themselves keep it for as long as they see fit."
    )


def _next_cost(here: Conversation, caching: CachePlan, usual: _Usual, desk: Desk) -> str:
    """What a usual message will cost now and, where that makes a difference, when the cache is gone."""
    now, prompt = desk.clock.now(), here.context.estimated_tokens
    is_warm = bool(here.turns) and now - here.turns[-1].at < timedelta(seconds=caching.ttl_s)
    cacheable = caching.enabled and is_warm and prompt >= _LEAST_CACHED_TOKENS
    warm, cold = (
        desk.price(
            Usage(input_tokens=prompt + usual.question, output_tokens=usual.answer, cached_tokens=cached),
            here.model,
            now,
            estimated=True,
        )
        for cached in (prompt if cacheable else 0, 0)
    )
    if warm.nano_usd is None:
        return f"What the next message will cost is unknown: there is no price for `{here.model.ref}`."
    later = "" if warm == cold else f", {money(cold.nano_usd)} when the provider's cache has forgotten the last one"
    return f"The next message will cost about {money(warm.nano_usd)}{later}."


def _usual(here: Conversation, estimate: Estimate) -> _Usual:
    last = [turn for turn in here.turns[-_LOOK_BACK:] if turn.answer]
    if not last:
        return _Usual(question=_USUAL_QUESTION, answer=_USUAL_ANSWER)
    asked = sum(estimate(item.text) for turn in last for item in turn.items)
    return _Usual(question=asked // len(last), answer=sum(estimate(turn.answer) for turn in last) // len(last))


def _tokens_of_newest(here: Conversation, estimate: Estimate) -> int:
    turn = here.turns[-1]
    return sum(map(estimate, (*(item.text for item in turn.items), turn.answer)))


def _span(caching: CachePlan) -> str:
    return amount(caching.ttl_s // 60, "minute")


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


COMMAND = Command(
    name="context",
    description="How full the model's memory of this conversation is, and what the next message costs",
    handler=_context,
    details="All tokens are estimates, which get better with every answer of a model. The cost is that of a message "
    "and an answer as the last ones here were.",
)
