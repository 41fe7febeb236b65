"""/retry and the Retry button: answer a turn once more."""

from bot.core.command import ANOTHER_MODEL, SEEING_MODEL, Command, Desk, Invocation, Option
from bot.core.inbound import Invoked, Pressed
from bot.core.ports import Answer


async def _retry(invocation: Invocation, desk: Desk) -> Answer:
    event = invocation.inbound.event
    pressed = isinstance(event, Pressed)
    options = invocation.options
    queued = await desk.conversations.retry(
        invocation.inbound,
        turn_uid=options.get("turn"),
        replace=pressed,
        elsewhere=options.get("model") == ANOTHER_MODEL,
        seeing=options.get("model") == SEEING_MODEL,
    )
    if not queued:
        return Answer(text="There is nothing here to answer again. Just write your message.")
    # A slash command hangs until it is answered; elsewhere the new answer itself is the reply.
    slash = isinstance(event, Invoked) and event.message_id is None
    return Answer(text="Asking once more." if slash else "")


COMMAND = Command(
    name="retry",
    description="Answer the last message once more",
    handler=_retry,
    options=(
        Option(name="turn", description="Which answer, as its button names it; without it the last"),
        Option(
            name="model",
            description="Ask the model that comes next in the fallback chain, or the nearest that sees pictures",
            choices=(ANOTHER_MODEL, SEEING_MODEL),
        ),
    ),
    details="With `elsewhere` the next model of the fallback chain answers, with `seeing` the nearest that sees "
    "pictures. To ask a certain model, choose it with "
    "/model first.",
)
