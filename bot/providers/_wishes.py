"""What a request wishes of the model, as far as the model's row allows it: data decides, nothing is tried."""

from collections.abc import Mapping
from typing import Any

from bot.core.ports import ChatRequest
from bot.providers._json_words import json_words


def system_of(request: ChatRequest, *, told: bool = False) -> str:
    """The system prompt; the wish for JSON is added where the model's row does not say that it can be held to it.

    `told`: also where it can, for APIs that want to be told both ways.
    """
    if not wants_json(request) or (request.model.json and not told):
        return request.system
    return "\n\n".join(part for part in (request.system, json_words(request.response_schema)) if part)


def wants_json(request: ChatRequest) -> bool:
    """Whether the answer is to be JSON, of whatever form."""
    return request.json or request.response_schema is not None


def effort_of(request: ChatRequest) -> str | None:
    """How much to think: as wished where the model has that word, else as its row says; None: not said."""
    model = request.model
    return request.reasoning_effort if request.reasoning_effort in model.efforts else model.reasoning_effort


def sampling_of(request: ChatRequest) -> dict[str, float]:
    """Temperature and top-p as far as they were given; nothing for models that refuse them."""
    given = {"temperature": request.temperature, "top_p": request.top_p}
    return {name: value for name, value in given.items() if value is not None} if request.model.temperature else {}


def json_schema_format(schema: Mapping[str, object]) -> dict[str, Any]:
    """A schema in the form that OpenAI wants; strict only where the schema allows that."""
    return {"name": "answer", "schema": dict(schema), "strict": _is_closed(schema)}


def _is_closed(schema: object) -> bool:
    """Whether every object in the schema says all that it may hold, and has to hold: what strictness asks for."""
    match schema:
        case Mapping():
            if schema.get("type") == "object" or "properties" in schema:
                names = set(schema.get("properties") or ())
                if schema.get("additionalProperties") is not False or set(schema.get("required") or ()) != names:
                    return False
            return all(map(_is_closed, schema.values()))
        case list() | tuple():
            return all(map(_is_closed, schema))
        case _:
            return True
