"""Reading answers out where something hangs or fails."""

import asyncio

from bot.core.clock import SystemClock
from bot.core.ledger import CallKind
from tests.bot.core.house import house, until
from tests.bot.core.test_files_in_turns import model
from tests.fakes.messenger import RecordingMessenger
from tests.fakes.sound import ScriptedSpeaker


class _Hanging(RecordingMessenger):
    """Never takes a voice message."""

    asked = False

    async def send_voice(self, *args: object, **facts: object) -> str:
        type(self).asked = True
        await asyncio.Event().wait()
        raise AssertionError


async def test_what_was_spoken_is_booked_while_the_platform_still_takes_it() -> None:
    provider = model()
    messenger = _Hanging(SystemClock())
    async with house(provider, models=provider.models, speaker=ScriptedSpeaker(), messenger=messenger) as home:
        await home.command("/settings voice on")
        await home.say("Hello")
        await until(lambda: _Hanging.asked)
        for _ in range(20):
            await asyncio.sleep(0)

        assert CallKind.SPEECH in {row.kind for row in home.stores.ledger.booked.values()}
