"""How Gemini is connected to, and what its errors mean: Google says most of it in details and in words."""

import dataclasses
import json
import traceback

import httpx2
import pytest
from google.genai.errors import APIError, ClientError
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import (
    AuthenticationFailed,
    ContextTooLong,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
)
from bot.providers._gemini_client import translate_error
from tests.bot.providers.serving import serving, text_of
from tests.bot.providers.serving_gemini import GEMINI
from tests.fakes.clock import START
from tests.fakes.gemini import faults
from tests.fakes.gemini.server import KEY, FakeGemini
from tests.fakes.script import HttpFault

MEANINGS = {
    "expired key": (faults.EXPIRED_KEY, AuthenticationFailed),
    "key told by its reason": (
        faults.fault(400, "INVALID_ARGUMENT", "No.", faults.key_error("API_KEY_SERVICE_BLOCKED")),
        AuthenticationFailed,
    ),
    "key told by words": (
        faults.fault(400, "INVALID_ARGUMENT", "API Key not found. Please pass a valid API key."),
        AuthenticationFailed,
    ),
    "from where it may not": (faults.NO_LOCATION, AuthenticationFailed),
    "unauthenticated": (faults.fault(401, "UNAUTHENTICATED", "No."), AuthenticationFailed),
    "payment": (faults.fault(402, "UNKNOWN", "No."), QuotaExhausted),
    "quota of the day": (faults.DAY_SPENT, QuotaExhausted),
    "no free tier": (faults.NO_FREE_TIER, QuotaExhausted),
    "no credit": (faults.NO_CREDIT, QuotaExhausted),
    "spending cap": (faults.SPEND_CAP, QuotaExhausted),
    "quota of the minute": (faults.rate_limited(5), RateLimited),
    "a limit that is not none": (faults.fault(429, "RESOURCE_EXHAUSTED", "limit: 0.5 a second"), RateLimited),
    "token count": (faults.TOO_LONG, ContextTooLong),
    "deadline": (faults.fault(504, "DEADLINE_EXCEEDED", "No."), ProviderUnavailable),
    "cancelled": (faults.fault(499, "CANCELLED", "No."), ProviderUnavailable),
    "body of another form": (HttpFault(status=503, body='[{"error": {"code": 503}}]'), ProviderUnavailable),
    "body without an object": (HttpFault(status=400, body='"no"'), RequestRejected),
    "error without an object": (HttpFault(status=403, body='{"error": "no"}'), AuthenticationFailed),
}


@pytest.mark.parametrize("case", MEANINGS)
async def test_an_error_is_told_by_what_it_means(case: str) -> None:
    fault, meaning = MEANINGS[case]
    async with serving(GEMINI) as world:
        world.fake.script(fault)
        _, error = await world.ask_until_error(world.request("Hi"))

    assert type(error) is meaning
    assert isinstance(error, ProviderError)
    assert error.status == fault.status


@pytest.mark.parametrize(("delay", "seconds"), [("20.04466179s", 20.04466179), ("7s", 7), ("soon", None), (7, None)])
async def test_the_time_to_come_back_stands_in_the_details(delay: object, seconds: float | None) -> None:
    fault = faults.fault(429, "RESOURCE_EXHAUSTED", "No.", {"retryDelay": delay})
    async with serving(GEMINI) as world:
        world.fake.script(fault)
        _, error = await world.ask_until_error(world.request("Hi"))

    assert isinstance(error, RateLimited)
    assert error.retry_after_s == (None if seconds is None else pytest.approx(seconds))


KEYS = ["error", "status", "message", "details", "violations", "reason", "quotaId", "retryDelay"]
WORDS = ["hunter2, said the user", "7s", "API_KEY_INVALID"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(status=st.sampled_from([400, 403, 429, 500, 503]), body=JSON, begun=st.booleans())
def test_whatever_an_error_holds_it_becomes_one_of_ours_and_tells_nothing(
    status: int, body: object, begun: bool
) -> None:
    error = APIError(status, body, httpx2.Response(status))

    ours = translate_error(error, provider="gemini", now=START, begun=begun)

    assert "hunter2" not in "".join(traceback.format_exception(ours))


def test_a_long_error_of_the_sdk_does_not_reach_the_log() -> None:
    error = ClientError(400, {"error": {"status": "sk-1 http://x", "message": "hunter2"}}, httpx2.Response(400))

    ours = translate_error(error, provider="gemini", now=START, begun=False)

    assert str(ours) == "HTTP 400 without a code"


# --- the connection -----------------------------------------------------------------------------------------------


async def test_the_key_goes_in_a_header_and_nowhere_else() -> None:
    async with serving(GEMINI) as world:
        await world.ask(world.request("Hi"))
        await world.provider.list_models()

    assert [request.headers["x-goog-api-key"] for request in world.fake.requests] == [KEY] * 4
    assert all(KEY not in json.dumps([request.path, dict(request.query)]) for request in world.fake.requests)
    assert not any("authorization" in request.headers for request in world.fake.requests)


async def test_nothing_from_the_environment_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-mine")
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-mine-too")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_GENAI_USE_ENTERPRISE", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "my-project")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "europe-west1")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v1alpha")

    async with serving(GEMINI) as world:
        events = await world.ask(world.request("Hi"))

    assert text_of(events) == "You said: Hi"
    assert [request.headers["x-goog-api-key"] for request in world.fake.requests] == [KEY]


async def test_the_server_is_not_told_to_cut_long_answers() -> None:
    async with serving(GEMINI) as world:
        await world.ask(world.request("Hi"))

    assert "x-server-timeout" not in world.sent.headers


async def test_the_version_at_the_end_of_the_address_counts() -> None:
    case = dataclasses.replace(GEMINI, serve=lambda: FakeGemini(version="v1beta"))
    async with serving(case) as world:
        events = await world.ask(world.request("Hi"))

    assert text_of(events) == "You said: Hi"
    assert world.fake.requests[0].path == "/v1beta/models/gemini-3.8-flash:streamGenerateContent"


async def test_a_redirect_is_not_followed_with_the_key() -> None:
    async with serving(GEMINI) as world:
        world.fake.script(HttpFault(status=302, body="", headers={"location": f"{world.fake.base_url}/models"}))
        _, error = await world.ask_until_error(world.request("Hi"))

    assert type(error) is RequestRejected
    assert len(world.fake.requests) == 1


async def test_a_connection_that_fails_is_tried_once() -> None:
    """The SDK's own transport would wait up to ten seconds and try again."""
    async with serving(GEMINI) as world, world.fake.down():
        _, error = await world.ask_until_error(world.request("Hi"))

    assert type(error) is ProviderUnavailable
    assert world.fake.requests == []
