"""The doctor: a line for each thing, with the remedy where something is wrong."""

import io
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.catalogue import Catalogue, ModelInfo, ModelRef
from bot.core.errors import (
    AuthenticationFailed,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    SettingsError,
    StorageUnavailable,
)
from bot.core.events import ProviderEvent
from bot.core.ports import ChatRequest
from bot.core.redaction import Redactor
from bot.doctor import Check, Patient, Status, examine, fault, ok, print_checks, warning
from tests.fakes.clock import START, ManualClock

MODEL = ModelInfo(ref=ModelRef("openai", "good"))


class ListingProvider:
    """Lists what it is given, or raises it."""

    def __init__(self, listing: tuple[ModelInfo, ...] | Exception | None, name: str = "openai") -> None:
        self.name = name
        self._listing = listing

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        if isinstance(self._listing, Exception):
            raise self._listing
        return self._listing

    def stream(self, request: ChatRequest) -> AsyncGenerator[ProviderEvent, None]:
        raise AssertionError("the doctor asks no model anything")

    async def aclose(self) -> None:
        raise AssertionError("whoever opened it closes it")


class FixedDirectory:
    """A directory with these models, the first one being the default."""

    def __init__(self, *models: ModelInfo) -> None:
        self._models = models

    @property
    def default_choice(self) -> str | None:
        return None

    async def catalogue(self, *, refresh: bool = False) -> Catalogue:
        return Catalogue(models={info.ref: info for info in self._models}, providers=("openai",))

    async def default(self) -> ModelInfo:
        if not self._models:
            raise ProviderUnavailable("no model is known", provider="openai")
        return self._models[0]

    async def model_for(self, chosen: str | None) -> ModelInfo:
        raise AssertionError("the doctor answers nobody")

    def cheap_for(self, model: ModelInfo) -> ModelInfo:
        raise AssertionError("the doctor writes no titles")


def database(found: str | Exception) -> AbstractAsyncContextManager[str]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[str]:
        if isinstance(found, Exception):
            raise found
        yield found

    return opened()


@pytest.fixture
def healthy(tmp_path: Path) -> Patient:
    async def platform() -> Sequence[tuple[bool, str]]:
        return ((True, "Discord: the token is valid"),)

    async def remote_time() -> tuple[str, datetime]:
        return "api.example.org", START

    return Patient(
        platforms={"discord": platform},
        providers={"openai": ListingProvider((MODEL,))},
        directory=FixedDirectory(MODEL),
        default_model=None,
        database=lambda: database("MongoDB: 8.0.4 at MONGODB_URI"),
        data_dir=tmp_path / "data",
        remote_time=remote_time,
        clock=ManualClock(),
    )


async def line_about(patient: Patient, word: str) -> Check:
    (check,) = [check for check in await examine(patient) if check.line.startswith(word)]
    return check


async def test_all_is_well(healthy: Patient) -> None:
    checks = await examine(healthy)

    assert {check.status for check in checks} == {Status.OK}
    assert [check.line.split(":")[0] for check in checks] == [
        "settings",
        "data folder",
        "MongoDB",
        "Discord",
        "openai",
        "default model",
        "clock",
    ]


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (AuthenticationFailed("401", provider="openai"), "set OPENAI_API_KEY"),
        (QuotaExhausted("402", provider="openai"), "top it up"),
        (RateLimited("429", provider="openai"), "try again later"),
        (ModelNotFound("404", provider="openai"), "check OPENAI_BASE_URL"),
        (ProviderUnavailable("the connection failed", provider="openai"), "check OPENAI_BASE_URL"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_a_provider_that_does_not_work_is_explained(healthy: Patient, error: ProviderError, remedy: str) -> None:
    check = await line_about(replace(healthy, providers={"openai": ListingProvider(error)}), "openai: ")

    assert check.status is Status.FAULT
    assert remedy in check.line


async def test_a_provider_without_a_list_is_not_said_to_work(healthy: Patient) -> None:
    check = await line_about(replace(healthy, providers={"openai": ListingProvider(None)}), "openai: ")

    assert check == ok("openai: configured (it lists no models, so its key was not tried)")


async def test_a_default_model_that_nobody_offers_is_a_fault(healthy: Patient) -> None:
    check = await line_about(replace(healthy, default_model="openai/bad"), "default model")

    assert check.status is Status.FAULT
    assert "DEFAULT_MODEL=openai/bad is not known" in check.line
    assert (await line_about(replace(healthy, default_model="OpenAI/good"), "default")).status is Status.OK


async def test_no_model_at_all_is_a_fault(healthy: Patient) -> None:
    check = await line_about(replace(healthy, directory=FixedDirectory()), "default model")

    assert check.status is Status.FAULT
    assert "set a provider's key" in check.line


async def test_models_that_retire_soon_are_named_the_default_first(healthy: Patient) -> None:
    today = START.date()

    def model(name: str, retires: date | None) -> ModelInfo:
        return ModelInfo(ref=ModelRef("openai", name), retires=retires)

    directory = FixedDirectory(
        model("a", today + timedelta(days=10)),
        model("b", today + timedelta(days=59)),
        model("c", today + timedelta(days=90)),
        model("d", today - timedelta(days=1)),
        model("e", None),
        ModelInfo(ref=ModelRef("openai", "f"), gone=True),
        model("g", today + timedelta(days=5)),
    )
    chosen = (("DEFAULT_MODEL", "auto"), ("FALLBACK_MODELS", "OpenAI/g"), ("FALLBACK_MODELS", "openai/d"))
    patient = replace(healthy, directory=directory, chosen=chosen)

    warnings = [check.line for check in await examine(patient) if check.status is Status.WARNING]

    assert warnings == [
        f"openai/a retires on {today + timedelta(days=10)}; set DEFAULT_MODEL to another one",
        f"openai/g retires on {today + timedelta(days=5)}; set FALLBACK_MODELS to another one",
        f"openai/d was retired on {today - timedelta(days=1)}; set FALLBACK_MODELS to another one",
        "do not rely on these models: openai/f is not on the list of openai any more, "
        f"openai/b retires on {today + timedelta(days=59)}",
    ]


async def test_auto_is_a_default_that_names_what_it_falls_back_on(healthy: Patient) -> None:
    check = await line_about(replace(healthy, default_model="auto"), "default model")

    assert check == ok("default model: auto, chosen for each message (openai/good where it finds none)")


async def test_a_chosen_model_that_nobody_can_ask_is_worth_a_warning(healthy: Patient) -> None:
    chosen = (("FALLBACK_MODELS", "openai/good"), ("FALLBACK_MODELS", "groq/x"), ("SIDE_MODEL", "gemini/y"))
    checks = await examine(replace(healthy, chosen=chosen))

    assert [check.line for check in checks if check.status is Status.WARNING] == [
        "FALLBACK_MODELS: groq/x cannot be asked; its provider is not configured",
        "SIDE_MODEL: gemini/y cannot be asked; its provider is not configured",
    ]


@pytest.mark.parametrize("name", ["anthropic", "gemini"])
async def test_every_provider_is_checked_under_its_own_settings(healthy: Patient, name: str) -> None:
    refusing = ListingProvider(AuthenticationFailed("401", provider=name), name)
    check = await line_about(replace(healthy, providers={name: refusing}), f"{name}: ")

    assert check.status is Status.FAULT
    assert f"set {name.upper()}_API_KEY" in check.line


async def test_a_database_that_does_not_answer_comes_with_its_remedy(healthy: Patient) -> None:
    error = StorageUnavailable("no server", remedy="Start it.")
    check = await line_about(replace(healthy, database=lambda: database(error)), "MongoDB")

    assert check == fault("MongoDB: no server. Start it.")


async def test_a_setting_found_wrong_only_by_its_user_is_a_fault(healthy: Patient) -> None:
    error = SettingsError("MONGODB_URI cannot be used (InvalidURI).")
    check = await line_about(replace(healthy, database=lambda: database(error)), "MONGODB_URI")

    assert check.status is Status.FAULT


async def test_a_check_that_breaks_does_not_stop_the_others(healthy: Patient) -> None:
    checks = await examine(replace(healthy, database=lambda: database(KeyError("x"))))

    assert [check.line for check in checks if check.status is Status.FAULT] == [
        "a check broke (KeyError: 'x'); please report this"
    ]
    assert len(checks) == 7


async def test_a_folder_that_cannot_be_made_is_a_fault(healthy: Patient, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check = await line_about(replace(healthy, data_dir=tmp_path / "file" / "data"), "data folder")

    assert check.status is Status.FAULT
    assert "set DATA_DIR" in check.line


@pytest.mark.parametrize(
    ("ahead_s", "status", "words"),
    [(0, Status.OK, "within 1 s"), (61, Status.FAULT, "61 s ahead of"), (-300, Status.FAULT, "300 s behind")],
)
async def test_a_clock_that_is_more_than_a_minute_off_is_a_fault(
    healthy: Patient, ahead_s: int, status: Status, words: str
) -> None:
    async def remote_time() -> tuple[str, datetime]:
        return "api.example.org", START - timedelta(seconds=ahead_s)

    check = await line_about(replace(healthy, remote_time=remote_time), "clock")

    assert check.status is status
    assert words in check.line
    assert "api.example.org" in check.line


async def test_no_clock_is_compared_when_nothing_could_tell_the_time(healthy: Patient) -> None:
    checks = await examine(replace(healthy, remote_time=None))

    assert not [check for check in checks if check.line.startswith("clock")]


async def test_no_platform_is_worth_a_warning(healthy: Patient) -> None:
    check = await line_about(replace(healthy, platforms={}), "platforms")

    assert check.status is Status.WARNING


def test_lines_are_printed_without_secrets_and_a_fault_is_exit_code_1() -> None:
    out = io.StringIO()
    code = print_checks([ok("a"), warning("b\nc"), fault("key hush-hush")], out, Redactor(["hush-hush"]))

    assert code == 1
    assert out.getvalue() == "ok    a\nwarn  b c\nFAIL  key [redacted]\n"
    assert print_checks([ok("a"), warning("b")], out, Redactor()) == 0
