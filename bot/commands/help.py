"""/help: the table of commands, or all there is to say of one."""

from bot.core.command import Command, Complete, Desk, Invocation, Option, Privilege
from bot.core.command_line import find_command, nearest_command, usage
from bot.core.errors import UsageError
from bot.core.formatting import excerpt
from bot.core.ports import Answer


async def _help(invocation: Invocation, desk: Desk) -> Answer:
    name = invocation.options.get("command")
    if name is not None:
        return Answer(text=_about_one(desk, name))
    owner = await desk.gate.is_owner(invocation.author)
    rows = [
        f"- `{usage(command)}`: {command.description}"
        for command in desk.commands
        if owner or command.privilege is not Privilege.OWNER
    ]
    return Answer(text="\n".join(["**What I can do**", "", *rows, "", "`/help model` says more about one of them."]))


def _about_one(desk: Desk, name: str) -> str:
    command = find_command(desk.commands, name)
    if command is None:
        nearest = nearest_command(desk.commands, name)
        hint = "" if nearest is None else f" Did you mean `{nearest.name}`?"
        raise UsageError(f"There is no command `{excerpt(name, 32)}`.{hint}")
    options = [f"- `{option.name}`: {_option_text(option)}" for option in command.options]
    parts = [f"`{usage(command)}`", f"{command.description}.", "\n".join(options), command.details]
    return "\n\n".join(part for part in parts if part)


def _option_text(option: Option) -> str:
    choices = ", ".join(f"`{choice}`" for choice in option.choices)
    return f"{option.description} ({choices})" if choices else option.description


COMMAND = Command(
    name="help",
    description="What I can do, or more about one command",
    handler=_help,
    options=(Option(name="command", description="The command to explain", complete=Complete.COMMAND),),
)
