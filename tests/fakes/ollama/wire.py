"""A Reply as the lines of `/api/chat`.

Observed order: a line for each piece of thinking, each piece of content, each tool call (whole), then the line with
`done` and the counts.
"""

import json
from collections.abc import Mapping
from typing import Any

from tests.fakes.ollama.reading import CHARACTERS_PER_TOKEN
from tests.fakes.script import Finish, Reply, words
from tests.fakes.sse import Frame, Sender

_AT = "2026-11-21T12:00:00.000000Z"


class LineSender(Sender):
    """One streamed answer, a JSON object a line."""

    malformed = b'{"model": "llama3.2:latest", "mess\n'

    def encode(self, frame: Frame) -> bytes:
        return json.dumps(frame.data, ensure_ascii=False).encode() + b"\n"


def frames(
    reply: Reply, body: Mapping[str, Any], *, number: int, read_tokens: int, calls_have_ids: bool
) -> list[Frame]:
    """Every line of a stream that goes well; text beyond `num_predict` is cut."""
    model = reply.model_answered or str(body["model"])
    pieces, cut = _limited(reply, (body.get("options") or {}).get("num_predict"))
    lines = [_line(model, {"content": "", "thinking": text}, len(text)) for text in words(reply.reasoning)]
    lines += [_line(model, {"content": text}, len(text)) for text in pieces]
    for index, call in enumerate(reply.tool_calls):
        function = {"index": index, "name": call.name, "arguments": json.loads(call.arguments)}
        identified = {"id": call.call_id or f"call_{number}_{index}"} if calls_have_ids else {}
        lines.append(_line(model, {"content": "", "tool_calls": [identified | {"function": function}]}, 1))
    end: dict[str, Any] = {"model": model, "created_at": _AT, "message": {"role": "assistant", "content": ""}}
    end |= {"done": True, "done_reason": "length" if cut or reply.finish is Finish.LENGTH else "stop"}
    return [*lines, Frame(data=end | _counts(reply, read_tokens, lines), final=True)]


def error_frame(text: str) -> Frame:
    """The line that replaces the rest of a stream that fails."""
    return Frame(data={"error": text}, final=True)


def _line(model: str, said: dict[str, Any], characters: int) -> Frame:
    data = {"model": model, "created_at": _AT, "message": {"role": "assistant", **said}, "done": False}
    return Frame(data=data, chunk=True, characters=characters)


def _counts(reply: Reply, read_tokens: int, lines: list[Frame]) -> dict[str, int]:
    if reply.no_usage:
        return {}
    written = sum(line.characters for line in lines) // CHARACTERS_PER_TOKEN
    usage = reply.usage
    return {
        "total_duration": 4_883_583_458,
        "load_duration": 1_334_875,
        "prompt_eval_count": usage.input_tokens if usage else read_tokens,
        "prompt_eval_duration": 342_546_000,
        "eval_count": usage.output_tokens if usage else max(1, written),
        "eval_duration": 4_535_599_000,
    }


def _limited(reply: Reply, limit: int | None) -> tuple[tuple[str, ...], bool]:
    room = None if limit is None or limit < 0 else limit * CHARACTERS_PER_TOKEN
    kept: list[str] = []
    for piece in reply.pieces:
        if room is not None and len(piece) > room:
            return tuple(kept), True
        kept.append(piece)
        room = None if room is None else room - len(piece)
    return tuple(kept), False
