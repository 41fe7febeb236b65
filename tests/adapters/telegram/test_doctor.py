"""What the doctor says, for a server in each state."""

from adapters.telegram.doctor import check
from tests.fakes.telegram.server import FakeTelegram
from tests.fakes.telegram.world import BotProfile


async def test_a_healthy_bot_with_privacy_mode_on_gets_a_hint(fake: FakeTelegram) -> None:
    token, privacy, webhook = await check(fake.token, fake.url)

    assert (token[0], privacy[0], webhook[0]) == (True, True, True)
    assert f"@{fake.bot_user.username}" in token[1]
    assert "/setprivacy" in privacy[1]


async def test_a_bot_that_reads_everything_needs_no_hint() -> None:
    async with FakeTelegram(bot_profile=BotProfile(can_read_all_group_messages=True)) as fake:
        _, privacy, _ = await check(fake.token, fake.url)

    assert "is off" in privacy[1]


async def test_a_webhook_is_reported(fake: FakeTelegram) -> None:
    fake.world.updates.set_webhook("http://127.0.0.1:9/hook")
    fake.world.webhook = {"max_connections": 40}

    assert (await check(fake.token, fake.url))[2][0] is False


async def test_a_wrong_token_and_a_dead_server_are_told_apart(fake: FakeTelegram, unused_tcp_port: int) -> None:
    token = f"1:{'x' * 35}"
    ((wrong, what),) = await check(token, fake.url)
    ((reached, why),) = await check(fake.token, f"http://127.0.0.1:{unused_tcp_port}")

    assert (wrong, reached) == (False, False)
    assert "@BotFather" in what
    assert "TELEGRAM_API_URL" in why
    assert token not in what + why
