"""What the contract has to know of one provider: its server, its models, its words for what goes wrong.

All of it is data; the tests are the same for every provider.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from bot.core.catalogue import ModelInfo
from tests.fakes.model_server import ModelServer, Trouble
from tests.fakes.script import HttpFault

S = TypeVar("S", bound=ModelServer, covariant=True)


def _wait_in_header(fault: HttpFault) -> Callable[[float], HttpFault]:
    return lambda seconds: replace(fault, headers={**fault.headers, "retry-after": f"{seconds:g}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Generic[S]):
    """One provider, as the catalogue and its API know it.

    Its server and models:
        `serve` starts a fresh fake (an async context manager). `model` is one that it has. The other models, each
        also on the server: `sees` takes images, `small` has a window (`window_tokens`) that a test can fill; None
        where the API has no such thing: `samples` takes temperature and top_p, `thinks` has `efforts`, `shaped` can
        be held to JSON (and to a schema, where `holds_schema`). `listed` are the ids that it should list, None: its
        list is not used.

    What a body holds (`Asked.fields`):
        `fields` of the least request ("Hi" and nothing else); `adds`: what else each option brings, by the option's
        name in ChatRequest (`system`, `tools`, `max_output_tokens`, `temperature`, `top_p`, `reasoning_effort`,
        `json`, `response_schema`, `cache_key`); an option that is not in it must bring nothing.

    What its API can say:
        `faults`: how it refuses a request, as HTTP answers with its own body; leave out what it does not have.
        `codes`: its words for errors inside a stream (`Broken.code`), likewise; at least SERVER_ERROR.
        `error(status, word, message)` is any HTTP error in its form. `stream_of(data)` is a stream (status 200) with
        one event that holds `data`.
        `wait(seconds)` is a 429 that says when to come back; None: RATE_LIMITED with a `retry-after` header.
        `counts`: the parts of Usage that it reports beside input and output. `needs_key`; `names_requests`: errors
        carry a request id; `own_call_ids`: it gives tool calls their ids; `shows_reasoning`, `reads_pdf`, `filters`
        (has an end of the kind CONTENT_FILTER), `may_omit_usage`, `counts_early` (tells what the prompt used before the
        first word).
    """

    name: str
    serve: Callable[[], AbstractAsyncContextManager[S]]
    model: ModelInfo
    small: ModelInfo
    sees: ModelInfo
    samples: ModelInfo | None = None
    thinks: ModelInfo | None = None
    shaped: ModelInfo | None = None
    listed: frozenset[str] | None = None

    fields: frozenset[str]
    adds: Mapping[str, frozenset[str]]

    faults: Mapping[Trouble, HttpFault]
    codes: Mapping[Trouble, str]
    error: Callable[[int, str, str], HttpFault]
    stream_of: Callable[[str], HttpFault]
    wait: Callable[[float], HttpFault] | None = None
    counts: frozenset[str] = field(default_factory=frozenset)
    needs_key: bool = True
    names_requests: bool = True
    own_call_ids: bool = True
    shows_reasoning: bool = True
    reads_pdf: bool = False
    filters: bool = True
    may_omit_usage: bool = True
    counts_early: bool = False
    holds_schema: bool = True

    def rate_limited(self, seconds: float) -> HttpFault:
        """A 429 that names a time."""
        return (self.wait or _wait_in_header(self.faults[Trouble.RATE_LIMITED]))(seconds)

    def __str__(self) -> str:
        return self.name
