"""The kinds of values that settings have: how each is read from a text, and the words when it is wrong.

Every reader raises ValueError with what would be right and never repeats the text, which may be a secret.
"""

import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr

from bot.core.budget import EACH, BudgetKey, BudgetLimit, Period
from bot.core.catalogue import AUTO, ModelRef
from bot.core.errors import UsageError
from bot.core.gate import is_person, parse_entry
from bot.core.ledger import Whose

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_PROVIDER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_DATABASE_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")


def _secret(value: object) -> object:
    """A key or token: they are sent in headers, so nothing but visible ASCII can be right."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, str) and not re.fullmatch(r"[!-~]+", text):
        raise ValueError("it holds a space or another character that no token has; copy the token alone")
    return value


def _url(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if not right or re.search(r"\s", value) or parts.query or parts.fragment:
        raise ValueError("it should be an address like https://host/path, without a query")
    return value.rstrip("/")


def _mongo_uri(value: object) -> object:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, str) and not re.match(r"mongodb(\+srv)?://[^\s/]", text):
        raise ValueError("it should begin with mongodb:// or mongodb+srv:// and a host")
    return value


def _model(value: object) -> object:
    if isinstance(value, str) and (ModelRef.parse(value) is None or re.search(r"\s", value)):
        raise ValueError("a model is written provider/model, for example openai/gpt-6-luna")
    return value


def _model_choice(value: object) -> object:
    if isinstance(value, str) and value.strip().lower() == AUTO:
        return AUTO
    return _model(value)


def _model_names(value: object) -> object:
    if not isinstance(value, str):
        return value
    names = tuple(dict.fromkeys(_split(value)))
    for name in names:
        _model(name)
    return names


def _budgets(value: object) -> object:
    if not isinstance(value, str):
        return value
    limits = tuple(_budget(text) for text in _split(value))
    if len({limit.budget for limit in limits}) < len(limits):
        raise ValueError("one of its budgets stands twice")
    return limits


def _budget(text: str) -> BudgetLimit:
    found = re.fullmatch(r"(user|channel|server|all)/(day|week|month)=\$?(\d{1,7}(?:\.\d{1,9})?)", text.lower())
    if found is None:
        raise ValueError(
            "a budget is written user/day=0.50 (user, channel, server or all; day, week or month; dollars)"
        )
    whose, period = Whose(found[1]), Period(found[2])
    key = "" if whose is Whose.ALL else EACH
    return BudgetLimit(budget=BudgetKey(whose, key, period), nano_usd=int(Decimal(found[3]) * 10**9))


def _provider_limits(value: object) -> object:
    if not isinstance(value, str):
        return value
    limits = [
        re.fullmatch(r"([a-z0-9][a-z0-9._-]{0,31}):(rpm|tpm)=([1-9]\d{0,11})", text.lower()) for text in _split(value)
    ]
    if not all(limits):
        raise ValueError("a limit is written openai:rpm=500 (requests per minute) or openai:tpm=200000 (tokens)")
    return tuple((found[1], found[2], int(found[3])) for found in limits if found)


def _provider_name(value: object) -> object:
    """In lower case, as the provider's part of every model's name is read."""
    if isinstance(value, str) and not _PROVIDER_NAME.fullmatch(value.lower()):
        raise ValueError("it should be a word of letters, digits, dots, - and _, for example vllm")
    return _lower(value)


def _database_name(value: object) -> object:
    if isinstance(value, str) and not _DATABASE_NAME.fullmatch(value):
        raise ValueError("it should be at most 63 letters, digits, - and _")
    return value


def _names(value: object) -> object:
    return tuple(dict.fromkeys(_split(value))) if isinstance(value, str) else value


def _entries(value: object) -> object:
    """Entries of the gate in their normal form; all wrong ones are named at once."""
    if not isinstance(value, str):
        return value
    entries: set[str] = set()
    wrong: list[str] = []
    for text in _split(value):
        try:
            entries.add(parse_entry(text))
        except UsageError:
            wrong.append(text)
    if wrong:
        raise ValueError(
            f"{len(wrong)} of its entries cannot be read; write telegram:456 or discord:123 for a person, "
            "telegram:chat:-100123 for a chat, discord:guild:123 for a server: numeric ids between commas"
        )
    return frozenset(entries)


def _owners(value: object) -> object:
    entries = _entries(value)
    if isinstance(entries, frozenset) and isinstance(value, str) and not all(is_person(each) for each in entries):
        raise ValueError("only a person can be an owner: discord:123 or telegram:456, separated by commas")
    return entries


def _folder(value: object) -> object:
    """A folder that exists, or that can be made."""
    if isinstance(value, str):
        path = Path(value).expanduser()
        if path.exists() and not path.is_dir():
            raise ValueError("that is a file; it should be a folder")
        return path
    return value


def _program(value: object) -> object:
    if isinstance(value, str):
        path = Path(value).expanduser()
        if not path.is_file() or not os.access(path, os.X_OK):
            raise ValueError("there is no program of that name that may be run")
        return str(path)
    return value


def _log_level(value: object) -> object:
    if isinstance(value, str):
        if value.upper() not in LOG_LEVELS:
            raise ValueError(f"it should be {', '.join(LOG_LEVELS[:-1])} or {LOG_LEVELS[-1]}")
        return value.upper()
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _hosts(value: object) -> object:
    if not isinstance(value, str):
        return value
    hosts = frozenset(_split(value.lower()))
    if not all(re.fullmatch(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[1-9]\d{0,4})?", host) for host in hosts):
        raise ValueError("hosts are written wiki.lan or 10.0.0.5:8080, between commas, without http://")
    return hosts


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


Secret = Annotated[SecretStr, BeforeValidator(_secret)]
Url = Annotated[str, BeforeValidator(_url)]
MongoUri = Annotated[SecretStr, BeforeValidator(_mongo_uri)]
ModelName = Annotated[str, BeforeValidator(_model)]
ProviderName = Annotated[str, BeforeValidator(_provider_name)]
DatabaseName = Annotated[str, BeforeValidator(_database_name)]
ModelChoice = Annotated[str, BeforeValidator(_model_choice)]
ModelNames = Annotated[tuple[str, ...], BeforeValidator(_model_names)]
Budgets = Annotated[tuple[BudgetLimit, ...], BeforeValidator(_budgets)]
#: Provider, `rpm` or `tpm`, and how many.
ProviderLimits = Annotated[tuple[tuple[str, str, int], ...], BeforeValidator(_provider_limits)]
PerMinute = Annotated[int | None, Field(ge=1, le=10**12)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Entries = Annotated[frozenset[str], BeforeValidator(_entries)]
Owners = Annotated[frozenset[str], BeforeValidator(_owners)]
Folder = Annotated[Path, BeforeValidator(_folder)]
Program = Annotated[str, BeforeValidator(_program)]
Lower = BeforeValidator(_lower)
LogLevel = Annotated[str, BeforeValidator(_log_level)]
Hosts = Annotated[frozenset[str], BeforeValidator(_hosts)]
Dollars = Annotated[Decimal, Field(ge=0, le=1_000, allow_inf_nan=False)]
VoiceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
