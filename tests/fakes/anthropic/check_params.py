"""What POST /v1/messages refuses beside its messages.

Mirrors anthropic 2.11 `message_create_params` and version 2026-10-21 of the API.
"""

import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.anthropic.models import EFFORTS, FakeModel
from tests.fakes.anthropic.refused import Refused, as_list, as_object, check_known, check_required

# Sampling parameters are not among them: this version has none, and refuses them even at their defaults.
KNOWN = frozenset(
    {
        "cache_control",
        "container",
        "diagnostics",
        "inference_geo",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "speed",
        "stop_sequences",
        "stream",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    }
)
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
#: JSON schema that `output_config.format` cannot hold an answer to.
_UNSUPPORTED = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems"}
)


def check_params(body: Mapping[str, Any], model: FakeModel) -> None:
    """Raises `Refused` for the first thing that is wrong; messages are checked elsewhere."""
    check_known(body, KNOWN)
    check_required(body, ("model", "max_tokens", "messages"))
    _check_limit(body["max_tokens"], model)
    _check_system(body.get("system"))
    _check_tools(body)
    _check_thinking(body.get("thinking"), model)
    _check_output(body.get("output_config"), model)
    _check_cache(body.get("cache_control"))
    _check_metadata(body.get("metadata"))


def _check_limit(limit: object, model: FakeModel) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise Refused("max_tokens: Input should be a valid integer")
    if limit < 1:
        raise Refused("max_tokens: Input should be greater than or equal to 1")
    if limit > model.max_tokens:
        text = f"which is the maximum allowed number of output tokens for {model.id}"
        raise Refused(f"max_tokens: {limit} > {model.max_tokens}, {text}")


def _check_system(system: object) -> None:
    if system is None or isinstance(system, str):
        return
    for number, block in enumerate(as_list(system, "system")):
        if as_object(block, f"system.{number}").get("type") != "text" or not str(block.get("text") or "").strip():
            raise Refused("system: text content blocks must be non-empty")


def _check_tools(body: Mapping[str, Any]) -> None:
    names: list[str] = []
    for number, tool in enumerate(as_list(body.get("tools") or [], "tools")):
        where = f"tools.{number}.custom."
        check_known(
            as_object(tool, f"tools.{number}"), {"name", "description", "input_schema", "type", "strict"}, where
        )
        check_required(tool, ("name", "input_schema"), where)
        if not _NAME.fullmatch(str(tool["name"])):
            raise Refused(f"{where}name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if as_object(tool["input_schema"], f"{where}input_schema").get("type") != "object":
            raise Refused(f"{where}input_schema.type: Input should be 'object'")
        names.append(tool["name"])
    if len(set(names)) < len(names):
        raise Refused("tools: Tool names must be unique.")
    choice = (body.get("tool_choice") or {}).get("type", "auto")
    if choice not in ("auto", "none"):
        raise Refused("tool_choice: forcing a tool is not supported on this model")


def _check_thinking(thinking: object, model: FakeModel) -> None:
    if thinking is None:
        return
    given = as_object(thinking, "thinking")
    match given.get("type"):
        case "adaptive" if model.adaptive:
            check_known(given, {"type", "display"}, "thinking.adaptive.")
            if given.get("display") not in (None, "summarized", "omitted"):
                raise Refused("thinking.adaptive.display: Input should be 'summarized' or 'omitted'")
        case "adaptive":
            raise Refused("adaptive thinking is not supported on this model")
        case "enabled":
            raise Refused('"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive".')
        case kind:
            raise Refused(f"thinking: Input tag '{kind}' does not match any of the expected tags")


def _check_output(config: object, model: FakeModel) -> None:
    if config is None:
        return
    given = as_object(config, "output_config")
    check_known(given, {"effort", "format"}, "output_config.")
    effort = given.get("effort")
    if effort is not None and effort not in EFFORTS:
        names = ", ".join(repr(each) for each in EFFORTS)
        raise Refused(f"output_config.effort: Input should be {names}")
    if effort is not None and effort not in model.efforts:
        raise Refused(f"This model does not support effort level '{effort}'.")
    if given.get("format") is not None:
        _check_format(as_object(given["format"], "output_config.format"), model)


def _check_format(given: Mapping[str, Any], model: FakeModel) -> None:
    where = "output_config.format"
    if not model.structured:
        raise Refused(f"{where}: structured outputs are not supported on this model")
    check_known(given, {"type", "schema"}, f"{where}.")
    check_required(given, ("type", "schema"), f"{where}.")
    if given["type"] != "json_schema":
        raise Refused(f"{where}.type: Input should be 'json_schema'")
    _check_schema(as_object(given["schema"], f"{where}.schema"))


def _check_schema(schema: Any) -> None:
    if isinstance(schema, list):
        for each in schema:
            _check_schema(each)
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if kind == "object" and schema.get("additionalProperties") is not False:
        text = "For 'object' type, 'additionalProperties' must be explicitly set to false"
        raise Refused(f"output_config.format.schema: {text}")
    if isinstance(kind, str) and (odd := sorted(_UNSUPPORTED & set(schema))):
        raise Refused(f"output_config.format.schema: For '{kind}' type, properties {', '.join(odd)} are not supported")
    for each in schema.values():
        _check_schema(each)


def _check_cache(control: object) -> None:
    if control is None:
        return
    given = as_object(control, "cache_control")
    check_known(given, {"type", "ttl"}, "cache_control.ephemeral.")
    if given.get("type") != "ephemeral":
        raise Refused(f"cache_control: Input tag '{given.get('type')}' does not match any of the expected tags")
    if given.get("ttl", "5m") not in ("5m", "1h"):
        raise Refused("cache_control.ephemeral.ttl: Input should be '5m' or '1h'")


def _check_metadata(metadata: object) -> None:
    if metadata is None:
        return
    given = as_object(metadata, "metadata")
    check_known(given, {"user_id"}, "metadata.")
    user = given.get("user_id")
    if isinstance(user, str) and (len(user) > 256 or "@" in user):
        raise Refused("metadata.user_id: user_id appears to contain an email address")
