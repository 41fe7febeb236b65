"""Messages as the Messages API wants them: roles, content blocks, and files that a model can read."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any, assert_never

from bot.core.catalogue import ModelInfo
from bot.core.message import Audio, Document, Image, Message, Part, Role, Text, ToolCall, ToolResult
from bot.providers._anthropic_answer import replayed

_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def messages_to_wire(messages: Sequence[Message], model: ModelInfo) -> list[dict[str, Any]]:
    """Messages in the API's two roles: what tools answered is said by the user. Neighbours of one role may stay two."""
    wired: list[dict[str, Any]] = []
    before: Role | None = None
    for message in messages:
        content = replayed(message) or list(_blocks_to_wire(message, model))
        if not content and message.role is Role.USER:
            # Left out, it could leave an answer as the last word: no model takes that any more.
            content = [{"type": "text", "text": "(nothing)"}]
        if message.role is Role.TOOL and before is Role.TOOL:
            # All results of one assistant message have to stand in the one message that follows it.
            wired[-1]["content"].extend(content)
        elif content:
            wired.append({"role": "assistant" if message.role is Role.ASSISTANT else "user", "content": content})
            before = message.role
    return wired


def _blocks_to_wire(message: Message, model: ModelInfo) -> Iterator[dict[str, Any]]:
    for part in message.parts:
        # A text without a word is refused.
        if not (isinstance(part, Text) and not part.text.strip()):
            yield _block_to_wire(part, message.role, model)


def _block_to_wire(part: Part, role: Role, model: ModelInfo) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image() if model.vision is not False and role is Role.USER and part.media_type in _IMAGES:
            return {"type": "image", "source": _source(part)}
        case Document() if model.pdf is not False and role is Role.USER and part.media_type == "application/pdf":
            return {"type": "document", "source": _source(part), "title": part.name}
        case Image() | Document() | Audio():
            return {"type": "text", "text": f"[a file that this model cannot read: {part.media_type}]"}
        case ToolCall():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": part.parsed or {}}
        case ToolResult():
            return _result_to_wire(part)
        case _:
            assert_never(part)


def _source(part: Image | Document) -> dict[str, str]:
    return {"type": "base64", "media_type": part.media_type, "data": base64.b64encode(part.content).decode()}


def _result_to_wire(result: ToolResult) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": result.call_id}
    if result.is_error:
        # A failure without a word is refused.
        return block | {"content": result.text if result.text.strip() else "The tool failed.", "is_error": True}
    return block | {"content": result.text} if result.text.strip() else block
