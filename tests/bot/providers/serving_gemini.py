"""Gemini, as the contract sees it."""

from dataclasses import replace

from bot.core.catalogue import ModelInfo, ModelRef
from tests.bot.providers.case import Case
from tests.fakes.gemini import faults
from tests.fakes.gemini.models import CHAT_MODELS, FLASH, LEVELS, SMALL, FakeModel
from tests.fakes.gemini.server import FakeGemini, stream_of
from tests.fakes.model_server import Trouble


def model_of(model: FakeModel, **facts: object) -> ModelInfo:
    """A model of the fake's, with what the catalogue would know of it."""
    info = ModelInfo(ref=ModelRef("gemini", model.id), reasoning=model.thinks)
    return replace(info, **facts)  # type: ignore[arg-type]  # any of its fields


GEMINI = Case(
    name="gemini",
    serve=FakeGemini,
    model=model_of(FLASH),
    samples=model_of(FLASH),
    small=model_of(SMALL, window_tokens=SMALL.input_tokens + SMALL.output_tokens),
    sees=model_of(FLASH, vision=True),
    thinks=model_of(FLASH, efforts=tuple(level.lower() for level in LEVELS)),
    shaped=model_of(FLASH, json=True),
    listed=frozenset(model.id for model in CHAT_MODELS),
    fields=frozenset({"contents", "generationConfig.thinkingConfig"}),
    # The effort stands beside the wish to see thoughts, inside of the same object.
    adds={
        "system": frozenset({"systemInstruction.parts"}),
        "tools": frozenset({"tools"}),
        "max_output_tokens": frozenset({"generationConfig.maxOutputTokens"}),
        "temperature": frozenset({"generationConfig.temperature"}),
        "top_p": frozenset({"generationConfig.topP"}),
        "json": frozenset({"generationConfig.responseMimeType"}),
        "response_schema": frozenset({"generationConfig.responseMimeType", "generationConfig.responseJsonSchema"}),
    },
    faults={
        Trouble.BAD_REQUEST: faults.BAD_REQUEST,
        Trouble.CONTEXT_TOO_LONG: faults.TOO_LONG,
        Trouble.WRONG_KEY: faults.WRONG_KEY,
        Trouble.NO_PERMISSION: faults.NO_PERMISSION,
        Trouble.NO_MONEY: faults.NO_CREDIT,
        Trouble.NO_SUCH_MODEL: faults.NOT_FOUND,
        Trouble.TOO_LARGE: faults.TOO_LARGE,
        Trouble.TIMEOUT: faults.TIMEOUT,
        Trouble.RATE_LIMITED: faults.rate_limited(),
        Trouble.OVERLOADED: faults.OVERLOADED,
        Trouble.SERVER_ERROR: faults.INTERNAL,
        Trouble.WEB_PAGE: faults.WEB_PAGE,
    },
    codes={
        Trouble.BAD_REQUEST: "INVALID_ARGUMENT",
        Trouble.NO_PERMISSION: "PERMISSION_DENIED",
        Trouble.RATE_LIMITED: "RESOURCE_EXHAUSTED",
        Trouble.OVERLOADED: "UNAVAILABLE",
        Trouble.SERVER_ERROR: "INTERNAL",
    },
    error=faults.fault,
    stream_of=stream_of,
    wait=faults.rate_limited,
    counts=frozenset({"cached_tokens", "reasoning_tokens", "image_tokens", "audio_tokens", "audio_output_tokens"}),
    names_requests=False,
    reads_pdf=True,
    counts_early=True,
)
