"""Services that write down what is said and read texts out: one file a wire, one row a service here.

The rows are data: a wire's module (and its SDK) is imported when a model of it is chosen, never from here.
"""

from bot.speech.service import Service

SERVICES: tuple[Service, ...] = (
    Service(name="openai", wire="bot.speech.openai", key_setting="OPENAI_API_KEY", url_setting="OPENAI_BASE_URL"),
    Service(
        name="groq",
        wire="bot.speech.openai",
        key_setting="GROQ_API_KEY",
        url_setting="GROQ_BASE_URL",
        default_url="https://api.groq.com/openai/v1",
    ),
    Service(
        name="gemini",
        wire="bot.speech.gemini",
        key_setting="GEMINI_API_KEY",
        url_setting="GEMINI_BASE_URL",
        transcribes=False,
    ),
    Service(
        name="compatible",
        wire="bot.speech.openai",
        key_setting="COMPATIBLE_API_KEY",
        url_setting="COMPATIBLE_BASE_URL",
        name_setting="COMPATIBLE_NAME",
        required="COMPATIBLE_BASE_URL",
    ),
)
