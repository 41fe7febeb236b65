"""A recorded body as what it asks, without its wire (`Asked`); total, refused bodies come here too."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.model_server import Asked, Said


def read(body: Mapping[str, Any], headers: Mapping[str, str]) -> Asked:
    """What was asked; fields of a wrong type count as absent."""
    limit = body.get("max_tokens")
    config = _mapping(body.get("output_config"))
    shape = _mapping(config.get("format"))
    return Asked(
        model=str(body.get("model", "")),
        system=_text(body.get("system")),
        said=tuple(said for message in _all(body.get("messages")) for said in _said(message)),
        tools=tuple(str(tool.get("name")) for tool in _all(body.get("tools"))),
        max_output_tokens=limit if isinstance(limit, int) else None,
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        effort=config.get("effort"),
        json=bool(shape),
        schema=shape.get("schema"),
        body=body,
        headers=headers,
    )


def last_user_text(body: Mapping[str, Any]) -> str:
    """The text of the newest user message that has some; empty when there is none."""
    texts = [said.text for message in _all(body.get("messages")) for said in _said(message) if said.role == "user"]
    return next((text for text in reversed(texts) if text), "")


def _said(message: Mapping[str, Any]) -> Iterator[Said]:
    content = message.get("content")
    blocks = _all(content)
    results = tuple(_text(block.get("content")) for block in blocks if block.get("type") == "tool_result")
    if results:
        yield Said(role="tool", results=results)
    text, files = _text(content), tuple(_files(blocks))
    calls = tuple(str(block.get("name")) for block in blocks if block.get("type") == "tool_use")
    if text or files or calls:
        yield Said(role=str(message.get("role")), text=text, files=files, calls=calls)


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    return "".join(block["text"] for block in _all(content) if isinstance(block.get("text"), str))


def _files(blocks: list[Mapping[str, Any]]) -> Iterator[bytes]:
    for block in blocks:
        held = _mapping(block.get("source")).get("data")
        if isinstance(held, str):
            try:
                yield base64.b64decode(held, validate=True)
            except binascii.Error:
                continue


def _all(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
