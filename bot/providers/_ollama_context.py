"""How large a context Ollama is asked for, so that it never cuts a prompt in silence.

Without `num_ctx` it runs most models with 4,096 tokens and drops the start of what does not fit, system prompt
included. Another size than the last one makes it load the model anew: seconds, so sizes are few and kept for a while.
"""

import json
from dataclasses import dataclass

from bot.core.catalogue import ModelInfo
from bot.core.errors import ContextTooLong
from bot.core.message import Image, Text, ToolCall, ToolResult
from bot.core.ports import ChatRequest
from bot.core.tokens import estimate_tokens

_LEAST_TOKENS = 4_096
#: Room for an answer that nobody limited; one with its reasoning needs more.
_ANSWER_TOKENS = 4_096
_REASONED_ANSWER_TOKENS = 8_192
#: What the server itself reckons for an image.
_IMAGE_TOKENS = 768
_MESSAGE_TOKENS = 8
#: Estimates are within a fifth for prose; vocabularies of small models are coarser.
_MARGIN = 1.3
#: The server forgets an idle model after five minutes: then a smaller context costs nothing.
_KEPT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one call gets: `num_ctx` tokens in all, of which `answer_tokens` are the answer's."""

    num_ctx: int
    answer_tokens: int


class Contexts:
    """The context of each model as it was asked for last."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, float]] = {}

    def room_for(self, request: ChatRequest, prompt_tokens: int, now_s: float) -> Room:
        """Room for a prompt of about `prompt_tokens`, and its answer. Raises ContextTooLong: the model has less."""
        model = request.model
        if model.window_tokens is not None and prompt_tokens >= model.window_tokens:
            text = f"about {prompt_tokens} tokens for a window of {model.window_tokens}"
            raise ContextTooLong(text, provider=model.ref.provider)
        prompt = int(prompt_tokens * _MARGIN) + 1
        answer = request.max_output_tokens or _answer_tokens(model)
        least, used_at = self._last.get(model.ref.id, (0, 0.0))
        wanted = _step(prompt + answer)
        num_ctx = max(wanted, least) if now_s - used_at < _KEPT_S else wanted
        num_ctx = min(num_ctx, model.window_tokens or num_ctx)
        self._last[model.ref.id] = (num_ctx, now_s)
        # No more than is left, limited or not: the server would make room for it by forgetting the prompt.
        left = max(num_ctx - prompt, min(answer, num_ctx - prompt_tokens))
        return Room(num_ctx=num_ctx, answer_tokens=min(left, request.max_output_tokens or left))


def prompt_tokens(system: str, request: ChatRequest) -> int:
    """An estimate of all that the model has to read."""
    tools = json.dumps([dict(tool.parameters) | {"name": tool.name, "of": tool.description} for tool in request.tools])
    text = [system, tools if request.tools else ""]
    images = 0
    for message in request.messages:
        for part in message.parts:
            match part:
                case Text():
                    text.append(part.text)
                case ToolCall():
                    text.append(part.name + part.arguments)
                case ToolResult():
                    text.append(part.text)
                case Image():
                    images += 1
                case _:
                    pass
    return estimate_tokens("\n".join(text)) + images * _IMAGE_TOKENS + len(request.messages) * _MESSAGE_TOKENS


def looks_cut(room: Room, estimated_tokens: int, read_tokens: int) -> bool:
    """Whether the prompt was cut, by the count of what was read: then it is all of the context, or half of it."""
    half = room.num_ctx // 2
    return estimated_tokens > read_tokens and (read_tokens >= room.num_ctx - 1 or half <= read_tokens <= half + 8)


def _answer_tokens(model: ModelInfo) -> int:
    return _REASONED_ANSWER_TOKENS if model.reasoning else _ANSWER_TOKENS


def _step(tokens: int) -> int:
    """The next of 4,096, 6,144, 8,192, 12,288, 16,384 and so on."""
    size = _LEAST_TOKENS
    while size < tokens:
        size = size * 3 // 2 if size & (size - 1) == 0 else size * 4 // 3
    return size
