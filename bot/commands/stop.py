"""/stop and the Stop button: drop what waits, end what runs."""

import asyncio

from bot.commands._target import manages
from bot.core.command import Command, Desk, Invocation, Option, StopReport
from bot.core.formatting import amount
from bot.core.inbound import Pressed
from bot.core.place import ChatKind
from bot.core.ports import Answer

MANAGES_PATIENCE_S = 1.0


async def _stop(invocation: Invocation, desk: Desk) -> Answer:
    turn_uid = invocation.options.get("turn")
    may_stop_others = await _may_stop_others(invocation, desk)  # takes a while, in which the turn may end
    if turn_uid is not None and await desk.turns.load(turn_uid) is not None:
        return Answer(text="That answer has ended already.")
    report = await desk.conversations.stop(invocation.place, invocation.author, may_stop_others=may_stop_others)
    if not report.running and not report.withdrawn:
        return Answer(text="There is nothing of yours to stop here.")
    if isinstance(invocation.inbound.event, Pressed) and not report.withdrawn:
        return Answer(text="")  # the answer itself shows that it was stopped
    return Answer(text=_words(report))


async def _may_stop_others(invocation: Invocation, desk: Desk) -> bool:
    """A platform that is slow to tell who manages the chat must not hold up stopping one's own answer."""
    if invocation.place.kind is ChatKind.PRIVATE:
        return True
    try:
        async with asyncio.timeout(MANAGES_PATIENCE_S):
            return await manages(invocation, desk)
    except TimeoutError:
        return False


def _words(report: StopReport) -> str:
    dropped = f"{amount(report.withdrawn, 'waiting message')} dropped" if report.withdrawn else ""
    stopped = "Stopped" if report.running else ""
    return f"{', '.join(part for part in (stopped, dropped) if part)}."


COMMAND = Command(
    name="stop",
    description="Stop the answer that is being written and drop your waiting messages",
    handler=_stop,
    options=(Option(name="turn", description="Which answer, as its button names it; without it the running one"),),
    details="What was written so far stays. Others' answers can be stopped by those who manage the chat.",
)
