"""Planted faults, gates and rate limits of the fake, met by discord.py."""

import asyncio

import aiohttp
import pytest

from tests.fakes.discord.client import Bot, a_channel, post, refused
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.faults import Delay, Drop, Gate, Respond, rate_limited


async def test_a_bucket_refuses_the_sixth_create_in_five_seconds(fake: FakeDiscord, bot: Bot) -> None:
    statuses = [(await post(fake, {"content": str(n)}))[0] for n in range(6)]

    assert statuses == [200, 200, 200, 200, 200, 429]
    assert fake.rate_limits.refused_routes == {"create": 1}
    fake.advance(5)
    assert (await post(fake, {"content": "later"}))[0] == 200


async def test_the_fifty_first_request_of_a_second_is_refused_globally(fake: FakeDiscord) -> None:
    headers = {"Authorization": f"Bot {fake.token}"}
    answers: list[tuple[int, object]] = []
    async with aiohttp.ClientSession(headers=headers) as http:

        async def ask() -> None:
            async with http.get(f"{fake.url}/channels/1") as answer:
                answers.append((answer.status, answer.headers.get("X-RateLimit-Scope")))

        async with asyncio.TaskGroup() as group:
            for _ in range(60):
                group.create_task(ask())

    assert answers.count((429, "global")) == fake.rate_limits.refused_global >= 1


async def test_an_executed_and_unanswered_send_is_in_the_history(fake: FakeDiscord, bot: Bot) -> None:
    channel = a_channel(fake)
    fake.faults.add("POST", r"/messages$", Drop(after=True))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await bot.place(channel).send("out there")
    assert [m.content for m in fake.bot_messages(channel)] == ["out there"]
    fake.faults.add("POST", r"/messages$", Drop())
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await bot.place(channel).send("nowhere")
    assert len(fake.bot_messages(channel)) == 1


async def test_planted_answers_reach_the_client(fake: FakeDiscord, bot: Bot) -> None:
    place = bot.place(a_channel(fake))
    fake.faults.add("POST", r"/messages$", Respond(status=503, body="<html>"))
    await refused(503, 0, lambda: place.send("x"))
    fake.faults.add("POST", r"/messages$", rate_limited(0.01))
    await place.send("after a pause")
    fake.faults.add("POST", r"/messages$", rate_limited(0.01, via=False))
    await refused(429, 0, lambda: place.send("banned"))
    slow = fake.faults.add("POST", r"/messages$", Delay(0.01))
    await place.send("slow")

    assert slow.hits == 1
    assert [m.content for m in fake.bot_messages(a_channel(fake))] == ["after a pause", "slow"]


async def test_a_gate_holds_a_request_before_or_after_its_execution(fake: FakeDiscord, bot: Bot) -> None:
    channel = a_channel(fake)
    for after in (False, True):
        gate = Gate(after=after)
        fake.faults.add("POST", r"/messages$", gate)
        before = len(fake.bot_messages(channel))
        async with asyncio.TaskGroup() as group:
            group.create_task(bot.place(channel).send("held"))
            await gate.reached()
            assert len(fake.bot_messages(channel)) - before == after
            gate.release()
