"""`python -m tests.adapters.terminal.echo_chat FOLDER`: the terminal chat over `EchoCore`, for a pty.

A message `later` makes an answer to something older arrive while the next prompt waits for input.
"""

import asyncio
import sys
from pathlib import Path

from adapters.terminal.adapter import Console, TerminalAdapter
from bot.core.clock import SystemClock
from bot.core.command import Command, Desk, Invocation
from bot.core.inbound import Inbound, Said
from bot.core.ports import Answer
from tests.adapters.terminal.echo_core import EchoCore

UNASKED_AFTER_S = 0.2


async def _handler(invocation: Invocation, desk: Desk) -> Answer:
    raise AssertionError("the echo runs no handler")


class LaterCore(EchoCore):
    """Answers `later` at once, and something older a little later."""

    async def accept(self, inbound: Inbound) -> None:
        await super().accept(inbound)
        if isinstance(inbound.event, Said) and inbound.event.text == "later":
            place = inbound.place
            asyncio.get_running_loop().call_later(UNASKED_AFTER_S, lambda: self.answer_unasked(place, "From before"))


async def _model() -> str:
    return "demo/echo"


async def _chat(data_dir: Path) -> None:
    async with asyncio.TaskGroup() as group:
        core = LaterCore(group)
        adapter = TerminalAdapter(
            Console(stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr),
            data_dir=data_dir,
            commands=(Command(name="help", description="Help", handler=_handler),),
            idle=core.idle,
            model=_model,
            clock=SystemClock(),
        )
        core.messenger = lambda: adapter.messenger
        await adapter.run(core.accept, lambda account: None)


if __name__ == "__main__":
    asyncio.run(_chat(Path(sys.argv[1])))
    print("left well")
