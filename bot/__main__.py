"""The command line: from arguments and environment to Settings, to the app, to an exit code.

The only reader of the environment and the only place with exit codes: 0 fine, 1 a check failed or a crash,
2 wrong usage or configuration. Decides nothing else.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from io import TextIOWrapper

from bot import app
from bot.core.errors import SettingsError, StorageUnavailable
from bot.core.redaction import Redactor
from bot.doctor import print_checks, warning
from bot.logging_setup import LOG_FILE, configure_logging
from bot.settings import Settings, load_settings, misspelt, with_env_file

log = logging.getLogger(__name__)

FINE, FAILED, WRONG = 0, 1, 2

_EPILOG = """\
settings:
  Everything is set by environment variables, or by lines NAME=value in the file .env of the folder in which
  parley is started (the environment wins). Nothing has to be set; .env.example and the README list all.

examples:
  parley chat                              talk to it here
  echo "What is MongoDB?" | parley chat    one message a line, answers on standard output
  DISCORD_TOKEN=... parley run             serve every platform whose token is set
  parley doctor                            check tokens, keys, MongoDB and the clock
  parley models llama                      models that can be asked and have "llama" in their name

exit codes: 0 fine, 1 a check failed or a crash, 2 wrong usage or configuration
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; `argv` None: the process's arguments. Returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 must not end the bot
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return FINE
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        return _wrong(*error.lines)
    redact = Redactor(settings.secrets)
    try:
        return _command(arguments, settings, redact)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return FAILED
    except BrokenPipeError:  # whoever read us has gone; `_flush` keeps the interpreter quiet about it
        return FAILED
    except Exception as error:
        return _report(error, redact)
    finally:
        _flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="parley",
        description="A self-hosted chat bot for Discord, Telegram and the terminal.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"parley {version('parley')}")
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")
    commands.add_parser("run", help="serve every platform whose token is set; with none, chat in the terminal")
    commands.add_parser("chat", help="chat in the terminal, or answer the lines of standard input")
    commands.add_parser("doctor", help="check everything that is configured and say what to do")
    commands.add_parser("rebuild-costs", help="add up the sums of /cost anew from the single calls; safe at any time")
    models = commands.add_parser("models", help="list the models that can be asked")
    models.add_argument("query", nargs="*", help="only those that have these words in their name")
    return parser


def _command(arguments: argparse.Namespace, settings: Settings, redact: Redactor) -> int:
    match arguments.command:
        case "run":
            return _run(settings)
        case "chat":
            return _serve(settings, terminal=True)
        case "doctor":
            _start_logging(settings, to_file=False, quiet=True)
            checks = [
                *map(warning, misspelt(os.environ)),
                *asyncio.run(app.doctor(settings, with_env_file(os.environ))),
            ]
            return print_checks(checks, sys.stdout, redact)
        case "rebuild-costs":
            _start_logging(settings, to_file=False, quiet=True)
            print(asyncio.run(app.rebuild_costs(settings)))
            return FINE
        case _:
            _start_logging(settings, to_file=False, quiet=True)
            print(asyncio.run(app.models(settings, " ".join(arguments.query))))
            return FINE


def _run(settings: Settings) -> int:
    terminal = not app.has_platform(settings)
    tokens = app.token_settings()
    if terminal and not sys.stdin.isatty():
        return _wrong(
            f"No platform is configured: set {' or '.join(tokens)} in the environment or in .env; "
            "`parley chat` talks through standard input and output."
        )
    if terminal:
        print(f"No {' and no '.join(tokens)} is set: this is the terminal chat.", file=sys.stderr)
    return _serve(settings, terminal=terminal)


def _serve(settings: Settings, *, terminal: bool) -> int:
    to_file = terminal and sys.stdin.isatty()
    _start_logging(settings, to_file=to_file)
    for line in misspelt(os.environ):
        log.warning("%s", line)
        if to_file:
            print(f"warning: {line}", file=sys.stderr)
    asyncio.run(_until_signalled(settings, terminal=terminal))
    return FINE


async def _until_signalled(settings: Settings, *, terminal: bool) -> None:
    """Run the app. The first signal asks it to end well, the second ends it now, the third kills it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(
            app.run(settings, stop=stop, terminal=terminal, environment=with_env_file(os.environ))
        )

        def on_signal() -> None:
            if not stop.is_set():
                log.info("stopping; a second signal stops at once")
                stop.set()
            elif not running.cancelling():
                running.cancel()
            else:
                os._exit(FAILED)

        for number in _ending_signals():
            loop.add_signal_handler(number, on_signal)
    if running.cancelled():
        raise asyncio.CancelledError


def _ending_signals() -> tuple[signal.Signals, ...]:
    """A hang-up (the terminal window was closed) counts, unless `nohup` said that it does not."""
    ending = (signal.SIGINT, signal.SIGTERM)
    return ending if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*ending, signal.SIGHUP)


def _start_logging(settings: Settings, *, to_file: bool, quiet: bool = False) -> None:
    try:
        configure_logging(settings, to_file=to_file, quiet=quiet)
    except OSError as error:
        folder = settings.data_dir
        raise SettingsError(f"DATA_DIR is “{folder}”: {LOG_FILE} cannot be written ({error.strerror}).") from None


def _wrong(*lines: str) -> int:
    for line in lines:
        print(f"parley: {line}", file=sys.stderr)
    return WRONG


def _report(error: Exception, redact: Redactor) -> int:
    """One line for each thing that went wrong; the traceback is for the log at DEBUG."""
    log.debug("ended by an error", exc_info=error)
    leaves = _leaves(error)
    lines = [line for leaf in leaves if isinstance(leaf, SettingsError) for line in leaf.lines]
    if lines:
        return _wrong(*map(redact, dict.fromkeys(lines)))
    for leaf in leaves:
        print(f"parley: {_one_line(redact(_crash_words(leaf)))}", file=sys.stderr)
    return FAILED


def _leaves(error: BaseException) -> tuple[BaseException, ...]:
    """The errors inside of (nested) groups, which TaskGroups make."""
    if isinstance(error, BaseExceptionGroup):
        return tuple(leaf for each in error.exceptions for leaf in _leaves(each))
    return (error,)


def _crash_words(error: BaseException) -> str:
    if isinstance(error, StorageUnavailable):
        return f"{str(error).rstrip('.')}. {error.remedy}"
    return (
        f"ended by an error of its own, {type(error).__name__}: {error}. Start it again, nothing accepted is "
        "lost; if it happens again, set LOG_LEVEL=DEBUG and report the traceback."
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has gone (`parley models | head`); the interpreter would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
