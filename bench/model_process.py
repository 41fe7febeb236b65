"""The model's server as a process of its own that reads no prompt: megabytes of it would hold up the others' answers.

Run by the benchmark as `python -m bench.model_process`: writes its address on a line, and ends with its standard input.
Whatever is asked, it answers what FakeOpenAI answers to a short question, word for word.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from bench.stage import INSTANT, MODEL
from tests.fakes.openai.script import Reply
from tests.fakes.openai.server import FakeOpenAI

_ROOT = Path(__file__).parent.parent
_MAX_BODY_BYTES = 64_000_000


@asynccontextmanager
async def model_apart() -> AsyncIterator[str]:
    """Start it; inside the block it answers under the address that is given."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.model_process"),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process without pipes")
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.stdin.close()
        await process.wait()


async def _answers() -> tuple[bytes, bytes]:
    """The answer to a question as it is streamed, and the list of models."""
    async with (
        FakeOpenAI() as openai,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {openai.key}"}) as client,
    ):
        openai.default = lambda _: Reply(chunks=(INSTANT,))
        question = {"model": MODEL.partition("/")[2], "input": "What is the answer?", "stream": True, "store": False}
        async with client.post(f"{openai.url}/responses", json=question, raise_for_status=True) as response:
            streamed = await response.read()
        async with client.get(f"{openai.url}/models", raise_for_status=True) as response:
            return streamed, await response.read()


async def _serve() -> None:
    streamed, models = await _answers()

    async def answer(request: web.Request) -> web.Response:
        async for _ in request.content.iter_any():
            pass
        return web.Response(body=streamed, content_type="text/event-stream")

    async def list_models(_: web.Request) -> web.Response:
        return web.Response(body=models, content_type="application/json")

    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    app.add_routes([web.post("/v1/responses", answer), web.get("/v1/models", list_models)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}/v1", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
