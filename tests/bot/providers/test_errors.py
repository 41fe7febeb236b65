"""Every way in which a call fails, as every provider tells it alike."""

import dataclasses
import traceback
from datetime import timedelta
from email.utils import format_datetime

import pytest

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
from tests.bot.providers.case import Case
from tests.bot.providers.serving import CASES, World, only, serving, text_of
from tests.fakes.clock import START
from tests.fakes.model_server import ModelServer, Trouble
from tests.fakes.script import Breakage, Broken, HttpFault, Reply, Silence

MEANING: dict[Trouble, type[ProviderError]] = {
    Trouble.BAD_REQUEST: RequestRejected,
    Trouble.CONTEXT_TOO_LONG: ContextTooLong,
    Trouble.FILTERED: ContentRefused,
    Trouble.WRONG_KEY: AuthenticationFailed,
    Trouble.NO_PERMISSION: AuthenticationFailed,
    Trouble.NO_MONEY: QuotaExhausted,
    Trouble.NO_SUCH_MODEL: ModelNotFound,
    Trouble.TOO_LARGE: RequestRejected,
    Trouble.TIMEOUT: ProviderUnavailable,
    Trouble.RATE_LIMITED: RateLimited,
    Trouble.OVERLOADED: ProviderUnavailable,
    Trouble.SERVER_ERROR: ProviderUnavailable,
    Trouble.WEB_PAGE: ProviderUnavailable,
}
#: What passes by itself is a broken stream once words are out.
PASSING = (RateLimited, ProviderUnavailable)


def troubled(*, in_stream: bool) -> pytest.MarkDecorator:
    """Run a test for everything that each API can say, in a refusal or inside of a stream."""
    rows = [
        pytest.param(case, trouble, id=f"{case}-{trouble}")
        for case in CASES
        for trouble in (case.codes if in_stream else case.faults)
    ]
    return pytest.mark.parametrize(("world", "trouble"), rows, indirect=["world"])


@troubled(in_stream=False)
async def test_a_refusal_is_told_by_what_it_means(world: World[ModelServer], trouble: Trouble) -> None:
    fault = world.case.faults[trouble]
    world.fake.script(fault)

    events, error = await world.ask_until_error(world.request("Talk"))

    assert events == []
    assert type(error) is MEANING[trouble]
    assert (error.provider, error.status) == (world.case.name, fault.status)


@only(lambda case: Trouble.RATE_LIMITED in case.faults)
async def test_a_limit_says_when_it_is_over(world: World[ModelServer]) -> None:
    world.fake.script(world.case.rate_limited(7))

    _, error = await world.ask_until_error(world.request("Talk"))

    assert isinstance(error, RateLimited)
    assert error.retry_after_s == pytest.approx(7)


async def test_a_time_to_come_back_may_be_a_date(world: World[ModelServer]) -> None:
    at = format_datetime(START + timedelta(seconds=30), usegmt=True)
    fault = dataclasses.replace(world.case.faults[Trouble.SERVER_ERROR], status=503, headers={"retry-after": at})
    world.fake.script(fault)

    _, error = await world.ask_until_error(world.request("Talk"))

    assert type(error) is ProviderUnavailable
    assert error.retry_after_s == pytest.approx(30)


async def test_a_limit_without_a_time_says_none(world: World[ModelServer]) -> None:
    world.fake.script(world.case.faults[Trouble.SERVER_ERROR])

    _, error = await world.ask_until_error(world.request("Talk"))

    assert isinstance(error, ProviderError)
    assert error.retry_after_s is None


async def test_nothing_is_tried_twice(world: World[ModelServer]) -> None:
    world.fake.script(world.case.faults[Trouble.SERVER_ERROR], Reply(text="second try"))

    await world.ask_until_error(world.request("Talk"))

    assert len(world.fake.asked) == 1


HOWS = (Breakage.RESET, Breakage.CUT, Breakage.HANG, Breakage.MALFORMED, Breakage.NO_FINAL)


@pytest.mark.parametrize("how", HOWS, ids=str)
async def test_a_stream_that_dies_in_the_middle_keeps_what_came(world: World[ModelServer], how: Breakage) -> None:
    world.fake.script(Broken(how=how, after_chunks=3))

    events, error = await world.ask_until_error(world.request("Talk"))

    assert text_of(events).startswith("one two ")
    assert type(error) is StreamBroken
    assert not any(isinstance(event, Finish) for event in events)


@pytest.mark.parametrize("how", HOWS, ids=str)
async def test_a_stream_that_dies_before_its_first_word_can_be_tried_again(
    world: World[ModelServer], how: Breakage
) -> None:
    world.fake.script(Broken(how=how, after_chunks=0))

    events, error = await world.ask_until_error(world.request("Talk"))

    assert text_of(events) == ""
    assert type(error) is ProviderUnavailable


@troubled(in_stream=True)
async def test_an_error_in_the_middle_keeps_what_came(world: World[ModelServer], trouble: Trouble) -> None:
    world.fake.script(Broken(how=Breakage.ERROR, code=world.case.codes[trouble], after_chunks=3))

    events, error = await world.ask_until_error(world.request("Talk"))

    meaning = MEANING[trouble]
    assert text_of(events).startswith("one two ")
    assert type(error) is (StreamBroken if meaning in PASSING else meaning)
    assert not any(isinstance(event, Finish) for event in events)


@troubled(in_stream=True)
async def test_an_error_before_the_first_word_is_told_by_what_it_means(
    world: World[ModelServer], trouble: Trouble
) -> None:
    world.fake.script(Broken(how=Breakage.ERROR, code=world.case.codes[trouble], after_chunks=0))

    events, error = await world.ask_until_error(world.request("Talk"))

    assert text_of(events) == ""
    assert type(error) is MEANING[trouble]


@pytest.mark.parametrize("how", [Breakage.NO_FINAL, Breakage.CUT, Breakage.HANG], ids=str)
async def test_a_whole_text_without_its_end_is_not_taken_for_an_answer(
    world: World[ModelServer], how: Breakage
) -> None:
    world.fake.script(Broken(how=how, reply=Reply(text="all of it")))

    events, error = await world.ask_until_error(world.request("Talk"))

    assert text_of(events) == "all of it"
    assert type(error) is StreamBroken


async def test_a_server_that_stays_silent_is_unavailable(world: World[ModelServer]) -> None:
    world.fake.script(Silence())

    _, error = await world.ask_until_error(world.request("Talk"))

    assert type(error) is ProviderUnavailable


async def test_a_prompt_beyond_the_window_is_too_long(world: World[ModelServer]) -> None:
    model = world.case.small
    assert model.window_tokens is not None

    _, error = await world.ask_until_error(world.request("word " * model.window_tokens, model=model))

    assert type(error) is ContextTooLong


async def test_a_model_that_the_server_does_not_have_is_not_found(world: World[ModelServer]) -> None:
    ref = dataclasses.replace(world.case.model.ref, id="no-such-model")

    _, error = await world.ask_until_error(world.request("Talk", model=dataclasses.replace(world.case.model, ref=ref)))

    assert type(error) is ModelNotFound


@pytest.mark.parametrize("case", [case for case in CASES if case.needs_key], ids=str)
async def test_a_wrong_key_is_an_error_that_does_not_show_it(case: Case[ModelServer]) -> None:
    async with serving(case, key="sk-very-secret-indeed") as world:
        _, error = await world.ask_until_error(world.request("Talk"))

    assert type(error) is AuthenticationFailed
    assert (error.reference is not None) == case.names_requests
    assert "sk-" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("status", [400, 429, 500])
async def test_what_a_refusal_says_does_not_reach_the_log(world: World[ModelServer], status: int) -> None:
    world.fake.script(world.case.error(status, "hunter2 sk-1", "You sent hunter2 with sk-1 to http://x"))

    _, error = await world.ask_until_error(world.request("hunter2"))

    assert isinstance(error, ProviderError)
    assert not _tells(error)


async def test_what_an_error_in_the_stream_says_does_not_reach_the_log(world: World[ModelServer]) -> None:
    world.fake.script(Broken(how=Breakage.ERROR, code="hunter2 sk-1 http://x", message="hunter2", after_chunks=1))

    _, error = await world.ask_until_error(world.request("hunter2"))

    assert isinstance(error, ProviderError)
    assert not _tells(error)


async def test_a_text_that_is_no_error_of_the_api_does_not_reach_the_log(world: World[ModelServer]) -> None:
    world.fake.script(HttpFault(status=500, body="hunter2 sk-1 http://x"))

    _, error = await world.ask_until_error(world.request("hunter2"))

    assert type(error) is ProviderUnavailable
    assert not _tells(error)


def _tells(error: ProviderError) -> bool:
    logged = "".join(traceback.format_exception(error))
    return any(secret in logged for secret in ("hunter2", "sk-", "http://", "127.0.0.1"))


async def test_a_web_page_instead_of_a_stream_is_no_answer(world: World[ModelServer]) -> None:
    page = HttpFault(status=200, body="<html>Log in</html>", headers={"content-type": "text/html"})
    world.fake.script(page)

    _, error = await world.ask_until_error(world.request("Talk"))

    assert type(error) is ProviderUnavailable


@pytest.mark.parametrize("event", ["<html>", "[1]", "null", "3", "{}", '{"choices": 5, "type": []}', '{"id":'])
async def test_events_of_another_shape_are_no_answer(world: World[ModelServer], event: str) -> None:
    world.fake.script(world.case.stream_of(event))

    _, error = await world.ask_until_error(world.request("Talk"))

    assert type(error) is ProviderUnavailable


async def test_the_first_words_before_a_break_come_one_by_one(world: World[ModelServer]) -> None:
    world.fake.script(Broken(how=Breakage.CUT, after_chunks=2))

    events, _ = await world.ask_until_error(world.request("Talk"))

    assert events == [TextDelta(text="one "), TextDelta(text="two ")]
