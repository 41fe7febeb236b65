"""An Answer as events, in the order and with the fields of anthropic 2.11 `types/raw_message_*_event`."""

from typing import Any

from tests.fakes.anthropic.answer import Answer, characters
from tests.fakes.anthropic.refused import error_body
from tests.fakes.script import Broken, Usage
from tests.fakes.sse import Frame

_REFUSED = {"type": "refusal", "category": "cyber", "explanation": "This could enable cyber harm."}


def frames(answer: Answer) -> list[Frame]:
    """The stream. Observed order: message_start, content_block_start, ping, content_block_delta ...,
    content_block_stop, ..., message_delta, message_stop.
    """
    built = [_frame("message_start", message=_opened(answer))]
    for index, block in enumerate(answer.blocks):
        built.append(_frame("content_block_start", index=index, content_block=block.opened))
        if index == 0:
            built.append(_frame("ping"))
        for delta in block.deltas:
            built.append(_delta(index, delta))
        built.append(_frame("content_block_stop", index=index))
    end: dict[str, Any] = {"delta": _end(answer)}
    if answer.reports_usage:
        end["usage"] = usage_on_wire(answer)
    # The end as a test means it: what comes after the last word.
    built.append(_frame("message_delta", final=True, **end))
    built.append(_frame("message_stop"))
    return built


def whole(answer: Answer) -> dict[str, Any]:
    """The answer without `stream`."""
    usage = {"usage": usage_on_wire(answer)} if answer.reports_usage else {}
    return _opened(answer) | {"content": [block.whole for block in answer.blocks]} | _end(answer) | usage


def error_frame(broken: Broken) -> Frame:
    """The event of an error in mid-stream; `broken.code` is its type."""
    return Frame(event="error", data=error_body(broken.message, kind=broken.code), final=True)


def usage_on_wire(answer: Answer) -> dict[str, Any]:
    """All counts; `input_tokens` is what the cache neither read nor wrote."""
    usage = answer.usage
    counts = _counts(usage) | {"output_tokens": usage.output_tokens, "service_tier": answer.service_tier}
    details = {"output_tokens_details": {"thinking_tokens": usage.reasoning_tokens}}
    searches = {"server_tool_use": {"web_search_requests": answer.searches, "web_fetch_requests": 0}}
    return counts | details | (searches if answer.searches else {})


def _counts(usage: Usage) -> dict[str, Any]:
    long = usage.cache_write_1h_tokens
    return {
        "input_tokens": usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_tokens - long,
            "ephemeral_1h_input_tokens": long,
        },
    }


def _opened(answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }
    if answer.reports_usage:
        message["usage"] = _counts(answer.usage) | {"output_tokens": 1, "service_tier": answer.service_tier}
    return message


def _end(answer: Answer) -> dict[str, Any]:
    details = _REFUSED if answer.stop_reason == "refusal" else None
    return {"stop_reason": answer.stop_reason, "stop_sequence": None, "stop_details": details}


def _delta(index: int, delta: dict[str, Any]) -> Frame:
    chunk = delta["type"] != "signature_delta"
    data = {"type": "content_block_delta", "index": index, "delta": delta}
    return Frame(event="content_block_delta", data=data, chunk=chunk, characters=characters((delta,)))


def _frame(event: str, *, final: bool = False, **fields: Any) -> Frame:
    return Frame(event=event, data={"type": event, **fields}, final=final)
