"""/deny: take back what /allow or /pair gave."""

from bot.core.command import Command, Desk, Invocation, Option, Privilege
from bot.core.errors import NotAllowed
from bot.core.gate import parse_entry
from bot.core.ports import Answer


async def _deny(invocation: Invocation, desk: Desk) -> Answer:
    entry = parse_entry(invocation.options["entry"])
    if entry == invocation.author.key:
        raise NotAllowed("That is you: another owner has to do that.")
    if desk.gate.is_fixed(entry):
        raise NotAllowed(f"`{entry}` stands in the settings (OWNERS or ALLOW) and can only be taken out there.")
    if not await desk.gate.expel(entry):
        return Answer(text=f"`{entry}` was not allowed; /access lists who is.")
    still = " As `ACCESS=open`, they can still use me." if desk.gate.open_to_all else ""
    return Answer(text=f"No longer allowed: `{entry}`.{still}")


COMMAND = Command(
    name="deny",
    description="No longer let a person, a chat or a server use me",
    handler=_deny,
    options=(Option(name="entry", description="Who, as /access lists them", required=True),),
    privilege=Privilege.OWNER,
    details="It takes the same notation as /allow. What stands in the settings stays until they change.",
)
