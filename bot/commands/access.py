"""/access: who owns the bot and who may use it."""

from collections.abc import Iterable

from bot.core.command import Command, Desk, Invocation, Privilege
from bot.core.gate import Role, is_person
from bot.core.ports import Answer


async def _access(invocation: Invocation, desk: Desk) -> Answer:
    entries = await desk.gate.entries()
    owners = sorted(entry for entry, role in entries.items() if role == Role.OWNER)
    others = sorted(entries.keys() - set(owners))
    sections = [
        "Everyone may use me (`ACCESS=open`)." if desk.gate.open_to_all else "Only these may use me:",
        _section("Owners", owners, desk),
        _section("People", (entry for entry in others if is_person(entry)), desk),
        _section("Chats and servers", (entry for entry in others if not is_person(entry)), desk),
        "/allow and /deny change this.",
    ]
    return Answer(text="\n\n".join(section for section in sections if section))


def _section(title: str, entries: Iterable[str], desk: Desk) -> str:
    rows = [f"- `{entry}`{' (in the settings)' if desk.gate.is_fixed(entry) else ''}" for entry in entries]
    return "\n".join([f"**{title}**", *rows]) if rows else ""


COMMAND = Command(
    name="access",
    description="Who owns me and who may use me",
    handler=_access,
    privilege=Privilege.OWNER,
)
