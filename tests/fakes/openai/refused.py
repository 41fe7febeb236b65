"""The refusal a check raises, and the small rules both APIs share. Messages and codes follow OpenAI's."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from tests.fakes.openai.dialect import Dialect, FakeModel, Overflow
from tests.fakes.openai.faults import error_body

CACHE_KEY_LIMIT = 64
CACHE_OPTIONS: Mapping[str, Collection[str]] = {"mode": ("implicit", "explicit"), "ttl": ("30m", "12h")}
SERVICE_TIERS = frozenset({"auto", "default", "flex", "scale", "priority", "fast", "ultrafast"})
IMAGE_SCHEMES = ("data:image/", "https://", "http://")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Refused(Exception):
    """The request is answered with an error; `status` and `body` go out as they are."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, kind=kind, code=code, param=param)


def check_known(body: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse the first parameter the API does not have."""
    for name in body:
        if name not in known:
            raise Refused(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")


def check_range(body: Mapping[str, Any], name: str, low: float, high: float) -> None:
    """A number within [low, high]; absent and null are fine."""
    value = body.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"Invalid type for '{name}': expected a decimal.", param=name, code="invalid_type")
    if not low <= value <= high:
        side = "above_max" if value > high else "below_min"
        text = f"Invalid '{name}': expected a value between {low} and {high}, but got {value} instead."
        raise Refused(text, param=name, code=f"decimal_{side}_value")


def check_minimum(body: Mapping[str, Any], name: str, minimum: int) -> None:
    """A whole number of at least `minimum`; absent and null are fine."""
    value = body.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f"Invalid type for '{name}': expected an integer.", param=name, code="invalid_type")
    if value < minimum:
        text = f"Invalid '{name}': integer below minimum value. Expected >= {minimum}, got {value}."
        raise Refused(text, param=name, code="integer_below_min_value")


def check_cache_key(body: Mapping[str, Any]) -> None:
    """`prompt_cache_key` holds 64 characters."""
    key = body.get("prompt_cache_key")
    if isinstance(key, str) and len(key) > CACHE_KEY_LIMIT:
        text = f"Invalid 'prompt_cache_key': string too long. Expected at most 64, got {len(key)}."
        raise Refused(text, param="prompt_cache_key", code="string_above_max_length")


def check_cache_options(body: Mapping[str, Any], model: FakeModel) -> None:
    """`prompt_cache_options` is for models that know of it, and has words of its own."""
    options = body.get("prompt_cache_options")
    if options is None:
        return
    if not model.cache_options:
        text = "Unsupported parameter: 'prompt_cache_options' is not supported with this model."
        raise Refused(text, param="prompt_cache_options", code="unsupported_parameter")
    for name in options:
        param = f"prompt_cache_options.{name}"
        if name not in CACHE_OPTIONS:
            raise Refused(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
        check_word(options, name, CACHE_OPTIONS[name], param)


def check_word(holder: Mapping[str, Any], name: str, words: Collection[str], param: str) -> None:
    """One of `words`; absent and null are fine."""
    if (value := holder.get(name)) is not None and value not in words:
        raise Refused(f"Invalid value: '{value}'.", param=param, code="invalid_value")


def check_sampling(body: Mapping[str, Any], model: FakeModel, effort: object, names: tuple[str, ...]) -> None:
    """A model that is reasoning takes no sampling parameters."""
    if not model.reasons or effort == "none":
        return
    for name in names:
        if body.get(name) is not None:
            text = f"Unsupported parameter: '{name}' is not supported with this model."
            raise Refused(text, param=name, code="unsupported_parameter")


def check_effort(model: FakeModel, effort: object, param: str) -> None:
    """The effort must be one the model has; a model that does not reason takes none at all."""
    if effort is None:
        return
    if not model.reasons:
        text = f"Unsupported parameter: '{param}' is not supported with this model."
        raise Refused(text, param=param, code="unsupported_parameter")
    if effort not in model.efforts:
        names = ", ".join(repr(name) for name in model.efforts)
        text = f"Unsupported value: '{effort}' is not supported with this model. Supported values are: {names}."
        raise Refused(text, param=param, code="unsupported_value")


def check_function(function: object, param: str) -> str:
    """A function's declaration is sound; returns its name."""
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
        text = f"Invalid '{param}.name': expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        raise Refused(text, param=f"{param}.name", code="invalid_value")
    schema = function.get("parameters")
    if schema is None and not function.get("strict"):
        return name
    if not isinstance(schema, dict) or schema.get("type") != "object":
        text = f"Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"'."
        raise Refused(text, param=f"{param}.parameters", code="invalid_function_parameters")
    properties = set(schema.get("properties", {}))
    closed = schema.get("additionalProperties") is False and set(schema.get("required", ())) == properties
    if function.get("strict") and not closed:
        text = f"Invalid schema for function '{name}': strict: 'additionalProperties' false, all required."
        raise Refused(text, param=f"{param}.parameters", code="invalid_function_parameters")
    return name


def check_format(form: object, prompt: str, param: str) -> None:
    """JSON mode wants the word in the prompt; a schema a name, and to be closed where it is strict."""
    kind = form.get("type") if isinstance(form, dict) else None
    if form is None or kind == "text":
        return
    if not isinstance(form, dict) or kind not in {"json_object", "json_schema"}:
        raise Refused(f"Invalid value: '{kind}'.", param=f"{param}.type", code="invalid_value")
    if kind == "json_object" and "json" not in prompt.lower():
        text = f"Input messages must contain the word 'json' in some form, to use '{param}' of type 'json_object'."
        raise Refused(text, param=param)
    if kind == "json_schema":
        _check_schema(form.get("json_schema", form), param)


def _check_schema(form: Mapping[str, Any], param: str) -> None:
    schema = form.get("schema")
    if not isinstance(form.get("name"), str) or not isinstance(schema, dict):
        raise Refused(f"Missing required parameter: '{param}.name'.", param=f"{param}.name")
    closed = schema.get("additionalProperties") is False
    if form.get("strict") and not (closed and set(schema.get("required", ())) == set(schema.get("properties", {}))):
        text = f"Invalid schema for response_format '{form['name']}': 'additionalProperties' is required to be false."
        raise Refused(text, param=param)


def check_tool_choice(choice: object, names: list[str]) -> None:
    """A forced function must be declared; a mode needs tools."""
    if isinstance(choice, str) and choice not in {"none", "auto", "required"}:
        raise Refused(f"Invalid value: '{choice}'.", param="tool_choice", code="invalid_value")
    if choice is not None and not names:
        raise Refused("'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "function":
        wanted = choice.get("name") or choice.get("function", {}).get("name")
        if wanted not in names:
            raise Refused(f"Tool choice '{wanted}' not found in 'tools' parameter.", param="tool_choice")


def check_image(url: object, model: FakeModel, param: str) -> None:
    """An image is a data URL or an http(s) address, for a model that sees."""
    if not isinstance(url, str) or not url.startswith(IMAGE_SCHEMES):
        text = f"Invalid '{param}'. Expected a valid URL, but got a value with an invalid format."
        raise Refused(text, param=param, code="invalid_value")
    if not model.vision:
        raise Refused("This model does not support image inputs.", param=param, code="invalid_value")


def check_window(tokens: int, wanted: int, model: FakeModel, dialect: Dialect, param: str) -> None:
    """Prompt (plus the answer asked for, where the text form counts it) fits the window."""
    if tokens <= model.window_tokens or dialect.overflow is Overflow.TRUNCATE:
        return
    if dialect.overflow is Overflow.TEXT:
        text = (
            f"This model's maximum context length is {model.window_tokens} tokens. However, you requested "
            f"{tokens + wanted} tokens ({tokens} in the messages, {wanted} in the completion)."
        )
        raise Refused(text, kind="BadRequestError")
    text = "Your input exceeds the context window of this model. Please adjust your input and try again."
    raise Refused(text, param=param, code="context_length_exceeded")
