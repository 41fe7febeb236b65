"""Model lists: the OpenAI form as each dialect fills it, and Ollama's native form."""

from typing import Any

from tests.fakes.openai.dialect import Dialect, FakeModel

OLLAMA_VERSION = "0.14.2"
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


def ollama_tags(models: tuple[FakeModel, ...]) -> dict[str, Any]:
    """GET /api/tags."""
    details = {"format": "gguf", "family": "llama", "parameter_size": "3.2B", "quantization_level": "Q4_K_M"}
    return {
        "models": [
            {
                "name": model.id,
                "model": model.id,
                "modified_at": "2026-10-01T12:00:00Z",
                "size": 2_019_393_189,
                "digest": "a80c4f17acd5",
                "details": details,
            }
            for model in models
        ]
    }


def ollama_show(model: FakeModel) -> dict[str, Any]:
    """POST /api/show: window and capabilities are what a client reads."""
    capabilities = ["completion", "tools", *(["vision"] if model.vision else [])]
    info = {"general.architecture": "llama", "llama.context_length": model.window_tokens}
    return {"details": {"family": "llama"}, "model_info": info, "capabilities": capabilities}
