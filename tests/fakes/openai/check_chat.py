"""What POST /v1/chat/completions refuses, per dialect; mirrors openai 3.52 `completion_create_params`."""

import json
from collections.abc import Mapping
from typing import Any

from tests.fakes.openai.dialect import Dialect, FakeModel
from tests.fakes.openai.refused import (
    Refused,
    check_cache_key,
    check_cache_options,
    check_effort,
    check_format,
    check_function,
    check_image,
    check_known,
    check_minimum,
    check_range,
    check_sampling,
    check_tool_choice,
)

KNOWN = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "modalities",
        "model",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    }
)
_GROQ_ONLY = frozenset({"reasoning_format", "include_reasoning", "citation_options", "search_settings"})
_GROQ_LACKS = frozenset({"store", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "verbosity"})
_PARTS = {
    "system": frozenset({"text"}),
    "developer": frozenset({"text"}),
    "user": frozenset({"text", "image_url", "input_audio", "file"}),
    "assistant": frozenset({"text", "refusal"}),
    "tool": frozenset({"text"}),
}
_SAMPLING = (
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "logit_bias",
    "stop",
)


def check_chat(body: Mapping[str, Any], model: FakeModel, dialect: Dialect) -> None:
    """Raises `Refused` for the first thing that is wrong."""
    if dialect.refuses_unknown:
        check_known(body, (KNOWN | _GROQ_ONLY) - _GROQ_LACKS if dialect.groq_usage else KNOWN)
    _check_limits(body, model, dialect)
    check_range(body, "temperature", 0, 2)
    check_range(body, "top_p", 0, 1)
    check_cache_key(body)
    check_cache_options(body, model)
    names = _check_tools(body)
    if dialect.tools_need_effort_none:
        _check_openai_reasoning(body, model, names)
    if body.get("stream_options") is not None and not body.get("stream"):
        text = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Refused(text, param="stream_options")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refused("Missing required parameter: 'messages'.", param="messages", code="missing_required_parameter")
    for index, message in enumerate(messages):
        _check_message(message, f"messages[{index}]", model, dialect)
    _check_pairs(messages)
    check_format(body.get("response_format"), str(messages), "response_format")
    if dialect.groq_usage:
        _check_groq(body, model, names)


def token_limit(body: Mapping[str, Any], dialect: Dialect) -> int | None:
    """The answer's limit in tokens as this server understands the body; None means no limit."""
    limits = [body[name] for name in sorted(dialect.token_params) if body.get(name) is not None]
    return int(limits[0]) if limits else None


def _check_limits(body: Mapping[str, Any], model: FakeModel, dialect: Dialect) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        check_minimum(body, name, 1)
        refused = dialect.refuses_unknown and name not in dialect.token_params
        if refused and body.get(name) is not None and model.reasons:
            text = f"Unsupported parameter: '{name}' is not supported with this model."
            raise Refused(f"{text} Use 'max_completion_tokens' instead.", param=name, code="unsupported_parameter")
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        text = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise Refused(text, param="max_tokens", code="invalid_parameter_combination")


def _check_openai_reasoning(body: Mapping[str, Any], model: FakeModel, tool_names: list[str]) -> None:
    effort = body.get("reasoning_effort")
    check_effort(model, effort, "reasoning_effort")
    check_sampling(body, model, effort, _SAMPLING)
    if tool_names and model.reasons and effort != "none":
        text = (
            f"Function tools with reasoning_effort are not supported for {model.id} in /v1/chat/completions. "
            "Please use /v1/responses instead."
        )
        raise Refused(text, param="reasoning_effort")


def _check_groq(body: Mapping[str, Any], model: FakeModel, tool_names: list[str]) -> None:
    check_effort(model, body.get("reasoning_effort"), "reasoning_effort")
    kind = (body.get("response_format") or {}).get("type")
    if kind is not None and tool_names:
        raise Refused("json mode cannot be combined with tool/function calling", param="response_format")
    if kind == "json_schema" and body.get("stream"):
        raise Refused("response_format `json_schema` does not support streaming", param="response_format")


def _check_tools(body: Mapping[str, Any]) -> list[str]:
    names = []
    for index, tool in enumerate(body.get("tools") or ()):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind != "function":
            raise Refused(f"Invalid value: '{kind}'.", param=f"tools[{index}].type", code="invalid_value")
        names.append(check_function(tool.get("function"), f"tools[{index}].function"))
    check_tool_choice(body.get("tool_choice"), names)
    return names


def _check_message(message: Any, param: str, model: FakeModel, dialect: Dialect) -> None:
    role = message.get("role") if isinstance(message, dict) else None
    allowed = _PARTS.get(str(role))
    if allowed is None or (role == "developer" and not dialect.developer_role):
        names = "'system', 'assistant', 'user', and 'tool'"
        text = f"Invalid value: '{role}'. Supported values are: {names}."
        raise Refused(text, param=f"{param}.role", code="invalid_value")
    for index, call in enumerate(message.get("tool_calls") or ()):
        _check_call(call, f"{param}.tool_calls[{index}]", dialect)
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        name = f"{param}.tool_call_id"
        raise Refused(f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")
    content = message.get("content")
    if isinstance(content, str) and content:
        return
    if not content and role == "assistant" and (message.get("tool_calls") or message.get("refusal")):
        return
    if not isinstance(content, list) or not content:
        name = f"{param}.content"
        raise Refused(f"Invalid value for '{name}': expected text or parts, got nothing.", param=name)
    for index, part in enumerate(content):
        _check_part(part, f"{param}.content[{index}]", allowed, model)


def _check_part(part: Any, param: str, allowed: frozenset[str], model: FakeModel) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in allowed:
        names = ", ".join(repr(name) for name in sorted(allowed))
        text = f"Invalid value: '{kind}'. Supported values are: {names}."
        raise Refused(text, param=f"{param}.type", code="invalid_value")
    if kind == "text" and not (isinstance(part.get("text"), str) and part["text"]):
        raise Refused(f"Invalid '{param}.text': empty string.", param=f"{param}.text", code="empty_string")
    if kind == "image_url":
        image = part.get("image_url")
        check_image(image.get("url") if isinstance(image, dict) else None, model, f"{param}.image_url")


def _check_call(call: Any, param: str, dialect: Dialect) -> None:
    function = call.get("function") if isinstance(call, dict) else None
    sound = isinstance(call, dict) and isinstance(call.get("id"), str) and call.get("type") == "function"
    if (
        not isinstance(function, dict)
        or not sound
        or not all(isinstance(function.get(name), str) for name in ("name", "arguments"))
    ):
        raise Refused(f"Invalid value for '{param}'.", param=param, code="invalid_value")
    if dialect.parses_arguments:
        try:
            json.loads(function["arguments"])
        except ValueError:
            raise Refused("invalid tool call arguments", param=param) from None


def _check_pairs(messages: list[dict[str, Any]]) -> None:
    waiting: list[str] = []
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                text = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                raise Refused(f"Invalid parameter: {text}", param=f"messages.[{index}].role")
            waiting.remove(message["tool_call_id"])
            continue
        _check_answered(waiting, index)
        waiting = [call["id"] for call in message.get("tool_calls") or ()]
    _check_answered(waiting, len(messages))


def _check_answered(waiting: list[str], index: int) -> None:
    if waiting:
        names = ", ".join(waiting)
        text = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {names}"
        )
        raise Refused(text, param=f"messages.[{index}].role")
