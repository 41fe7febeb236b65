"""Typing on a real terminal: line editing, history, completion of commands, Ctrl-C while it answers.

The only module that knows prompt_toolkit. Owns the keyboard; what is typed while an answer is written is kept
for the next prompt.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import Output

from adapters.terminal.attaching import ATTACH, last_path
from bot.core.command import Command

_PROMPT = "> "


class Interrupted(Exception):
    """The prompt had to make room; what was typed so far is kept."""


class CommandCompleter(Completer):
    """Completes the names of commands, then the choices of their options, and the paths of `/attach`."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self._commands = {f"/{command.name}": command for command in commands}
        self._names = {name: command.description for name, command in self._commands.items()}
        self._names[ATTACH] = "Ask about files of this computer"
        self._files = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        typed = document.text_before_cursor
        name, space, rest = typed.partition(" ")
        if not space:
            for line, description in self._names.items():
                if typed.startswith("/") and line.startswith(typed.lower()):
                    yield Completion(line, start_position=-len(typed), display_meta=description)
        elif name == ATTACH:
            yield from self._paths(rest, complete_event)
        elif name in self._commands:
            word = rest.rpartition(" ")[2].lower()
            choices = (choice for option in self._commands[name].options for choice in option.choices)
            for choice in choices:
                if choice.startswith(word):
                    yield Completion(choice, start_position=-len(word))

    def _paths(self, rest: str, event: CompleteEvent) -> Iterable[Completion]:
        """What the last word may go on with; a whole folder is listed only when it is asked for."""
        path, quoted = last_path(rest)
        if not path and not event.completion_requested:
            return
        for found in self._files.get_completions(Document(path), event):
            text = found.text if quoted else found.text.replace(" ", "\\ ")
            yield Completion(text, start_position=0, display=found.display)


class Prompt:
    """Asks for lines. `input` and `output` None: the process's terminal."""

    def __init__(
        self,
        history: Path,
        commands: Sequence[Command],
        *,
        input: Input | None = None,  # noqa: A002  # prompt_toolkit's name
        output: Output | None = None,
    ) -> None:
        history.touch(mode=0o600)
        self._kept = ""
        self._unwelcome = False
        self._session: PromptSession[str] = PromptSession(
            _PROMPT,
            history=FileHistory(str(history)),
            completer=CommandCompleter(commands),
            complete_while_typing=True,
            reserve_space_for_menu=4,
            key_bindings=_bindings(),
            input=input,
            output=output,
        )

    async def ask(self) -> str | None:
        """What was typed; None for Ctrl-D or Ctrl-C.

        Raises:
            Interrupted: `interrupt` was called.
        """
        kept, self._kept, self._unwelcome = self._kept, "", False
        try:
            # Signals are the process's business: prompt_toolkit would take its handler away.
            return await self._session.prompt_async(default=kept, handle_sigint=False, pre_run=self._leave_again)
        except (EOFError, KeyboardInterrupt):
            return None
        finally:
            self._session.app.erase_when_done = False

    def interrupt(self) -> None:
        """Make `ask` raise Interrupted and take its line off the screen."""
        app = self._session.app
        self._unwelcome = True  # it may be just about to come
        if app.is_running and not app.is_done:
            self._kept = self._session.default_buffer.text
            app.erase_when_done = True
            app.exit(exception=Interrupted())

    def _leave_again(self) -> None:
        if self._unwelcome:
            self.interrupt()

    @contextmanager
    def listening(self, on_stop: Callable[[], object]) -> Iterator[None]:
        """Between prompts: Ctrl-C calls `on_stop`, any other key waits for the next prompt."""
        keyboard = self._session.app.input

        def read() -> None:
            for press in keyboard.read_keys():
                if press.key == Keys.ControlC:
                    on_stop()
                elif press.key != Keys.CPRResponse:
                    store_typeahead(keyboard, [press])

        with keyboard.raw_mode(), keyboard.attach(read):
            yield


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        """Alt-Enter begins a new line in the same message."""
        event.current_buffer.insert_text("\n")

    return bindings
