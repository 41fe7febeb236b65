"""What POST /v1/messages refuses of its messages: roles, blocks, files, and that every call has its result."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.anthropic.models import FakeModel
from tests.fakes.anthropic.refused import Refused, as_list, as_object, check_known, check_required

MAX_IMAGE_BYTES = 5 * 1024 * 1024  # of base64
_FIELDS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    # block: the fields that it must have, and those that it may have besides
    "text": (frozenset({"text"}), frozenset({"cache_control"})),
    "image": (frozenset({"source"}), frozenset({"cache_control"})),
    "document": (frozenset({"source"}), frozenset({"cache_control", "title", "context", "citations"})),
    "tool_use": (frozenset({"id", "name", "input"}), frozenset({"cache_control", "caller"})),
    "tool_result": (frozenset({"tool_use_id"}), frozenset({"cache_control", "content", "is_error"})),
    "thinking": (frozenset({"thinking", "signature"}), frozenset()),
    "redacted_thinking": (frozenset({"data"}), frozenset()),
}
_BLOCKS = {
    "user": ("text", "image", "document", "tool_result"),
    "assistant": ("text", "tool_use", "thinking", "redacted_thinking"),
}
_MAGIC = {
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
    "application/pdf": b"%PDF",
}
_ID = re.compile(r"[a-zA-Z0-9_-]+")


def check_messages(body: Mapping[str, Any], model: FakeModel) -> None:
    """Raises `Refused` for the first thing that is wrong."""
    messages = as_list(body["messages"], "messages")
    if not messages:
        raise Refused("messages: at least one message is required")
    for number, message in enumerate(messages):
        _check_message(as_object(message, f"messages.{number}"), f"messages.{number}", model)
    if messages[0]["role"] != "user":
        raise Refused('messages: first message must use the "user" role')
    if messages[-1]["role"] == "assistant":
        text = "This model does not support assistant message prefill. The conversation must end with a user message."
        raise Refused(text)
    _check_pairs(messages)


def _check_message(message: Mapping[str, Any], where: str, model: FakeModel) -> None:
    check_known(message, {"role", "content"}, f"{where}.")
    role, content = message.get("role"), message.get("content")
    if role not in _BLOCKS:
        raise Refused(f"{where}.role: Input should be 'user' or 'assistant'")
    if not content:
        raise Refused(f"{where}: {role} messages must have non-empty content")
    if isinstance(content, str):
        return
    for place, block in enumerate(as_list(content, f"{where}.content")):
        here = f"{where}.content.{place}"
        kind = as_object(block, here).get("type")
        if kind not in _BLOCKS[role]:
            names = ", ".join(repr(each) for each in _BLOCKS[role])
            raise Refused(f"{here}: Input tag '{kind}' found using 'type' does not match any of the expected: {names}")
        _check_block(block, kind, here, model)


def _check_block(block: Mapping[str, Any], kind: str, where: str, model: FakeModel) -> None:
    must, may = _FIELDS[kind]
    check_known(block, must | may | {"type"}, f"{where}.{kind}.")
    check_required(block, sorted(must), f"{where}.{kind}.")
    match kind:
        case "text":
            if not block["text"]:
                raise Refused("messages: text content blocks must be non-empty")
            if not block["text"].strip():
                raise Refused("messages: text content blocks must contain non-whitespace text")
        case "image":
            _check_file(block["source"], f"{where}.image.source", able=model.vision)
        case "document":
            _check_file(block["source"], f"{where}.document.source", able=model.pdf)
        case "tool_use":
            as_object(block["input"], f"{where}.tool_use.input")
            if not _ID.fullmatch(str(block["id"])):
                raise Refused(f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        case "tool_result":
            if block.get("is_error") and not block.get("content"):
                raise Refused(f"{where}.tool_result: content cannot be empty if `is_error` is true")
        case _:
            pass


def _check_file(source: Any, where: str, *, able: bool) -> None:
    given = as_object(source, where)
    if not able:
        raise Refused(f"{where}: this model does not support such input")
    check_known(given, {"type", "media_type", "data"}, f"{where}.base64.")
    check_required(given, ("type", "media_type", "data"), f"{where}.base64.")
    image = ".image." in where
    wanted = [name for name in _MAGIC if name.startswith("image/") is image]
    if given["type"] != "base64" or given["media_type"] not in wanted:
        raise Refused(f"{where}.base64.media_type: Input should be {' or '.join(map(repr, wanted))}")
    if image and len(given["data"]) > MAX_IMAGE_BYTES:
        text = f"image exceeds 5 MB maximum: {len(given['data'])} bytes > {MAX_IMAGE_BYTES} bytes"
        raise Refused(f"{where}.base64: {text}")
    try:
        content = base64.b64decode(given["data"], validate=True)
    except binascii.Error:
        raise Refused(f"{where}.base64.data: Invalid base64 data") from None
    if not content.startswith(_MAGIC[given["media_type"]]):
        raise Refused(f"{where}: the file does not appear to be of type {given['media_type']}")


def _check_pairs(messages: list[dict[str, Any]]) -> None:
    """All results of one message stand in the next one, before anything else in it."""
    seen: set[str] = set()
    for number, (message, before) in enumerate(zip(messages, [None, *messages], strict=False)):
        open_calls = [] if before is None else _ids(before, "tool_use", "id")
        answered = _ids(message, "tool_result", "tool_use_id")
        for result in answered:
            if result not in open_calls:
                text = f"unexpected `tool_use_id` found in `tool_result` blocks: {result}. Each `tool_result` block "
                raise Refused(f"messages.{number}: {text}must have a corresponding `tool_use` block before it.")
            if answered.count(result) > 1:
                text = f"Found multiple `tool_result` blocks with id: {result}"
                raise Refused(f"messages.{number}: each tool_use must have a single result. {text}")
        if missing := [each for each in open_calls if each not in answered]:
            text = f"`tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(missing)}"
            raise Refused(f"messages.{number - 1}: {text}")
        if answered and [block["type"] for block in message["content"][: len(answered)]].count("tool_result") < len(
            answered
        ):
            raise Refused(f"messages.{number}: `tool_result` blocks must come before other content")
        for call in _ids(message, "tool_use", "id"):
            if call in seen:
                raise Refused("messages: `tool_use` ids must be unique")
            seen.add(call)


def _ids(message: Mapping[str, Any], kind: str, name: str) -> list[str]:
    content = message["content"]
    return [] if isinstance(content, str) else [block[name] for block in content if block["type"] == kind]
