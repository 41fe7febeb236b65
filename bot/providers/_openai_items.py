"""A conversation as the input items of OpenAI's Responses API."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, assert_never

from bot.core.catalogue import ModelInfo
from bot.core.message import Audio, Document, Image, Message, Part, Role, Text, ToolCall, ToolResult
from bot.providers._tool_calls import sound_arguments

#: Tells our own `ToolCall.replay` from that of another provider.
_REPLAY = "openai"
#: What of a reasoning item goes back with the call that it led to.
_REPLAYED = ("id", "type", "summary", "encrypted_content")


def items_to_wire(messages: Iterable[Message], model: ModelInfo) -> list[dict[str, Any]]:
    """The messages in order, without empty ones; each call stands behind the reasoning that led to it."""
    return [item for message in messages for item in _items_of(message, model)]


def _items_of(message: Message, model: ModelInfo) -> Iterator[dict[str, Any]]:
    content = [part for part in message.parts if not isinstance(part, ToolCall | ToolResult)]
    wired = [_part_to_wire(part, message.role, model) for part in content if part != Text(text="")]
    if wired and message.role is Role.ASSISTANT:
        # Plain text: parts of what a model said are the API's own, with ids and annotations that we do not keep.
        yield {"role": "assistant", "content": "\n".join(part["text"] for part in wired)}
    elif wired:
        yield {"role": "user", "content": wired}
    for part in message.parts:
        match part:
            case ToolCall():
                yield from _reasoning_of(part)
                yield {
                    "type": "function_call",
                    "call_id": part.id,
                    "name": part.name,
                    "arguments": sound_arguments(part),
                }
            case ToolResult():
                output = f"Error: {part.text}" if part.is_error else part.text
                yield {"type": "function_call_output", "call_id": part.call_id, "output": output}
            case _:
                pass


def replay_of(reasoning: Sequence[Mapping[str, Any]]) -> str | None:
    """What has to come back with a call: the sealed reasoning before it; None: there was none."""
    if not reasoning:
        return None
    return json.dumps({_REPLAY: [{name: item[name] for name in _REPLAYED if name in item} for item in reasoning]})


def _reasoning_of(call: ToolCall) -> list[dict[str, Any]]:
    """The reasoning that led to a call; none where it came from another provider, whose loop this one goes on with."""
    try:
        parsed = json.loads(call.replay or "null")
    except ValueError:
        return []
    return list(parsed.get(_REPLAY) or ()) if isinstance(parsed, dict) else []


def _part_to_wire(part: Part, role: Role, model: ModelInfo) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "input_text", "text": part.text}
        case Image() if model.vision is not False and role is Role.USER:
            return {"type": "input_image", "detail": "auto", "image_url": _data_url(part)}
        case Document() if model.pdf is not False and role is Role.USER:
            return {"type": "input_file", "filename": part.name, "file_data": _data_url(part)}
        case Image() | Document() | Audio():
            return {"type": "input_text", "text": f"[a file that this model cannot read: {part.media_type}]"}
        case ToolCall() | ToolResult():
            raise TypeError("tool calls and results are items of their own")
        case _:
            assert_never(part)


def _data_url(part: Image | Document) -> str:
    return f"data:{part.media_type};base64,{base64.b64encode(part.content).decode()}"
