"""Model lists in OpenAI's form, as each dialect fills it."""

from typing import Any

from tests.fakes.openai.dialect import Dialect, FakeModel

_CREATED = 1_775_000_000


def model_entry(model: FakeModel, dialect: Dialect) -> dict[str, Any]:
    """One entry of GET /v1/models."""
    entry: dict[str, Any] = {
        "id": model.id,
        "object": "model",
        "created": _CREATED,
        "owned_by": model.owned_by,
    }
    if model.shutdown_date is not None:
        entry["shutdown_date"] = model.shutdown_date
    match dialect.name:
        case "groq":
            entry |= {"active": True, "context_window": model.window_tokens, "max_completion_tokens": 65_536}
        case "huggingface":
            provider = {"provider": "groq", "status": "live", "context_length": model.window_tokens}
            entry["providers"] = [provider | {"supports_tools": True}]
        case "compatible":
            entry["meta"] = {"n_ctx_train": model.window_tokens}
        case _:
            pass
    return entry


def model_list(dialect: Dialect, models: tuple[FakeModel, ...]) -> dict[str, Any]:
    """GET /v1/models."""
    return {"object": "list", "data": [model_entry(model, dialect) for model in models]}
