"""Tokens, polling, webhook, flood control and faults of the fake, driven by the real `Bot`."""

import asyncio
import json
from datetime import timedelta

import aiohttp
import aiohttp.web
import pytest
from telegram import Bot
from telegram.error import (
    Conflict,
    NetworkError,
    RetryAfter,
)

from tests.fakes.telegram.driving import bot_of, text_of
from tests.fakes.telegram.faults import BAD_GATEWAY, SERVER_ERROR, Drop, Gate, too_many_requests
from tests.fakes.telegram.flood import FloodLimits
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram


async def test_a_wrong_token_is_unauthorized_and_a_malformed_one_not_found(fake: FakeTelegram) -> None:
    wrong = f"1:{'x' * 35}"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{fake.url}/bot{wrong}/getMe") as response:
            assert (response.status, await response.json()) == (
                401,
                {"ok": False, "error_code": 401, "description": "Unauthorized"},
            )
        async with session.get(f"{fake.url}/bot123/getMe") as response:
            assert response.status == 404
        async with session.get(f"{fake.url}/bot{fake.token}/makeCoffee") as response:
            assert response.status == 404


async def test_parameters_come_as_query_form_or_json(fake: FakeTelegram, ann: User) -> None:
    url = f"{fake.url}/bot{fake.token}/SENDMESSAGE"
    async with aiohttp.ClientSession() as session:
        for kind in ("params", "data", "json"):
            body = {"chat_id": str(ann.id), "text": kind}
            async with session.post(
                url,
                params=body if kind == "params" else None,
                data=body if kind == "data" else None,
                json=body if kind == "json" else None,
            ) as response:
                assert response.status == 200

    assert [message.text for message in fake.bot_messages(ann.id)] == ["params", "data", "json"]


async def test_updates_come_again_until_a_higher_offset_confirms_them(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    for text in ("one", "two", "three"):
        fake.say(ann.id, ann.id, text)
    first = await bot.get_updates()
    again = await bot.get_updates(limit=2)
    rest = await bot.get_updates(offset=first[1].update_id + 1)
    last = await bot.get_updates(offset=-1)

    assert [text_of(update.message) for update in first] == ["one", "two", "three"]
    assert [update.update_id for update in again] == [update.update_id for update in first[:2]]
    assert [update.update_id for update in rest] == [first[2].update_id]
    assert [update.update_id for update in last] == [first[2].update_id]
    assert fake.redeliver() == 2
    assert len(await bot.get_updates()) == 3


async def test_a_long_poll_returns_when_a_message_arrives(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    async with asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(bot.get_updates(timeout=20))
        await fake.wait_for(lambda: fake.calls_of("getUpdates"))
        fake.say(ann.id, ann.id, "hello")

    assert [text_of(update.message) for update in poll.result()] == ["hello"]


async def test_a_second_poller_terminates_the_first(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    async def first() -> str:
        with pytest.raises(Conflict) as caught:
            await bot.get_updates(timeout=20)
        return caught.value.message

    async with asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(first())
        await fake.wait_for(lambda: fake.is_polled)
        async with bot_of(fake) as rival:
            second = tasks.create_task(rival.get_updates(timeout=20))
            message = await poll
            fake.say(ann.id, ann.id, "hello")
            await second

    assert message.startswith("Conflict: terminated by other getUpdates request")
    assert len(second.result()) == 1


async def test_the_same_offset_at_once_gets_one_update() -> None:
    async with FakeTelegram() as fake, bot_of(fake) as bot:
        ann = fake.add_user()
        fake.add_private_chat(ann)
        fake.say(ann.id, ann.id, "one")
        fake.say(ann.id, ann.id, "two")

        assert [len(await bot.get_updates()) for _ in range(2)] == [2, 1]


async def test_a_webhook_bars_polling_and_gets_the_updates(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    received: list[tuple[str, str]] = []

    async def take(request: aiohttp.web.Request) -> aiohttp.web.Response:
        update = json.loads(await request.text())
        received.append((request.headers["X-Telegram-Bot-Api-Secret-Token"], update["message"]["text"]))
        return aiohttp.web.Response()

    app = aiohttp.web.Application()
    app.router.add_post("/hook", take)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    await bot.set_webhook(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", secret_token="s3cret")
    fake.say(ann.id, ann.id, "hello")
    await fake.wait_for(lambda: not fake.pending_updates)
    with pytest.raises(Conflict, match="while webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    await runner.cleanup()

    assert received == [("s3cret", "hello")]
    assert await bot.get_updates() == ()


async def test_flood_control_counts_sends_and_edits_of_a_chat() -> None:
    now = 1000.0
    limits = FloodLimits(private_burst=2, penalty_s=7)
    async with FakeTelegram(flood_limits=limits, clock=lambda: now) as fake, bot_of(fake) as bot:
        ann = fake.add_user()
        fake.add_private_chat(ann)
        group = fake.add_group(members=[ann])
        sent = await bot.send_message(ann.id, "one")
        await bot.edit_message_text("two", ann.id, sent.message_id)
        with pytest.raises(RetryAfter) as caught:
            await bot.edit_message_text("three", ann.id, sent.message_id)
        now += 3
        with pytest.raises(RetryAfter) as again:
            await bot.send_message(ann.id, "no")
        await bot.send_message(group.id, "another chat")
        now += 4.5
        await bot.send_message(ann.id, "three")

    assert (caught.value.retry_after, again.value.retry_after) == (timedelta(seconds=7), timedelta(seconds=4))
    assert (fake.refusals(ann.id), fake.refusals(group.id)) == (2, 0)


async def test_a_group_takes_twenty_a_minute() -> None:
    now = 1000.0
    async with FakeTelegram(clock=lambda: now) as fake, bot_of(fake) as bot:
        group = fake.add_group(members=[fake.add_user()])
        for number in range(20):
            await bot.send_message(group.id, f"{number}")
        with pytest.raises(RetryAfter):
            await bot.send_message(group.id, "21")
        now += 61
        await bot.send_message(group.id, "later")

    assert len(fake.bot_messages(group.id)) == 21


async def test_a_penalty_holds_without_flood_control(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    fake.penalise(ann.id, 60)

    with pytest.raises(RetryAfter):
        await bot.send_message(ann.id, "x")


async def test_faults_strike_as_often_as_planned(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    fake.faults.add("sendMessage", BAD_GATEWAY)
    fake.faults.add("send.*", SERVER_ERROR)
    fake.faults.add("sendMessage", too_many_requests(3))
    for expected in (NetworkError, NetworkError, RetryAfter):
        with pytest.raises(expected):
            await bot.send_message(ann.id, "x")
    await bot.send_message(ann.id, "x")

    assert [call.status for call in fake.calls_of("sendMessage")] == [502, 500, 429, 200]


@pytest.mark.parametrize(("after", "shown"), [(False, []), (True, ["x"])])
async def test_a_drop_comes_before_or_after_execution(
    fake: FakeTelegram, bot: Bot, ann: User, *, after: bool, shown: list[str]
) -> None:
    fake.faults.add("sendMessage", Drop(after=after))
    with pytest.raises(NetworkError):
        await bot.send_message(ann.id, "x")

    assert [message.text for message in fake.bot_messages(ann.id)] == shown


@pytest.mark.parametrize(("after", "held"), [(False, 0), (True, 1)])
async def test_a_gate_holds_a_request_until_released(
    fake: FakeTelegram, bot: Bot, ann: User, *, after: bool, held: int
) -> None:
    gate = Gate(after=after)
    fake.faults.add("sendMessage", gate)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bot.send_message(ann.id, "x"))
        await gate.reached()
        while_held = len(fake.bot_messages(ann.id))
        gate.release()

    assert (while_held, len(fake.bot_messages(ann.id))) == (held, 1)


async def test_waiting_in_vain_says_what_happened(fake: FakeTelegram, bot: Bot) -> None:
    await bot.get_me()

    with pytest.raises(TimeoutError, match="getMe"):
        await fake.wait_for(lambda: False, 0.05)
