"""Groq: fast open models. Refuses parameters that it does not know, and reports usage in a field of its own.

Its list also holds speech and guard models and does not tell them apart, so the catalogue's rows are used
instead.
"""

from bot.providers._chat_completions import ChatCompletions, ChatDialect, build_chat
from bot.providers.connection import Connection

DIALECT = ChatDialect(limit_parameter="max_completion_tokens", thinks_in_text=True, codes=True)


def build(connection: Connection) -> ChatCompletions:
    """Make the provider."""
    return build_chat(connection, DIALECT)
