"""Which server the fake plays: one frozen row a server, one frozen row a model.

A row states what differs on the wire between OpenAI and the servers that copy its API.
"""

from dataclasses import dataclass
from enum import StrEnum

OPENAI_EFFORTS = ("none", "low", "medium", "high", "xhigh")


class Overflow(StrEnum):
    """What a server does with a prompt beyond the window."""

    CODE = "code"  # 400 with code context_length_exceeded (OpenAI, Groq)
    TEXT = "text"  # 400 that only its message explains (vLLM, llama.cpp)
    TRUNCATE = "truncate"  # silently drops the start of the prompt (Ollama)


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeModel:
    """A model the fake serves; `efforts` empty means it does not reason, `window_tokens` is the window.

    `cache_options`: it takes `prompt_cache_options`, and bills what it writes to its cache (gpt-5.6 and later).
    """

    id: str
    window_tokens: int = 128_000
    efforts: tuple[str, ...] = ()
    vision: bool = True
    owned_by: str = "system"
    shutdown_date: str | None = None
    cache_options: bool = False

    @property
    def reasons(self) -> bool:
        """Whether it thinks before it answers (and then refuses sampling parameters)."""
        return bool(self.efforts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One OpenAI-shaped server; `reasoning_field` None means reasoning is never shown in chat."""

    name: str
    models: tuple[FakeModel, ...]
    token_params: frozenset[str] = frozenset({"max_tokens", "max_completion_tokens"})
    reasoning_field: str | None = None
    include_usage: bool = True
    groq_usage: bool = False
    refuses_unknown: bool = False
    needs_key: bool = True
    responses: bool = False
    developer_role: bool = True
    tools_need_effort_none: bool = False
    parses_arguments: bool = False  # 400 when a replayed tool call's arguments are not JSON
    whole_tool_calls: bool = False  # a streamed tool call arrives in one delta
    overflow: Overflow = Overflow.CODE
    says_finish: bool = True  # there is a chunk with a finish_reason
    streams: bool = True  # False: `stream` is ignored


OPENAI = Dialect(
    name="openai",
    models=(
        FakeModel(id="gpt-6-luna", window_tokens=1_050_000, efforts=OPENAI_EFFORTS, cache_options=True),
        FakeModel(id="gpt-6.1-sol", window_tokens=1_050_000, efforts=OPENAI_EFFORTS[1:], cache_options=True),
        FakeModel(id="gpt-4.1-mini", window_tokens=1_047_576, shutdown_date="2027-01-14"),
        FakeModel(id="tiny", window_tokens=400),
    ),
    token_params=frozenset({"max_completion_tokens"}),
    refuses_unknown=True,
    responses=True,
    tools_need_effort_none=True,
)
GROQ = Dialect(
    name="groq",
    models=(
        FakeModel(
            id="openai/gpt-oss-120b",
            window_tokens=131_072,
            efforts=("low", "medium", "high"),
            vision=False,
            owned_by="OpenAI",
        ),
        FakeModel(
            id="qwen/qwen3.8-27b",
            window_tokens=131_072,
            efforts=("none", "default"),
            vision=False,
            owned_by="Alibaba Cloud",
        ),
    ),
    reasoning_field="reasoning",
    groq_usage=True,
    refuses_unknown=True,
    whole_tool_calls=True,
)
HUGGINGFACE = Dialect(
    name="huggingface",
    models=(FakeModel(id="openai/gpt-oss-120b", window_tokens=131_072, vision=False, owned_by="openai"),),
    reasoning_field="reasoning",
    overflow=Overflow.TEXT,
)
OLLAMA = Dialect(
    name="ollama",
    models=(FakeModel(id="llama3.2:latest", window_tokens=4_096, owned_by="library"),),
    token_params=frozenset({"max_tokens"}),
    reasoning_field="reasoning",
    needs_key=False,
    parses_arguments=True,
    whole_tool_calls=True,
    overflow=Overflow.TRUNCATE,
)
COMPATIBLE = Dialect(
    name="compatible",
    models=(FakeModel(id="local-model", window_tokens=8_192, owned_by="llamacpp"),),
    token_params=frozenset({"max_tokens"}),
    reasoning_field="reasoning_content",
    needs_key=False,
    developer_role=False,
    parses_arguments=True,
    overflow=Overflow.TEXT,
)
