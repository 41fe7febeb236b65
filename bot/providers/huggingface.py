"""Hugging Face's router: one key for many hosts; `model:host` picks the host, `model` alone lets it pick.

Its list has every model of every host, so the catalogue's rows are used instead.
"""

from bot.providers._chat_completions import ChatCompletions, build_chat
from bot.providers._chat_dialect import ChatDialect
from bot.providers.connection import Connection

DIALECT = ChatDialect()


def build(connection: Connection) -> ChatCompletions:
    """Make the provider."""
    return build_chat(connection, DIALECT)
