"""Ollama: models on a machine of one's own, by its OpenAI-shaped API. What it offers is what it lists."""

from bot.providers._chat_completions import ChatCompletions, ChatDialect, build_chat
from bot.providers.connection import Connection

DIALECT = ChatDialect(thinks_in_text=True, list_models=True)


def build(connection: Connection) -> ChatCompletions:
    """Make the provider."""
    return build_chat(connection, DIALECT)
