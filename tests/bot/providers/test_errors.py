"""Every way in which a call fails, as each provider tells it."""

import traceback
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.core.errors import (
    AuthenticationFailed,
    ContentRefused,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    StreamBroken,
)
from bot.core.events import Finish, TextDelta
from bot.providers import PROVIDERS
from bot.providers._openai_client import retry_after_s
from bot.providers.connection import Connection, load_factory
from tests.bot.providers.serving import CASES, Case, World, serving, text_of
from tests.fakes.clock import START, ManualClock
from tests.fakes.openai import faults
from tests.fakes.openai.script import Breakage, Broken, HttpFault, Reply, Silence, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An HTTP answer, and the error that it means."""

    id: str
    fault: HttpFault
    error: type[ProviderError]
    retry_after_s: float | None = None


def _coded(status: int, code: str) -> HttpFault:
    return HttpFault(status=status, body=faults.error_body("No.", kind="invalid_request_error", code=code))


REFUSALS = (
    Refusal(id="400", fault=_coded(400, "something_else"), error=RequestRejected),
    Refusal(id="400 context", fault=faults.CONTEXT_LENGTH, error=ContextTooLong),
    Refusal(id="400 filter", fault=_coded(400, "content_filter"), error=ContentRefused),
    Refusal(id="400 decommissioned", fault=_coded(400, "model_decommissioned"), error=ModelNotFound),
    Refusal(id="400 unsupported model", fault=_coded(400, "model_not_supported"), error=ModelNotFound),
    Refusal(id="401", fault=faults.UNAUTHORIZED, error=AuthenticationFailed),
    Refusal(id="402", fault=faults.PAYMENT_REQUIRED, error=QuotaExhausted),
    Refusal(id="403", fault=faults.FORBIDDEN, error=AuthenticationFailed),
    Refusal(id="404", fault=faults.NOT_FOUND, error=ModelNotFound),
    Refusal(id="408", fault=faults.REQUEST_TIMEOUT, error=ProviderUnavailable),
    Refusal(id="409", fault=_coded(409, "conflict"), error=ProviderUnavailable),
    Refusal(id="413", fault=faults.TOO_LARGE, error=RequestRejected),
    Refusal(id="413 of groq", fault=_coded(413, "rate_limit_exceeded"), error=RequestRejected),
    Refusal(id="422", fault=_coded(422, "unprocessable"), error=RequestRejected),
    Refusal(id="429", fault=faults.RATE_LIMITED, error=RateLimited, retry_after_s=2.0),
    Refusal(id="429 without a time", fault=faults.RATE_LIMITED_BARE, error=RateLimited),
    Refusal(id="429 quota", fault=faults.NO_QUOTA, error=QuotaExhausted),
    Refusal(
        id="429 with a date",
        fault=faults.rate_limited(format_datetime(START + timedelta(seconds=30), usegmt=True)),
        error=RateLimited,
        retry_after_s=30.0,
    ),
    Refusal(
        id="429 in milliseconds",
        fault=HttpFault(status=429, body={}, headers={"retry-after-ms": "1500", "retry-after": "2"}),
        error=RateLimited,
        retry_after_s=1.5,
    ),
    Refusal(id="500", fault=faults.SERVER_ERROR, error=ProviderUnavailable),
    Refusal(id="502 HTML", fault=faults.BAD_GATEWAY, error=ProviderUnavailable),
    Refusal(id="503", fault=faults.UNAVAILABLE, error=ProviderUnavailable, retry_after_s=1.0),
    Refusal(id="529", fault=faults.OVERLOADED, error=ProviderUnavailable),
    Refusal(id="no JSON", fault=HttpFault(status=400, body="nope"), error=RequestRejected),
)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.id)
async def test_a_refusal_is_told_by_its_status_and_code(world: World, refusal: Refusal) -> None:
    world.fake.script(refusal.fault)

    events, error = await world.ask_until_error(world.request("Talk"))

    assert events == []
    assert type(error) is refusal.error
    assert (error.provider, error.status) == (world.case.name, refusal.fault.status)
    assert error.retry_after_s == (None if refusal.retry_after_s is None else pytest.approx(refusal.retry_after_s))


async def test_nothing_is_tried_twice(world: World) -> None:
    world.fake.script(faults.UNAVAILABLE, Reply(text="second try"))

    await world.ask_until_error(world.request("Talk"))

    assert len(world.fake.generations) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """A stream that goes wrong, and what it means before and after the first word."""

    how: Breakage
    code: str = "server_error"
    before: type[ProviderError] = ProviderUnavailable
    after: type[ProviderError] = StreamBroken

    @property
    def id(self) -> str:
        return f"{self.how} {self.code}"


TRAPS = (
    Trap(how=Breakage.RESET),
    Trap(how=Breakage.CUT),
    Trap(how=Breakage.HANG),
    Trap(how=Breakage.MALFORMED),
    Trap(how=Breakage.NO_FINAL),
    Trap(how=Breakage.ERROR),
    Trap(how=Breakage.NESTED_ERROR),
    Trap(how=Breakage.FAILED),
    Trap(how=Breakage.ERROR, code="rate_limit_exceeded", before=RateLimited),
    Trap(how=Breakage.FAILED, code="rate_limit_exceeded", before=RateLimited),
    Trap(how=Breakage.ERROR, code="429", before=RateLimited),
    Trap(how=Breakage.ERROR, code="402", before=QuotaExhausted, after=QuotaExhausted),
    Trap(how=Breakage.ERROR, code="insufficient_quota", before=QuotaExhausted, after=QuotaExhausted),
    Trap(how=Breakage.ERROR, code="context_length_exceeded", before=ContextTooLong, after=ContextTooLong),
    Trap(how=Breakage.FAILED, code="invalid_image", before=RequestRejected, after=RequestRejected),
    Trap(how=Breakage.FAILED, code="bio_policy", before=ContentRefused, after=ContentRefused),
)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.id)
async def test_a_stream_that_dies_in_the_middle_keeps_what_came(world: World, trap: Trap) -> None:
    world.fake.script(Broken(how=trap.how, code=trap.code, after_chunks=3))

    events, error = await world.ask_until_error(world.request("Talk"))

    assert text_of(events).startswith("one two ")
    assert type(error) is trap.after
    assert not any(isinstance(event, Finish) for event in events)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.id)
async def test_a_stream_that_dies_before_its_first_word_can_be_tried_again(world: World, trap: Trap) -> None:
    world.fake.script(Broken(how=trap.how, code=trap.code, after_chunks=0))

    events, error = await world.ask_until_error(world.request("Talk"))

    assert events == []
    assert type(error) is trap.before


@pytest.mark.parametrize("how", [Breakage.NO_FINAL, Breakage.CUT, Breakage.HANG], ids=str)
async def test_a_whole_text_without_its_end_is_not_taken_for_an_answer(world: World, how: Breakage) -> None:
    world.fake.script(Broken(how=how, reply=Reply(text="all of it")))

    events, error = await world.ask_until_error(world.request("Talk"))

    assert text_of(events) == "all of it"
    assert type(error) is StreamBroken


async def test_a_server_that_stays_silent_is_unavailable(world: World) -> None:
    world.fake.script(Silence())

    _, error = await world.ask_until_error(world.request("Talk"))

    assert type(error) is ProviderUnavailable


@pytest.mark.parametrize("case", [case for case in CASES if case.name != "ollama"], ids=str)
async def test_a_prompt_beyond_the_window_is_too_long(case: Case) -> None:
    """Ollama is left out: it cuts the prompt and says nothing."""
    async with serving(case) as world:
        window_tokens = world.fake.models[0].window_tokens
        _, error = await world.ask_until_error(world.request("word " * window_tokens))

    assert type(error) is ContextTooLong


@pytest.mark.parametrize("case", [case for case in CASES if case.dialect.needs_key], ids=str)
async def test_a_wrong_key_is_an_error_that_does_not_show_it(case: Case) -> None:
    async with serving(case, key="sk-very-secret-indeed") as world:
        _, error = await world.ask_until_error(world.request("Talk"))

    assert type(error) is AuthenticationFailed
    assert error.reference == "req_1"
    assert "sk-" not in "".join(traceback.format_exception(error))


SECRETIVE: tuple[Step, ...] = (
    HttpFault(status=400, body=faults.error_body("You sent hunter2 with sk-1 to http://x", kind="hunter2 sk-1")),
    HttpFault(status=500, body="hunter2 sk-1 http://x"),
    Broken(how=Breakage.ERROR, code="hunter2 sk-1 http://x", message="hunter2", after_chunks=1),
    Broken(how=Breakage.FAILED, code="hunter2 sk-1 http://x", message="hunter2", after_chunks=1),
)


@pytest.mark.parametrize("step", SECRETIVE)
async def test_what_the_server_says_does_not_reach_the_log(world: World, step: Step) -> None:
    world.fake.script(step)

    _, error = await world.ask_until_error(world.request("hunter2"))

    assert isinstance(error, ProviderError)
    logged = "".join(traceback.format_exception(error))
    assert not any(secret in logged for secret in ("hunter2", "sk-", "http://", "127.0.0.1"))


async def test_a_web_page_instead_of_a_stream_is_no_answer(world: World) -> None:
    page = HttpFault(status=200, body="<html>Log in</html>", headers={"content-type": "text/html"})
    world.fake.script(page)

    _, error = await world.ask_until_error(world.request("Talk"))

    assert type(error) is ProviderUnavailable


@pytest.mark.parametrize("event", ["<html>", "[1]", "null", "3", "{}", '{"choices": 5, "type": []}', '{"id":'])
async def test_events_of_another_shape_are_no_answer(world: World, event: str) -> None:
    stream = HttpFault(status=200, body=f"data: {event}\n\n", headers={"content-type": "text/event-stream"})
    world.fake.script(stream)

    _, error = await world.ask_until_error(world.request("Talk"))

    assert type(error) is ProviderUnavailable


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


async def test_the_first_words_before_a_break_come_one_by_one(world: World) -> None:
    world.fake.script(Broken(how=Breakage.CUT, after_chunks=2))

    events, _ = await world.ask_until_error(world.request("Talk"))

    assert events == [TextDelta(text="one "), TextDelta(text="two ")]


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
