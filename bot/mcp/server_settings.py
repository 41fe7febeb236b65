"""What the operator says of one MCP server: how to reach it, and what of it may run.

Values only; where they are written is the business of `servers_file`. Whatever may be secret stays out of `repr`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A server that is started as a child and spoken to over its standard input and output.

    `env` is its whole environment. `cwd` None: the folder that Parley runs in.
    """

    command: str
    args: tuple[str, ...] = field(default=(), repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server that runs elsewhere, spoken to over streamable HTTP."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """One server. `prefix` begins its tools' names for models, is unique and holds no `__`.

    `tools` are the server's own names of those that may run; None: all, empty: none. `read_only` are those that the
    operator takes to change nothing; None: all. `secrets` must not get into any log line, and those among them that are
    sure to be some, `tokens`, not into results either.
    """

    name: str
    prefix: str
    reached: Program | Address
    tools: frozenset[str] | None = frozenset()
    read_only: frozenset[str] | None = frozenset()
    owners_only: bool = True
    timeout_s: float = 30.0
    secrets: tuple[str, ...] = field(default=(), repr=False)
    tokens: tuple[str, ...] = field(default=(), repr=False)
