"""What one server that speaks Chat Completions does differently from the others, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatDialect:
    """What one server does differently.

    `limit_parameter` limits the answer. `reasoning_fields` are where a delta's reasoning may stand, beside
    the content. `thinks_in_text`: models write `<think>` into their answer. `cache_key`: takes
    `prompt_cache_key`. `json_schema`: models that can be held to JSON can be held to a schema as well;
    `json_with_tools`: also while they are offered tools. `codes`: its errors have codes; otherwise a prompt that is
    too long is known by the text of the refusal. `list_models` False: its list is no use (too long, not only chat
    models). `facts` reads what an entry of the list tells beyond the id.
    """

    limit_parameter: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    reasoning_fields: tuple[str, ...] = ("reasoning", "reasoning_content")
    thinks_in_text: bool = False
    cache_key: bool = False
    json_schema: bool = True
    json_with_tools: bool = True
    codes: bool = False
    list_models: bool = False
    facts: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda _: {}
