"""Reads MCP_SERVERS_FILE: the JSON that other MCP clients use as well, and a few keys of our own.

Everything that is missing closes: no `tools` means none, no `who` owners alone. Starts nothing and knows no protocol.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, assert_never
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.core.errors import SettingsError
from bot.core.redaction import url_secrets
from bot.mcp.server_settings import Address, Program, ServerSettings

log = logging.getLogger(__name__)

_SETTING, _ROOT = "MCP_SERVERS_FILE", "mcpServers"
#: Of our own environment a program gets these and nothing else, least of all our keys.
_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "TZ", "LANG", "LANGUAGE")
_LOCALE = "LC_"
_NAME = re.compile(r"[\w .@/+-]{1,32}", re.ASCII)
_UNFIT = re.compile(r"[^A-Za-z0-9-]+")
#: `${TOKEN}`, `${TOKEN:-otherwise}` and `${env:TOKEN}`; anything else in `${}` is another program's invention.
_VARIABLE = re.compile(r"\$\{(?:(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|[^}]*\}?)")
_HEADER = re.compile(r"[\t -~]*")
_SECRET_NAME = re.compile(r"(?i)auth|cookie|credential|key|pass|secret|token")
_ALL = "*"
#: Other clients' keys that change nothing here.
_FOREIGN = frozenset({"description", "autoApprove", "alwaysAllow", "timeout", "trust"})


class _Entry(BaseModel):
    """One server as it is written."""

    model_config = ConfigDict(extra="allow", strict=True)

    command: Annotated[str, Field(min_length=1)] | None = None
    args: list[str] = []
    env: dict[str, str] = {}
    cwd: str | None = None
    url: str | None = None
    headers: dict[str, str] = {}
    type: Literal["stdio", "http", "streamable-http", "streamableHttp"] | None = None
    disabled: bool = False
    tools: Literal["*"] | list[str] = []
    who: Literal["owners", "everyone"] = "owners"
    read_only: bool | list[str] = False
    timeout_s: float = Field(30.0, ge=1, le=600)


class _BadEntry(Exception):
    """A server is written wrongly; the message says how, without repeating a value."""


@dataclass(slots=True)
class _Expander:
    """Puts the environment's values in, and keeps what it put in: whatever was not written down is a secret."""

    environment: Mapping[str, str]
    tokens: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> str:
        return _VARIABLE.sub(self._value, text)

    def _value(self, found: re.Match[str]) -> str:
        name, otherwise = found[1], found[2]
        if name is None:
            raise _BadEntry("`${` begins something that I cannot fill in; write ${NAME} for an environment variable")
        value = self.environment.get(name)
        if not value and otherwise is not None:
            return otherwise
        if not value:
            raise _BadEntry(f"the environment variable {name} is not set, or empty")
        if not _is_inherited(name):
            self.tokens.append(value)
        return value


def read_servers(file: Path, environment: Mapping[str, str]) -> tuple[ServerSettings, ...]:
    """The servers of the file in its order, without those that it disables.

    `environment` fills in `${NAME}`, and is where a program's PATH and the like come from.

    Raises:
        SettingsError: one line for each server that is written wrongly.
    """
    servers: list[ServerSettings] = []
    lines: list[str] = []
    for name, written in _entries(file).items():
        where = f"{_SETTING}: {file}: {name[:40]!r}"
        try:
            server = _server(name, written, environment, where)
            if server is not None and (twin := _twin(server, servers)) is not None:
                raise _BadEntry(f"its name is too much like that of {twin!r}; rename one of them")
        except _BadEntry as error:
            lines.append(f"{where}: {error}.")
        else:
            servers += [] if server is None else [server]
    if lines:
        raise SettingsError(*lines)
    return tuple(servers)


def _entries(file: Path) -> Mapping[str, object]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=_without_twins)
    except OSError as error:
        raise SettingsError(f"{_SETTING}: {file} cannot be read: {error.strerror or 'it is unreadable'}.") from None
    except json.JSONDecodeError as error:
        raise SettingsError(f"{_SETTING}: {file}:{error.lineno}: this is not JSON: {error.msg}.") from None
    except (_BadEntry, RecursionError, UnicodeDecodeError) as error:
        what = str(error) if isinstance(error, _BadEntry) else "this is not JSON"
        raise SettingsError(f"{_SETTING}: {file}: {what}.") from None
    servers = content.get(_ROOT) if isinstance(content, dict) else None
    if not isinstance(servers, dict):
        raise SettingsError(
            f'{_SETTING}: {file}: I expect {{"{_ROOT}": {{"a-name": {{"command": …}} or {{"url": …}}}}}}.'
        )
    return servers


def _without_twins(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _BadEntry(f"{twice[:40]!r} stands there twice")
    return found


def _server(name: str, written: object, environment: Mapping[str, str], where: str) -> ServerSettings | None:
    prefix = _UNFIT.sub("_", name).strip("_")
    if not _NAME.fullmatch(name) or not prefix:
        raise _BadEntry("a server's name has at most 32 letters, digits, blanks and . - _ @ / +")
    entry = _checked(written)
    if entry.disabled:
        return None
    for key in sorted((entry.model_extra or {}).keys() - _FOREIGN):
        log.warning("%s: `%s` is not a key that I know, and is left out", where, key[:40])
    expand = _Expander(environment)
    reached = _address(entry, expand) if entry.command is None else _program(entry, expand)
    return ServerSettings(
        name=name,
        prefix=prefix,
        reached=reached,
        tools=None if _ALL in entry.tools else frozenset(entry.tools),
        read_only=_read_only(entry.read_only),
        owners_only=entry.who == "owners",
        timeout_s=entry.timeout_s,
        secrets=tuple(dict.fromkeys([*expand.tokens, *_secrets_of(reached)])),
        tokens=tuple(dict.fromkeys([*expand.tokens, *_tokens_of(reached)])),
    )


def _checked(written: object) -> _Entry:
    if not isinstance(written, dict):
        raise _BadEntry('it should be an object with "command" or "url"')
    if written.get("type") == "sse":
        raise _BadEntry("the old transport over SSE is not spoken here; give the server's address for streamable HTTP")
    try:
        entry = _Entry.model_validate(written)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        path = ".".join(str(step) for step in problem["loc"] if not str(step).startswith(("list[", "literal[")))
        raise _BadEntry(f"{path}: {problem['msg']}") from None
    if (entry.command is None) == (entry.url is None):
        raise _BadEntry('it needs either "command" or "url"')
    return entry


def _program(entry: _Entry, expand: _Expander) -> Program:
    inherited = {name: value for name, value in expand.environment.items() if _is_inherited(name)}
    own = {name: expand(value) for name, value in entry.env.items()}
    command, *args = (expand(text) for text in (entry.command or "", *entry.args))
    if any("\0" in text for text in (command, *args, *own.values())):
        raise _BadEntry("a value holds a null character")
    return Program(command=command, args=tuple(args), env={**inherited, **own}, cwd=entry.cwd)


def _address(entry: _Entry, expand: _Expander) -> Address:
    url = expand(entry.url or "")
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or re.search(r"\s", url):
        raise _BadEntry("url: it should be an address like https://host/mcp")
    headers = {name: expand(value).strip() for name, value in entry.headers.items()}
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not _HEADER.fullmatch(value):
            raise _BadEntry(f"headers.{name[:40]}: it holds a line break or a character that no header has")
    return Address(url=url, headers=headers)


def _secrets_of(reached: Program | Address) -> Iterator[str]:
    """Everything that the operator wrote for this server alone: more than is secret, but not for the log."""
    match reached:
        case Address(url=url, headers=headers):
            yield from url_secrets(url)
            yield from (value for _, value in parse_qsl(urlsplit(url).query))
            for value in headers.values():
                yield from _pieces(value)
        case Program(env=env):
            yield from (value for name, value in env.items() if not _is_inherited(name))
        case _:
            assert_never(reached)


def _tokens_of(reached: Program | Address) -> Iterator[str]:
    """What is called a key, token or password."""
    if isinstance(reached, Address):
        yield from url_secrets(reached.url)
    named = reached.headers if isinstance(reached, Address) else reached.env
    for name, value in named.items():
        if _SECRET_NAME.search(name):
            yield from _pieces(value)


def _pieces(value: str) -> tuple[str, ...]:
    """Of `Bearer abc` the second word may be quoted alone."""
    return value, *value.split()[-1:]


def _is_inherited(name: str) -> bool:
    return name in _INHERITED or name.startswith(_LOCALE)


def _read_only(written: bool | list[str]) -> frozenset[str] | None:
    match written:
        case True:
            return None
        case False:
            return frozenset()
        case list():
            return None if _ALL in written else frozenset(written)


def _twin(server: ServerSettings, others: Sequence[ServerSettings]) -> str | None:
    """The name of another one whose tools would be called the same."""
    alike = (other.name for other in others if other.prefix.lower() == server.prefix.lower())
    return next(alike, None)
