"""What each fault of the OpenAI fake becomes in the real SDK, and what it leaves in the records."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests.fakes.openai import faults
from tests.fakes.openai.blackhole import blackhole
from tests.fakes.openai.script import Breakage, Broken, Hold, HttpFault, Reply, Silence
from tests.fakes.openai.sdk import CLASSIC, LUNA, client_of, responses
from tests.fakes.openai.server import FakeOpenAI

pytestmark = pytest.mark.asyncio
USER = {"role": "user", "content": "hello"}
FAULT_ERRORS = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    402: openai.APIStatusError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    408: openai.APIStatusError,
    413: openai.APIStatusError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    502: openai.InternalServerError,
    503: openai.InternalServerError,
    529: openai.InternalServerError,
}


@pytest.mark.parametrize("fault", faults.HTTP_FAULTS, ids=lambda fault: str(fault.status))
async def test_every_http_fault_raises_its_sdk_error(fault: HttpFault) -> None:
    async with FakeOpenAI() as fake, client_of(fake) as client:
        fake.script(fault)
        with pytest.raises(openai.APIStatusError) as caught:
            await responses(client)

    assert type(caught.value) is FAULT_ERRORS[fault.status]
    assert caught.value.response.headers.get("retry-after") == fault.headers.get("retry-after")
    assert fake.billed == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaks:
    """A breakage and what the SDK raises, on Responses and on chat; None means nothing is raised."""

    how: Breakage
    on_responses: type[BaseException] | None
    on_chat: type[BaseException] | None


BREAKS = (
    Breaks(how=Breakage.HANG, on_responses=openai.APITimeoutError, on_chat=openai.APITimeoutError),
    Breaks(how=Breakage.RESET, on_responses=openai.APIConnectionError, on_chat=openai.APIConnectionError),
    Breaks(how=Breakage.CUT, on_responses=openai.APIConnectionError, on_chat=openai.APIConnectionError),
    Breaks(how=Breakage.MALFORMED, on_responses=json.JSONDecodeError, on_chat=json.JSONDecodeError),
    Breaks(how=Breakage.ERROR, on_responses=None, on_chat=openai.APIError),
    Breaks(how=Breakage.NESTED_ERROR, on_responses=openai.APIError, on_chat=openai.APIError),
    Breaks(how=Breakage.FAILED, on_responses=None, on_chat=openai.APIError),
    Breaks(how=Breakage.NO_FINAL, on_responses=None, on_chat=None),
)


@pytest.mark.parametrize("case", BREAKS, ids=lambda case: case.how)
@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_every_breakage_surfaces_as_stated_after_two_chunks(case: Breaks, api: str) -> None:
    expected = case.on_responses if api == "responses" else case.on_chat
    seen: list[str] = []
    async with FakeOpenAI() as fake, client_of(fake, timeout_s=0.3) as client:
        fake.script(Broken(how=case.how, after_chunks=2))
        raised = await _collect(client, api, seen)
        await fake.wait_for(lambda: len(fake.billed) == 1)

    assert type(raised) is (type(None) if expected is None else expected)
    assert "".join(seen) == "one two "
    assert fake.billed[0].completed is False
    assert fake.billed[0].output_tokens == 2


async def _collect(client: AsyncOpenAI, api: str, seen: list[str]) -> Exception | None:
    try:
        if api == "responses":
            stream: Any = await client.responses.create(model=LUNA, input="hello", stream=True)
            async for event in stream:
                seen.extend([event.delta] if event.type == "response.output_text.delta" else [])
        else:
            stream = await client.chat.completions.create(model=CLASSIC, messages=[USER], stream=True)  # type: ignore[list-item]  # a literal dict is not the TypedDict
            async for chunk in stream:
                seen.append(chunk.choices[0].delta.content or "")
    except Exception as error:  # the test states its exact type
        return error
    return None


async def test_silence_is_a_timeout_and_a_recorded_disconnect() -> None:
    async with FakeOpenAI() as fake, client_of(fake, timeout_s=0.2) as client:
        fake.script(Silence())
        with pytest.raises(openai.APITimeoutError):
            await responses(client)
        await fake.wait_for(lambda: len(fake.disconnects) == 1)

    assert (fake.disconnects[0].chunks_sent, fake.billed) == (0, [])


async def test_a_connection_that_is_never_accepted_is_a_timeout() -> None:
    with blackhole() as url:
        async with AsyncOpenAI(base_url=url, api_key="unused", max_retries=0, timeout=0.3) as client:
            with pytest.raises(openai.APITimeoutError) as caught:
                await responses(client)

    assert type(caught.value.__cause__).__name__ == "ConnectTimeout"


async def test_a_server_that_is_down_refuses_connections_and_comes_back() -> None:
    async with FakeOpenAI() as fake, client_of(fake) as client:
        async with fake.down():
            with pytest.raises(openai.APIConnectionError) as caught:
                await responses(client)
        events = await responses(client)

    assert type(caught.value) is openai.APIConnectionError
    assert events[-1].type == "response.completed"


@pytest.mark.parametrize("after_chunks", [0, 2])
async def test_a_hold_stops_the_stream_until_release(after_chunks: int) -> None:
    hold = Hold(after_chunks)
    async with FakeOpenAI() as fake, client_of(fake) as client:
        fake.script(Reply(chunks=("a", "b", "c"), hold=hold))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(responses(client))
            await fake.wait_for(hold.reached.is_set)
            billed_at_the_gate = list(fake.billed)
            hold.release()

    events = task.result()
    assert billed_at_the_gate == []
    assert events[-1].response.output_text == "abc"


async def test_a_client_that_stops_is_noticed_and_billed_as_far_as_streamed() -> None:
    hold = Hold(2)
    async with FakeOpenAI() as fake, client_of(fake) as client:
        fake.script(Reply(chunks=("aaaa", "bbbb", "cccc"), hold=hold))
        async with await client.responses.create(model=LUNA, input="hello", stream=True) as stream:
            async for event in stream:
                if event.type == "response.output_text.delta" and event.delta == "bbbb":
                    break
        await fake.wait_for(lambda: bool(fake.billed))

    assert fake.disconnects[0].chunks_sent == 2
    assert (fake.billed[0].output_tokens, fake.billed[0].completed) == (2, False)
