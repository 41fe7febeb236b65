"""The models that the fake serves, and how the API lists them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.anthropic.refused import Refused

EFFORTS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeModel:
    """`adaptive`: it takes thinking of type adaptive; `efforts` are those of EFFORTS that it takes.

    Prompts below `cache_floor_tokens` are never cached.
    """

    id: str
    name: str
    window_tokens: int = 1_000_000
    max_tokens: int = 128_000
    adaptive: bool = True
    efforts: tuple[str, ...] = EFFORTS
    vision: bool = True
    pdf: bool = True
    structured: bool = True
    cache_floor_tokens: int = 1_024
    retires_at: str | None = None


MODELS = (
    FakeModel(id="claude-haiku-5-5", name="Claude Haiku 5.5", efforts=EFFORTS[:3]),
    FakeModel(id="claude-sonnet-5-5", name="Claude Sonnet 5.5"),
    FakeModel(
        id="claude-haiku-4-5",
        name="Claude Haiku 4.5",
        window_tokens=200_000,
        max_tokens=64_000,
        adaptive=False,
        efforts=(),
        retires_at="2027-02-01T00:00:00Z",
    ),
    FakeModel(id="small", name="Small", window_tokens=400, adaptive=False, efforts=(), vision=False, pdf=False),
)


def find_model(models: Sequence[FakeModel], name: object) -> FakeModel:
    """Raises `Refused` as the API does for a model that it does not have."""
    for model in models:
        if model.id == name:
            return model
    raise Refused(f"model: {name}", status=404, kind="not_found_error")


def model_page(models: Sequence[FakeModel], *, after_id: str | None, limit: int) -> dict[str, Any]:
    """GET /v1/models: what follows `after_id`, `limit` at most."""
    ids = [model.id for model in models]
    start = ids.index(after_id) + 1 if after_id in ids else 0
    page = models[start : start + limit]
    return {
        "data": [_entry(model) for model in page],
        "has_more": start + limit < len(models),
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
    }


def _entry(model: FakeModel) -> dict[str, Any]:
    efforts = {effort: _support(effort in model.efforts) for effort in EFFORTS}
    kinds = {"adaptive": model.adaptive, "enabled": not model.adaptive, "disabled": True, "between_tools": False}
    thinking = {"supported": True, "types": {kind: _support(able) for kind, able in kinds.items()}}
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.name,
        "created_at": "2026-09-01T00:00:00Z",
        "lifecycle": "deprecated" if model.retires_at else "active",
        "retires_at": model.retires_at,
        "deprecated_at": "2026-08-01T00:00:00Z" if model.retires_at else None,
        "max_input_tokens": model.window_tokens,
        "max_tokens": model.max_tokens,
        "capabilities": {
            "batch": _support(True),
            "citations": _support(True),
            "effort": {"supported": bool(model.efforts), **efforts},
            "image_input": _support(model.vision),
            "pdf_input": _support(model.pdf),
            "structured_outputs": _support(model.structured),
            "thinking": thinking,
        },
    }


def _support(able: bool) -> dict[str, bool]:
    return {"supported": able}
