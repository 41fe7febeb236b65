"""A body of `/api/chat` as what it asks, without its wire (`Asked`)."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.model_server import Asked, Said

CHARACTERS_PER_TOKEN = 4
IMAGE_TOKENS = 768


def read(body: Mapping[str, Any], headers: Mapping[str, str]) -> Asked:
    """What was asked, also by bodies that are refused; a `think` that is no level is no effort."""
    given = body.get("options")
    options = given if isinstance(given, dict) else {}
    form = body.get("format")
    return Asked(
        model=str(body.get("model", "")),
        system="\n".join(_text(message) for message in _messages(body) if message.get("role") == "system"),
        said=tuple(_said(message) for message in _messages(body) if message.get("role") != "system"),
        tools=tuple(str(tool["function"]["name"]) for tool in body.get("tools") or ()),
        max_output_tokens=options.get("num_predict"),
        temperature=options.get("temperature"),
        top_p=options.get("top_p"),
        effort=body["think"] if isinstance(body.get("think"), str) else None,
        json=form is not None,
        schema=form if isinstance(form, dict) else None,
        body=body,
        headers=headers,
    )


def last_user_text(body: Mapping[str, Any]) -> str:
    """The text of the newest user message."""
    return next((_text(each) for each in reversed(list(_messages(body))) if each["role"] == "user"), "")


def prompt_tokens(body: Mapping[str, Any]) -> int:
    """Characters / 4, and what an image takes."""
    characters, images = len(str(body.get("tools") or "")), 0
    for message in _messages(body):
        characters += len(_text(message)) + len(str(message.get("tool_calls") or ""))
        images += len(message.get("images") or ())
    return -(-characters // CHARACTERS_PER_TOKEN) + images * IMAGE_TOKENS


def _messages(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    messages = body.get("messages")
    yield from (each for each in messages if isinstance(each, dict)) if isinstance(messages, list) else ()


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else ""


def _said(message: Mapping[str, Any]) -> Said:
    if message.get("role") == "tool":
        return Said(role="tool", results=(_text(message),))
    return Said(
        role=str(message.get("role")),
        text=_text(message),
        files=tuple(_decoded(image) for image in message.get("images") or ()),
        calls=tuple(call["function"]["name"] for call in message.get("tool_calls") or ()),
    )


def _decoded(image: str) -> bytes:
    try:
        return base64.b64decode(image)
    except ValueError:
        return b""
