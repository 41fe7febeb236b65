"""What POST /v1/responses refuses; mirrors openai 3.52 `response_create_params` and OpenAI's error texts."""

from collections.abc import Mapping
from typing import Any

from tests.fakes.openai.dialect import FakeModel
from tests.fakes.openai.refused import (
    SERVICE_TIERS,
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
    check_word,
)

ENCRYPTED_PREFIX = "gAAAA-fake-"
KNOWN = frozenset(
    {
        "background",
        "context_management",
        "conversation",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "moderation",
        "parallel_tool_calls",
        "previous_response_id",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    }
)
MIN_OUTPUT_TOKENS = 16
_INPUT_PARTS = frozenset({"input_text", "input_image", "input_file"})
_PARTS = {
    "user": _INPUT_PARTS,
    "system": _INPUT_PARTS,
    "developer": _INPUT_PARTS,
    "assistant": frozenset({"output_text", "refusal"}),
}
_HOSTED_TOOLS = frozenset({"web_search", "file_search", "code_interpreter", "image_generation", "mcp"})


def check_responses(body: Mapping[str, Any], model: FakeModel) -> None:
    """Raises `Refused` with OpenAI's status, param and code for the first thing that is wrong."""
    check_known(body, KNOWN)
    check_minimum(body, "max_output_tokens", MIN_OUTPUT_TOKENS)
    check_range(body, "temperature", 0, 2)
    check_range(body, "top_p", 0, 1)
    check_cache_key(body)
    check_cache_options(body, model)
    check_word(body, "service_tier", SERVICE_TIERS, "service_tier")
    _check_reasoning(body, model)
    _check_tools(body)
    if body.get("previous_response_id") is not None:
        text = f"Previous response with id '{body['previous_response_id']}' not found."
        raise Refused(text, param="previous_response_id", code="previous_response_not_found")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise Refused("'stream_options' is only allowed when 'stream' is enabled.", param="stream_options")
    _check_input(body, model)
    # Not the instructions: the word has to be in the input.
    check_format((body.get("text") or {}).get("format"), str(body["input"]), "text.format")


def _check_reasoning(body: Mapping[str, Any], model: FakeModel) -> None:
    reasoning = body.get("reasoning") or {}
    effort = reasoning.get("effort")
    check_effort(model, effort, "reasoning.effort")
    if reasoning.get("summary") is not None and not model.reasons:
        text = "Unsupported parameter: 'reasoning.summary' is not supported with this model."
        raise Refused(text, param="reasoning.summary", code="unsupported_parameter")
    check_sampling(body, model, effort, ("temperature", "top_p", "top_logprobs"))
    if "reasoning.encrypted_content" in (body.get("include") or ()) and not model.reasons:
        raise Refused("Encrypted content is not supported with this model.", param="include")


def _check_tools(body: Mapping[str, Any]) -> None:
    names = []
    for index, tool in enumerate(body.get("tools") or ()):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind == "function":
            names.append(check_function(tool, f"tools[{index}]"))
        elif kind in _HOSTED_TOOLS:
            names.append(str(kind))
        else:
            raise Refused(f"Invalid value: '{kind}'.", param=f"tools[{index}].type", code="invalid_value")
    check_tool_choice(body.get("tool_choice"), names)


def _check_input(body: Mapping[str, Any], model: FakeModel) -> None:
    items = body.get("input")
    if items is None:
        raise Refused("Missing required parameter: 'input'.", param="input", code="missing_required_parameter")
    if isinstance(items, str):
        if not items:
            raise Refused("Invalid 'input': empty string.", param="input", code="empty_string")
        return
    if not isinstance(items, list):
        text = "Invalid type for 'input': expected a string or an array."
        raise Refused(text, param="input", code="invalid_type")
    if not items:
        raise Refused("Invalid 'input': empty array.", param="input", code="empty_array")
    for index, item in enumerate(items):
        _check_item(item, f"input[{index}]", model)
    _check_pairs(items)
    _check_reasoning_followed(items)


def _check_item(item: Any, param: str, model: FakeModel) -> None:
    if not isinstance(item, dict):
        raise Refused(f"Invalid type for '{param}': expected an object.", param=param, code="invalid_type")
    match item.get("type", "message"):
        case "message":
            _check_message(item, param, model)
        case "function_call":
            _check_strings(item, ("call_id", "name", "arguments"), param)
        case "function_call_output":
            _check_strings(item, ("call_id",), param)
            if not isinstance(item.get("output"), str | list):
                _missing(f"{param}.output")
        case "reasoning":
            _check_reasoning_item(item, param)
        case other:
            raise Refused(f"Invalid value: '{other}'.", param=f"{param}.type", code="invalid_value")


def _check_strings(item: dict[str, Any], names: tuple[str, ...], param: str) -> None:
    for name in names:
        if not isinstance(item.get(name), str):
            _missing(f"{param}.{name}")


def _missing(param: str) -> None:
    raise Refused(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def _check_reasoning_item(item: dict[str, Any], param: str) -> None:
    if not isinstance(item.get("summary"), list):
        _missing(f"{param}.summary")
    sealed = item.get("encrypted_content")
    if sealed is None:
        text = f"Item with id '{item.get('id')}' not found. Items are not persisted when `store` is false."
        raise Refused(text, param="input", status=404)
    if not str(sealed).startswith(ENCRYPTED_PREFIX):
        text = f"The encrypted content for item {item.get('id')} could not be verified."
        raise Refused(text, code="invalid_encrypted_content")


def _check_message(item: dict[str, Any], param: str, model: FakeModel) -> None:
    role = item.get("role")
    allowed = _PARTS.get(str(role))
    if allowed is None:
        names = "'assistant', 'system', 'developer', and 'user'"
        text = f"Invalid value: '{role}'. Supported values are: {names}."
        raise Refused(text, param=f"{param}.role", code="invalid_value")
    content = item.get("content")
    if isinstance(content, str) and content:
        return
    if not isinstance(content, list) or not content:
        raise Refused(f"Invalid '{param}.content': empty.", param=f"{param}.content", code="empty_string")
    for index, part in enumerate(content):
        _check_part(part, f"{param}.content[{index}]", allowed, model)


def _check_part(part: Any, param: str, allowed: frozenset[str], model: FakeModel) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in allowed:
        names = ", ".join(repr(name) for name in sorted(allowed))
        text = f"Invalid value: '{kind}'. Supported values are: {names}."
        raise Refused(text, param=f"{param}.type", code="invalid_value")
    if kind in {"input_text", "output_text"} and not (isinstance(part.get("text"), str) and part["text"]):
        raise Refused(f"Invalid '{param}.text': empty string.", param=f"{param}.text", code="empty_string")
    if kind == "input_image" and part.get("file_id") is None:
        check_image(part.get("image_url"), model, f"{param}.image_url")


def _check_pairs(items: list[dict[str, Any]]) -> None:
    calls: list[str] = []
    answered: list[str] = []
    for item in items:
        if item.get("type") == "function_call":
            calls.append(item["call_id"])
        elif item.get("type") == "function_call_output":
            if item["call_id"] not in calls or item["call_id"] in answered:
                text = f"No tool call found for function call output with call_id {item['call_id']}."
                raise Refused(text, param="input")
            answered.append(item["call_id"])
    for call_id in calls:
        if call_id not in answered:
            raise Refused(f"No tool output found for function call {call_id}.", param="input")


def _check_reasoning_followed(items: list[dict[str, Any]]) -> None:
    followers = [*items[1:], None]
    for item, follower in zip(items, followers, strict=True):
        if item.get("type") != "reasoning":
            continue
        kind = None if follower is None else follower.get("type", "message")
        generated = kind in {"reasoning", "function_call"} or (
            kind == "message" and follower is not None and follower.get("role") == "assistant"
        )
        if not generated:
            text = f"Item '{item.get('id')}' of type 'reasoning' came without its required following item."
            raise Refused(text, param="input")
