"""An Answer as Chat Completions chunks, or as one object; the dialect decides about reasoning and usage.

Observed order: role chunk, reasoning deltas, content deltas, tool call deltas, finish chunk, usage chunk with
empty choices (when asked for and honoured), [DONE].
"""

from typing import Any

from tests.fakes.openai.answer import Answer, fragments
from tests.fakes.openai.script import Usage
from tests.fakes.sse import Frame

DONE = "[DONE]"


def chat_frames(answer: Answer) -> list[Frame]:
    """Every frame of a stream that goes well."""
    dialect = answer.dialect
    head = {"role": "assistant", "content": "", **({"refusal": None} if dialect.name == "openai" else {})}
    groq_id = {"x_groq": {"id": f"req_{answer.number}"}} if dialect.groq_usage else {}
    frames = [Frame(data=_chunk(answer, head) | groq_id)]
    if dialect.reasoning_field:
        frames += [_delta(answer, {dialect.reasoning_field: text}, len(text)) for text in answer.reasoning]
    frames += [_delta(answer, {"content": text}, len(text)) for text in answer.chunks]
    frames += [_delta(answer, {"refusal": text}, len(text)) for text in answer.refusal]
    frames += _tool_frames(answer)
    last = _chunk(answer, {}, finish=answer.finish)
    if dialect.groq_usage and answer.reports_usage:
        last["x_groq"] = {"id": f"req_{answer.number}", "usage": _usage(answer.usage)}
    if dialect.says_finish:
        frames.append(Frame(data=last, final=True))
    if _asked_for_usage(answer) and answer.reports_usage:
        frames.append(Frame(data=_envelope(answer) | {"choices": [], "usage": _usage(answer.usage)}, final=True))
    frames.append(Frame(data=DONE, final=True))
    return frames


def chat_object(answer: Answer) -> dict[str, Any]:
    """The answer of a call without `stream`."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
    if answer.refusal:
        message["refusal"] = "".join(answer.refusal)
    if answer.tool_calls:
        message["tool_calls"] = [call for frame in _tool_frames(answer, whole=True) for call in _calls(frame)]
    if answer.reasoning and answer.dialect.reasoning_field:
        message[answer.dialect.reasoning_field] = "".join(answer.reasoning)
    choice = {"index": 0, "message": message, "finish_reason": str(answer.finish), "logprobs": None}
    body = _envelope(answer) | {"object": "chat.completion", "choices": [choice]}
    return body | {"usage": _usage(answer.usage)} if answer.reports_usage else body


def _asked_for_usage(answer: Answer) -> bool:
    options = answer.request.body.get("stream_options") or {}
    return bool(options.get("include_usage")) and answer.dialect.include_usage


def _envelope(answer: Answer) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{answer.number}",
        "object": "chat.completion.chunk",
        "created": answer.created,
        "model": answer.model,
        "system_fingerprint": "fp_fake",
        **({"service_tier": answer.service_tier} if answer.service_tier else {}),
    }


def _chunk(answer: Answer, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {
        "index": 0,
        "delta": delta,
        "logprobs": None,
        "finish_reason": None if finish is None else str(finish),
    }
    usage = {"usage": None} if _asked_for_usage(answer) and answer.dialect.name == "openai" else {}
    return _envelope(answer) | {"choices": [choice]} | usage


def _delta(answer: Answer, delta: dict[str, Any], characters: int) -> Frame:
    return Frame(data=_chunk(answer, delta), chunk=True, characters=characters)


def _tool_frames(answer: Answer, *, whole: bool = False) -> list[Frame]:
    frames = []
    for index, call in enumerate(answer.tool_calls):
        function = {"name": call.name, "arguments": ""}
        head: dict[str, Any] = {"index": index, "id": call.call_id, "type": "function", "function": function}
        if whole or answer.dialect.whole_tool_calls:
            function["arguments"] = call.arguments
            frames.append(_delta(answer, {"tool_calls": [head]}, len(call.arguments)))
            continue
        frames.append(_delta(answer, {"tool_calls": [head]}, 0))
        for text in fragments(call.arguments):
            piece = {"index": index, "function": {"arguments": text}}
            frames.append(_delta(answer, {"tool_calls": [piece]}, len(text)))
    return frames


def _calls(frame: Frame) -> list[dict[str, Any]]:
    assert isinstance(frame.data, dict)
    calls = frame.data["choices"][0]["delta"]["tool_calls"]
    return [{name: value for name, value in call.items() if name != "index"} for call in calls]


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "image_tokens": usage.image_tokens,
            "audio_tokens": usage.audio_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.audio_output_tokens,
        },
    }
