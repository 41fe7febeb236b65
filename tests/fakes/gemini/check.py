"""What POST /models/{model}:streamGenerateContent refuses, in Google's words where they are known."""

import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.gemini.check_contents import check_contents, check_known, check_part
from tests.fakes.gemini.faults import Refused
from tests.fakes.gemini.models import FakeModel

_BODY = {
    "cachedContent",
    "contents",
    "continuationToken",
    "generationConfig",
    "safetySettings",
    "serviceTier",
    "store",
    "systemInstruction",
    "toolConfig",
    "tools",
}
_CONFIG = {
    "candidateCount",
    "frequencyPenalty",
    "maxOutputTokens",
    "mediaResolution",
    "presencePenalty",
    "responseJsonSchema",
    "responseMimeType",
    "responseModalities",
    "responseSchema",
    "seed",
    "stopSequences",
    "temperature",
    "thinkingConfig",
    "topK",
    "topP",
}
_FUNCTION = {"name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema", "behavior"}
_FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")


def check(body: Mapping[str, Any], model: FakeModel, signatures: Mapping[str, str]) -> None:
    """Raises `Refused` for the first thing that is wrong."""
    check_known(dict(body), _BODY, "request")
    check_contents(body.get("contents"), model, signatures)
    if "systemInstruction" in body:
        system = check_known(body["systemInstruction"], {"role", "parts"}, "system_instruction")
        for at, part in enumerate(system.get("parts") or ()):
            check_part(part, f"system_instruction.parts[{at}]")
    tools = _check_tools(body.get("tools") or [])
    config = check_known(body.get("generationConfig") or {}, _CONFIG, "generation_config")
    _check_range(config, "temperature", 0, 2)
    _check_range(config, "topP", 0, 1)
    _check_limit(config, model)
    _check_thinking(config.get("thinkingConfig"), model)
    _check_shape(config, model, tools)


def _check_tools(tools: object) -> list[str]:
    names = []
    for tool in tools if isinstance(tools, list) else [tools]:
        known = check_known(tool, {"functionDeclarations"}, "tools[0]")
        for function in known.get("functionDeclarations") or ():
            declared = check_known(function, _FUNCTION, "tools[0].function_declarations[0]")
            name = str(declared.get("name", ""))
            if not _FUNCTION_NAME.fullmatch(name):
                text = "Must start with a letter or an underscore."
                raise Refused(f"* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid. {text}\n")
            if name in names:
                raise Refused(f"Duplicate function declaration found: {name}")
            schema = declared.get("parametersJsonSchema")
            if schema is not None and (not isinstance(schema, dict) or schema.get("type") != "object"):
                raise Refused(f"{name}.parameters_json_schema: only allowed for OBJECT type")
            names.append(name)
    return names


def _check_range(config: Mapping[str, Any], name: str, low: float, high: float) -> None:
    value = config.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        text = f"must be in the range [{low}, {high}]."
        raise Refused(f"* GenerateContentRequest.generation_config.{name}: {name} {text}\n")


def _check_limit(config: Mapping[str, Any], model: FakeModel) -> None:
    limit = config.get("maxOutputTokens")
    if limit is not None and (not isinstance(limit, int) or not 1 <= limit <= model.output_tokens):
        text = f"the supported range is from 1 (inclusive) to {model.output_tokens + 1} (exclusive)"
        raise Refused(f"Unable to submit request because it has a maxOutputTokens value of {limit} but {text}.")


def _check_thinking(thinking: object, model: FakeModel) -> None:
    if thinking is None:
        return
    where = "generation_config.thinking_config"
    config = check_known(thinking, {"includeThoughts", "thinkingBudget", "thinkingLevel"}, where)
    if not model.thinks:
        raise Refused("Thinking is not enabled for this model.")
    level = config.get("thinkingLevel")
    if level is None:
        return
    if not model.levels:
        raise Refused("Thinking level is not supported for this model.")
    if level not in model.levels:
        raise Refused(f"Invalid value at '{where}.thinking_level' (ThinkingLevel), \"{level}\"")
    if "thinkingBudget" in config:
        raise Refused("You can only set only one of thinking budget and thinking level.")


def _check_shape(config: Mapping[str, Any], model: FakeModel, tools: list[str]) -> None:
    kind = config.get("responseMimeType")
    if kind not in (None, "text/plain", "application/json"):
        raise Refused("* GenerateContentRequest.generation_config.response_mime_type: allowed are text/plain.")
    if "responseJsonSchema" in config:
        if kind != "application/json":
            raise Refused("Structured output requires the response mime type application/json.")
        if not isinstance(config["responseJsonSchema"], dict):
            raise Refused("Invalid value at 'generation_config.response_json_schema'")
    if kind == "application/json" and tools and not model.signs:
        raise Refused("Function calling with a response mime type: 'application/json' is unsupported")
