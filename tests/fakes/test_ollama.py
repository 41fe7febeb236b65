"""The fake of Ollama refuses what the real one refuses, and cuts where the real one cuts."""

import json
from typing import Any

import aiohttp
import pytest

from tests.fakes.ollama.server import FakeOllama
from tests.fakes.script import Reply

HI = {"model": "llama3.2", "messages": [{"role": "user", "content": "Hi"}]}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}


async def chat(fake: FakeOllama, **body: Any) -> tuple[int, list[dict[str, Any]]]:
    """The status and the lines of an answer."""
    origin = fake.base_url.removesuffix("/v1")
    async with aiohttp.ClientSession() as session, session.post(f"{origin}/api/chat", json=HI | body) as response:
        return response.status, [json.loads(line) for line in (await response.text()).splitlines()]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "nobody"}, 404),
        ({"messages": "Hi"}, 400),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}, 400),
        ({"messages": [{"role": "developer", "content": "Hi"}]}, 400),
        ({"messages": [{"role": "user", "content": "Hi", "images": ["?"]}]}, 400),
        ({"messages": [{"role": "user", "content": "Hi", "images": ["iVBORw=="]}]}, 500),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "a", "arguments": "{}"}}]}]},
            400,
        ),
        ({"options": {"num_ctx": "4096"}}, 400),
        ({"options": {"temperature": "warm"}}, 400),
        ({"options": [1]}, 400),
        ({"truncate": "no"}, 400),
        ({"think": True}, 400),
        ({"think": "a lot"}, 400),
        ({"format": "xml"}, 500),
        ({"model": "nomic-embed-text"}, 400),
        ({"tools": [TOOL | {"function": {"name": 5}}]}, 400),
        ({"tools": [{"type": "function", "function": {"name": "add", "parameters": {"type": "string"}}}]}, 400),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
async def test_what_is_wrong_is_refused_with_a_sentence(body: dict[str, Any], status: int) -> None:
    async with FakeOllama() as fake:
        got, (said,) = await chat(fake, **body)

    assert got == status
    assert list(said) == ["error"]


async def test_unknown_keys_and_options_are_passed_over() -> None:
    async with FakeOllama() as fake:
        status, lines = await chat(fake, whatever=1, options={"wings": 2})

    assert status == 200
    assert "".join(line["message"]["content"] for line in lines) == "You said: Hi"


async def test_a_prompt_beyond_the_context_is_cut_to_half_of_it_unless_that_is_forbidden() -> None:
    long = [{"role": "user", "content": "word " * 10_000}]
    async with FakeOllama() as fake:
        _, cut = await chat(fake, messages=long)
        forbidden, _ = await chat(fake, messages=long, truncate=False)
        _, whole = await chat(fake, messages=long, options={"num_ctx": 16_384})

    assert (cut[-1]["prompt_eval_count"], forbidden, whole[-1]["prompt_eval_count"]) == (2_050, 400, 12_500)
    assert fake.loads == [("llama3.2:latest", 4_096), ("llama3.2:latest", 16_384)]


async def test_an_answer_ends_at_its_limit() -> None:
    async with FakeOllama() as fake:
        fake.script(Reply(text="word " * 100))
        _, lines = await chat(fake, options={"num_predict": 10})

    assert (lines[-1]["done"], lines[-1]["done_reason"]) == (True, "length")
    assert len(lines) == 9
