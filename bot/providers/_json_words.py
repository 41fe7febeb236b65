"""Structured output for models that nothing holds to it: they are asked in words."""

import json
from collections.abc import Mapping

_PLAIN = "Answer with one JSON object and nothing else: no explanation, no code fence."


def json_words(schema: Mapping[str, object] | None = None) -> str:
    """What to add to the system prompt; `schema` None: any JSON object will do."""
    if schema is None:
        return _PLAIN
    return f"{_PLAIN} It must be valid against this JSON schema:\n{json.dumps(schema, ensure_ascii=False)}"
