"""What `/api/chat` refuses: values of a wrong Go type, and what the model cannot do. Unknown keys are passed over."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from tests.fakes.ollama.models import FakeModel

_INTEGERS = frozenset({"num_ctx", "num_predict", "num_keep", "seed", "top_k", "num_gpu", "num_batch", "num_thread"})
_NUMBERS = frozenset({"temperature", "top_p", "min_p", "repeat_penalty", "presence_penalty", "frequency_penalty"})
_LEVELS = ("high", "medium", "low", "max")


class Refused(Exception):
    """The request is answered with an error."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def check_chat(body: Mapping[str, Any], model: FakeModel) -> None:
    """Raises `Refused` for the first thing that is wrong."""
    if not model.can("completion"):
        raise Refused(f'"{model.name}" does not support chat')
    for name in ("stream", "truncate", "shift"):
        _typed(body, name, bool)
    _check_options(body.get("options"))
    _check_think(body.get("think"), model)
    _check_format(body.get("format"))
    _check_tools(body, model)
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise Refused("json: cannot unmarshal object into Go struct field ChatRequest.messages of type []api.Message")
    for message in messages:
        _check_message(message, model)


def _typed(holder: Mapping[str, Any], name: str, wanted: type) -> None:
    value = holder.get(name)
    if value is not None and not isinstance(value, wanted):
        raise Refused(f"json: cannot unmarshal {type(value).__name__} into Go struct field .{name}")


def _check_options(options: Any) -> None:
    if options is not None and not isinstance(options, dict):
        raise Refused("json: cannot unmarshal into Go struct field ChatRequest.options of type map[string]interface {}")
    for name, value in (options or {}).items():
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        if name in _INTEGERS and not plain:
            raise Refused(f'option "{name}" must be of type integer')
        if name in _NUMBERS and not plain:
            raise Refused(f'option "{name}" must be of type float32')


def _check_think(think: Any, model: FakeModel) -> None:
    if think is not None and not isinstance(think, bool) and think not in _LEVELS:
        raise Refused(f'invalid think value: "{think}" (must be "high", "medium", "low", "max", true, or false)')
    if think and not model.can("thinking"):
        raise Refused(f'"{model.name}" does not support thinking')


def _check_format(form: Any) -> None:
    if form is not None and form != "json" and not isinstance(form, dict):
        raise Refused(f"invalid format: {form}; expected json or a JSON schema", status=500)


def _check_tools(body: Mapping[str, Any], model: FakeModel) -> None:
    tools = body.get("tools") or ()
    if tools and not model.can("tools"):
        raise Refused(f"registry.ollama.ai/library/{model.name} does not support tools")
    for tool in tools:
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise Refused("json: cannot unmarshal into Go struct field ToolFunction.tools.function")
        if function.get("parameters", {}).get("type") != "object":
            raise Refused("json: cannot unmarshal into Go struct field ToolFunction.tools.function.parameters")


def _check_message(message: Any, model: FakeModel) -> None:
    if not isinstance(message, dict) or message.get("role") not in ("system", "user", "assistant", "tool"):
        raise Refused("invalid role; must be one of [system, user, assistant, tool]")
    if not isinstance(message.get("content", ""), str):
        raise Refused("json: cannot unmarshal array into Go struct field Message.messages.content of type string")
    for image in message.get("images") or ():
        _check_image(image, model)
    for call in message.get("tool_calls") or ():
        if not isinstance(call.get("function", {}).get("arguments"), dict):
            raise Refused("json: cannot unmarshal string into Go struct field ToolCallFunction.arguments")


def _check_image(image: Any, model: FakeModel) -> None:
    try:
        base64.b64decode(image, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise Refused("illegal base64 data at input byte 0") from None
    if not model.can("vision"):
        raise Refused("this model is missing data required for image input", status=500)
