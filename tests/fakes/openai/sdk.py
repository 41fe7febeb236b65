"""The real openai SDK pointed at the fake: a client, and one call of each API collected to its end."""

from typing import Any

from openai import AsyncOpenAI

from tests.fakes.openai.server import FakeOpenAI

LUNA = "gpt-6-luna"
CLASSIC = "gpt-4.1-mini"


def client_of(fake: FakeOpenAI, key: str | None = None, timeout_s: float = 5.0) -> AsyncOpenAI:
    """The real SDK, pointed at the fake, without its own retries."""
    return AsyncOpenAI(base_url=fake.url, api_key=key or fake.key, max_retries=0, timeout=timeout_s)


async def responses(client: AsyncOpenAI, **body: Any) -> list[Any]:
    """Every event of a streamed Responses call."""
    asked: dict[str, Any] = {"model": LUNA, "input": "hello", "store": False} | body
    async with await client.responses.create(stream=True, **asked) as stream:
        return [event async for event in stream]


async def chat(client: AsyncOpenAI, **body: Any) -> list[Any]:
    """Every chunk of a streamed Chat Completions call."""
    asked: dict[str, Any] = {"model": CLASSIC, "messages": [{"role": "user", "content": "hello"}]} | body
    async with await client.chat.completions.create(stream=True, **asked) as stream:
        return [chunk async for chunk in stream]
