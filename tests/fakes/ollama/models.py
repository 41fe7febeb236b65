"""The models that the fake has, and how `/api/tags` and `/api/show` tell of them."""

from dataclasses import dataclass
from typing import Any

CHATS = ("completion", "tools")


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeModel:
    """`context_length` is what it was trained for; `capabilities` None: a server that is too old to tell them."""

    name: str
    digest: str
    family: str = "llama"
    parameter_size: str = "3.2B"
    quantization: str = "Q4_K_M"
    context_length: int = 131_072
    capabilities: tuple[str, ...] | None = CHATS

    def can(self, capability: str) -> bool:
        """Whether it has the capability; an old server does not ask."""
        return self.capabilities is None or capability in self.capabilities


MODELS = (
    FakeModel(name="llama3.2:latest", digest="a80c4f17acd5"),
    FakeModel(name="gemma4:12b", digest="f4031aab637d", family="gemma4", capabilities=(*CHATS, "vision")),
    FakeModel(name="qwen3:8b", digest="500a1f067a9f", family="qwen3", capabilities=(*CHATS, "thinking")),
    FakeModel(name="gpt-oss:20b", digest="17052f91a42e", family="gptoss", capabilities=(*CHATS, "thinking")),
    FakeModel(name="small:latest", digest="0d3a1f5e77b1", context_length=400),
    FakeModel(name="nomic-embed-text:latest", digest="0a109f422b47", family="nomic-bert", capabilities=("embedding",)),
)


def tags(models: tuple[FakeModel, ...]) -> dict[str, Any]:
    """GET /api/tags."""
    return {"models": [_entry(model) for model in models]}


def shown(model: FakeModel) -> dict[str, Any]:
    """POST /api/show."""
    info = {
        "general.architecture": model.family,
        f"{model.family}.context_length": model.context_length,
        f"{model.family}.vision.context_length": 77,
    }
    told = {} if model.capabilities is None else {"capabilities": list(model.capabilities)}
    return {"license": "…", "template": "{{ .Prompt }}", "details": _details(model), "model_info": info} | told


def _entry(model: FakeModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "model": model.name,
        "modified_at": "2026-10-01T12:00:00Z",
        "size": 2_019_393_189,
        "digest": model.digest,
        "details": _details(model),
    }


def _details(model: FakeModel) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": model.family,
        "families": [model.family],
        "parameter_size": model.parameter_size,
        "quantization_level": model.quantization,
    }
