"""Everything that an operator can set, as one frozen value, and the only reader of `.env`.

The names of its settings are a contract with operators. Does not read the process's environment by itself,
and does not know what a setting is used for.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.core.errors import SettingsError
from bot.core.redaction import Redactor, url_secrets
from bot.core.thread_settings import OUTPUT_TOKENS_MAX, OUTPUT_TOKENS_MIN, TEMPERATURE_MAX
from bot.setting_values import (
    Budgets,
    DatabaseName,
    Dollars,
    Entries,
    Folder,
    Hosts,
    LogLevel,
    Lower,
    ModelChoice,
    ModelName,
    ModelNames,
    MongoUri,
    Names,
    Owners,
    PerMinute,
    Program,
    ProviderLimits,
    ProviderName,
    Secret,
    Url,
    VoiceName,
)

ENV_FILE = Path(".env")
_SYSTEM_PROMPT = (
    "You are Parley, a friendly chat assistant. Answer in the language of the user, briefly unless more is "
    "asked for, and format with Markdown where it helps."
)
#: How alike a name must be to one of ours to be taken for a slip of the pen.
_ALIKE = 0.8


class Access(StrEnum):
    """Whether strangers are answered."""

    CLOSED = "closed"
    OPEN = "open"


class UnknownPrices(StrEnum):
    """What happens to a model without a known price where a budget counts."""

    REFUSE = "refuse"
    ALLOW = "allow"


class LogFormat(StrEnum):
    """What a line of the log looks like."""

    TEXT = "text"
    JSON = "json"


class Settings(BaseSettings):
    """All settings, checked. A field's name in capitals is the setting's name; None means unset.

    Building one reads nothing but its arguments; `load_settings` is the way from names and texts to here.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=False, hide_input_in_errors=True)

    discord_token: Secret | None = Field(None, description="Discord bot token; the platform is on when set")
    telegram_token: Secret | None = Field(None, description="Telegram bot token; the platform is on when set")
    discord_api_url: Url = Field(
        "https://discord.com/api/v10", description="Discord API base, for self-hosted servers and tests"
    )
    telegram_api_url: Url = Field(
        "https://api.telegram.org", description="Telegram API base, for self-hosted servers and tests"
    )
    openai_api_key: Secret | None = Field(None, description="Key of OpenAI; provider `openai` is on when set")
    openai_base_url: Url | None = Field(None, description="Another address for `openai`; unset: the SDK's own")
    anthropic_api_key: Secret | None = Field(None, description="Key of Anthropic; provider `anthropic` is on when set")
    anthropic_base_url: Url | None = Field(None, description="Another address for `anthropic`; unset: the SDK's own")
    gemini_api_key: Secret | None = Field(None, description="Key of Google's Gemini; provider `gemini` is on when set")
    gemini_base_url: Url | None = Field(None, description="Another address for `gemini`; unset: the SDK's own")
    groq_api_key: Secret | None = Field(None, description="Key of Groq; provider `groq` is on when set")
    groq_base_url: Url | None = Field(None, description="Another address for `groq`")
    huggingface_api_key: Secret | None = Field(
        None, description="Token of Hugging Face; provider `huggingface` is on when set"
    )
    huggingface_base_url: Url | None = Field(None, description="Another address for `huggingface`")
    ollama_base_url: Url | None = Field(
        None, description="Address of Ollama; unset: looked for at `http://127.0.0.1:11434`"
    )
    compatible_base_url: Url | None = Field(
        None,
        description="Address of any OpenAI-compatible server (vLLM, llama.cpp, OpenRouter, LM Studio); "
        "its provider is on when set",
    )
    compatible_api_key: Secret | None = Field(None, description="Key of that server, if it wants one")
    compatible_name: ProviderName | None = Field(
        None, description="Name of that provider in model names; unset: `compatible`"
    )
    tavily_api_key: Secret | None = Field(None, description="Key of Tavily; the bot searches the web when set")
    tavily_base_url: Url | None = Field(None, description="Another address for Tavily; unset: its own")
    tavily_credit_usd: Dollars = Field(
        Decimal("0.008"), description="What a credit at Tavily costs, in dollars; 0 within a free plan"
    )
    brave_search_api_key: Secret | None = Field(
        None, description="Key of Brave Search: searches when Tavily has no key or fails"
    )
    brave_search_base_url: Url | None = Field(None, description="Another address for Brave Search; unset: its own")
    brave_request_usd: Dollars = Field(Decimal("0.005"), description="What a request at Brave Search costs, in dollars")
    binance_base_url: Url | None = Field(None, description="Another address for Binance's market data (prices)")
    coingecko_base_url: Url | None = Field(None, description="Another address for CoinGecko (prices)")
    fetch_private_hosts: Hosts = Field(
        frozenset(),
        description="`wiki.lan,10.0.0.5:8080`: hosts of your own network that may be read; others there are refused",
    )
    mcp_servers_file: Path | None = Field(
        None, description="MCP servers whose tools the bot may use (JSON; docs/mcp.md)"
    )
    max_tool_rounds: int = Field(6, ge=1, le=50, description="How often in one answer the model may call tools")
    turn_cost_usd: Dollars = Field(
        Decimal(1), description="No more tools run in an answer that has cost so many dollars; 0: no limit"
    )
    max_attachment_mb: float = Field(
        10.0, gt=0, le=15, description="The largest file that is read, in megabytes; at most 15"
    )
    attachment_ttl_days: int = Field(30, ge=1, le=3_650, description="How long files are kept, in days")
    transcription_model: ModelName | None = Field(
        None, description="`provider/model` that writes down voice messages; unset: the first with a key"
    )
    speech_model: ModelName | None = Field(
        None, description="`provider/model` that reads answers out; unset: the first with a key"
    )
    speech_voice: VoiceName | None = Field(None, description="Its voice; unset: the catalogue's")
    default_model: ModelChoice | None = Field(
        None,
        description="`provider/model`, or `auto`: chosen for each message; unset: the catalogue's default of the "
        "first configured provider",
    )
    fallback_models: ModelNames = Field(
        (), description="`provider/model` between commas: who answers when the chosen model does not"
    )
    auto_models: ModelNames = Field(
        (), description="`provider/model` between commas: what `auto` chooses from; unset: the whole catalogue"
    )
    side_model: ModelName | None = Field(
        None,
        description="`provider/model` that writes titles and summaries; unset: the cheapest of the provider that "
        "answers",
    )
    auto_titles: bool = Field(True, description="Whether threads and topics get a short title by themselves")
    system_prompt: str = Field(_SYSTEM_PROMPT, description="What every model is told first")
    temperature: float | None = Field(
        None, ge=0, le=TEMPERATURE_MAX, description="From 0 to 2; unset: the provider's default"
    )
    max_output_tokens: int | None = Field(
        None,
        ge=OUTPUT_TOKENS_MIN,
        le=OUTPUT_TOKENS_MAX,
        description="The longest answer, in tokens; unset: the provider's default",
    )
    context_tokens: int = Field(
        20_000,
        ge=1_000,
        le=10_000_000,
        description="At most so much of a conversation is sent to a model, in tokens",
    )
    turn_timeout_s: float = Field(
        300.0, gt=0, le=86_400, description="A turn that takes longer (seconds) ends with what it has"
    )
    first_token_timeout_s: float = Field(
        60.0,
        gt=0,
        le=3_600,
        description="A model that is silent for so long (seconds) is left for the next one; reasoning models get "
        "twice that",
    )
    provider_limits: ProviderLimits = Field(
        (),
        description="What may be sent with a provider's key: `openai:rpm=500,openai:tpm=200000` (requests and tokens "
        "per minute)",
    )
    response_cache_ttl_s: float = Field(
        0.0, ge=0, le=31_536_000, description="How long the answer to exactly the same request is used again, 0: never"
    )
    budgets: Budgets = Field(
        (),
        description="In dollars: `user/day=0.50,channel/week=5,server/month=20,all/month=100`; each user, channel or "
        "server has its own",
    )
    unknown_prices: Annotated[UnknownPrices, Lower] = Field(
        UnknownPrices.REFUSE,
        description="`refuse` or `allow` models without a known price where a budget counts",
    )
    user_requests_per_minute: PerMinute = Field(None, description="Questions that each person may ask in a minute")
    user_tokens_per_minute: PerMinute = Field(None, description="Tokens that each person may use in a minute")
    channel_requests_per_minute: PerMinute = Field(None, description="Questions that each channel may ask in a minute")
    channel_tokens_per_minute: PerMinute = Field(None, description="Tokens that each channel may use in a minute")
    bot_names: Names = Field(
        (),
        description="Names, separated by commas, that the bot answers to in groups besides mention and reply",
    )
    access: Annotated[Access, Lower] = Field(
        Access.CLOSED, description="`closed`: only those allowed are answered; `open`: everyone"
    )
    owners: Owners = Field(
        frozenset(),
        description="`discord:123,telegram:456` (numeric ids); unset: the log shows a pairing code",
    )
    allow: Entries = Field(
        frozenset(),
        description="Who is answered besides the owners: `telegram:456`, `telegram:chat:-100123`, "
        "`discord:guild:123`, `discord:user:456`",
    )
    mongodb_uri: MongoUri | None = Field(
        None, description="A MongoDB of your own; unset: a private one under `DATA_DIR`"
    )
    mongodb_database: DatabaseName = Field("parley", description="Name of the database in it")
    mongod: Program | None = Field(
        None,
        description="The `mongod` program for the private MongoDB; unset: the extra `embedded`, then `PATH`",
    )
    data_dir: Folder = Field(Path("./data"), description="Folder of the private MongoDB and of logs")
    models_file: Path | None = Field(
        None,
        description="Your own catalogue rows and price overrides (YAML), merged over `bot/catalogue.yaml`",
    )
    log_level: LogLevel = Field("INFO", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`")
    log_format: Annotated[LogFormat, Lower] = Field(LogFormat.TEXT, description="`text` or `json`")
    shutdown_grace_s: float = Field(
        20.0, ge=0, le=3_600, description="Seconds that running turns may go on after a stop signal"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments only: the environment comes in through `load_settings`."""
        return (init_settings,)

    @model_validator(mode="after")
    def _key_has_its_server(self) -> "Settings":
        if self.compatible_api_key is not None and self.compatible_base_url is None:
            raise ValueError(
                "COMPATIBLE_API_KEY is set but COMPATIBLE_BASE_URL is not: set the server's address as well, "
                "for example http://127.0.0.1:8000/v1"
            )
        return self

    def by_name(self) -> Mapping[str, str | SecretStr | None]:
        """What is a text or a secret, by the setting's name (`OPENAI_API_KEY`): what providers look into."""
        values = {name.upper(): getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in values.items() if value is None or isinstance(value, str | SecretStr)}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every configured secret in clear, passwords in addresses as well: what no log may show."""
        found: list[str] = []
        for value in self.by_name().values():
            if isinstance(value, SecretStr):
                found += [value.get_secret_value(), *url_secrets(value.get_secret_value())]
            elif value is not None:
                found += url_secrets(value)
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """One setting as documented. `default` is Markdown."""

    name: str
    meaning: str
    default: str


def load_settings(environ: Mapping[str, str], env_file: Path | None = ENV_FILE) -> Settings:
    """Check the settings of `environ` and, where it has none, of `env_file` (None or missing: there is none).

    An empty text counts as unset.

    Raises:
        SettingsError: one line for each wrong setting.
    """
    given = _given(environ, env_file)
    values = {name: given[name.upper()] for name in Settings.model_fields if name.upper() in given}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(*(_line(each, given) for each in error.errors())) from None


def misspelt(environ: Mapping[str, str], env_file: Path | None = ENV_FILE) -> tuple[str, ...]:
    """A warning for each name that looks like one of ours that is not set. Raises SettingsError."""
    given = _given(environ, env_file)
    missing = [name.upper() for name in Settings.model_fields if name.upper() not in given]
    known = [name.upper() for name in Settings.model_fields]
    lines = []
    for name in given:
        close = difflib.get_close_matches(name.upper(), missing, n=1, cutoff=_ALIKE)
        if name not in known and close:
            lines.append(f"{name} is not a setting of Parley and is ignored; did you mean {close[0]}?")
    return tuple(lines)


def setting_rows() -> tuple[SettingRow, ...]:
    """Every setting in order, as the README shows it."""
    return tuple(
        SettingRow(name=name.upper(), meaning=field.description or "", default=_default(field))
        for name, field in Settings.model_fields.items()
    )


def readme_table() -> str:
    """The table of settings in Markdown, exactly as it stands in the README."""
    rows = (f"| `{row.name}` | {row.meaning} | {row.default} |" for row in setting_rows())
    return "\n".join(("| name | meaning | default |", "|---|---|---|", *rows))


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value in ((), frozenset()):
        return "unset"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Path):
        return f"`./{value}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def with_env_file(environ: Mapping[str, str], env_file: Path | None = ENV_FILE) -> Mapping[str, str]:
    """The names of `.env` and of the environment, which wins: for programs that are started with some of them."""
    return {**{name: text for name, text in _read(env_file).items() if text is not None}, **environ}


def _given(environ: Mapping[str, str], env_file: Path | None) -> dict[str, str]:
    """Names with their texts, blank ones left out; the environment wins over the file."""
    given: dict[str, str] = {}
    for source in (_read(env_file), environ):
        given |= {name: text.strip() for name, text in source.items() if text is not None and text.strip()}
    return given


def _read(env_file: Path | None) -> Mapping[str, str | None]:
    if env_file is None or not env_file.exists():
        return {}
    try:
        # Without interpolation: a password may well contain `${`.
        return dotenv_values(env_file, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"{env_file} cannot be read: {reason}.") from None


def _line(error: ErrorDetails, given: Mapping[str, str]) -> str:
    """One sentence: which setting, its value unless it is a secret, and what would be right."""
    cause = error.get("ctx", {}).get("error")
    words = str(cause) if isinstance(cause, ValueError) else error["msg"].replace("Input should", "it should", 1)
    if not error["loc"]:
        return f"{words}."
    name = str(error["loc"][0])
    value = given.get(name.upper(), "")
    return f"{name.upper()}{_shown(name, value)}: {words.rstrip('.')}."


def _shown(name: str, value: str) -> str:
    if _is_secret(Settings.model_fields[name]) or not value:
        return ""
    # Someone may have pasted a key into the wrong line.
    text = Redactor()(" ".join(value.split()))
    return f" is “{text if len(text) <= 60 else text[:59] + '…'}”"


def _is_secret(field: FieldInfo) -> bool:
    # By its words: the type stands inside of Annotated and of a union with None.
    return SecretStr.__name__ in str(field.annotation)
