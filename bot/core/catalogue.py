"""Models: what they are called, what they can do, and how a name that someone typed becomes one of them.

Knows nothing of files or servers: rows come in as values. Prices of rows are overrides; the usual source is
pricing.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from hashlib import blake2b

#: In the place of a model's name: let Parley choose for each message.
AUTO = "auto"
_NEAREST = 3
#: Leaves room in 64 bytes for the rest of a command line (`model ... thread`).
_HANDLE_BYTES = 48


@dataclass(frozen=True, slots=True, order=True)
class ModelRef:
    """`provider/id`; the id may itself contain `/` and `:`."""

    provider: str
    id: str

    @classmethod
    def parse(cls, text: str) -> "ModelRef | None":
        """Read `provider/id`; None when it is not of that form."""
        provider, slash, model_id = text.strip().partition("/")
        return cls(provider.lower(), model_id) if slash and provider and model_id else None

    def __str__(self) -> str:
        return f"{self.provider}/{self.id}"


class Speed(StrEnum):
    """How soon and how fast a model writes, beside its kind."""

    FAST = "fast"
    MEDIUM = "medium"
    SLOW = "slow"


class CostClass(StrEnum):
    """What an answer costs, beside others: roughly under 1, under 10, and 10 or more dollars per million tokens."""

    CHEAP = "cheap"
    MEDIUM = "medium"
    DEAR = "dear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars per million tokens. `cached` and `cache_write` None: these tokens cost as much as other input.

    `credit` is the price of one credit, for services that count those (see Usage); None: it is not known.
    `audio_hour` is that of an hour of sound, where a service bills by time; None likewise.
    """

    input: str
    output: str
    cached: str | None = None
    cache_write: str | None = None
    credit: str | None = None
    audio_hour: str | None = None
    as_of: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What is known of a model. None means unknown.

    `window_tokens` is for prompt and answer together. `vision`, `pdf`, `audio`: it takes such files as they are.
    `json`: it can be held to JSON. `temperature` False: the model refuses sampling parameters. `reasoning`: it thinks
    before it answers; `efforts` are the words in which it can be told how much, empty: it takes none;
    `reasoning_effort` is sent when nobody chose another. `cache_options`: it takes word of whether a prompt is to be
    kept in its cache, and keeps none that it was told not to. `tokens_factor`: tokens that it counts at most for one
    that we estimate. `price` overrides any other source. `retires` is the day it
    is shut down; `gone`: its provider does not list it any more. `requests_per_minute` and `tokens_per_minute` bound
    what is sent with the provider's key.
    """

    ref: ModelRef
    name: str | None = None
    description: str | None = None
    window_tokens: int | None = None
    max_output_tokens: int | None = None
    vision: bool | None = None
    pdf: bool | None = None
    audio: bool | None = None
    tools: bool | None = None
    json: bool | None = None
    temperature: bool = True
    reasoning: bool | None = None
    efforts: tuple[str, ...] = ()
    reasoning_effort: str | None = None
    cache_options: bool | None = None
    tokens_factor: float | None = None
    speed: Speed | None = None
    cost: CostClass | None = None
    aliases: tuple[str, ...] = ()
    price: Price | None = None
    retires: date | None = None
    gone: bool = False
    default: bool = False
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """A name that fits several models, the likeliest first."""

    candidates: tuple[ModelInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A name that fits no model; `nearest` are those spelled most alike, of configured providers."""

    nearest: tuple[ModelInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All models that can be asked now: rows of configured providers, discovered ones merged in.

    `providers` are the configured ones, in the order in which a default is looked for; `models` follow that
    order. `templates` hold, by provider, what is true of its models that are not listed. `unconfigured` are the
    providers that could be here too, each with the setting that switches it on.
    """

    models: Mapping[ModelRef, ModelInfo] = field(default_factory=dict)
    providers: tuple[str, ...] = ()
    templates: Mapping[str, ModelInfo] = field(default_factory=dict)
    unconfigured: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, text: str) -> ModelInfo | Ambiguous | Unknown:
        """The model that someone means by `text`, upper and lower case alike.

        Tried in this order: `provider/id`; a handle (see `handle`); an alias, where the first provider in
        order wins (with a model that is not gone); an id without its provider, or only its last part;
        `provider/anything` of a configured provider, listed or not; the start of a name, then any part of one.
        """
        wanted = text.strip().casefold()
        if not wanted:
            return Unknown(nearest=())
        for matches in (_is_ref, _is_handle, _has_alias):
            if found := self._where(matches, wanted):
                return next((info for info in found if not info.gone), found[0])
        exact = self._where(_is_id, wanted) or self._where(_is_last_part, wanted)
        if exact:
            return _one_of(exact)
        if (unlisted := self._unlisted(text)) is not None:
            return unlisted
        close = self._where(_starts, wanted) or self._where(_contains, wanted)
        return _one_of(close) if close else Unknown(nearest=self._nearest(wanted))

    def search(self, text: str, *, is_free: Callable[[ModelInfo], bool] | None = None) -> tuple[ModelInfo, ...]:
        """All models that fit every word of `text`; all for no words.

        A word fits when it stands in name, aliases or description, or when it is a filter that the model passes:
        `vision`, `pdf`, `audio`, `tools`, `json`, `reasoning`, `fast`, `cheap`, `free`, `provider:name`. `is_free`
        tells what costs nothing; None: what a price of its own row says.
        """
        filters = {**_FILTERS, "free": _is_free_by_row if is_free is None else is_free}
        words = text.casefold().split()
        return tuple(info for info in self.models.values() if all(_fits(info, word, filters) for word in words))

    def default(self) -> ModelInfo | None:
        """The default of the first provider that has models, or what stands in when that is gone; None: no models."""
        for provider in self.providers:
            own = [info for info in self.models.values() if info.ref.provider == provider]
            if own:
                marked = next((info for info in own if info.default), own[0])
                if not marked.gone:
                    return marked
                # Of a server's whole list only what the catalogue gives a short name is sure to hold a conversation.
                return next((info for info in own if info.aliases and not info.gone), marked)
        return None

    def info(self, ref: ModelRef) -> ModelInfo | None:
        """A model by its exact name, listed or not; None when its provider is not configured."""
        listed = self.models.get(ref)
        if listed is not None or ref.provider not in self.providers:
            return listed
        template = self.templates.get(ref.provider)
        return ModelInfo(ref=ref) if template is None else dataclasses.replace(template, ref=ref)

    def _where(self, matches: Callable[[ModelInfo, str], bool], wanted: str) -> tuple[ModelInfo, ...]:
        return tuple(info for info in self.models.values() if matches(info, wanted))

    def _unlisted(self, text: str) -> ModelInfo | None:
        ref = ModelRef.parse(text)
        return None if ref is None else self.info(ref)

    def _nearest(self, wanted: str) -> tuple[ModelInfo, ...]:
        spelled = {name: info for info in self.models.values() for name in _names(info)}
        close = get_close_matches(wanted, spelled, n=_NEAREST, cutoff=0.4)
        return tuple(dict.fromkeys(spelled[name] for name in close))


def handle(ref: ModelRef) -> str:
    """A name that `resolve` understands and a button can hold (64 bytes): `provider/id` or its digest."""
    full = str(ref)
    return full if len(full.encode()) <= _HANDLE_BYTES else _digest(full)


def _digest(full: str) -> str:
    return "#" + blake2b(full.encode(), digest_size=4).hexdigest()


def _one_of(found: tuple[ModelInfo, ...]) -> ModelInfo | Ambiguous:
    return found[0] if len(found) == 1 else Ambiguous(candidates=found)


def _is_ref(info: ModelInfo, wanted: str) -> bool:
    return str(info.ref).casefold() == wanted


def _is_handle(info: ModelInfo, wanted: str) -> bool:
    return wanted.startswith("#") and _digest(str(info.ref)) == wanted


def _has_alias(info: ModelInfo, wanted: str) -> bool:
    return any(alias.casefold() == wanted for alias in info.aliases)


def _is_id(info: ModelInfo, wanted: str) -> bool:
    return info.ref.id.casefold() == wanted


def _is_last_part(info: ModelInfo, wanted: str) -> bool:
    return _last_part(info) == wanted


def _starts(info: ModelInfo, wanted: str) -> bool:
    return any(name.startswith(wanted) for name in _names(info))


def _contains(info: ModelInfo, wanted: str) -> bool:
    return any(wanted in name for name in _names(info))


def _names(info: ModelInfo) -> tuple[str, ...]:
    """All that it may be called, folded."""
    named = () if info.name is None else (info.name.casefold(),)
    return (str(info.ref).casefold(), info.ref.id.casefold(), _last_part(info), *named)


def _last_part(info: ModelInfo) -> str:
    return info.ref.id.casefold().rpartition("/")[2]


def _fits(info: ModelInfo, word: str, filters: Mapping[str, Callable[[ModelInfo], bool]]) -> bool:
    name, colon, wanted = word.partition(":")
    if colon and name == "provider":
        return info.ref.provider == wanted
    passes = filters.get(word)
    return word in _haystack(info) or (passes is not None and passes(info))


def _is_free_by_row(info: ModelInfo) -> bool:
    return info.price is not None and not float(info.price.input) and not float(info.price.output)


_FILTERS: Mapping[str, Callable[[ModelInfo], bool]] = {
    "vision": lambda info: info.vision is True,
    "pdf": lambda info: info.pdf is True,
    "audio": lambda info: info.audio is True,
    "tools": lambda info: info.tools is True,
    "json": lambda info: info.json is True,
    "reasoning": lambda info: info.reasoning is True,
    "fast": lambda info: info.speed is Speed.FAST,
    "cheap": lambda info: info.cost is CostClass.CHEAP,
}


def _haystack(info: ModelInfo) -> str:
    return " ".join((str(info.ref), info.name or "", info.description or "", *info.aliases)).casefold()
