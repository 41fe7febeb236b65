"""/allow: let a person, a chat or a server in."""

from bot.core.command import Command, Desk, Invocation, Option, Privilege
from bot.core.gate import is_person, parse_entry
from bot.core.ports import Answer


async def _allow(invocation: Invocation, desk: Desk) -> Answer:
    entry = parse_entry(invocation.options["entry"])
    if entry in await desk.gate.entries():
        return Answer(text=f"`{entry}` is allowed already.")
    await desk.gate.admit(entry)
    who = "They can" if is_person(entry) else "Everyone there can"
    return Answer(text=f"Allowed: `{entry}`. {who} use me now; `/deny {entry}` takes it back.")


COMMAND = Command(
    name="allow",
    description="Let a person, a chat or a server use me",
    handler=_allow,
    options=(Option(name="entry", description="Who, for example telegram:456", required=True),),
    privilege=Privilege.OWNER,
    details="People are `telegram:456` or `discord:123`, chats `telegram:chat:-100123` or "
    "`discord:channel:123`, servers `discord:guild:123`. Someone who is turned away is told what to ask for.",
)
