"""OpenAI's fake takes the steps that every fake of a model API takes; see `tests.fakes.script`."""

from tests.fakes.script import (
    Breakage,
    Broken,
    Fault,
    Finish,
    Hold,
    HttpFault,
    Reply,
    Silence,
    Step,
    ToolCall,
    Usage,
)

__all__ = [
    "Breakage",
    "Broken",
    "Fault",
    "Finish",
    "Hold",
    "HttpFault",
    "Reply",
    "Silence",
    "Step",
    "ToolCall",
    "Usage",
]
