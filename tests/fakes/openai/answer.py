"""A scripted Reply made definite for one call: chunks cut to the token limit, ids, usage."""

from dataclasses import dataclass

from tests.fakes.openai.dialect import Dialect
from tests.fakes.openai.prompt import CHARACTERS_PER_TOKEN, estimate_tokens
from tests.fakes.openai.record import Request
from tests.fakes.openai.script import Finish, Reply, ToolCall, Usage
from tests.fakes.script import words

ARGUMENT_FRAGMENT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One call's answer; `usage` is what is billed, `reports_usage` whether the client is told."""

    number: int
    created: int
    model: str
    request: Request
    dialect: Dialect
    chunks: tuple[str, ...]
    reasoning: tuple[str, ...]
    refusal: tuple[str, ...]
    tool_calls: tuple[ToolCall, ...]
    finish: Finish
    usage: Usage
    reports_usage: bool
    searches: int = 0
    service_tier: str | None = None

    @property
    def text(self) -> str:
        """The whole visible text."""
        return "".join(self.chunks)


def resolve(
    reply: Reply,
    request: Request,
    dialect: Dialect,
    *,
    number: int,
    input_tokens: int,
    cached_tokens: int,
    cache_write_tokens: int,
    limit: int | None,
    created: int,
) -> Answer:
    """`limit` is the answer's limit in tokens (None: none); text beyond it is cut, the finish is length."""
    chunks, cut = _limited(reply, limit)
    calls = tuple(_identified(call, number, index) for index, call in enumerate(reply.tool_calls))
    reasoning = words(reply.reasoning)
    characters = sum(map(len, (*chunks, reply.refusal, *(call.name + call.arguments for call in calls))))
    thought = estimate_tokens(len(reply.reasoning))
    usage = reply.usage or Usage(
        input_tokens=input_tokens,
        output_tokens=estimate_tokens(characters) + thought,
        cached_tokens=cached_tokens if reply.cached_tokens is None else reply.cached_tokens,
        cache_write_tokens=cache_write_tokens if reply.cached_tokens is None else 0,
        reasoning_tokens=thought,
    )
    default = Finish.TOOL_CALLS if calls else Finish.STOP
    return Answer(
        number=number,
        created=created,
        model=reply.model_answered or request.model,
        request=request,
        dialect=dialect,
        chunks=chunks,
        reasoning=reasoning,
        refusal=words(reply.refusal),
        tool_calls=calls,
        finish=Finish.LENGTH if cut else reply.finish or default,
        usage=usage,
        reports_usage=not reply.no_usage,
        searches=reply.searches,
        service_tier=reply.service_tier,
    )


def fragments(arguments: str) -> list[str]:
    """Arguments as they trickle in: pieces that fall anywhere in the JSON."""
    return [arguments[at : at + ARGUMENT_FRAGMENT] for at in range(0, len(arguments), ARGUMENT_FRAGMENT)]


def _identified(call: ToolCall, number: int, index: int) -> ToolCall:
    call_id = call.call_id or f"call_{number}_{index}"
    return ToolCall(name=call.name, arguments=call.arguments, call_id=call_id)


def _limited(reply: Reply, limit: int | None) -> tuple[tuple[str, ...], bool]:
    chunks = reply.pieces
    if limit is None:
        return chunks, False
    room = limit * CHARACTERS_PER_TOKEN - len(reply.reasoning)
    kept: list[str] = []
    for chunk in chunks:
        if len(chunk) > room:
            return (*kept, chunk[: max(room, 0)]) if room > 0 else tuple(kept), True
        kept.append(chunk)
        room -= len(chunk)
    return tuple(kept), False
