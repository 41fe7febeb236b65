"""What Ollama tells of its models, as `ModelInfo`. Knows no connection: bodies come in."""

from collections.abc import Mapping
from typing import Any

from bot.core.catalogue import ModelInfo, ModelRef

#: How much it thinks can be told in words (OpenAI's open models), or only whether it does.
_LEVELS = ("low", "medium", "high")
_SWITCH = ("none", "default")
_LEVELLED_FAMILIES = ("gptoss", "gpt-oss")


def model_from_wire(provider: str, entry: Mapping[str, Any], shown: Mapping[str, Any]) -> ModelInfo | None:
    """A model from its entry in `/api/tags` and its `/api/show` (empty: not known); None: it does not chat.

    Servers before 0.6.4 tell no capabilities: those count as unknown.
    """
    told = shown.get("capabilities")
    known = isinstance(told, list)
    capabilities = frozenset(told) if isinstance(told, list) else frozenset()
    if known and "completion" not in capabilities:
        return None
    name = str(entry["name"])
    details = _mapping(shown.get("details")) or _mapping(entry.get("details"))
    thinks = "thinking" in capabilities
    return ModelInfo(
        ref=ModelRef(provider, name),
        name=name.removesuffix(":latest"),
        description=_description(details),
        window_tokens=_window(_mapping(shown.get("model_info"))),
        vision="vision" in capabilities if known else None,
        tools="tools" in capabilities if known else None,
        reasoning=thinks if known else None,
        efforts=_efforts(str(details.get("family"))) if thinks else (),
        # The server holds any model to a grammar.
        json=True,
    )


def _description(details: Mapping[str, Any]) -> str | None:
    """Like "llama, 3.2B parameters, Q4_K_M"."""
    size = details.get("parameter_size")
    told = (details.get("family"), f"{size} parameters" if size else None, details.get("quantization_level"))
    return ", ".join(str(fact) for fact in told if fact) or None


def _window(info: Mapping[str, Any]) -> int | None:
    """`<architecture>.context_length`; a model that sees may have one for its eyes as well."""
    tokens = info.get(f"{info.get('general.architecture')}.context_length")
    return tokens if isinstance(tokens, int) and tokens > 0 else None


def _efforts(family: str) -> tuple[str, ...]:
    return _LEVELS if family in _LEVELLED_FAMILIES else _SWITCH


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
