"""A request body as the text that a model would read: token estimates, and the cache of prefixes."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.anthropic.models import FakeModel

CHARACTERS_PER_TOKEN = 4
FILE_TOKENS = 1_500
LOOK_BACK_BLOCKS = 20
TTL_S = {"5m": 300.0, "1h": 3_600.0}


def estimate_tokens(characters: int) -> int:
    """Characters / 4, rounded up."""
    return math.ceil(characters / CHARACTERS_PER_TOKEN)


def merged(messages: list[Any]) -> list[dict[str, Any]]:
    """Messages as the API reads them: content as blocks, neighbours of one role combined."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
        if turns and turns[-1]["role"] == message["role"]:
            turns[-1]["content"].extend(blocks)
        else:
            turns.append({"role": message["role"], "content": blocks})
    return turns


def prompt_blocks(body: Mapping[str, Any]) -> list[str]:
    """The prompt in the order in which it is cached: tools, system, then every block of every message."""
    blocks = [json.dumps(tool, sort_keys=True) for tool in body.get("tools") or ()]
    system = body.get("system")
    blocks += [system] if isinstance(system, str) and system else [each["text"] for each in system or ()]
    for message in merged(body["messages"]):
        blocks += [_block_text(message["role"], block) for block in message["content"]]
    return blocks


def prompt_tokens(body: Mapping[str, Any]) -> int:
    """Of the whole prompt."""
    return estimate_tokens(sum(map(len, prompt_blocks(body))))


def _block_text(role: str, block: Mapping[str, Any]) -> str:
    if block["type"] == "text":
        return str(block["text"])
    text = json.dumps(block, sort_keys=True)
    if block["type"] not in ("image", "document"):
        return text
    digest = hashlib.sha256((role + text).encode()).hexdigest()
    return digest.ljust(FILE_TOKENS * CHARACTERS_PER_TOKEN, ".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """What the cache did for one prompt, in tokens."""

    read: int = 0
    written: int = 0
    written_1h: int = 0


class PrefixCache:
    """The API's cache: an entry where a request put its mark, found again from up to 20 blocks further on.

    An entry lives as long as it was written for, anew with each use.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[str, tuple[float, float]] = {}

    def take(self, body: Mapping[str, Any], model: FakeModel) -> Cached:
        """What is read and written for this body, whose mark is at its end; nothing without a mark."""
        control = body.get("cache_control")
        if control is None:
            return Cached()
        blocks = prompt_blocks(body)
        total = estimate_tokens(sum(map(len, blocks)))
        if total < model.cache_floor_tokens:
            return Cached()
        ttl_s = TTL_S[control.get("ttl", "5m")]
        hit = self._longest(model, blocks)
        read = estimate_tokens(sum(map(len, blocks[:hit])))
        self._write(_key(model, blocks), ttl_s)
        written = total - read
        return Cached(read=read, written=written, written_1h=written if ttl_s == TTL_S["1h"] else 0)

    def _longest(self, model: FakeModel, blocks: list[str]) -> int:
        """How many blocks are cached."""
        now = self._clock()
        for count in range(len(blocks), max(0, len(blocks) - LOOK_BACK_BLOCKS - 1), -1):
            key = _key(model, blocks[:count])
            until, ttl_s = self._until.get(key, (0.0, 0.0))
            if key in self._until and now < until:
                self._write(key, ttl_s)
                return count
        return 0

    def _write(self, key: str, ttl_s: float) -> None:
        lasting = max(ttl_s, self._until.get(key, (0.0, 0.0))[1])
        self._until[key] = (self._clock() + lasting, lasting)


def _key(model: FakeModel, blocks: list[str]) -> str:
    return hashlib.sha256(json.dumps([model.id, blocks]).encode()).hexdigest()
