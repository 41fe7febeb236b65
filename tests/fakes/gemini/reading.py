"""A recorded request as what it asks, without its wire (`Asked`); total, refused bodies come here too."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.gemini.prompt import decoded
from tests.fakes.model_server import Asked, Said


def read(model: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Asked:
    """What was asked; fields of a wrong type count as absent."""
    config = _mapping(body.get("generationConfig"))
    level = _mapping(config.get("thinkingConfig")).get("thinkingLevel")
    return Asked(
        model=model,
        system="".join(_texts(_mapping(body.get("systemInstruction")))),
        said=tuple(_said(content) for content in _all(body, "contents")),
        tools=tuple(
            str(function.get("name")) for tool in _all(body, "tools") for function in _all(tool, "functionDeclarations")
        ),
        max_output_tokens=config.get("maxOutputTokens"),
        temperature=config.get("temperature"),
        top_p=config.get("topP"),
        effort=None if level is None else str(level).lower(),
        json=config.get("responseMimeType") == "application/json",
        schema=config.get("responseJsonSchema"),
        body=body,
        headers=headers,
    )


def _said(content: Mapping[str, Any]) -> Said:
    parts = _all(content, "parts")
    results = tuple(_result(part["functionResponse"]) for part in parts if "functionResponse" in part)
    role = "assistant" if content.get("role") == "model" else "tool" if results else "user"
    return Said(
        role=role,
        text="".join(_texts(content)),
        files=tuple(decoded(part["inlineData"]["data"]) for part in parts if "inlineData" in part),
        calls=tuple(str(part["functionCall"].get("name")) for part in parts if "functionCall" in part),
        results=results,
    )


def _result(response: Any) -> str:
    told = _mapping(_mapping(response).get("response"))
    return str(told.get("output", told.get("error", "")))


def _texts(content: Mapping[str, Any]) -> Iterator[str]:
    return (str(part["text"]) for part in _all(content, "parts") if "text" in part)


def _all(holder: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = holder.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
