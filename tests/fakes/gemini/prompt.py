"""A request body as the tokens that a model would read, by modality; and the cache of beginnings."""

import base64
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

CHARACTERS_PER_TOKEN = 4
IMAGE_TOKENS = 258
AUDIO_BYTES_PER_TOKEN = 500
CACHE_FLOOR_TOKENS = 1_024
_BLOCK_CHARACTERS = 256


def estimate_tokens(characters: int) -> int:
    """Characters / 4, rounded up."""
    return math.ceil(characters / CHARACTERS_PER_TOKEN)


def count(body: Mapping[str, Any]) -> Counter[str]:
    """Tokens of the whole prompt by modality (TEXT, IMAGE, AUDIO, DOCUMENT)."""
    tokens = Counter({"TEXT": estimate_tokens(len(text_of(body)))})
    for part in parts(body):
        if "inlineData" not in part:
            continue
        kind = str(part["inlineData"]["mimeType"])
        if kind.startswith("audio/"):
            tokens["AUDIO"] += math.ceil(len(part["inlineData"]["data"]) / AUDIO_BYTES_PER_TOKEN)
        else:
            tokens["IMAGE" if kind.startswith("image/") else "DOCUMENT"] += IMAGE_TOKENS
    return tokens


def text_of(body: Mapping[str, Any]) -> str:
    """Tools, system instruction and all parts in order, files as their names of type."""
    tools = json.dumps(body["tools"], sort_keys=True) if body.get("tools") else ""
    system = "".join(str(part.get("text", "")) for part in (body.get("systemInstruction") or {}).get("parts", ()))
    return tools + system + "".join(_text(part) for part in parts(body))


def last_user_text(body: Mapping[str, Any]) -> str:
    """The text of the newest user content that has any."""
    for content in reversed(body.get("contents") or ()):
        if content.get("role", "user") == "user" and (text := _texts(content)):
            return text
    return ""


def parts(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every part of every content."""
    for content in body.get("contents") or ():
        yield from content.get("parts") or ()


def decoded(data: str) -> bytes:
    """Base64 of either alphabet, as the API takes it. Raises ValueError."""
    return base64.b64decode(data.replace("-", "+").replace("_", "/"), validate=True)


class PrefixCache:
    """Implicit caching: what a prompt has in common with an earlier one from its beginning, in whole blocks."""

    def __init__(self) -> None:
        self._earlier: dict[str, list[str]] = {}

    def cached_tokens(self, model: str, prompt: str) -> int:
        """How much of it an earlier call left in the cache; remembers this prompt too."""
        earlier = self._earlier.setdefault(model, [])
        blocks = max((_common_blocks(prompt, old) for old in earlier), default=0)
        earlier.append(prompt)
        tokens = blocks * _BLOCK_CHARACTERS // CHARACTERS_PER_TOKEN
        return tokens if tokens >= CACHE_FLOOR_TOKENS else 0


def _common_blocks(one: str, other: str) -> int:
    starts = range(0, min(len(one), len(other)) - _BLOCK_CHARACTERS + 1, _BLOCK_CHARACTERS)
    blocks = ((one[at : at + _BLOCK_CHARACTERS], other[at : at + _BLOCK_CHARACTERS]) for at in starts)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], blocks))


def _texts(content: Mapping[str, Any]) -> str:
    return "".join(str(part["text"]) for part in content.get("parts") or () if "text" in part)


def _text(part: Mapping[str, Any]) -> str:
    if "text" in part:
        return str(part["text"])
    if "inlineData" in part:
        return str(part["inlineData"].get("mimeType"))
    return json.dumps(part.get("functionCall") or part.get("functionResponse"), sort_keys=True)
