"""A conversation as the messages of Ollama's `/api/chat`."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, assert_never

from bot.core.catalogue import ModelInfo
from bot.core.message import Audio, Document, Image, Message, Part, Role, Text, ToolCall, ToolResult


def messages_to_wire(messages: Sequence[Message], model: ModelInfo) -> list[dict[str, Any]]:
    """The messages in order, without empty ones; each tool result is one of its own."""
    names = {part.id: part.name for message in messages for part in message.parts if isinstance(part, ToolCall)}
    return [wired for message in messages for wired in _wired(message, model, names)]


def _wired(message: Message, model: ModelInfo, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """A message as wire messages: one for each tool result, or one with content, images and calls."""
    if message.role is Role.TOOL:
        results = (part for part in message.parts if isinstance(part, ToolResult))
        yield from (_result_to_wire(result, names) for result in results)
        return
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    content = [part for part in message.parts if not isinstance(part, ToolCall | ToolResult)]
    sees = model.vision is not False and message.role is Role.USER
    images = [part for part in content if isinstance(part, Image) and sees]
    texts = [_text_of(part) for part in content if part not in images and part != Text(text="")]
    if not (texts or images or calls):
        return
    wired: dict[str, Any] = {"role": message.role.value, "content": "\n".join(texts)}
    if images:
        wired["images"] = [base64.b64encode(image.content).decode() for image in images]
    if calls:
        wired["tool_calls"] = [_call_to_wire(call) for call in calls]
    yield wired


def _text_of(part: Part) -> str:
    match part:
        case Text():
            return part.text
        case Image() | Document() | Audio():
            return f"[a file that this model cannot read: {part.media_type}]"
        case ToolCall() | ToolResult():
            raise TypeError("tool calls and results are no content")
        case _:
            assert_never(part)


def _result_to_wire(result: ToolResult, names: Mapping[str, str]) -> dict[str, Any]:
    text = f"Error: {result.text}" if result.is_error else result.text
    # Some templates tell results apart by the name of the tool, some by the id of the call.
    named = {"tool_name": names[result.call_id]} if result.call_id in names else {}
    return {"role": "tool", "content": text, "tool_call_id": result.call_id, **named}


def _call_to_wire(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "function": {"name": call.name, "arguments": call.parsed or {}}}
