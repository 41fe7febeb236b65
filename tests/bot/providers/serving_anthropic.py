"""Anthropic, as the contract sees it."""

from bot.core.catalogue import ModelInfo, ModelRef
from tests.bot.providers.case import Case
from tests.fakes.anthropic import faults
from tests.fakes.anthropic.models import EFFORTS, MODELS
from tests.fakes.anthropic.refused import error_body
from tests.fakes.anthropic.server import FakeAnthropic
from tests.fakes.model_server import Trouble
from tests.fakes.script import HttpFault

HAIKU = ModelInfo(ref=ModelRef("anthropic", "claude-haiku-5-5"), temperature=False, reasoning=True)


def error(status: int, word: str, message: str) -> HttpFault:
    """An error of status `status` with type `word`."""
    return HttpFault(status=status, body=error_body(message, kind=word))


def stream_of(data: str) -> HttpFault:
    """A stream with one event."""
    text = f"event: message_start\ndata: {data}\n\n"
    return HttpFault(status=200, body=text, headers={"content-type": "text/event-stream"})


ANTHROPIC = Case(
    name="anthropic",
    serve=FakeAnthropic,
    model=HAIKU,
    small=ModelInfo(ref=ModelRef("anthropic", "small"), temperature=False, window_tokens=400),
    sees=ModelInfo(ref=ModelRef("anthropic", "claude-haiku-5-5"), temperature=False, vision=True),
    # `samples`: since 2026-10-21 the API has no sampling parameters. `shaped`: it can be held to a schema, but not to
    # JSON of any form; see test_anthropic.
    thinks=ModelInfo(
        ref=ModelRef("anthropic", "claude-sonnet-5-5"), temperature=False, reasoning=True, efforts=EFFORTS
    ),
    listed=frozenset(model.id for model in MODELS),
    fields=frozenset({"model", "max_tokens", "messages", "stream", "thinking.type", "thinking.display"}),
    adds={
        "system": frozenset({"system"}),
        "tools": frozenset({"tools"}),
        "reasoning_effort": frozenset({"output_config.effort"}),
        "cache_key": frozenset({"cache_control.type", "cache_control.ttl"}),
    },
    faults={
        Trouble.BAD_REQUEST: faults.BAD_REQUEST,
        Trouble.CONTEXT_TOO_LONG: faults.TOO_LONG,
        Trouble.FILTERED: faults.FILTERED,
        Trouble.WRONG_KEY: faults.UNAUTHORIZED,
        Trouble.NO_PERMISSION: faults.FORBIDDEN,
        Trouble.NO_MONEY: faults.NO_CREDIT,
        Trouble.NO_SUCH_MODEL: faults.NOT_FOUND,
        Trouble.TOO_LARGE: faults.TOO_LARGE,
        Trouble.TIMEOUT: faults.TIMEOUT,
        Trouble.RATE_LIMITED: faults.RATE_LIMITED,
        Trouble.OVERLOADED: faults.OVERLOADED,
        Trouble.SERVER_ERROR: faults.SERVER_ERROR,
        Trouble.WEB_PAGE: faults.BAD_GATEWAY,
    },
    codes={
        Trouble.BAD_REQUEST: "invalid_request_error",
        Trouble.WRONG_KEY: "authentication_error",
        Trouble.NO_PERMISSION: "permission_error",
        Trouble.NO_MONEY: "billing_error",
        Trouble.NO_SUCH_MODEL: "not_found_error",
        Trouble.TOO_LARGE: "request_too_large",
        Trouble.TIMEOUT: "timeout_error",
        Trouble.RATE_LIMITED: "rate_limit_error",
        Trouble.OVERLOADED: "overloaded_error",
        Trouble.SERVER_ERROR: "api_error",
    },
    error=error,
    stream_of=stream_of,
    counts=frozenset({"cached_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens"}),
    reads_pdf=True,
    counts_early=True,
)
