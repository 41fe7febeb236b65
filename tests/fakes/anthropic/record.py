"""What the fake writes down. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.script import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request as it arrived, refused ones too; header names lower case."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What one call costs, in tokens; `completed` False means cut off, billed as far as it was streamed."""

    model: str
    usage: Usage
    completed: bool
