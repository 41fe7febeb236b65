"""OpenAI and the servers that copy its older API, as the contract sees them; one fake plays all of them."""

from collections.abc import Callable
from dataclasses import replace

from bot.core.catalogue import ModelInfo, ModelRef
from tests.bot.providers.case import Case
from tests.fakes.model_server import Trouble
from tests.fakes.openai import dialect, faults
from tests.fakes.openai.dialect import OPENAI_EFFORTS, Dialect, FakeModel
from tests.fakes.openai.server import FakeOpenAI
from tests.fakes.script import HttpFault


def error(status: int, word: str, message: str = "No.") -> HttpFault:
    """An error of status `status` with code `word`."""
    body = faults.error_body(message, kind="invalid_request_error", code=word)
    return HttpFault(status=status, body=body)


def stream_of(data: str) -> HttpFault:
    """A stream with one event."""
    return HttpFault(status=200, body=f"data: {data}\n\n", headers={"content-type": "text/event-stream"})


FAULTS = {
    Trouble.BAD_REQUEST: error(400, "something_else"),
    Trouble.CONTEXT_TOO_LONG: faults.CONTEXT_LENGTH,
    Trouble.FILTERED: error(400, "content_filter"),
    Trouble.WRONG_KEY: faults.UNAUTHORIZED,
    Trouble.NO_PERMISSION: faults.FORBIDDEN,
    Trouble.NO_MONEY: faults.NO_QUOTA,
    Trouble.NO_SUCH_MODEL: faults.NOT_FOUND,
    Trouble.TOO_LARGE: faults.TOO_LARGE,
    Trouble.TIMEOUT: faults.REQUEST_TIMEOUT,
    Trouble.RATE_LIMITED: faults.RATE_LIMITED_BARE,
    Trouble.OVERLOADED: faults.OVERLOADED,
    Trouble.SERVER_ERROR: faults.SERVER_ERROR,
    Trouble.WEB_PAGE: faults.BAD_GATEWAY,
}
CODES = {
    Trouble.SERVER_ERROR: "server_error",
    Trouble.RATE_LIMITED: "rate_limit_exceeded",
    Trouble.NO_MONEY: "insufficient_quota",
    Trouble.CONTEXT_TOO_LONG: "context_length_exceeded",
    Trouble.FILTERED: "bio_policy",
    Trouble.BAD_REQUEST: "invalid_image",
}
_SMALL = FakeModel(id="small", window_tokens=400)
_SEES = FakeModel(id="sees", vision=True)


def _serve(played: Dialect) -> Callable[[], FakeOpenAI]:
    return lambda: FakeOpenAI(dialect=played, models=(*played.models, _SMALL, _SEES))


def _model(provider: str, model_id: str, **facts: object) -> ModelInfo:
    return replace(ModelInfo(ref=ModelRef(provider, model_id)), **facts)  # type: ignore[arg-type]  # any of its fields


def _chat(played: Dialect, model_id: str, limit: str = "max_tokens", *, shaped: bool = True) -> Case[FakeOpenAI]:
    """A server of the older API; what differs is replaced in the rows below."""
    model = _model(played.name, model_id)
    adds = {
        "tools": "tools",
        "max_output_tokens": limit,
        "temperature": "temperature",
        "top_p": "top_p",
        "reasoning_effort": "reasoning_effort",
        "json": "response_format.type",
    }
    return Case(
        name=played.name,
        serve=_serve(played),
        model=model,
        samples=model,
        small=_model(played.name, "small", window_tokens=_SMALL.window_tokens),
        sees=_model(played.name, "sees", vision=True),
        thinks=replace(model, reasoning=True, efforts=("low", "medium", "high")),
        shaped=replace(model, json=True) if shaped else None,
        fields=frozenset({"model", "stream", "messages", "stream_options.include_usage"}),
        adds={name: frozenset({path}) for name, path in adds.items()}
        | {"response_schema": frozenset({"response_format.type", "response_format.json_schema"})},
        faults=FAULTS,
        codes=CODES,
        error=error,
        stream_of=stream_of,
        counts=frozenset({"cached_tokens", "cache_write_tokens", "reasoning_tokens"}),
        needs_key=played.needs_key,
    )


OPENAI = Case(
    name="openai",
    serve=_serve(dialect.OPENAI),
    model=_model("openai", "gpt-6-luna", temperature=False, reasoning=True),
    samples=_model("openai", "gpt-4.1-mini"),
    small=_model("openai", "small", window_tokens=_SMALL.window_tokens),
    sees=_model("openai", "sees", vision=True),
    thinks=_model("openai", "gpt-6-luna", temperature=False, reasoning=True, efforts=OPENAI_EFFORTS),
    shaped=_model("openai", "gpt-6-luna", temperature=False, reasoning=True, json=True),
    listed=frozenset({"gpt-6-luna", "gpt-6.1-sol", "gpt-4.1-mini"}),
    fields=frozenset({"model", "stream", "input", "store", "include", "service_tier"}),
    adds={
        "system": frozenset({"instructions"}),
        "tools": frozenset({"tools"}),
        "max_output_tokens": frozenset({"max_output_tokens"}),
        "temperature": frozenset({"temperature"}),
        "top_p": frozenset({"top_p"}),
        "reasoning_effort": frozenset({"reasoning.effort"}),
        "json": frozenset({"text.format"}),
        "response_schema": frozenset({"text.format"}),
        "cache_key": frozenset({"prompt_cache_key"}),
    },
    faults=FAULTS,
    codes=CODES,
    error=error,
    stream_of=stream_of,
    counts=frozenset({"cached_tokens", "cache_write_tokens", "reasoning_tokens"}),
    # OpenAI shows its reasoning only to those who ask for a summary, which needs a verified account.
    shows_reasoning=False,
    reads_pdf=True,
)
_GROQ = _chat(dialect.GROQ, "openai/gpt-oss-120b", "max_completion_tokens")
# While it streams no model of Groq is held to a schema: it goes out in words.
GROQ = replace(_GROQ, adds={**_GROQ.adds, "response_schema": frozenset({"response_format.type"})}, holds_schema=False)
HUGGINGFACE = _chat(dialect.HUGGINGFACE, "openai/gpt-oss-120b:groq")
COMPATIBLE = replace(_chat(dialect.COMPATIBLE, "local-model"), listed=frozenset({"local-model", "small", "sees"}))
CASES = (OPENAI, GROQ, HUGGINGFACE, COMPATIBLE)
