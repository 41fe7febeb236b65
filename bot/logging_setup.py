"""Where log lines go and what they look like; no secret gets into one.

Text or JSON, one line for each event, context from `extra=` at its end. Knows no platform and no provider but
by the names of their libraries' loggers, which are noisy and quote URLs.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from bot.core.redaction import Redactor
from bot.settings import LogFormat, Settings

LOG_FILE = "parley.log"
_LOG_FILE_BYTES = 5_000_000
#: They report what we report ourselves, at DEBUG with whole requests.
_QUIET = ("httpx", "httpcore", "httpx2", "httpcore2", "telegram", "discord", "pymongo", "openai", "asyncio")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class TextFormatter(logging.Formatter):
    """`2026-11-21T03:13:29.120Z INFO bot.core.engine: the message name=value`, then a traceback if any."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        message = _CONTROL.sub(_escaped, self._redact(record.getMessage()))
        context = "".join(
            f" {name}={_CONTROL.sub(_escaped, self._redact(str(value)))}" for name, value in _context(record)
        )
        line = f"{_time_of(record)} {record.levelname} {record.name}: {message}{context}"
        trace = _trace(self, record)
        return f"{line}\n{self._redact(trace)}" if trace else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, `trace` if any, and the context."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": _time_of(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self._redact(record.getMessage()),
        }
        if trace := _trace(self, record):
            fields["trace"] = self._redact(trace)
        for name, value in _context(record):
            plain = value is None or isinstance(value, int | float)
            fields.setdefault(name, value if plain else self._redact(str(value)))
        return json.dumps(fields, ensure_ascii=False)


def configure_logging(settings: Settings, *, to_file: bool, quiet: bool = False, stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (None: standard error) or, with `to_file`, to parley.log in `DATA_DIR`.

    `quiet`: nothing below WARNING, unless DEBUG is wanted. Replaces what was configured before.

    Raises:
        OSError: the file cannot be written.
    """
    redact = Redactor(settings.secrets)
    handler = _file_handler(settings.data_dir) if to_file else logging.StreamHandler(stream or sys.stderr)
    json_wanted = settings.log_format is LogFormat.JSON
    handler.setFormatter(JsonFormatter(redact) if json_wanted else TextFormatter(redact))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(settings.log_level)
    if quiet and root.level > logging.DEBUG:
        root.setLevel(max(logging.WARNING, root.level))
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)


def _file_handler(data_dir: Path) -> logging.Handler:
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = data_dir / LOG_FILE
    path.touch(mode=0o600)
    return RotatingFileHandler(path, maxBytes=_LOG_FILE_BYTES, backupCount=2, encoding="utf-8")


def _time_of(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """Traceback and stack; not kept on the record, where another handler would find it unredacted."""
    parts = [formatter.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
    if record.stack_info:
        parts.append(formatter.formatStack(record.stack_info))
    return "\n".join(parts)


def _context(record: logging.LogRecord) -> list[tuple[str, object]]:
    return [(name, value) for name, value in vars(record).items() if name not in _STANDARD]


def _escaped(control: re.Match[str]) -> str:
    return control[0].encode("unicode_escape").decode("ascii")
