"""Whole answers through the core's delivery while the server limits what it takes."""

import pytest

from adapters.telegram.messenger import TelegramMessenger
from adapters.telegram.wire import Connection
from bot.core.clock import SystemClock
from bot.core.delivery import Delivery
from bot.core.pacing import Pacers
from tests.adapters.telegram.talking import place_of
from tests.fakes.telegram.server import FakeTelegram

WORDS = tuple(f"Sentence number {number} of the answer. " for number in range(120))


@pytest.mark.parametrize("penalty_s", [0, 2], ids=["limits", "penalty"])
async def test_an_answer_reaches_its_end_under_flood_control(penalty_s: int) -> None:
    clock = SystemClock()
    async with FakeTelegram(flood_control=True) as fake:
        ann = fake.add_user("Ann")
        fake.add_private_chat(ann)
        connection = Connection(fake.token, fake.url)
        delivery = Delivery(
            TelegramMessenger(connection, clock),
            Pacers(clock),
            clock,
            place=place_of(fake, ann),
            turn_uid="telegram:1:2:3",
            reply_to=None,
            on_message=_note_nothing,
        )
        async with delivery:
            for number, words in enumerate(WORDS):
                delivery.feed(words)
                await clock.sleep(0.02)
                if penalty_s and number == 60:
                    fake.penalise(ann.id, penalty_s)
            shown = await delivery.finish()
        await connection.aclose()

        assert shown.delivered
        assert [message.text for message in fake.bot_messages(ann.id)] == ["".join(WORDS).strip()]
        assert fake.refusals(ann.id) <= (1 if penalty_s else 0)


async def _note_nothing(_index: int, _message_id: str) -> None:
    pass
