"""The terminal chat: one person, one private conversation, on a screen or through a pipe.

Asks for a line, hands it to the core and waits for its outcome before it asks again. Knows nothing of models;
which one answers is told by the composition root for the welcome line.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from adapters.terminal import attaching
from adapters.terminal.account import claim_account
from adapters.terminal.inbound import PLATFORM, Translator
from adapters.terminal.lines import LineReader
from adapters.terminal.messenger import TerminalMessenger
from adapters.terminal.prompt import Interrupted, Prompt
from adapters.terminal.screen import LiveScreen, PipeScreen, Screen
from bot.core.command import Command
from bot.core.errors import DeliveryError, StorageUnavailable, UsageError, explain
from bot.core.inbound import Inbound, Invoked
from bot.core.ports import Accept, Clock, Messenger, Ready

HISTORY_FILE = "terminal-history"
#: Where files that answers come with are saved.
FILES_FOLDER = "files"


def random_id() -> str:
    """16 hexadecimal digits."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The process's three streams."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO

    @property
    def interactive(self) -> bool:
        """Whether a person sits in front of it."""
        return self.stdin.isatty() and self.stdout.isatty()


class TerminalAdapter:
    """`Adapter` for one chat. `run` returns when the person leaves or the input ends.

    `idle` waits until the engine runs nothing: with an outcome written, that means that a line is answered.
    `model` gives the name of the model for the welcome line.
    """

    def __init__(
        self,
        console: Console,
        *,
        data_dir: Path,
        commands: Sequence[Command],
        idle: Callable[[], Awaitable[None]],
        model: Callable[[], Awaitable[str]],
        clock: Clock,
        new_id: Callable[[], str] = random_id,
    ) -> None:
        self._console = console
        self._data_dir = data_dir
        self._commands = commands
        self._idle = idle
        self._model = model
        self._clock = clock
        self._new_id = new_id
        self._prompt: Prompt | None = None
        self._live = LiveScreen(console.stdout, interrupt=self._make_room) if console.interactive else None
        self._screen: Screen = self._live or PipeScreen(console.stdout, console.stderr)
        self._messenger = TerminalMessenger(
            self._screen, streams=self._live is not None, new_id=new_id, folder=data_dir / FILES_FOLDER
        )

    @property
    def platform(self) -> str:
        return PLATFORM

    @property
    def messenger(self) -> Messenger:
        return self._messenger

    async def run(self, accept: Accept, ready: Ready) -> None:
        with claim_account(self._data_dir) as account:
            translator = Translator(account, clock=self._clock, new_id=self._new_id)
            ready(translator.place.account_key)
            try:
                if self._live is None:
                    await self._through_pipe(accept, translator)
                else:
                    await self._on_screen(self._live, accept, translator)
            except* DeliveryError:
                pass  # nobody reads any more: that is the end of the chat, too
            finally:
                if self._live is not None:
                    self._live.free.set()

    async def aclose(self) -> None:
        """The streams are the process's own."""

    async def _through_pipe(self, accept: Accept, translator: Translator) -> None:
        lines = LineReader(self._console.stdin.fileno())
        while not self._messenger.gone and (line := await lines.next()) is not None:
            inbound = await self._read(line, translator)
            if inbound is not None:
                await self._answered(accept, inbound)
        await self._idle()

    async def _read(self, line: str, translator: Translator) -> Inbound | None:
        """A line as an event; None when there is nothing to hand on. Files are this door's own affair."""
        if attaching.asks_how(line):
            self._screen.note(attaching.HELP)
            return None
        try:
            attached = await asyncio.to_thread(attaching.parse, line)
        except UsageError as error:
            self._screen.note(str(error))
            return None
        return translator.translate(line) if attached is None else translator.ask_about(attached)

    async def _answered(self, accept: Accept, inbound: Inbound) -> None:
        """Return when the outcome of `inbound` is out.

        A message may have to wait for the lease of a killed process to run out: then nothing runs here yet,
        and only the first words tell that the lane is ours. A lane ends when nothing waits in it any more.
        """
        self._messenger.own.add(inbound.uid)
        before = self._messenger.written
        if not await self._accepted(accept, inbound):
            return
        await self._idle()
        await self._messenger.more_than(before)
        await self._idle()
        self._messenger.end_message()
        if isinstance(inbound.event, Invoked) and (inbound.event.name, inbound.event.text) == ("help", ""):
            self._screen.note(attaching.HELP)

    async def _accepted(self, accept: Accept, inbound: Inbound) -> bool:
        """Hand it over; False: it could not be stored, and nobody but the person can send it again."""
        try:
            await accept(inbound)
        except StorageUnavailable as error:
            self._screen.note(f"{explain(error, reference='').what} Please send that again later.")
            return False
        return True

    # --- on a screen ---

    async def _on_screen(self, live: LiveScreen, accept: Accept, translator: Translator) -> None:
        self._prompt = prompt = Prompt(self._data_dir / HISTORY_FILE, self._commands)
        live.write(await self._welcome())
        while not self._messenger.gone:
            live.free.clear()
            try:
                line = await prompt.ask()
            except Interrupted:
                live.free.set()
                await self._watched(prompt, accept, translator, self._idle_and_end())
                continue
            live.free.set()
            if line is None:
                return
            inbound = await self._read(line, translator)
            if inbound is not None:
                live.indicate(True)
                await self._watched(prompt, accept, translator, self._answered(accept, inbound))
                live.write("\n")

    async def _idle_and_end(self) -> None:
        await self._idle()
        self._messenger.end_message()

    async def _watched(
        self, prompt: Prompt, accept: Accept, translator: Translator, answering: Awaitable[None]
    ) -> None:
        """Wait for an answer; Ctrl-C stops it and nothing else."""
        async with asyncio.TaskGroup() as group:

            async def stop() -> None:
                await self._accepted(accept, translator.stop())

            with prompt.listening(lambda: group.create_task(stop())):
                await answering

    def _make_room(self) -> None:
        if self._prompt is not None:
            self._prompt.interrupt()

    async def _welcome(self) -> str:
        return (
            f"Parley · {await self._model()} · /help lists what I can do, {attaching.ATTACH} asks about a file,"
            " Ctrl-C stops an answer, Ctrl-D leaves.\n\n"
        )
