"""An answer of the Chat Completions wire as it comes in, chunk by chunk: enough to judge its end."""

from collections.abc import Mapping
from typing import Any

from bot.core.errors import EmptyAnswer, ProviderError
from bot.core.events import FinishReason, ProviderEvent, ReasoningDelta, TextDelta, Usage, UsageReport
from bot.providers._chat_dialect import ChatDialect
from bot.providers._failures import cut_off
from bot.providers._openai_client import error_from_code
from bot.providers._think import ThinkSplitter
from bot.providers._tiers import unusual_tier
from bot.providers._tool_calls import ToolCallAssembler


class AnswerSoFar:
    """What a stream has brought, and what of it still waits for more."""

    def __init__(self, provider: str, dialect: ChatDialect, messages: int) -> None:
        self._provider = provider
        self._dialect = dialect
        self._splitter = ThinkSplitter() if dialect.thinks_in_text else None
        # Each round of tools adds messages.
        self._calls = ToolCallAssembler(f"call_{messages}")
        self._spoken = False
        self._refused = False
        self._called = False
        self._finish: str | None = None
        self.begun = False
        self.done = False
        self.report: UsageReport | None = None

    def take(self, chunk: Mapping[str, Any]) -> list[TextDelta | ReasoningDelta]:
        """The events of one chunk; its tool calls are kept until the stream ends. Raises for one with an error."""
        if error := chunk.get("error"):
            raise self._failed(error)
        self._take_usage(chunk)
        events: list[TextDelta | ReasoningDelta] = []
        for choice in (chunk.get("choices") or ())[:1]:
            events += self._take_delta(choice.get("delta") or choice.get("message") or {})
            self._finish = choice.get("finish_reason") or self._finish
        return events

    def rest(self) -> list[ProviderEvent]:
        """What was held back, then the tool calls."""
        events: list[ProviderEvent] = [*self._noted(self._splitter.flush() if self._splitter else [])]
        calls = self._calls.finished() if self._ended else ()
        self._called = bool(calls)
        return [*events, *calls]

    def finish_reason(self) -> FinishReason:
        """Ours for the server's word. Raises for a stream that has no sound end."""
        match self._finish:
            case None if not self._ended:
                raise cut_off(self._provider, begun=self.begun)
            case "error":  # OpenRouter
                raise error_from_code(None, provider=self._provider, begun=self.begun)
            case "length":
                return FinishReason.LENGTH
            case "content_filter":
                return FinishReason.CONTENT_FILTER
            case _ if self._refused:
                return FinishReason.CONTENT_FILTER
            case _ if self._called:  # some servers say `stop` here
                return FinishReason.TOOL_CALLS
            case _ if not self._spoken:
                raise EmptyAnswer("the model finished without a word", provider=self._provider)
            case _:
                return FinishReason.STOP

    @property
    def _ended(self) -> bool:
        return self._finish is not None or self.done

    def _take_delta(self, delta: Mapping[str, Any]) -> list[TextDelta | ReasoningDelta]:
        events: list[TextDelta | ReasoningDelta] = [
            ReasoningDelta(text=text)
            for name in self._dialect.reasoning_fields
            if isinstance(text := delta.get(name), str) and text
        ]
        content, refusal = delta.get("content"), delta.get("refusal")
        if isinstance(content, str) and content:
            events += self._splitter.feed(content) if self._splitter else [TextDelta(text=content)]
        if refusal:
            self._refused = True
            events.append(TextDelta(text=refusal))
        for position, fragment in enumerate(delta.get("tool_calls") or ()):
            self._calls.add(fragment, position)
        return self._noted(events)

    def _take_usage(self, chunk: Mapping[str, Any]) -> None:
        """The newest report counts: some servers count up in every chunk."""
        usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage")
        if usage:
            tier = unusual_tier(chunk.get("service_tier"))
            self.report = UsageReport(
                usage=_usage_from_wire(usage), model=chunk.get("model") or None, service_tier=tier
            )

    def _failed(self, error: Any) -> ProviderError:
        told: Mapping[str, Any] = error if isinstance(error, dict) else {"message": error}
        text = "" if self._dialect.codes else str(told.get("message"))
        return error_from_code(told.get("code") or told.get("type"), text, provider=self._provider, begun=self.begun)

    def _noted(self, events: list[TextDelta | ReasoningDelta]) -> list[TextDelta | ReasoningDelta]:
        for event in events:
            self.begun = True
            self._spoken = self._spoken or (isinstance(event, TextDelta) and not event.text.isspace())
        return events


def _usage_from_wire(usage: Mapping[str, Any]) -> Usage:
    """Any count may be missing."""
    read, written = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return Usage(
        input_tokens=_count(usage, "prompt_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
        cached_tokens=_count(read, "cached_tokens"),
        cache_write_tokens=_count(read, "cache_write_tokens"),
        image_tokens=_count(read, "image_tokens"),
        audio_tokens=_count(read, "audio_tokens"),
        reasoning_tokens=_count(written, "reasoning_tokens"),
        audio_output_tokens=_count(written, "audio_tokens"),
    )


def _count(holder: Mapping[str, Any], name: str) -> int:
    value = holder.get(name)
    return max(0, value) if isinstance(value, int) else 0
