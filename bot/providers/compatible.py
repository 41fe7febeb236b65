"""Any other server with OpenAI's older API: vLLM, llama.cpp, LM Studio, OpenRouter and the like."""

from collections.abc import Mapping
from typing import Any

from bot.providers._chat_completions import ChatCompletions, build_chat
from bot.providers._chat_dialect import ChatDialect
from bot.providers.connection import Connection

#: Where servers put the window in an entry of their list: vLLM, OpenRouter, LM Studio.
_WINDOW_FIELDS = ("max_model_len", "context_length", "max_context_length")


def _facts(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = entry.get("meta")
    told = [entry.get(name) for name in _WINDOW_FIELDS]
    # llama.cpp tells what the model was trained for; the server may run it with less, as `n_ctx`.
    told += [meta.get(name) for name in ("n_ctx", "n_ctx_train")] if isinstance(meta, Mapping) else []
    window = next((value for value in told if isinstance(value, int) and value > 0), None)
    return {} if window is None else {"window_tokens": window}


DIALECT = ChatDialect(thinks_in_text=True, list_models=True, facts=_facts)


def build(connection: Connection) -> ChatCompletions:
    """Make the provider."""
    return build_chat(connection, DIALECT)
