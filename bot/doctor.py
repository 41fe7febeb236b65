"""`parley doctor`: what is checked, in which order, and the line with the remedy for each.

Gets everything that it asks as parameters: which platforms, providers and databases there are is the
composition root's business. No check can take longer than its deadline, and none stops the others.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from bot.core.catalogue import AUTO, Catalogue, ModelRef
from bot.core.errors import (
    AuthenticationFailed,
    DeliveryError,
    ModelNotFound,
    ParleyError,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    SettingsError,
    StorageUnavailable,
)
from bot.core.formatting import amount
from bot.core.ports import Clock, ModelDirectory, Provider
from bot.core.redaction import Redactor
from bot.core.retirement import DEFAULT_SETTING, fate, is_retired, retirement_lines, retiring

PROVIDER_DEADLINE_S = 10.0
DEADLINE_S = 30.0
DATABASE_DEADLINE_S = 90.0
MAX_SKEW = timedelta(seconds=60)
_LEAST_FREE_BYTES = 500_000_000
_FAULTY_FREE_BYTES = 50_000_000


class Status(StrEnum):
    """How a check ended; the values are what is printed."""

    OK = "ok"
    WARNING = "warn"
    FAULT = "FAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check: a line that names what was checked and, unless all is well, the remedy."""

    status: Status
    line: str


#: What a platform's own doctor returns: whether it is fine, and the line.
PlatformCheck = Callable[[], Awaitable[Sequence[tuple[bool, str]]]]
#: Lines on what is switched on besides models. Raises SettingsError for what is set wrongly.
Abilities = Callable[[], Awaitable[Sequence[str]]]
#: Where a time of day came from, and that time.
RemoteTime = Callable[[], Awaitable[tuple[str, datetime] | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """All that is examined. `platforms` and `providers` are the configured ones, by name.

    `database` opens what the bot would open and gives the words for it (`MongoDB: 8.0.4 at MONGODB_URI`);
    leaving it stops what it started. `remote_time` is None when nothing that is configured can tell the time.
    `abilities` tells in lines what there is to look things up, hear and speak with; None: nobody asks.
    `chosen` are the settings that name models, with each model that they name (`provider/id`, or `auto`).
    """

    platforms: Mapping[str, PlatformCheck]
    providers: Mapping[str, Provider]
    directory: ModelDirectory
    default_model: str | None
    database: Callable[[], AbstractAsyncContextManager[str]]
    data_dir: Path
    remote_time: RemoteTime | None
    clock: Clock
    chosen: Sequence[tuple[str, str]] = ()
    abilities: Abilities | None = None


async def examine(patient: Patient) -> tuple[Check, ...]:
    """Run every check; those that wait for others' machines run at once. Never raises but CancelledError."""
    storage = (lambda: _check_data_dir(patient.data_dir), lambda: _check_database(patient))
    remote = (
        *(_platform(name, check) for name, check in patient.platforms.items()),
        *(_provider(provider) for provider in patient.providers.values()),
        lambda: _check_models(patient),
        lambda: _check_abilities(patient),
        lambda: _check_clock(patient),
    )
    checks: list[Check] = [ok("settings: all can be read")]
    for check in storage:
        checks += await _guarded(check, DATABASE_DEADLINE_S)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_guarded(check, DEADLINE_S)) for check in remote]
    checks += [result for task in tasks for result in task.result()]
    if not patient.platforms:
        checks.append(warning("platforms: none is configured; set DISCORD_TOKEN or TELEGRAM_TOKEN"))
    return tuple(checks)


def ok(line: str) -> Check:
    return Check(status=Status.OK, line=line)


def warning(line: str) -> Check:
    return Check(status=Status.WARNING, line=line)


def fault(line: str) -> Check:
    return Check(status=Status.FAULT, line=line)


def print_checks(checks: Sequence[Check], out: TextIO, redact: Redactor) -> int:
    """Print one line for each and return the exit code: 1 when there is a fault."""
    for check in checks:
        print(f"{check.status:<4}  {redact(' '.join(check.line.split()))}", file=out)
    return int(any(check.status is Status.FAULT for check in checks))


_Work = Callable[[], Awaitable[Sequence[Check]]]


async def _guarded(work: _Work, deadline_s: float) -> Sequence[Check]:
    """A check that breaks is a fault of its own, not the end of the others."""
    try:
        async with asyncio.timeout(deadline_s):
            return await work()
    except TimeoutError:
        return [fault(f"a check did not end within {deadline_s:.0f} s; check the network and try again")]
    except SettingsError as error:
        return [fault(line) for line in error.lines]
    except Exception as error:
        return [fault(f"a check broke ({type(error).__name__}: {error}); please report this")]


def _platform(name: str, check: PlatformCheck) -> _Work:
    async def work() -> Sequence[Check]:
        try:
            return [(ok if fine else fault)(line) for fine, line in await check()]
        except (DeliveryError, TimeoutError) as error:
            return [fault(f"{name}: not reachable ({error}); check the network and try again")]

    return work


def _provider(provider: Provider) -> _Work:
    async def work() -> Sequence[Check]:
        name = provider.name
        try:
            async with asyncio.timeout(PROVIDER_DEADLINE_S):
                models = await provider.list_models()
        except TimeoutError:
            return [fault(f"{name}: no answer within {PROVIDER_DEADLINE_S:.0f} s; check its address and the network")]
        except ProviderError as error:
            return [fault(f"{name}: {_provider_words(error)}")]
        if models is None:
            return [ok(f"{name}: configured (it lists no models, so its key was not tried)")]
        if not models:
            return [warning(f"{name}: the key is accepted, but it offers no model")]
        return [ok(f"{name}: reachable, {amount(len(models), 'model')}")]

    return work


def _provider_words(error: ProviderError) -> str:
    """For the operator, who can do more about it than a user: `errors.explain` is for those."""
    setting = error.provider.upper()
    match error:
        case AuthenticationFailed():
            return f"the key is refused; make a new one and set {setting}_API_KEY"
        case QuotaExhausted():
            return "the account has no credit or quota left; top it up at the provider"
        case RateLimited():
            return "it limits our requests at the moment; try again later"
        case ModelNotFound():
            return f"the address has no list of models; check {setting}_BASE_URL"
        case _:
            return f"not usable ({error}); check {setting}_BASE_URL and the network"


async def _check_models(patient: Patient) -> Sequence[Check]:
    try:
        catalogue = await patient.directory.catalogue()
        model = await patient.directory.default()
    except ParleyError as error:
        return [fault(f"default model: none can be asked ({error}); set a provider's key, or DEFAULT_MODEL")]
    wanted = patient.default_model
    if wanted == AUTO:
        found = ok(f"default model: auto, chosen for each message ({model.ref} where it finds none)")
    elif wanted is not None and str(model.ref).casefold() != wanted.casefold():
        line = f"default model: DEFAULT_MODEL={wanted} is not known; {model.ref} answers instead (parley models)"
        return [fault(line)]
    else:
        found = ok(f"default model: {model.ref}")
    return [found, *_unknown(catalogue, patient.chosen), *_retiring(catalogue, model.ref, patient)]


def _unknown(catalogue: Catalogue, chosen: Sequence[tuple[str, str]]) -> Sequence[Check]:
    """The choices that nobody can ask; the default model has a line of its own."""
    lines = []
    for setting, name in chosen:
        ref = ModelRef.parse(name)
        if setting != DEFAULT_SETTING and ref is not None and catalogue.info(ref) is None:
            lines.append(f"{setting}: {name} cannot be asked; its provider is not configured")
    return [warning(line) for line in lines]


def _retiring(catalogue: Catalogue, default: ModelRef, patient: Patient) -> Sequence[Check]:
    """One line for each model that the operator chose (or that is the default), one for all others."""
    today = patient.clock.now().date()
    chosen = ((DEFAULT_SETTING, str(default)), *patient.chosen)
    lines = list(retirement_lines(catalogue, chosen, today))
    names = {name.casefold() for _, name in chosen}
    others = [
        f"{info.ref} {fate(info, today)}"
        for info in retiring(catalogue.models.values(), today)
        if not is_retired(info, today) and str(info.ref).casefold() not in names
    ]
    if others:
        lines.append(f"do not rely on these models: {', '.join(others)}")
    return [warning(line) for line in lines]


async def _check_abilities(patient: Patient) -> Sequence[Check]:
    return [] if patient.abilities is None else [ok(line) for line in await patient.abilities()]


async def _check_database(patient: Patient) -> Sequence[Check]:
    try:
        async with patient.database() as words:
            return [ok(words)]
    except StorageUnavailable as error:
        words = str(error).rstrip(".").removeprefix("MongoDB: ")
        return [fault(f"MongoDB: {words}. {error.remedy}")]


async def _check_data_dir(data_dir: Path) -> Sequence[Check]:
    return await asyncio.to_thread(_data_dir, data_dir)


def _data_dir(data_dir: Path) -> Sequence[Check]:
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=data_dir, prefix=".doctor-") as probe:
            probe.write(b"x")
            probe.flush()
        free_bytes = shutil.disk_usage(data_dir).free
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return [fault(f"data folder: {data_dir} cannot be written ({reason}); fix its rights or set DATA_DIR")]
    line = f"data folder: {data_dir.resolve()} is writable, {free_bytes / 1e9:.1f} GB free"
    if free_bytes < _FAULTY_FREE_BYTES:
        return [fault(f"{line}; MongoDB stops when the disk is full: make room")]
    return [warning(f"{line}; make room soon") if free_bytes < _LEAST_FREE_BYTES else ok(line)]


async def _check_clock(patient: Patient) -> Sequence[Check]:
    if patient.remote_time is None:
        return []
    asked = patient.clock.now()
    told = await patient.remote_time()
    if told is None:
        return [warning("clock: nobody could be asked for the time")]
    source, remote = told
    # The true moment lies between question and answer; the header drops fractions of a second.
    middle = asked + (patient.clock.now() - asked) / 2
    skew_s = (middle - remote).total_seconds()
    if abs(skew_s) > MAX_SKEW.total_seconds():
        way = "ahead of" if skew_s > 0 else "behind"
        return [fault(f"clock: {abs(skew_s):.0f} s {way} {source}; switch time synchronisation (NTP) on")]
    return [ok(f"clock: within {max(1.0, abs(skew_s)):.0f} s of {source}")]
