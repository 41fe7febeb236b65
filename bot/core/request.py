"""From what people set to the parameters of a call: what turns and comparisons have in common. Pure.

What a model's row says that it refuses is left out by its provider, not here.
"""

from bot.core.catalogue import ModelInfo
from bot.core.context import answer_limit
from bot.core.message import Message
from bot.core.ports import ChatRequest
from bot.core.thread_settings import ThreadSettings, TurnDefaults


def build_request(
    model: ModelInfo,
    settings: ThreadSettings,
    defaults: TurnDefaults,
    *,
    system: str,
    messages: tuple[Message, ...],
    lane: str,
) -> ChatRequest:
    """A request without tools and caching, with the parameters that count here."""
    return ChatRequest(
        model=model,
        system=system,
        messages=messages,
        max_output_tokens=answer_limit(settings, defaults, model),
        temperature=defaults.temperature if settings.temperature is None else settings.temperature,
        top_p=settings.top_p,
        reasoning_effort=settings.effort,
        json=settings.json,
        lane=lane,
    )
