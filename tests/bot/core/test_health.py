"""What calls tell of models, and what /models shows of it."""

from collections.abc import Callable

import pytest

from bot.core.breaker import FAILURES_TO_OPEN, FIRST_OPEN_S
from bot.core.catalogue import ModelRef
from bot.core.errors import (
    AuthenticationFailed,
    CircuitOpen,
    ContentRefused,
    ContextTooLong,
    EmptyAnswer,
    FirstTokenLate,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    StreamBroken,
)
from bot.core.health import CALLS_KEPT, MODELS_KEPT, RECENT_S, Condition, Health
from tests.fakes.clock import ManualClock

REF = ModelRef("openai", "gpt")
OTHER = ModelRef("openai", "gpt-mini")


def health_at(clock: ManualClock | None = None) -> Health:
    return Health(clock or ManualClock(), configured=("openai",))


def works(health: Health, ref: ModelRef = REF, *, times: int = 1, first_token_s: float = 0.5) -> None:
    for _ in range(times):
        health.record(ref, first_token_s=first_token_s, error=None)


def fails(health: Health, error: ProviderError, ref: ModelRef = REF, *, times: int = 1) -> None:
    for _ in range(times):
        health.record(ref, first_token_s=None, error=error)


def unavailable() -> ProviderError:
    return ProviderUnavailable("HTTP 500 sk-secretsecretsecret", provider="openai", status=500)


def test_a_model_that_nobody_asked_is_healthy_and_says_nothing_more() -> None:
    report = health_at().of(REF)

    assert report.condition is Condition.HEALTHY
    assert (report.calls, report.error_rate, report.p50_s, report.last_error) == (0, 0.0, None, None)


def test_a_provider_without_settings_is_unconfigured_whatever_it_did() -> None:
    health = Health(ManualClock(), configured=("anthropic",))
    works(health)

    assert health.of(REF).condition is Condition.UNCONFIGURED
    assert health.of_provider("openai").condition is Condition.UNCONFIGURED


def test_latencies_are_those_of_the_nearest_rank() -> None:
    health = health_at()
    for tenths in range(1, 21):
        works(health, first_token_s=tenths / 10)

    report = health.of(REF)
    assert (report.p50_s, report.p95_s) == (1.0, 1.9)


def test_only_the_last_hundred_calls_count() -> None:
    health = health_at()
    for _ in range(4):
        fails(health, unavailable())
        works(health)
    works(health, times=CALLS_KEPT)

    report = health.of(REF)
    assert (report.calls, report.error_rate, report.last_error) == (CALLS_KEPT, 0.0, None)


FAILURES: list[Callable[..., ProviderError]] = [
    ProviderUnavailable,
    FirstTokenLate,
    StreamBroken,
    EmptyAnswer,
    RateLimited,
]
FAULTS_OF_REQUESTS: list[Callable[..., ProviderError]] = [RequestRejected, ContextTooLong, ContentRefused, CircuitOpen]


@pytest.mark.parametrize("kind", FAILURES)
async def test_a_failure_degrades_for_a_while(kind: Callable[..., ProviderError]) -> None:
    clock = ManualClock()
    health = health_at(clock)
    works(health)
    fails(health, kind("it failed", provider="openai"))
    assert health.of(REF).condition is Condition.DEGRADED
    assert health.of(REF).error_rate == 0.5
    await clock.advance(RECENT_S)

    assert health.of(REF).condition is Condition.HEALTHY


@pytest.mark.parametrize("kind", FAULTS_OF_REQUESTS)
def test_what_is_the_requests_fault_or_ours_does_not_count(kind: Callable[..., ProviderError]) -> None:
    health = health_at()
    fails(health, kind("no", provider="openai"), times=2 * FAILURES_TO_OPEN)

    assert health.of(REF).calls == 0
    assert health.of(REF).condition is Condition.HEALTHY
    health.check(REF)


def test_a_call_that_was_stopped_before_its_first_word_says_nothing() -> None:
    health = health_at()
    health.record(REF, first_token_s=None, error=None)

    assert health.of(REF).calls == 0


async def test_a_large_share_of_failures_degrades_also_when_they_are_not_recent() -> None:
    clock = ManualClock()
    health = health_at(clock)
    for _ in range(3):
        fails(health, unavailable())
        works(health, times=3)
    await clock.advance(RECENT_S)
    works(health)

    assert health.of(REF).error_rate > 0.2
    assert health.of(REF).condition is Condition.DEGRADED


async def test_failures_in_a_row_open_the_circuit_and_a_call_that_works_closes_it() -> None:
    clock = ManualClock()
    health = health_at(clock)
    fails(health, unavailable(), times=FAILURES_TO_OPEN)
    report = health.of(REF)
    assert (report.condition, report.open_for_s) == (Condition.DOWN, FIRST_OPEN_S)
    with pytest.raises(CircuitOpen) as raised:
        health.check(REF)
    assert (raised.value.provider, raised.value.retry_after_s) == ("openai", FIRST_OPEN_S)

    await clock.advance(FIRST_OPEN_S)
    assert health.of(REF).condition is Condition.DOWN
    ticket = health.admit(REF)
    with pytest.raises(CircuitOpen):
        health.admit(REF)
    health.record(REF, first_token_s=0.1, error=None, ticket=ticket)

    health.check(REF)
    assert health.of(REF).condition is Condition.DEGRADED
    assert health.of(REF).open_for_s is None


def test_one_model_that_is_down_leaves_the_others_of_its_provider_alone() -> None:
    health = health_at()
    fails(health, unavailable(), times=FAILURES_TO_OPEN)
    works(health, OTHER)

    health.check(OTHER)
    assert health.of(OTHER).condition is Condition.HEALTHY
    assert health.of_provider("openai").condition is Condition.DEGRADED
    assert health.of_provider("openai").calls == FAILURES_TO_OPEN + 1


def test_a_provider_is_down_when_all_its_models_that_were_asked_are() -> None:
    health = health_at()
    for ref in (REF, OTHER):
        fails(health, unavailable(), ref, times=FAILURES_TO_OPEN)

    report = health.of_provider("openai")
    assert (report.condition, report.open_for_s) == (Condition.DOWN, FIRST_OPEN_S)


async def test_a_model_asked_hours_ago_does_not_speak_for_a_provider_that_is_down_now() -> None:
    clock = ManualClock()
    health = health_at(clock)
    works(health, OTHER)
    await clock.advance(3_600)
    fails(health, unavailable(), times=FAILURES_TO_OPEN)

    assert health.of_provider("openai").condition is Condition.DOWN


@pytest.mark.parametrize("kind", [AuthenticationFailed, QuotaExhausted])
async def test_a_refused_key_takes_all_models_down_until_a_call_works(kind: Callable[..., ProviderError]) -> None:
    health = health_at()
    fails(health, kind("no", provider="openai", status=401))
    assert health.of(OTHER).condition is Condition.DOWN
    assert health.of(OTHER).last_error is not None
    health.check(OTHER)
    works(health, OTHER)

    assert health.of(OTHER).condition is Condition.HEALTHY


async def test_a_refused_key_is_forgotten_after_a_while() -> None:
    clock = ManualClock()
    health = health_at(clock)
    fails(health, AuthenticationFailed("no", provider="openai", status=401))
    await clock.advance(RECENT_S)

    assert health.of(OTHER).condition is Condition.HEALTHY
    assert health.of(REF).condition is Condition.HEALTHY


def test_a_name_that_the_provider_does_not_have_is_down_but_not_the_provider() -> None:
    health = health_at()
    fails(health, ModelNotFound("no", provider="openai", status=404), times=2 * FAILURES_TO_OPEN)

    assert health.of(REF).condition is Condition.DOWN
    assert health.of_provider("openai").condition is Condition.HEALTHY
    health.check(REF)


def test_a_long_limit_leaves_the_model_alone_for_that_time() -> None:
    health = health_at()
    fails(health, RateLimited("slow down", provider="openai", retry_after_s=45.0))

    assert health.of(REF).open_for_s == 45.0


def test_a_burst_of_short_limits_shuts_nobody_out() -> None:
    health = health_at()
    fails(health, RateLimited("slow down", provider="openai", retry_after_s=1.0), times=50)

    health.check(REF)
    assert health.of(REF).condition is Condition.DEGRADED


def test_limits_without_a_time_count_as_failures() -> None:
    health = health_at()
    fails(health, RateLimited("slow down", provider="openai"), times=FAILURES_TO_OPEN)

    with pytest.raises(CircuitOpen):
        health.check(REF)


def test_the_last_error_is_told_in_words_without_the_providers_text() -> None:
    health = health_at()
    fails(health, unavailable())

    assert health.of(REF).last_error == "openai is not reachable right now"


def test_models_that_nobody_asks_any_more_leave() -> None:
    health = health_at()
    works(health)
    for number in range(MODELS_KEPT):
        works(health, ModelRef("openai", f"made-up-{number}"))

    assert health.of(REF).calls == 0
    assert health.of(ModelRef("openai", f"made-up-{MODELS_KEPT - 1}")).calls == 1


async def test_what_was_a_day_ago_is_forgotten() -> None:
    clock = ManualClock()
    health = health_at(clock)
    works(health)
    await clock.advance(86_401)
    works(health, OTHER)

    assert health.of(REF).calls == 0
