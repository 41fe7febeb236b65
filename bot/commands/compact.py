"""/compact: have what was said summarised now, and say what that saves."""

from bot.commands._conversation import call_uid, look
from bot.core.catalogue import ModelInfo
from bot.core.chores import Compaction
from bot.core.command import Command, Desk, Invocation
from bot.core.formatting import UNKNOWN, amount, cost, count, money
from bot.core.ledger import Certainty
from bot.core.list_price import list_price
from bot.core.ports import Answer


async def _compact(invocation: Invocation, desk: Desk) -> Answer:
    here = await look(invocation, desk)
    await desk.purse.admit(invocation.place, invocation.author.key, prompt_tokens=0)
    done = await desk.chores.compact(
        invocation.place,
        invocation.author.key,
        uid=call_uid(invocation, desk),
        model=here.model,
        window=here.window,
        now=desk.clock.now(),
    )
    return Answer(
        text=f"{amount(done.turns, 'older exchange')} became a summary: what was said here took about "
        f"{count(done.before_tokens)} tokens and takes about {count(done.after_tokens)} now. "
        f"{_saving(done, here.model, desk)} The summary cost {_paid(done)}."
    )


def _paid(done: Compaction) -> str:
    costs = [row.cost for row in done.rows]
    if not costs or any(each.nano_usd is None for each in costs):
        return UNKNOWN
    certainty = max((each.certainty for each in costs), key=list(Certainty).index)
    return cost(sum(each.nano_usd or 0 for each in costs), certainty)


def _saving(done: Compaction, model: ModelInfo, desk: Desk) -> str:
    saved = done.before_tokens - done.after_tokens
    price = list_price(model, desk.price, desk.clock.now())
    worth = UNKNOWN if price is None else f"about {money(saved * price.input_nano // 1_000_000)}"
    less = "" if price is None or price.is_free else ", less where a cache would have had them"
    return f"Every further message saves {count(saved)} tokens: {worth} with `{model.ref}`{less}."


COMMAND = Command(
    name="compact",
    description="Summarise what was said here, so that every further message costs less",
    handler=_compact,
    details="The two newest exchanges stay word for word. A cheap model writes the summary, which the model gets in "
    "the place of the older messages; these stay stored.",
)
