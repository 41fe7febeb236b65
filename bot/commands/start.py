"""/start: a short welcome; some platforms send it by themselves when someone opens a chat with the bot."""

from bot.commands._target import default_model
from bot.core.command import Command, Desk, Invocation
from bot.core.place import ChatKind
from bot.core.ports import Answer


async def _start(invocation: Invocation, desk: Desk) -> Answer:
    private = invocation.place.kind is ChatKind.PRIVATE
    how = "Just write to me." if private else "Mention me, or reply to one of my messages, and I answer."
    default = await default_model(desk)
    model = (
        "No model is configured yet."
        if default is None
        else f"Where nobody chose another model, `{default}` answers: /model changes that."
    )
    return Answer(
        text=f"Hello! I pass what you write to a language model and bring back its answer. {how}\n\n"
        f"{model} /new starts afresh, /help lists the rest."
    )


COMMAND = Command(name="start", description="What this bot is and how to begin", handler=_start)
