"""Ollama, as the contract sees it: no codes, no keys, no filters."""

from dataclasses import replace

from bot.core.catalogue import ModelInfo, ModelRef
from tests.bot.providers.case import Case
from tests.fakes.model_server import Trouble
from tests.fakes.ollama.models import MODELS
from tests.fakes.ollama.server import TOO_LONG, FakeOllama
from tests.fakes.script import HttpFault

#: With all of its window in use from the first call on: a prompt that is too long is not given more.
_MODEL = ModelInfo(ref=ModelRef("ollama", "llama3.2:latest"), window_tokens=4_096)


def error(status: int, word: str, message: str = "") -> HttpFault:
    """An error as this API has it: a sentence."""
    return HttpFault(status=status, body={"error": f"{word} {message}".strip()})


def stream_of(data: str) -> HttpFault:
    """A stream with one line."""
    return HttpFault(status=200, body=f"{data}\n", headers={"content-type": "application/x-ndjson"})


def _model(name: str, **facts: object) -> ModelInfo:
    return replace(_MODEL, ref=ModelRef("ollama", name), **facts)  # type: ignore[arg-type]  # any of its fields


OLLAMA = Case(
    name="ollama",
    serve=FakeOllama,
    model=_MODEL,
    samples=_MODEL,
    small=_model("small:latest", window_tokens=400),
    sees=_model("gemma4:12b", vision=True),
    thinks=_model("gpt-oss:20b", reasoning=True, efforts=("low", "medium", "high")),
    shaped=replace(_MODEL, json=True),
    listed=frozenset(model.name for model in MODELS if model.can("completion")),
    fields=frozenset({"model", "messages", "stream", "truncate", "options.num_ctx", "options.num_predict"}),
    adds={
        "tools": frozenset({"tools"}),
        "temperature": frozenset({"options.temperature"}),
        "top_p": frozenset({"options.top_p"}),
        "json": frozenset({"format"}),
        "response_schema": frozenset(
            {"format.type", "format.properties", "format.required", "format.additionalProperties"}
        ),
    },
    faults={
        Trouble.BAD_REQUEST: error(400, 'option "num_ctx" must be of type integer'),
        Trouble.CONTEXT_TOO_LONG: error(400, TOO_LONG),
        Trouble.WRONG_KEY: error(401, "unauthorized"),
        Trouble.NO_PERMISSION: error(403, "remote inference is unavailable"),
        Trouble.NO_MONEY: error(402, "you need a subscription for this model"),
        Trouble.NO_SUCH_MODEL: error(404, "model 'llama3.2' not found"),
        Trouble.RATE_LIMITED: error(429, "too many requests"),
        Trouble.OVERLOADED: error(503, "server busy, please try again. maximum pending requests exceeded"),
        Trouble.SERVER_ERROR: error(500, "model requires more system memory (12.0 GiB) than is available (7.2 GiB)"),
        Trouble.WEB_PAGE: HttpFault(status=502, body="<html>Bad Gateway</html>", headers={"content-type": "text/html"}),
    },
    codes={
        Trouble.SERVER_ERROR: "an error was encountered while running the model",
        Trouble.CONTEXT_TOO_LONG: "input exceeds maximum context length and cannot be truncated further",
    },
    error=error,
    stream_of=stream_of,
    needs_key=False,
    names_requests=False,
    filters=False,
)
