"""A request body as the text a model would read: token estimates, the last user text, the prefix cache."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

CHARACTERS_PER_TOKEN = 4
IMAGE_TOKENS = 85
CACHE_FLOOR_TOKENS = 1_024
CACHE_STEP_TOKENS = 128


def estimate_tokens(characters: int) -> int:
    """Characters / 4, rounded up."""
    return math.ceil(characters / CHARACTERS_PER_TOKEN)


def prompt_text(body: Mapping[str, Any]) -> str:
    """Tools, instructions, then every item in order; an image is a stand-in of fixed length."""
    parts = [json.dumps(body["tools"], sort_keys=True)] if body.get("tools") else []
    parts.append(str(body.get("instructions") or ""))
    parts.extend(_item_text(item) for item in _items(body))
    return "\n".join(part for part in parts if part)


def last_user_text(body: Mapping[str, Any]) -> str:
    """The text of the newest user message; empty when there is none."""
    for item in reversed(list(_items(body))):
        if isinstance(item, dict) and item.get("role") == "user":
            return _content_text(item.get("content"), images=False)
    return ""


def _items(body: Mapping[str, Any]) -> Iterator[Any]:
    items = body.get("input", body.get("messages"))
    if isinstance(items, str):
        yield {"role": "user", "content": items}
    elif isinstance(items, list):
        yield from items


def _item_text(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    if "role" not in item:
        return json.dumps(item, sort_keys=True)
    calls = json.dumps(item["tool_calls"]) if item.get("tool_calls") else ""
    return f"{item['role']}: {_content_text(item.get('content'), images=True)}{calls}"


def _content_text(content: Any, *, images: bool) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(_part_text(part, images=images) for part in content if isinstance(part, dict))


def _part_text(part: dict[str, Any], *, images: bool) -> str:
    text = part.get("text")
    if isinstance(text, str):
        return text
    if not images:
        return ""
    digest = hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()
    return digest.ljust(IMAGE_TOKENS * CHARACTERS_PER_TOKEN, ".")


def uses_cache(body: Mapping[str, Any]) -> bool:
    """Whether the prompt is looked for in the cache and written to it: in explicit mode only with a breakpoint."""
    if (body.get("prompt_cache_options") or {}).get("mode") != "explicit":
        return True
    contents = (item.get("content") for item in _items(body) if isinstance(item, dict))
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return any("prompt_cache_breakpoint" in part for part in parts if isinstance(part, dict))


class PrefixCache:
    """OpenAI's automatic cache: the longest common prefix in steps of 1,024 + 128k tokens."""

    def __init__(self) -> None:
        self._prompts: dict[str, list[str]] = {}

    def cached_tokens(self, model: str, prompt: str) -> int:
        """What an earlier call to `model` left in the cache; remembers this prompt too."""
        earlier = self._prompts.setdefault(model, [])
        longest = max((_common_length(prompt, old) for old in earlier), default=0)
        earlier.append(prompt)
        return cacheable_tokens(longest // CHARACTERS_PER_TOKEN)


def cacheable_tokens(tokens: int) -> int:
    """How much of a prompt a cache can hold."""
    if tokens < CACHE_FLOOR_TOKENS:
        return 0
    return tokens - (tokens - CACHE_FLOOR_TOKENS) % CACHE_STEP_TOKENS


def _common_length(one: str, other: str) -> int:
    """Length of the common prefix, by halving: slices compare fast, characters one by one do not."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
