"""How many tokens the prompt of a request has at most: what has to be paid for when it is dearest. Pure.

An estimate is right for usual text within a factor that depends on the model. What tokenizers take apart into single
bytes, and what is no text, is counted by its size. Knows no prices.
"""

import json
import re
from collections.abc import Iterator

from bot.core.message import Audio, Document, Image, Part, Text, ToolCall, ToolResult
from bot.core.ports import ChatRequest

#: Tokens that a model counts for one that is estimated, at most, where its row says nothing (`tokens_factor`).
USUAL_FACTOR = 1.3
#: What templates add to every prompt, to every message, and to one with tools or a schema for the answer.
_PROMPT_TOKENS, _MESSAGE_TOKENS, _TOOLS_TOKENS = 64, 8, 512
#: The finest resolution that a provider reads an image in, and the least that a file counts.
_FILE_TOKENS = 5_000
#: A page full of small print and the picture of it (Anthropic: up to 3,000 and 1,600).
_PAGE_TOKENS = 6_000
_PDF_BYTES_PER_TOKEN, _AUDIO_BYTES_PER_TOKEN = 4, 32

_LIGHT = b"abcdefghijklmnopqrstuvwxyz \n"
_CAPITALS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BEYOND_ASCII = bytes(range(0x80, 0x100))
_NO_FIRST_BYTES = bytes(range(0xC0))
#: The first bytes, in UTF-8, of the letters that estimates are made for: Latin, Greek and Cyrillic take two bytes,
#: kana, Hangul and the usual ideographs three.
_OF_TWO = bytes([*range(0xC3, 0xCA), *range(0xCE, 0xD4)])
_OF_THREE = bytes(range(0xE3, 0xEE))
#: Latin letters for Vietnamese begin like Georgian; Yi, Vai and others (U+A000 to U+ABFF) like Hangul.
_VIETNAMESE = (b"\xe1\xba", b"\xe1\xbb")
_NOT_HANGUL = re.compile(rb"\xea[\x80-\xaf]")


def prompt_bound(request: ChatRequest, prompt_tokens: int) -> int:
    """How many tokens a prompt has at most whose words were estimated at `prompt_tokens`.

    Capitals, digits and signs may each be a token; any letter outside of the Latin, Greek, Cyrillic and East Asian
    scripts, and any other symbol, one for each of its bytes.
    """
    parts = [part for message in request.messages for part in message.parts]
    bound = likely_bound(request, prompt_tokens) + _MESSAGE_TOKENS * len(request.messages)
    bound += _hard_tokens(request.system) + sum(_beyond_estimate(part) for part in parts)
    bound += _schema_tokens(request)
    window = request.model.window_tokens
    # A longer one is refused, and bills nothing.
    return bound if window is None else min(bound, max(window, prompt_tokens))


def likely_bound(request: ChatRequest, prompt_tokens: int) -> int:
    """The same for usual text: how much of the model's window is likely to be taken."""
    return -(-prompt_tokens * round(_factor(request) * 100) // 100) + _PROMPT_TOKENS


def _factor(request: ChatRequest) -> float:
    return request.model.tokens_factor or USUAL_FACTOR


def _beyond_estimate(part: Part) -> int:
    """Tokens that a part may have on top of the estimate of its words."""
    match part:
        case Text() | ToolResult():
            return _hard_tokens(part.text)
        case ToolCall():
            # What is replayed is sealed or plain thinking: two characters a token at least.
            return _hard_tokens(part.arguments) + len(part.name) + len(part.replay or "") // 2
        case Image():
            return _FILE_TOKENS
        case Document():
            by_size = len(part.content) // _PDF_BYTES_PER_TOKEN
            return _FILE_TOKENS + (by_size if part.pages is None else min(by_size, _PAGE_TOKENS * part.pages))
        case Audio():
            return _FILE_TOKENS + len(part.content) // _AUDIO_BYTES_PER_TOKEN


def _hard_tokens(text: str) -> int:
    """What tokenizers take apart, by its size. 0.1 ms for 100,000 ASCII characters, and 1 to 2 ms for others."""
    encoded = text.encode("utf-8", "surrogatepass")
    plain = encoded if text.isascii() else encoded.translate(None, _BEYOND_ASCII)
    dense = plain.translate(None, _LIGHT)
    signs = len(dense.translate(None, _CAPITALS))
    hard = len(dense) - signs + signs // 2
    return hard if plain is encoded else hard + _rare_bytes(encoded, len(encoded) - len(plain))


def _rare_bytes(encoded: bytes, beyond_ascii: int) -> int:
    first_bytes = encoded.translate(None, _NO_FIRST_BYTES)
    twos = _count(first_bytes, _OF_TWO)
    threes = _count(first_bytes, _OF_THREE) + sum(map(encoded.count, _VIETNAMESE))
    if b"\xea" in first_bytes:
        threes -= len(_NOT_HANGUL.findall(encoded))
    return beyond_ascii - 2 * twos - 3 * threes


def _count(encoded: bytes, any_of: bytes) -> int:
    return len(encoded) - len(encoded.translate(None, any_of))


def _schema_tokens(request: ChatRequest) -> int:
    """Tools and the form of the answer: an estimate leaves them out."""
    size = sum(len(text) for text in _schemas(request))
    # Names in quotes and brackets: providers count a token for three characters or more.
    return _TOOLS_TOKENS + -(-size * round(_factor(request) * 100) // 200) if size else 0


def _schemas(request: ChatRequest) -> Iterator[str]:
    for tool in request.tools:
        yield tool.name + json.dumps(tool.description) + json.dumps(dict(tool.parameters))
    if request.response_schema is not None:
        yield json.dumps(dict(request.response_schema))
