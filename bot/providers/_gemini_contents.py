"""A conversation as Gemini's `contents`, which have rules of their own.

A turn of function calls must be answered at once, by one turn that has a response to each call in their order. It also
has to carry the thought signature that came with it; both are made up where the history lacks them.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from bot.core.catalogue import ModelInfo
from bot.core.message import Audio, Document, Image, Message, Part, Role, Text, ToolCall, ToolResult

#: Gemini 3 and later, also by a name without a number (`gemini-flash-latest`).
_CURRENT = re.compile(r"gemini-(?![12]\b)")
#: What Google lets stand for the signature of a call that another model made.
_NO_SIGNATURE = "skip_thought_signature_validator"
_IMAGES = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})
#: The names under which Gemini knows a recording, by those that are in use.
_AUDIO: Mapping[str, str] = {
    "audio/aac": "audio/aac",
    "audio/aiff": "audio/aiff",
    "audio/x-aiff": "audio/aiff",
    "audio/flac": "audio/flac",
    "audio/x-flac": "audio/flac",
    "audio/mp3": "audio/mp3",
    "audio/mpeg": "audio/mp3",
    "audio/ogg": "audio/ogg",
    "audio/wav": "audio/wav",
    "audio/x-wav": "audio/wav",
}


def is_current(model: ModelInfo) -> bool:
    """Whether it is of Gemini 3 or later: those want signatures with calls, and can have tools and JSON at once."""
    return bool(_CURRENT.match(model.ref.id))


def contents_to_wire(messages: Iterable[Message], model: ModelInfo) -> list[dict[str, Any]]:
    """The messages in order, without empty ones; each call is followed by its result, or by word that there is none."""
    messages = tuple(messages)
    results = [part for message in messages for part in message.parts if isinstance(part, ToolResult)]
    contents: list[dict[str, Any]] = []
    for message in messages:
        parts = _parts_to_wire(message, model)
        if not parts:
            continue
        if message.role is Role.ASSISTANT and contents and contents[-1]["role"] == "model":
            contents[-1]["parts"].extend(parts)  # calls may not follow another turn of the model
        else:
            contents.append({"role": "model" if message.role is Role.ASSISTANT else "user", "parts": parts})
        if calls := [part for part in message.parts if isinstance(part, ToolCall)]:
            responses = [_response_to_wire(call, _take_result(call, results)) for call in calls]
            contents.append({"role": "user", "parts": responses})
    return contents


def replay_of(signature: bytes | None, model: ModelInfo) -> str | None:
    """What has to come back with a call: its signature, and the model that alone accepts it."""
    if signature is None:
        return None
    return json.dumps({"model": model.ref.id, "thoughtSignature": base64.b64encode(signature).decode()})


def _parts_to_wire(message: Message, model: ModelInfo) -> list[dict[str, Any]]:
    """All but results, which `contents_to_wire` puts behind their calls."""
    wired = []
    unsigned = is_current(model)
    for part in message.parts:
        match part:
            case ToolResult() | Text(text=""):
                pass
            case ToolCall():
                signature = _signature(part, model) or (_NO_SIGNATURE if unsigned else None)
                unsigned = False  # of parallel calls only the first is signed
                wired.append(_call_to_wire(part, signature))
            case _:
                wired.append(_part_to_wire(part, message.role, model))
    return wired


def _part_to_wire(part: Part, role: Role, model: ModelInfo) -> dict[str, Any]:
    match part:
        case Text():
            return {"text": part.text}
        case Image() if model.vision is not False and role is Role.USER and part.media_type in _IMAGES:
            return _inline(part.content, part.media_type)
        case Document() if model.pdf is not False and role is Role.USER and part.media_type == "application/pdf":
            return _inline(part.content, part.media_type)
        case Audio() if model.audio and role is Role.USER and _plain(part.media_type) in _AUDIO:
            return _inline(part.content, _AUDIO[_plain(part.media_type)])
        case Image() | Document() | Audio():
            return {"text": f"[a file that this model cannot read: {part.media_type}]"}
        case ToolCall() | ToolResult():
            raise TypeError("tool calls and results are no content")
        case _:
            assert_never(part)


def _inline(content: bytes, media_type: str) -> dict[str, Any]:
    return {"inlineData": {"mimeType": media_type, "data": base64.b64encode(content).decode()}}


def _plain(media_type: str) -> str:
    """Without parameters (`audio/ogg; codecs=opus`)."""
    return media_type.partition(";")[0].strip().lower()


def _call_to_wire(call: ToolCall, signature: str | None) -> dict[str, Any]:
    wired: dict[str, Any] = {"functionCall": {"id": call.id, "name": call.name, "args": call.parsed or {}}}
    return wired | {"thoughtSignature": signature} if signature else wired


def _take_result(call: ToolCall, results: list[ToolResult]) -> ToolResult | None:
    """The first result of the call, taken out of the rest: other providers' ids may come again in the next round."""
    for at, result in enumerate(results):
        if result.call_id == call.id:
            return results.pop(at)
    return None


def _response_to_wire(call: ToolCall, result: ToolResult | None) -> dict[str, Any]:
    match result:
        case None:
            response = {"error": "there is no result"}
        case ToolResult(is_error=True):
            response = {"error": result.text}
        case ToolResult():
            response = {"output": result.text}
    return {"functionResponse": {"id": call.id, "name": call.name, "response": response}}


def _signature(call: ToolCall, model: ModelInfo) -> str | None:
    """The signature that this model gave the call; None when another model made it."""
    try:
        replay = json.loads(call.replay or "null")
    except ValueError:
        return None
    if not isinstance(replay, dict) or replay.get("model") != model.ref.id:
        return None
    signature = replay.get("thoughtSignature")
    return signature if isinstance(signature, str) else None
