"""How the OpenAI-shaped servers tell errors beyond what all APIs share: codes, headers, events, odd lists."""

from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.core.errors import (
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    StreamBroken,
)
from bot.providers import PROVIDERS
from bot.providers._failures import retry_after_s
from bot.providers.connection import Connection, load_factory
from tests.bot.providers.serving import World, text_of
from tests.bot.providers.serving_openai import CASES, error
from tests.fakes.clock import START, ManualClock
from tests.fakes.openai import faults
from tests.fakes.openai.server import FakeOpenAI
from tests.fakes.script import Breakage, Broken, HttpFault

shaped = pytest.mark.parametrize("world", CASES, indirect=True, ids=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An HTTP answer, and the error that it means."""

    id: str
    fault: HttpFault
    error: type[ProviderError]
    retry_after_s: float | None = None


REFUSALS = (
    Refusal(id="400 decommissioned", fault=error(400, "model_decommissioned"), error=ModelNotFound),
    Refusal(id="400 unsupported model", fault=error(400, "model_not_supported"), error=ModelNotFound),
    Refusal(id="402", fault=faults.PAYMENT_REQUIRED, error=QuotaExhausted),
    Refusal(id="409", fault=error(409, "conflict"), error=ProviderUnavailable),
    Refusal(id="413 of groq", fault=error(413, "rate_limit_exceeded"), error=RequestRejected),
    Refusal(id="422", fault=error(422, "unprocessable"), error=RequestRejected),
    Refusal(
        id="429 in milliseconds",
        fault=HttpFault(status=429, body={}, headers={"retry-after-ms": "1500", "retry-after": "2"}),
        error=RateLimited,
        retry_after_s=1.5,
    ),
    Refusal(
        id="429 with a date",
        fault=faults.rate_limited(format_datetime(START + timedelta(seconds=30), usegmt=True)),
        error=RateLimited,
        retry_after_s=30.0,
    ),
    Refusal(id="503", fault=faults.UNAVAILABLE, error=ProviderUnavailable, retry_after_s=1.0),
    Refusal(id="no JSON", fault=HttpFault(status=400, body="nope"), error=RequestRejected),
)


@shaped
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.id)
async def test_a_refusal_is_told_by_its_status_and_code(world: World[FakeOpenAI], refusal: Refusal) -> None:
    world.fake.script(refusal.fault)

    events, error = await world.ask_until_error(world.request("Talk"))

    assert events == []
    assert type(error) is refusal.error
    assert (error.provider, error.status) == (world.case.name, refusal.fault.status)
    assert error.retry_after_s == (None if refusal.retry_after_s is None else pytest.approx(refusal.retry_after_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """An error event, and what it means before and after the first word."""

    how: Breakage
    code: str = "server_error"
    before: type[ProviderError] = ProviderUnavailable
    after: type[ProviderError] = StreamBroken

    @property
    def id(self) -> str:
        return f"{self.how} {self.code}"


TRAPS = (
    Trap(how=Breakage.NESTED_ERROR),
    Trap(how=Breakage.FAILED),
    Trap(how=Breakage.FAILED, code="rate_limit_exceeded", before=RateLimited),
    Trap(how=Breakage.ERROR, code="429", before=RateLimited),
    Trap(how=Breakage.ERROR, code="402", before=QuotaExhausted, after=QuotaExhausted),
    Trap(how=Breakage.FAILED, code="context_length_exceeded", before=ContextTooLong, after=ContextTooLong),
)


@shaped
@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.id)
async def test_an_error_event_is_told_by_its_code(world: World[FakeOpenAI], trap: Trap) -> None:
    early = Broken(how=trap.how, code=trap.code, after_chunks=0)
    world.fake.script(early, Broken(how=trap.how, code=trap.code, after_chunks=3))

    _, before = await world.ask_until_error(world.request("Talk"))
    events, after = await world.ask_until_error(world.request("Talk"))

    assert (type(before), type(after)) == (trap.before, trap.after)
    assert text_of(events).startswith("one two ")


@shaped
async def test_a_failed_response_says_nothing_of_what_was_sent(world: World[FakeOpenAI]) -> None:
    world.fake.script(Broken(how=Breakage.FAILED, code="hunter2 sk-1 http://x", message="hunter2", after_chunks=1))

    _, error = await world.ask_until_error(world.request("hunter2"))

    assert "hunter2" not in str(error)
    assert "sk-" not in str(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class OddList:
    """What a server says when asked for its models, and the names that are read (None: it is an error)."""

    body: str
    expected: list[str] | None


ODD_LISTS = (
    OddList(body="<html>Log in</html>", expected=None),
    OddList(body="[1]", expected=None),
    OddList(body="null", expected=None),
    OddList(body="{}", expected=[]),
    OddList(body='{"data": null}', expected=[]),
    OddList(body='{"data": [3, {"x": 1}, {"id": 5}, {"id": "gpt-6", "shutdown_date": 7}]}', expected=["gpt-6"]),
)


@pytest.mark.parametrize("name", ["openai", "compatible"])
@pytest.mark.parametrize("odd", ODD_LISTS, ids=lambda odd: odd.body)
async def test_an_odd_list_of_models_is_read_as_far_as_it_makes_sense(name: str, odd: OddList) -> None:
    async def models(_: web.Request) -> web.Response:
        return web.Response(text=odd.body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/v1/models", models)
    async with TestServer(app) as server:
        url = str(server.make_url("/v1"))
        row = next(row for row in PROVIDERS if row.name == name)
        connection = Connection(name=name, base_url=url, key=None, clock=ManualClock())
        provider = load_factory(row)(connection)
        try:
            listed = [model.ref.id for model in await provider.list_models() or ()]
        except ProviderUnavailable:
            listed = None
        await provider.aclose()

    assert listed == odd.expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sun, 01 Nov 2026 12:01:00 GMT"}, 60.0),
        ({"retry-after": "Sun, 01 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
    ],
)
def test_the_time_to_wait_is_read_in_every_form(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_s(headers, START) == expected
