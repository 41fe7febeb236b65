"""Thinking blocks: signed when they are made, checked when they come back."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tests.fakes.anthropic.prompt import merged
from tests.fakes.anthropic.refused import Refused

THINKING = ("thinking", "redacted_thinking")
_SECRET = "fake-anthropic"


def seal(body: Mapping[str, Any], before: list[dict[str, Any]], thought: str) -> str:
    """The signature of a thought after the prompt `body` and the blocks `before` of the same answer."""
    return _sign(body, merged(body["messages"]), before, thought)


def check_thoughts(body: Mapping[str, Any]) -> None:
    """Every thought is as it was made, and so is all before it; those of another model are passed over.

    One rule is Parley's and not the API's: thoughts come back only inside the tool loop that they belong to.
    """
    turns = merged(body["messages"])
    for number, turn in enumerate(turns):
        for place, block in enumerate(turn["content"]):
            if block["type"] not in THINKING:
                continue
            where = f"messages.{number}.content.{place}"
            if not _same_loop(turns[number + 1 :]):
                raise Refused(f"{where}: a thought of an earlier turn came back (a rule of Parley's own)")
            thought, signature = _opened(block)
            maker, colon, _ = signature.removeprefix("Eq").partition(":")
            if colon and maker != body["model"]:
                continue
            if signature != _sign(body, turns[:number], turn["content"][:place], thought):
                raise Refused(
                    f"{where}: Invalid `signature` in `thinking` block. The block is bound to a different conversation."
                )


def redacted(body: Mapping[str, Any], before: list[dict[str, Any]], thought: str) -> str:
    """The `data` of a redacted block: what was thought (nobody can read it) and its signature."""
    return f"{thought.encode().hex()}.{seal(body, before, thought)}"


def _opened(block: Mapping[str, Any]) -> tuple[str, str]:
    if block["type"] == "thinking":
        return block["thinking"], block["signature"]
    hidden, _, signature = block["data"].partition(".")
    return bytes.fromhex(hidden).decode(), signature


def _same_loop(later: list[dict[str, Any]]) -> bool:
    blocks = [block for turn in later if turn["role"] == "user" for block in turn["content"]]
    return all(block["type"] == "tool_result" for block in blocks)


def _sign(body: Mapping[str, Any], turns: list[dict[str, Any]], before: list[dict[str, Any]], thought: str) -> str:
    prefix = [body.get("system"), body.get("tools"), turns, before, thought, _SECRET]
    digest = hashlib.sha256(json.dumps(prefix, sort_keys=True).encode()).hexdigest()
    return f"Eq{body['model']}:{digest}"
