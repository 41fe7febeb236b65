"""What a conversation can be set to, where each value may come from, and which one counts.

A setting is one field of `ThreadSettings` plus one row of `SETTINGS`. Pure: knows neither the store that
keeps the values nor the command that changes them, and not whether a model exists.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from bot.core.catalogue import AUTO, ModelRef
from bot.core.errors import UsageError
from bot.core.fallback import parse_fallback, show_fallback
from bot.core.place import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDefaults:
    """What applies where nobody set anything; None for temperature or output leaves it to the provider.

    `fallback` are the models (`provider/id`) that answer when the chosen one does not, in order; `auto_models` those
    among which `auto` picks, empty: all of the catalogue. An answer is given again for `answer_ttl_s` seconds to
    exactly the same request, 0: never. In one answer tools run in `tool_rounds` rounds at most, and no more once
    it has cost `turn_cost_nano` nano-dollars (None: no limit).
    """

    system_prompt: str
    temperature: float | None
    max_output_tokens: int | None
    timeout_s: float
    fallback: tuple[str, ...] = ()
    auto_models: tuple[str, ...] = ()
    answer_ttl_s: float = 0.0
    tool_rounds: int = 6
    turn_cost_nano: int | None = None


class Search(StrEnum):
    """When the web is searched: when the model wants to, for every message, or never."""

    AUTO = "auto"
    ALWAYS = "always"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadSettings:
    """What people set for one conversation; None means that nobody did and the default applies.

    `model` is `provider/id` or `auto`, `max_output` counts tokens. `effort` is how much a reasoning model thinks,
    `json` holds answers to JSON. `fallback` are models between commas that answer when the chosen one does not, `off`:
    none. `price_ceiling` is what a million tokens of answer may cost at most, in dollars, whichever model it is.
    `footer`: a line with model, tokens and cost under each answer. `threads`: a mention in a channel opens a thread
    where the platform has them. `voice`: answers are read out as well. `tools_off` are tools between commas that are
    not offered here.
    """

    model: str | None = None
    system: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_output: int | None = None
    effort: str | None = None
    json: bool = False
    fallback: str | None = None
    price_ceiling: float | None = None
    footer: bool = False
    threads: bool = False
    search: Search = Search.AUTO
    voice: bool = False
    tools_off: str | None = None


SettingValue = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingSpec:
    """One setting. `name` is that of its field, of its stored value and of its row in /settings.

    `parse` reads what a person typed and raises UsageError with the allowed values. `show` is for people, and
    what it returns can be parsed; `unset` stands for no value at all. `command` names the command that sets
    it; None: /settings does.
    """

    name: str
    title: str
    description: str
    parse: Callable[[str], SettingValue]
    show: Callable[[SettingValue], str] = str
    unset: str = "the provider's choice"
    command: str | None = None


TEMPERATURE_MAX = 2.0
OUTPUT_TOKENS_MIN, OUTPUT_TOKENS_MAX = 16, 1_000_000
SYSTEM_MAX_CHARS = 16_000
PRICE_CEILING_MAX = 10_000
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_EFFORT = re.compile(r"[a-z]{2,16}")
_SWITCH = {
    "on": True,
    "yes": True,
    "true": True,
    "1": True,
    "off": False,
    "no": False,
    "false": False,
    "0": False,
}


def _parse_model(text: str) -> str:
    if text.strip().lower() == AUTO:
        return AUTO
    ref = ModelRef.parse(text)
    if ref is None:
        raise UsageError("A model is named `provider/model`.")
    return str(ref)


def _parse_system(text: str) -> str:
    if not text.strip():
        raise UsageError("The system prompt is empty.")
    if len(text) > SYSTEM_MAX_CHARS:
        raise UsageError(f"The system prompt has {len(text):,} characters; at most {SYSTEM_MAX_CHARS:,} are allowed.")
    return text.strip()


def _parse_temperature(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= TEMPERATURE_MAX:
        raise UsageError(f"The temperature is a number from 0 to {TEMPERATURE_MAX:g}, for example 0.7.")
    return value


def _parse_top_p(text: str) -> float:
    value = _number(text)
    if not 0 < value <= 1:
        raise UsageError("top-p is a number above 0 and at most 1, for example 0.9.")
    return value


def _parse_effort(text: str) -> str:
    word = text.strip().lower()
    if not _EFFORT.fullmatch(word):
        raise UsageError("The effort is one word, for example low, medium or high.")
    return word


def _parse_price_ceiling(text: str) -> float:
    value = _number(text.strip().removeprefix("$"))
    if not 0 <= value <= PRICE_CEILING_MAX:
        raise UsageError(
            f"The price ceiling is dollars per million tokens of answer, from 0 to {PRICE_CEILING_MAX:,}, "
            "for example 5."
        )
    return value


def _number(text: str) -> float:
    """A finite number, -1 for anything else."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return -1.0
    return value if isfinite(value) else -1.0


def _parse_max_output(text: str) -> int:
    digits = text.strip().replace(",", "").replace("_", "")
    value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else 0
    if not OUTPUT_TOKENS_MIN <= value <= OUTPUT_TOKENS_MAX:
        raise UsageError(
            f"The longest answer is a number of tokens from {OUTPUT_TOKENS_MIN} to {OUTPUT_TOKENS_MAX:,}, "
            "for example 2000."
        )
    return value


def _parse_switch(text: str) -> bool:
    value = _SWITCH.get(text.strip().lower())
    if value is None:
        raise UsageError("Say `on` or `off`.")
    return value


def _parse_fallback(text: str) -> str:
    return show_fallback(parse_fallback(text))


def _parse_search(text: str) -> Search:
    try:
        return Search(text.strip().lower())
    except ValueError:
        raise UsageError("Say `auto`, `always` or `off`.") from None


def tools_off(names: str | None) -> tuple[str, ...]:
    """The names in a value of `tools_off`."""
    return tuple(filter(None, (name.strip() for name in (names or "").split(","))))


def _parse_tools_off(text: str) -> str:
    names = tuple(dict.fromkeys(tools_off(text)))
    wrong = [name for name in names if not _TOOL_NAME.fullmatch(name)]
    if wrong or not names:
        raise UsageError("Name tools between commas, as /tools lists them.")
    return ",".join(names)


def _show_number(value: SettingValue) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _show_price(value: SettingValue) -> str:
    return f"${value:g}" if isinstance(value, int | float) else str(value)


def _show_switch(value: SettingValue) -> str:
    return "on" if value else "off"


SETTINGS: tuple[SettingSpec, ...] = (
    SettingSpec(
        name="model",
        title="Model",
        description="The model that answers",
        parse=_parse_model,
        unset="none",
        command="model",
    ),
    SettingSpec(
        name="system",
        title="System prompt",
        description="What the model is told before every conversation",
        parse=_parse_system,
        command="system",
    ),
    SettingSpec(
        name="temperature",
        title="Temperature",
        description="How freely the model words its answers, 0 to 2",
        parse=_parse_temperature,
    ),
    SettingSpec(
        name="top_p",
        title="Top-p",
        description="From how likely words the model chooses, above 0 to 1",
        parse=_parse_top_p,
    ),
    SettingSpec(
        name="max_output",
        title="Longest answer",
        description="The longest answer, in tokens",
        parse=_parse_max_output,
        show=_show_number,
    ),
    SettingSpec(
        name="effort",
        title="Reasoning effort",
        description="How much a reasoning model thinks before it answers",
        parse=_parse_effort,
    ),
    SettingSpec(
        name="json",
        title="JSON",
        description="Answers are JSON and nothing else",
        parse=_parse_switch,
        show=_show_switch,
    ),
    SettingSpec(
        name="fallback",
        title="Fallback",
        description="Models that answer when the chosen one does not, between commas, or: off",
        parse=_parse_fallback,
        unset="none",
    ),
    SettingSpec(
        name="price_ceiling",
        title="Price ceiling",
        description="What a million tokens of answer may cost at most, in dollars",
        parse=_parse_price_ceiling,
        show=_show_price,
        unset="none",
    ),
    SettingSpec(
        name="footer",
        title="Footer",
        description="A line with model, tokens and cost under each answer",
        parse=_parse_switch,
        show=_show_switch,
    ),
    SettingSpec(
        name="threads",
        title="Threads",
        description="A mention in a channel opens a thread",
        parse=_parse_switch,
        show=_show_switch,
    ),
    SettingSpec(
        name="search",
        title="Search",
        description="When the web is searched: auto (the model decides), always, or off",
        parse=_parse_search,
    ),
    SettingSpec(
        name="voice",
        title="Voice",
        description="Answers are read out as voice messages, too",
        parse=_parse_switch,
        show=_show_switch,
    ),
    SettingSpec(
        name="tools_off",
        title="Tools off",
        description="Tools that are not used here, between commas",
        parse=_parse_tools_off,
        unset="none",
        command="tools",
    ),
)


def fallback_names(chosen: str | None, default: Sequence[str]) -> tuple[str, ...]:
    """The models (`provider/id`) to fall back on: what was set here, else the operator's."""
    return tuple(default) if chosen is None else parse_fallback(chosen)


_BY_NAME = {spec.name: spec for spec in SETTINGS}


def setting(name: str) -> SettingSpec:
    """The row of that name. Raises KeyError when there is none."""
    return _BY_NAME[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A value that counts, and the scope that it was set for."""

    scope: Scope
    value: SettingValue


def resolve(keys: Sequence[tuple[Scope, str]], values: Mapping[str, Mapping[str, object]]) -> ThreadSettings:
    """The settings of a place: `keys` as of `Place.setting_keys`, `values` as `SettingStore.load` gives them.

    For each setting the first key with a valid value wins. Never raises: a stored value that no longer parses
    counts as not set.
    """
    # The rows parse to their field's type, which a type checker cannot see through the table; a test does.
    build: Callable[..., ThreadSettings] = ThreadSettings
    return build(**{name: origin.value for name, origin in origins(keys, values).items()})


def origins(keys: Sequence[tuple[Scope, str]], values: Mapping[str, Mapping[str, object]]) -> Mapping[str, Origin]:
    """Where each value of `resolve` comes from, by setting name; a setting that nobody set is not in it."""
    found: dict[str, Origin] = {}
    for spec in SETTINGS:
        for scope, key in keys:
            value = _stored(spec, values.get(key, {}).get(spec.name))
            if value is not None:
                found[spec.name] = Origin(scope=scope, value=value)
                break
    return found


def _stored(spec: SettingSpec, value: object) -> SettingValue | None:
    """A value from storage by the rules for typed text, for they may have changed since it was stored."""
    if not isinstance(value, str | int | float):
        return None
    try:
        return spec.parse(str(value))
    except UsageError:
        return None
