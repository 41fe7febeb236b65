"""A scripted Reply made definite for one call: blocks cut to the limit, ids, signatures, usage."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.fakes.anthropic.models import FakeModel
from tests.fakes.anthropic.prompt import CHARACTERS_PER_TOKEN, Cached, estimate_tokens
from tests.fakes.anthropic.reading import last_user_text
from tests.fakes.anthropic.thoughts import redacted, seal
from tests.fakes.script import Finish, Reply, ToolCall, Usage, words

#: In a user's text: the thoughts come sealed, as the real API does for a string of that kind.
REDACT = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING"
_FRAGMENT = 12
_REASONS = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL_CALLS: "tool_use",
    Finish.CONTENT_FILTER: "refusal",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One content block: how it is opened, the deltas that fill it, and what it is in the end."""

    opened: dict[str, Any]
    deltas: tuple[dict[str, Any], ...]
    whole: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One call's answer; `usage` is what is billed, `reports_usage` whether the client is told."""

    id: str
    model: str
    blocks: tuple[Block, ...]
    stop_reason: str
    usage: Usage
    reports_usage: bool
    searches: int
    service_tier: str


def resolve(
    reply: Reply, body: Mapping[str, Any], model: FakeModel, *, number: int, tokens: int, cached: Cached
) -> Answer:
    """`tokens` are the prompt's; what goes beyond `max_tokens` or the window is not said."""
    room = min(body["max_tokens"], model.window_tokens - tokens)
    text, cut = _limited(reply, room * CHARACTERS_PER_TOKEN)
    blocks: list[Block] = []
    thinks = (body.get("thinking") or {}).get("type") == "adaptive"
    if reply.reasoning and thinks:
        blocks.append(_thought(reply.reasoning, body))
    if text:
        blocks.append(_text(text))
    calls = () if cut else reply.tool_calls
    blocks += [_call(call, f"toolu_{number}_{place}") for place, call in enumerate(calls)]
    reason = _REASONS[Finish.CONTENT_FILTER if reply.refusal else reply.finish or _usual(reply)]
    if cut:
        reason = "max_tokens" if room == body["max_tokens"] else "model_context_window_exceeded"
    said = sum(len(json.dumps(block.whole)) for block in blocks if block.whole["type"] == "tool_use")
    thought = estimate_tokens(len(reply.reasoning)) if thinks else 0
    counted = Usage(
        input_tokens=tokens,
        output_tokens=estimate_tokens(sum(map(len, text)) + said) + thought,
        cached_tokens=cached.read if reply.cached_tokens is None else reply.cached_tokens,
        cache_write_tokens=cached.written,
        cache_write_1h_tokens=cached.written_1h,
        reasoning_tokens=thought,
    )
    return Answer(
        id=f"msg_{number}",
        model=reply.model_answered or str(body["model"]),
        blocks=tuple(blocks),
        stop_reason=reason,
        usage=reply.usage or counted,
        reports_usage=not reply.no_usage,
        searches=reply.searches,
        service_tier=reply.service_tier or "standard",
    )


def characters(deltas: tuple[dict[str, Any], ...]) -> int:
    """What deltas are billed for."""
    fields = ("text", "partial_json", "thinking")
    return sum(len(str(delta.get(field) or "")) for delta in deltas for field in fields)


def _usual(reply: Reply) -> Finish:
    return Finish.TOOL_CALLS if reply.tool_calls else Finish.STOP


def _limited(reply: Reply, room: int) -> tuple[tuple[str, ...], bool]:
    pieces = words(reply.refusal) or reply.pieces
    kept: list[str] = []
    for piece in pieces:
        if len(piece) > room:
            return (*kept, piece[:room]) if room > 0 else tuple(kept), True
        kept.append(piece)
        room -= len(piece)
    return tuple(kept), False


def _text(pieces: tuple[str, ...]) -> Block:
    return Block(
        opened={"type": "text", "text": ""},
        deltas=tuple({"type": "text_delta", "text": piece} for piece in pieces),
        whole={"type": "text", "text": "".join(pieces)},
    )


def _thought(thought: str, body: Mapping[str, Any]) -> Block:
    if REDACT in last_user_text(body):
        whole = {"type": "redacted_thinking", "data": redacted(body, [], thought)}
        return Block(opened=whole, deltas=(), whole=whole)
    shown = thought if body["thinking"].get("display") == "summarized" else ""
    signature = seal(body, [], shown)
    opened = {"type": "thinking", "thinking": "", "signature": ""}
    deltas = [{"type": "thinking_delta", "thinking": piece} for piece in words(shown)]
    return Block(
        opened=opened,
        deltas=(*deltas, {"type": "signature_delta", "signature": signature}),
        whole=opened | {"thinking": shown, "signature": signature},
    )


def _call(call: ToolCall, automatic_id: str) -> Block:
    given = replace(call, call_id=call.call_id or automatic_id)
    opened: dict[str, Any] = {"type": "tool_use", "id": given.call_id, "name": given.name, "input": {}}
    pieces = [given.arguments[at : at + _FRAGMENT] for at in range(0, len(given.arguments), _FRAGMENT)]
    # The first fragment is empty, as it is on the real wire.
    deltas = tuple({"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces])
    try:
        whole = opened | {"input": json.loads(given.arguments)}
    except ValueError:
        whole = opened
    return Block(opened=opened, deltas=deltas, whole=whole)
