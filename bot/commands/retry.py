"""/retry and the Retry button: answer a turn once more."""

from bot.core.command import Command, Desk, Invocation, Option
from bot.core.inbound import Invoked, Pressed
from bot.core.ports import Answer


async def _retry(invocation: Invocation, desk: Desk) -> Answer:
    event = invocation.inbound.event
    pressed = isinstance(event, Pressed)
    turn_uid = invocation.options.get("turn")
    if not await desk.conversations.retry(invocation.inbound, turn_uid=turn_uid, replace=pressed):
        return Answer(text="There is nothing here to answer again. Just write your message.")
    # A slash command hangs until it is answered; elsewhere the new answer itself is the reply.
    slash = isinstance(event, Invoked) and event.message_id is None
    return Answer(text="Asking once more." if slash else "")


COMMAND = Command(
    name="retry",
    description="Answer the last message once more",
    handler=_retry,
    options=(Option(name="turn", description="Which answer, as its button names it; without it the last"),),
    details="To ask another model, choose it with /model first.",
)
