"""One command from name to answer: find it, check who asks, read its options, run it.

Knows neither how commands arrive nor how answers leave. What the person did wrong becomes an answer; any
other error is the caller's, who alone knows how to log and explain it.
"""

from collections.abc import Mapping, Sequence
from typing import assert_never

from bot.core.command import Command, Desk, Invocation, Privilege
from bot.core.command_line import (
    check_options,
    find_command,
    nearest_command,
    parse_options,
    split_line,
    usage,
)
from bot.core.errors import LimitReached, NotAllowed, UsageError
from bot.core.formatting import excerpt
from bot.core.gate import Verdict
from bot.core.inbound import Inbound, Invoked, Pressed
from bot.core.place import ChatKind
from bot.core.ports import Answer


def open_to_strangers(commands: Sequence[Command], name: str) -> bool:
    """Whether people whom nobody has allowed yet may run the command of that name."""
    command = find_command(commands, name)
    return command is not None and command.privilege is Privilege.STRANGER


def called(inbound: Inbound) -> tuple[str, str, Mapping[str, str]]:
    """What a command or button calls: a name, the text after it, and options given by name.

    Raises:
        ValueError: the event is neither Invoked nor Pressed.
    """
    match inbound.event:
        case Invoked(name=name, text=text, options=options):
            return name, text, options
        case Pressed(line=line):
            return *split_line(line), {}
        case other:
            raise ValueError(f"not a command: {type(other).__name__}")


async def run_command(
    desk: Desk, inbound: Inbound, name: str, *, text: str = "", options: Mapping[str, str] | None = None
) -> Answer:
    """Run one of `desk.commands` with what was typed after its name, or with options given by name.

    Raises:
        ParleyError: what the handler could not do, but for UsageError, NotAllowed and LimitReached: these become
            answers.
    """
    command = find_command(desk.commands, name)
    if command is None:
        return _unknown(desk, inbound, name)
    try:
        await _check_privilege(desk, inbound, command)
        given = check_options(command, options) if options else parse_options(command, text)
        return await command.handler(Invocation(inbound=inbound, options=given), desk)
    except UsageError as error:
        return Answer(text=f"{error}\n\nUsage: `{usage(command)}`")
    except (NotAllowed, LimitReached) as error:
        return Answer(text=str(error))


async def _check_privilege(desk: Desk, inbound: Inbound, command: Command) -> None:
    """Raises NotAllowed. Whoever accepted the command asked the gate, too; it may have closed since then."""
    if command.privilege is Privilege.STRANGER:
        return
    verdict = await desk.gate.check(inbound.place, inbound.author)
    match verdict:
        case Verdict.DENIED:
            raise NotAllowed("I only talk to people whom my owner has allowed.")
        case Verdict.ALLOWED:
            if command.privilege is Privilege.OWNER:
                raise NotAllowed(f"Only an owner of this bot can use /{command.name}.")
        case Verdict.OWNER:
            pass
        case _:
            assert_never(verdict)


def _unknown(desk: Desk, inbound: Inbound, name: str) -> Answer:
    nearest = nearest_command(desk.commands, name)
    typed = isinstance(inbound.event, Invoked) and inbound.event.message_id is not None
    if nearest is None and typed and inbound.place.kind is ChatKind.SHARED:
        return Answer(text="")  # most likely meant for another bot of this chat
    hint = "" if nearest is None else f" Did you mean /{nearest.name}?"
    return Answer(text=f"I don't know `/{excerpt(name.removeprefix('/'), 32)}`.{hint} /help lists what I can do.")
