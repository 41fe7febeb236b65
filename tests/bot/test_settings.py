"""Settings: what is read from where, and one clear line for each that is wrong."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.core.budget import EACH, BudgetKey, BudgetLimit, Period
from bot.core.errors import SettingsError
from bot.core.ledger import Whose
from bot.settings import Access, LogFormat, Settings, load_settings, misspelt, setting_rows, with_env_file


def lines_for(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, None)
    return caught.value.lines


def test_nothing_has_to_be_set() -> None:
    settings = load_settings({}, None)

    assert settings.discord_token is None
    assert settings.access is Access.CLOSED
    assert settings.data_dir == Path("data")
    assert (settings.turn_timeout_s, settings.context_tokens, settings.shutdown_grace_s) == (300, 20_000, 20)
    assert (settings.temperature, settings.max_output_tokens, settings.default_model) == (None, None, None)


def test_an_empty_text_counts_as_unset() -> None:
    settings = load_settings({"DISCORD_TOKEN": "", "TEMPERATURE": "  ", "LOG_FORMAT": ""}, None)

    assert settings == load_settings({}, None)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text('LOG_FORMAT=json\nSYSTEM_PROMPT="Be brief."\nACCESS=open\nTEMPERATURE=\n')

    settings = load_settings({"LOG_FORMAT": "text", "ACCESS": ""}, env_file)

    assert settings.log_format is LogFormat.TEXT
    assert settings.system_prompt == "Be brief."
    assert settings.access is Access.OPEN


def test_a_dollar_sign_in_the_file_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME_OF_SECRETS", "leaked")
    env_file = tmp_path / ".env"
    env_file.write_text("OPENAI_API_KEY=a${HOME_OF_SECRETS}b\n")

    key = load_settings({}, env_file).openai_api_key

    assert key is not None
    assert key.get_secret_value() == "a${HOME_OF_SECRETS}b"


def test_a_missing_file_is_no_error_and_an_unreadable_one_is(tmp_path: Path) -> None:
    assert load_settings({}, tmp_path / "none") == Settings()
    bad = tmp_path / ".env"
    bad.write_bytes(b"BOT_NAMES=\xff\xfe\xfa\n")

    with pytest.raises(SettingsError, match="cannot be read: it is not UTF-8 text"):
        load_settings({}, bad)


def test_building_settings_does_not_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "from-outside")

    assert Settings().discord_token is None


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().log_level = "DEBUG"  # type: ignore[misc]  # that it fails is the point


def test_lists_are_separated_by_commas_and_ids_brought_to_one_form() -> None:
    settings = load_settings(
        {
            "BOT_NAMES": "Parley, bot,,Parley",
            "OWNERS": "discord:123, Telegram:user:456",
            "ALLOW": "telegram:chat:-100,discord:server:9",
        },
        None,
    )

    assert settings.bot_names == ("Parley", "bot")
    assert settings.owners == {"discord:123", "telegram:456"}
    assert settings.allow == {"telegram:chat:-100", "discord:guild:9"}


@dataclass(frozen=True, slots=True)
class Wrong:
    name: str
    value: str
    says: str


WRONG = (
    Wrong("TEMPERATURE", "warm", "a valid number"),
    Wrong("TEMPERATURE", "3", "less than or equal to 2"),
    Wrong("TEMPERATURE", "nan", "TEMPERATURE"),
    Wrong("MAX_OUTPUT_TOKENS", "1.5", "a valid integer"),
    Wrong("TURN_TIMEOUT_S", "0", "greater than 0"),
    Wrong("ACCESS", "maybe", "'closed' or 'open'"),
    Wrong("LOG_FORMAT", "xml", "'text' or 'json'"),
    Wrong("LOG_LEVEL", "loud", "DEBUG, INFO, WARNING or ERROR"),
    Wrong("OWNERS", "@alice", "numeric"),
    Wrong("OWNERS", "discord:guild:5", "only a person"),
    Wrong("ALLOW", "telegram:4,bob", "1 of its entries"),
    Wrong("DEFAULT_MODEL", "gpt-6", "provider/model"),
    Wrong("DISCORD_API_URL", "localhost:80", "https://host/path"),
    Wrong("COMPATIBLE_BASE_URL", "http://h/v1?key=1", "without a query"),
    Wrong("COMPATIBLE_NAME", "My Server", "letters, digits"),
    Wrong("MONGODB_DATABASE", "a/b", "letters, digits"),
    Wrong("MONGOD", "/no/such/mongod", "no program"),
    Wrong("DATA_DIR", __file__, "folder"),
    Wrong("FALLBACK_MODELS", "openai/a, gpt-6", "provider/model"),
    Wrong("AUTO_MODELS", "auto", "provider/model"),
    Wrong("SIDE_MODEL", "auto", "provider/model"),
    Wrong("BUDGETS", "user/day", "user/day=0.50"),
    Wrong("BUDGETS", "user/year=5", "day, week or month"),
    Wrong("BUDGETS", "user/day=-1", "user/day=0.50"),
    Wrong("BUDGETS", "user/day=1,user/day=2", "twice"),
    Wrong("UNKNOWN_PRICES", "maybe", "'refuse' or 'allow'"),
    Wrong("PROVIDER_LIMITS", "openai=5", "openai:rpm=500"),
    Wrong("USER_REQUESTS_PER_MINUTE", "0", "greater than or equal to 1"),
    Wrong("FIRST_TOKEN_TIMEOUT_S", "0", "greater than 0"),
)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case.name}={case.value[:16]}")
def test_a_wrong_value_gets_one_line_with_its_name_and_what_is_right(case: Wrong) -> None:
    (line,) = lines_for(**{case.name: case.value})

    assert line.startswith(case.name)
    assert case.says in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISCORD_TOKEN", "Bot hush-hush"),
        ("TELEGRAM_TOKEN", "123:hush hush"),
        ("OPENAI_API_KEY", "hush-hüsh"),
        ("MONGODB_URI", "postgres://u:hush@h/"),
        ("DEFAULT_MODEL", "sk-proj-hushhushhushhushhush"),
    ],
)
def test_a_secret_is_never_repeated(name: str, value: str) -> None:
    (line,) = lines_for(**{name: value})

    assert line.startswith(name)
    assert "hush" not in line
    assert "hush" not in repr(line)


def test_every_wrong_setting_gets_its_line_at_once() -> None:
    lines = lines_for(TEMPERATURE="x", ACCESS="y", LOG_LEVEL="z")

    assert [line.split()[0].rstrip(":") for line in lines] == ["TEMPERATURE", "ACCESS", "LOG_LEVEL"]


def test_a_key_without_its_server_is_wrong() -> None:
    (line,) = lines_for(COMPATIBLE_API_KEY="k")

    assert "COMPATIBLE_BASE_URL is not" in line


def test_no_secret_is_in_the_text_of_the_settings() -> None:
    settings = load_settings({"DISCORD_TOKEN": "hush-hush", "MONGODB_URI": "mongodb://u:hush@h"}, None)

    assert "hush" not in repr(settings) + str(settings)


def test_all_secrets_are_known_for_redaction_with_passwords_inside_of_addresses() -> None:
    settings = load_settings(
        {
            "TELEGRAM_TOKEN": "123:tok",
            "MONGODB_URI": "mongodb://u:p%40ss@h",
            "OLLAMA_BASE_URL": "http://me:word@h:1",
        },
        None,
    )

    assert {"123:tok", "mongodb://u:p%40ss@h", "p%40ss", "p@ss", "word"} <= set(settings.secrets)


def test_settings_are_found_by_the_names_that_operators_use() -> None:
    settings = load_settings({"GROQ_API_KEY": "k", "GROQ_BASE_URL": "http://h/v1/"}, None)

    values = settings.by_name()

    assert values["GROQ_BASE_URL"] == "http://h/v1"
    assert values["GROQ_API_KEY"] == settings.groq_api_key
    assert values["OPENAI_API_KEY"] is None


def test_the_name_of_a_compatible_server_is_read_like_the_provider_of_a_model() -> None:
    settings = load_settings({"COMPATIBLE_NAME": "Open.Router"}, None)

    assert settings.compatible_name == "open.router"


def test_a_misspelt_name_is_noticed(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("TELEGRAM_TOKN=1\nMONGO_PASSWORD=x\n")

    lines = misspelt({"PATH": "/bin", "OLLAMA_HOST": "h", "discord_token": "x"}, env_file)

    assert len(lines) == 2
    assert "TELEGRAM_TOKN is not a setting" in lines[0]
    assert "did you mean TELEGRAM_TOKEN?" in lines[0]
    assert "did you mean DISCORD_TOKEN?" in lines[1]


def test_a_name_alike_is_no_slip_when_the_right_one_is_set() -> None:
    assert misspelt({"TELEGRAM_BOT_TOKEN": "1", "TELEGRAM_TOKEN": "2"}, None) == ()


def test_every_setting_is_described() -> None:
    assert [row.name for row in setting_rows() if not row.meaning or "|" in row.meaning + row.default] == []


def test_budgets_are_for_each_user_channel_or_server_and_for_all_together() -> None:
    settings = load_settings({"BUDGETS": "user/day=0.50, all/month=$100"}, None)

    assert settings.budgets == (
        BudgetLimit(budget=BudgetKey(Whose.USER, EACH, Period.DAY), nano_usd=500_000_000),
        BudgetLimit(budget=BudgetKey(Whose.ALL, "", Period.MONTH), nano_usd=100_000_000_000),
    )


def test_limits_of_providers_and_lists_of_models_are_read() -> None:
    settings = load_settings(
        {"PROVIDER_LIMITS": "OpenAI:rpm=500, openai:tpm=200000", "FALLBACK_MODELS": "a/b, c/d:e, a/b"}, None
    )

    assert settings.provider_limits == (("openai", "rpm", 500), ("openai", "tpm", 200_000))
    assert settings.fallback_models == ("a/b", "c/d:e")


def test_the_default_model_may_be_auto() -> None:
    assert load_settings({"DEFAULT_MODEL": "Auto"}, None).default_model == "auto"


def test_programs_may_be_given_what_stands_in_the_env_file_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("GITHUB_TOKEN=from-file\nHOME=elsewhere\n")

    assert with_env_file({"HOME": "/home/ann"}, file) == {"GITHUB_TOKEN": "from-file", "HOME": "/home/ann"}
