"""Groq: fast open models. Refuses parameters that it does not know, and reports usage in a field of its own.

Its list also holds speech and guard models and does not tell them apart, so the catalogue's rows are used
instead.
"""

from bot.providers._chat_completions import ChatCompletions, build_chat
from bot.providers._chat_dialect import ChatDialect
from bot.providers.connection import Connection

DIALECT = ChatDialect(
    limit_parameter="max_completion_tokens",
    thinks_in_text=True,
    codes=True,
    # Some of its models take a schema, none while streaming or with tools; a JSON object goes without tools.
    json_schema=False,
    json_with_tools=False,
)


def build(connection: Connection) -> ChatCompletions:
    """Make the provider."""
    return build_chat(connection, DIALECT)
