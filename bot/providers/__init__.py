"""One file a provider, one row here; a default model is looked for in the order of the rows.

The rows are data: a provider's module and its SDK are imported when it is configured, never from here.
"""

from bot.providers.connection import Presence, ProviderRow

PROVIDERS: tuple[ProviderRow, ...] = (
    ProviderRow(
        name="openai",
        factory="bot.providers.openai:build",
        required=("OPENAI_API_KEY",),
        key_setting="OPENAI_API_KEY",
        url_setting="OPENAI_BASE_URL",
        prices_as="openai",
    ),
    ProviderRow(
        name="anthropic",
        factory="bot.providers.anthropic:build",
        required=("ANTHROPIC_API_KEY",),
        key_setting="ANTHROPIC_API_KEY",
        url_setting="ANTHROPIC_BASE_URL",
        prices_as="anthropic",
    ),
    ProviderRow(
        name="gemini",
        factory="bot.providers.gemini:build",
        required=("GEMINI_API_KEY",),
        key_setting="GEMINI_API_KEY",
        url_setting="GEMINI_BASE_URL",
        prices_as="google",
    ),
    ProviderRow(
        name="groq",
        factory="bot.providers.groq:build",
        required=("GROQ_API_KEY",),
        key_setting="GROQ_API_KEY",
        url_setting="GROQ_BASE_URL",
        default_url="https://api.groq.com/openai/v1",
        prices_as="groq",
    ),
    ProviderRow(
        name="huggingface",
        factory="bot.providers.huggingface:build",
        required=("HUGGINGFACE_API_KEY",),
        key_setting="HUGGINGFACE_API_KEY",
        url_setting="HUGGINGFACE_BASE_URL",
        default_url="https://router.huggingface.co/v1",
        prices_as="huggingface_",
    ),
    ProviderRow(
        name="compatible",
        factory="bot.providers.compatible:build",
        required=("COMPATIBLE_BASE_URL",),
        key_setting="COMPATIBLE_API_KEY",
        url_setting="COMPATIBLE_BASE_URL",
        name_setting="COMPATIBLE_NAME",
    ),
    ProviderRow(
        name="ollama",
        factory="bot.providers.ollama:build",
        presence=Presence.SOUGHT,
        required=("OLLAMA_BASE_URL",),
        url_setting="OLLAMA_BASE_URL",
        default_url="http://127.0.0.1:11434",
    ),
    ProviderRow(name="demo", factory="bot.providers.parrot:build", presence=Presence.STAND_IN),
)
