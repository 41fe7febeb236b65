"""An Answer as Responses events, in the order and with the fields of openai 3.52 `types/responses`.

The last frame carries the whole response object, which is also the answer of a call without `stream`.
"""

from typing import Any

from tests.fakes.openai.answer import Answer, fragments
from tests.fakes.openai.check_responses import ENCRYPTED_PREFIX
from tests.fakes.openai.script import Finish, ToolCall, Usage
from tests.fakes.sse import Frame

_INCOMPLETE = {Finish.LENGTH: "max_output_tokens", Finish.CONTENT_FILTER: "content_filter"}
_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
}


class ResponsesFrames:
    """Builds one stream; numbers its events and collects its output items.

    Observed order: response.created, response.in_progress, output_item.added, content_part.added,
    output_text.delta (one a chunk), output_text.done, content_part.done, output_item.done,
    response.completed.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._frames: list[Frame] = []
        self._output: list[dict[str, Any]] = []

    def build(self) -> list[Frame]:
        """Every frame of a stream that goes well (or ends incomplete)."""
        answer = self._answer
        self._add("response.created", response=self._response("in_progress"))
        self._add("response.in_progress", response=self._response("in_progress"))
        if answer.reasoning:
            self._reason()
        for number in range(answer.searches):
            self._search(number)
        if answer.chunks or answer.refusal:
            self._message()
        for call in answer.tool_calls:
            self._call(call)
        status = "incomplete" if answer.finish in _INCOMPLETE else "completed"
        self._add(f"response.{status}", final=True, response=self._response(status))
        return self._frames

    def failed(self, sequence_number: int, code: str, message: str) -> Frame:
        """The frame that replaces the rest of a stream that fails."""
        response = self._response("failed") | {"error": {"code": code, "message": message}, "output": []}
        data = {"type": "response.failed", "sequence_number": sequence_number, "response": response}
        return Frame(event="response.failed", data=data, final=True)

    def _add(self, event: str, *, chunk: bool = False, final: bool = False, characters: int = 0, **fields: Any) -> None:
        data = {"type": event, "sequence_number": len(self._frames), **fields}
        self._frames.append(Frame(event=event, data=data, chunk=chunk, final=final, characters=characters))

    def _response(self, status: str) -> dict[str, Any]:
        answer = self._answer
        ended = status in {"completed", "incomplete"}
        reason = _INCOMPLETE.get(answer.finish) if status == "incomplete" else None
        echoed = {name: answer.request.body.get(name, default) for name, default in _ECHOED.items()}
        return {
            "id": f"resp_{answer.number}",
            "object": "response",
            "created_at": answer.created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": {"reason": reason} if reason else None,
            "model": answer.model,
            "output": list(self._output) if ended else [],
            "usage": _usage(answer.usage) if ended and answer.reports_usage else None,
            "user": None,
            **echoed,
            "service_tier": answer.service_tier or "default",
        }

    def _open(self, item: dict[str, Any]) -> dict[str, Any]:
        where: dict[str, Any] = {"output_index": len(self._output)}
        self._add("response.output_item.added", **where, item=item)
        return {"item_id": item["id"], **where}

    def _close(self, item: dict[str, Any], hidden: int = 0) -> None:
        self._add("response.output_item.done", characters=hidden, output_index=len(self._output), item=item)
        self._output.append(item)

    def _reason(self) -> None:
        answer = self._answer
        item: dict[str, Any] = {"id": f"rs_{answer.number}", "type": "reasoning", "summary": []}
        if "reasoning.encrypted_content" in (answer.request.body.get("include") or ()):
            item["encrypted_content"] = f"{ENCRYPTED_PREFIX}{answer.number}"
        where = self._open(item)
        text = "".join(answer.reasoning)
        if not (answer.request.body.get("reasoning") or {}).get("summary"):
            self._close(item, hidden=len(text))
            return
        where["summary_index"] = 0
        part = {"type": "summary_text", "text": text}
        self._add("response.reasoning_summary_part.added", **where, part=part | {"text": ""})
        for delta in answer.reasoning:
            characters = len(delta)
            self._add(
                "response.reasoning_summary_text.delta",
                chunk=True,
                characters=characters,
                **where,
                delta=delta,
            )
        self._add("response.reasoning_summary_text.done", **where, text=text)
        self._add("response.reasoning_summary_part.done", **where, part=part)
        self._close(item | {"summary": [part]})

    def _search(self, number: int) -> None:
        """A look-up on the web, and the opening of one of its pages."""
        for action in ({"type": "search", "query": "news"}, {"type": "open_page", "url": "https://example.org"}):
            item = {"id": f"ws_{number}", "type": "web_search_call", "status": "in_progress"}
            self._open(item)
            self._close(item | {"status": "completed", "action": action})

    def _message(self) -> None:
        answer = self._answer
        item: dict[str, Any] = {"id": f"msg_{answer.number}", "type": "message", "role": "assistant"}
        where = self._open(item | {"status": "in_progress", "content": []}) | {"content_index": 0}
        part = self._refusal(where) if answer.refusal else self._text(where)
        self._add("response.content_part.done", **where, part=part)
        status = "incomplete" if answer.finish in _INCOMPLETE else "completed"
        self._close(item | {"status": status, "content": [part]})

    def _text(self, where: dict[str, Any]) -> dict[str, Any]:
        part = {"type": "output_text", "annotations": [], "logprobs": [], "text": self._answer.text}
        self._add("response.content_part.added", **where, part=part | {"text": ""})
        for delta in self._answer.chunks:
            fields = {**where, "delta": delta, "logprobs": [], "obfuscation": "x7Qk"}
            self._add("response.output_text.delta", chunk=True, characters=len(delta), **fields)
        self._add("response.output_text.done", **where, text=self._answer.text, logprobs=[])
        return part

    def _refusal(self, where: dict[str, Any]) -> dict[str, Any]:
        text = "".join(self._answer.refusal)
        self._add("response.content_part.added", **where, part={"type": "refusal", "refusal": ""})
        for delta in self._answer.refusal:
            self._add("response.refusal.delta", chunk=True, characters=len(delta), **where, delta=delta)
        self._add("response.refusal.done", **where, refusal=text)
        return {"type": "refusal", "refusal": text}

    def _call(self, call: ToolCall) -> None:
        item = {
            "id": f"fc_{call.call_id}",
            "type": "function_call",
            "call_id": call.call_id,
            "name": call.name,
        }
        where = self._open(item | {"status": "in_progress", "arguments": ""})
        event = "response.function_call_arguments"
        for delta in fragments(call.arguments):
            self._add(f"{event}.delta", chunk=True, characters=len(delta), **where, delta=delta)
        self._add(f"{event}.done", **where, arguments=call.arguments)
        self._close(item | {"status": "completed", "arguments": call.arguments})


def _usage(usage: Usage) -> dict[str, Any]:
    cached = {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens}
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": cached,
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
