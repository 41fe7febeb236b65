"""A recorded request of either API as what it asks, without its wire (`Asked`); total, refused bodies come here too."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.model_server import Asked, Said
from tests.fakes.openai.record import Request


def read(request: Request) -> Asked:
    """What was asked; fields of a wrong type count as absent."""
    body = request.body
    shape = _shape(body)
    return Asked(
        model=request.model,
        system="\n".join([*filter(None, [_text(body.get("instructions"))]), *_system(body)]),
        said=tuple(_said(body)),
        tools=tuple(
            str(tool.get("name") or _mapping(tool.get("function")).get("name")) for tool in _all(body, "tools")
        ),
        max_output_tokens=next((body[name] for name in _LIMITS if isinstance(body.get(name), int)), None),
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        effort=body.get("reasoning_effort") or _mapping(body.get("reasoning")).get("effort"),
        json=shape.get("type") in ("json_object", "json_schema"),
        schema=shape.get("schema") or _mapping(shape.get("json_schema")).get("schema"),
        body=body,
        headers=request.headers,
    )


_LIMITS = ("max_output_tokens", "max_completion_tokens", "max_tokens")


def _shape(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(body.get("response_format") or _mapping(body.get("text")).get("format"))


def _system(body: Mapping[str, Any]) -> list[str]:
    return [_text(item.get("content")) for item in _items(body) if item.get("role") in ("system", "developer")]


def _said(body: Mapping[str, Any]) -> Iterator[Said]:
    for item in _items(body):
        match item.get("type", "message"), item.get("role"):
            case "message", "tool":
                yield Said(role="tool", results=(_text(item.get("content")),))
            case "message", "user" | "assistant" as role:
                calls = tuple(str(_mapping(call.get("function")).get("name")) for call in _all(item, "tool_calls"))
                content = item.get("content")
                yield Said(role=role, text=_text(content), files=tuple(_files(content)), calls=calls)
            case "function_call", _:
                yield Said(role="assistant", calls=(str(item.get("name")),))
            case "function_call_output", _:
                yield Said(role="tool", results=(str(item.get("output")),))
            case _:  # reasoning, system messages
                continue


def _items(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return _all(body, "input") or _all(body, "messages")


def _all(holder: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = holder.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def _files(content: Any) -> Iterator[bytes]:
    for part in content if isinstance(content, list) else []:
        held = _mapping(part)
        image = held.get("image_url")
        url = (
            _mapping(image).get("url") or image or held.get("file_data") or _mapping(held.get("file")).get("file_data")
        )
        if isinstance(url, str) and url.startswith("data:"):
            try:
                yield base64.b64decode(url.partition(",")[2], validate=True)
            except binascii.Error:
                continue
