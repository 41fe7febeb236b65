"""/speak: read an answer out, as a voice message where the platform has them."""

from bot.commands._conversation import call_uid
from bot.core.command import Command, Desk, Invocation, Option
from bot.core.inbound import Invoked, Pressed
from bot.core.ports import Answer
from bot.core.spoken import cut, spoken
from bot.core.tokens import estimate_tokens
from bot.core.turn_record import TurnRecord

_NOTHING = "There is no answer here to read out yet."


async def _speak(invocation: Invocation, desk: Desk) -> Answer:
    turn = await _turn(invocation, desk)
    if turn is None or not turn.answer:
        return Answer(text=_NOTHING)
    if desk.speaking.model is not None:
        tokens = estimate_tokens(cut(spoken(turn.answer)))
        await desk.purse.admit(invocation.place, invocation.author.key, prompt_tokens=tokens)
    notice = await desk.speaking.say(
        invocation.place,
        invocation.author.key,
        call_uid(invocation, desk),
        turn.answer,
        reply_to=_reply_to(invocation, turn),
    )
    # The voice message is the answer; a platform that shows the command as pending needs to hear that it is over.
    return Answer(text=notice or "")


async def _turn(invocation: Invocation, desk: Desk) -> TurnRecord | None:
    """The turn that a button names, if it is one of this conversation; else the last."""
    key, uid = invocation.place.thread_key, invocation.options.get("turn")
    turn = await (desk.turns.last(key) if uid is None else desk.turns.load(uid))
    return turn if turn is not None and turn.thread_key == key else None


def _reply_to(invocation: Invocation, turn: TurnRecord) -> str | None:
    """The message that asked for it; a slash command has none, so the answer that is read."""
    match invocation.inbound.event:
        case Invoked(message_id=str() as message_id) | Pressed(message_id=message_id):
            return message_id
        case _:
            return turn.message_ids[-1] if turn.message_ids else None


COMMAND = Command(
    name="speak",
    description="Read the last answer out",
    handler=_speak,
    options=(Option(name="turn", description="Which answer, as its button names it; without it the last"),),
    details="It comes as a voice message where the chat has them, else as a file. At most about five minutes are read; "
    "code, tables and addresses are left out or said shortly. It is charged like any other call.",
)
