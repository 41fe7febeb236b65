"""What an MCP tool returned, as text for a model. Pictures and recordings are named and left out."""

import json

from mcp.types import (
    AudioContent,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from bot.core.tools import ToolOutput

RESULT_CHARS = 100_000


def output_of(result: CallToolResult) -> ToolOutput:
    """Everything in it that is text, in its order; structured content where there is no text."""
    parts = [_text(block) for block in result.content]
    has_text = any(isinstance(block, TextContent | EmbeddedResource) for block in result.content)
    if not has_text and result.structured_content is not None:
        parts.insert(0, json.dumps(result.structured_content, ensure_ascii=False))
    text = "\n\n".join(part for part in parts if part)
    return outside(text or "(The tool returned nothing.)", is_error=result.is_error)


def outside(text: str, *, is_error: bool) -> ToolOutput:
    """A server's words, within the limit and never taken for our own."""
    if len(text) > RESULT_CHARS:
        text = f"{text[:RESULT_CHARS]}\n\n(Cut here: the result has {len(text):,} characters.)"
    return ToolOutput(text=text, is_error=is_error, untrusted=True)


def _text(block: ContentBlock) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent() | AudioContent():
            return f"(A part of kind {block.mime_type[:60]} is left out: only text can be passed on.)"
        case EmbeddedResource(resource=TextResourceContents() as resource):
            return f"{resource.uri}:\n{resource.text}"
        case EmbeddedResource(resource=resource):
            return f"({resource.uri} is left out: it is not text.)"
        case ResourceLink():
            return f"{block.title or block.name}: {block.uri}"
