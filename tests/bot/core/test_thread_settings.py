"""What counts where, and what people may type for a setting."""

from dataclasses import dataclass, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import UsageError
from bot.core.place import ChatKind, Place, Scope
from bot.core.thread_settings import (
    SETTINGS,
    Origin,
    SettingSpec,
    SettingValue,
    ThreadSettings,
    origins,
    resolve,
    setting,
)

THREAD = Place(platform="x", account="b", chat="50", kind=ChatKind.SHARED, space="7", thread="51")
PRIVATE = Place(platform="x", account="b", chat="1", kind=ChatKind.PRIVATE)
THREAD_KEY, CHANNEL_KEY, SERVER_KEY = (key for _, key in THREAD.setting_keys("x:1"))


def test_nothing_set_gives_the_defaults() -> None:
    assert ThreadSettings() == resolve(THREAD.setting_keys("x:1"), {})


def test_the_narrowest_scope_wins_for_each_setting_by_itself() -> None:
    values: dict[str, dict[str, object]] = {
        SERVER_KEY: {"model": "a/server", "temperature": 0.5, "footer": True},
        CHANNEL_KEY: {"model": "a/channel", "temperature": 0.2},
        THREAD_KEY: {"model": "a/thread"},
    }

    assert ThreadSettings(model="a/thread", temperature=0.2, footer=True) == resolve(THREAD.setting_keys("x:1"), values)


def test_each_value_tells_its_scope() -> None:
    values: dict[str, dict[str, object]] = {SERVER_KEY: {"footer": True}, THREAD_KEY: {"model": "a/b"}}

    assert {
        "model": Origin(scope=Scope.THREAD, value="a/b"),
        "footer": Origin(scope=Scope.SERVER, value=True),
    } == origins(THREAD.setting_keys("x:1"), values)


def test_me_counts_in_private_chats_only() -> None:
    values = {"me:x:1": {"model": "a/mine"}}

    assert resolve(PRIVATE.setting_keys("x:1"), values).model == "a/mine"
    assert resolve(PRIVATE.setting_keys("x:2"), values).model is None
    assert resolve(THREAD.setting_keys("x:1"), values).model is None


def test_off_in_a_narrow_scope_beats_on_in_a_wide_one() -> None:
    values: dict[str, dict[str, object]] = {SERVER_KEY: {"footer": True}, THREAD_KEY: {"footer": False}}

    assert resolve(THREAD.setting_keys("x:1"), values).footer is False


@pytest.mark.parametrize("stored", [3.5, -1, "warm", None, [], {"a": 1}, float("nan")], ids=repr)
def test_a_stored_value_that_no_longer_parses_lets_the_next_scope_count(stored: object) -> None:
    values: dict[str, dict[str, object]] = {
        THREAD_KEY: {"temperature": stored},
        CHANNEL_KEY: {"temperature": 0.3},
    }

    assert resolve(THREAD.setting_keys("x:1"), values).temperature == 0.3


def test_every_setting_has_one_row_and_one_field() -> None:
    assert [field.name for field in fields(ThreadSettings)] == [spec.name for spec in SETTINGS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    name: str
    text: str
    value: SettingValue


@pytest.mark.parametrize(
    "case",
    [
        Typed(name="temperature", text="0.7", value=0.7),
        Typed(name="temperature", text="0,7", value=0.7),
        Typed(name="temperature", text="2", value=2.0),
        Typed(name="max_output", text="2,000", value=2000),
        Typed(name="max_output", text="16", value=16),
        Typed(name="footer", text="ON", value=True),
        Typed(name="threads", text="no", value=False),
        Typed(name="model", text="OpenAI/gpt-x", value="openai/gpt-x"),
        Typed(name="system", text=" Be brief. ", value="Be brief."),
    ],
    ids=lambda case: f"{case.name} {case.text}",
)
def test_typed_values_are_read(case: Typed) -> None:
    spec = setting(case.name)
    value = spec.parse(case.text)

    assert case.value == value
    assert type(case.value) is type(value)
    assert value == spec.parse(spec.show(value)), "what is shown can be typed again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    name: str
    text: str
    says: str


@pytest.mark.parametrize(
    "case",
    [
        Refused(name="temperature", text="2.01", says="from 0 to 2"),
        Refused(name="temperature", text="-0.1", says="from 0 to 2"),
        Refused(name="temperature", text="nan", says="from 0 to 2"),
        Refused(name="temperature", text="inf", says="from 0 to 2"),
        Refused(name="temperature", text="hot", says="from 0 to 2"),
        Refused(name="max_output", text="15", says="from 16 to 1,000,000"),
        Refused(name="max_output", text="1000001", says="from 16 to 1,000,000"),
        Refused(name="max_output", text="9" * 5000, says="from 16 to 1,000,000"),
        Refused(name="max_output", text="²", says="from 16 to 1,000,000"),
        Refused(name="footer", text="maybe", says="`on` or `off`"),
        Refused(name="model", text="gpt", says="provider/model"),
        Refused(name="system", text="   ", says="empty"),
        Refused(name="system", text="x" * 16_001, says="16,001 characters; at most 16,000"),
    ],
    ids=lambda case: f"{case.name} {case.text[:10]}",
)
def test_wrong_values_are_refused_with_what_is_allowed(case: Refused) -> None:
    with pytest.raises(UsageError, match=case.says):
        setting(case.name).parse(case.text)


@given(st.sampled_from(SETTINGS), st.text())
def test_any_text_is_a_value_that_can_be_shown_or_a_usage_error(spec: SettingSpec, text: str) -> None:
    try:
        value = spec.parse(text)
    except UsageError:
        return
    assert value == spec.parse(spec.show(value))


stored_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())


@given(st.dictionaries(st.sampled_from([spec.name for spec in SETTINGS]), stored_values))
def test_whatever_is_stored_is_never_fatal(values: dict[str, object]) -> None:
    settings = resolve(THREAD.setting_keys("x:1"), {CHANNEL_KEY: values})

    assert isinstance(settings.footer, bool)
    assert settings.temperature is None or 0 <= settings.temperature <= 2
