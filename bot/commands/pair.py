"""/pair: the first person with the code from the log becomes the owner."""

from bot.core.command import Command, Desk, Invocation, Option, Privilege
from bot.core.gate import Role
from bot.core.ports import Answer


async def _pair(invocation: Invocation, desk: Desk) -> Answer:
    author = invocation.author
    if await desk.gate.is_owner(author):
        return Answer(text="You own me already. /allow lets others in.")
    if author.is_bot or await desk.gate.has_owner():
        return Answer(text=await desk.gate.refusal(invocation.place, author) or "")
    if not desk.pairing.attempt(invocation.options["code"]):
        return Answer(
            text="That is not the code. It stands in my log after the words `pairing code`; an hour or five "
            "wrong tries make a new one."
        )
    await desk.gate.admit(author.key, Role.OWNER)
    return Answer(
        text=f"You own me now (`{author.key}`). Only you can use me so far: /allow lets people, chats and "
        "servers in, /access lists them. Write me something to begin."
    )


COMMAND = Command(
    name="pair",
    description="Become the owner of a new bot with the code from its log",
    handler=_pair,
    options=(Option(name="code", description="The pairing code", required=True, rest=True),),
    privilege=Privilege.STRANGER,
    details="The code is printed to the log when the bot starts and has no owner. The settings can name owners, too.",
)
