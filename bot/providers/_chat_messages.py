"""A conversation as the messages of Chat Completions."""

import base64
from collections.abc import Iterable, Iterator
from typing import Any, assert_never

from bot.core.catalogue import ModelInfo
from bot.core.message import Audio, Document, Image, Message, Part, Role, Text, ToolCall, ToolResult
from bot.providers._tool_calls import sound_arguments


def messages_to_wire(messages: Iterable[Message], model: ModelInfo) -> list[dict[str, Any]]:
    """The messages in order, without empty ones; each tool result is one of its own."""
    return [wired for message in messages for wired in _wired(message, model)]


def _wired(message: Message, model: ModelInfo) -> Iterator[dict[str, Any]]:
    """A message as wire messages: one for each tool result, or one with content and calls."""
    if message.role is Role.TOOL:
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {"role": "tool", "tool_call_id": part.call_id, "content": _result_text(part)}
        return
    calls = [_call_to_wire(part) for part in message.parts if isinstance(part, ToolCall)]
    content = _content_to_wire(message, model)
    if not content and not calls:
        return
    wired: dict[str, Any] = {"role": message.role.value, "content": content or None}
    yield {**wired, "tool_calls": calls} if calls else wired


def _content_to_wire(message: Message, model: ModelInfo) -> str | list[dict[str, Any]]:
    """Plain text where it will do: small servers know nothing else."""
    parts = [part for part in message.parts if not isinstance(part, ToolCall | ToolResult)]
    wired = [_part_to_wire(part, message.role, model) for part in parts if part != Text(text="")]
    if any(part["type"] != "text" for part in wired):
        return wired
    return "\n".join(part["text"] for part in wired)


def _part_to_wire(part: Part, role: Role, model: ModelInfo) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image() if model.vision is not False and role is Role.USER:
            url = f"data:{part.media_type};base64,{base64.b64encode(part.content).decode()}"
            return {"type": "image_url", "image_url": {"url": url}}
        case Image() | Document() | Audio():
            return {"type": "text", "text": f"[a file that this model cannot read: {part.media_type}]"}
        case ToolCall() | ToolResult():
            raise TypeError("tool calls and results are no content")
        case _:
            assert_never(part)


def _result_text(result: ToolResult) -> str:
    # An empty content is refused by some servers.
    text = result.text or "(no output)"
    return f"Error: {text}" if result.is_error else text


def _call_to_wire(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": sound_arguments(call)}
    return {"id": call.id, "type": "function", "function": function}
