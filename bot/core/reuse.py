"""Giving an answer again: when exactly the same is asked of the same model with the same parameters.

What counts as the same is everything that reaches the model, so an answer can only come back to whoever could have
caused it anyway. Off unless the operator sets a time.
"""

import hashlib

from bot.core.message import Audio, Document, Image, Part
from bot.core.ports import ChatRequest


def digest_of(request: ChatRequest) -> str:
    """A name for all that a request asks and how; the same for equal requests only."""
    said = repr(
        (
            str(request.model.ref),
            request.system,
            [(message.role, [_named(part) for part in message.parts]) for message in request.messages],
            request.tools,
            request.max_output_tokens,
            request.temperature,
            request.top_p,
            request.reasoning_effort,
            request.json,
            request.response_schema,
        )
    )
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _named(part: Part) -> object:
    """A part by what it says; a file by its hash, for its bytes written out would hold everybody up."""
    match part:
        case Image() | Document() | Audio():
            return type(part).__name__, part.media_type, hashlib.sha256(part.content).hexdigest()
        case _:
            return part
