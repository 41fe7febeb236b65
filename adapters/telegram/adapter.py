"""Telegram's lifecycle: who the bot is, a webhook in the way, menus, then polling until it is told to stop.

Owns the connection and the token. What updates mean is `inbound`'s business, what calls mean the messenger's.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence

from telegram.error import TelegramError

from adapters.telegram.commands import publish
from adapters.telegram.inbound import PLATFORM, Account
from adapters.telegram.intake import Intake, token_refused
from adapters.telegram.messenger import TelegramMessenger
from adapters.telegram.wire import Connection, Refused, understood
from bot.core.command import Command
from bot.core.errors import DeliveryError, SettingsError
from bot.core.ports import Accept, Clock, Ready

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0


class TelegramAdapter:
    """`Adapter` for one bot account. `names`: what it answers to in groups besides mention and reply."""

    def __init__(
        self, token: str, api_url: str, commands: Sequence[Command], names: tuple[str, ...], clock: Clock
    ) -> None:
        self._connection = Connection(token, api_url)
        self._messenger = TelegramMessenger(self._connection, clock)
        self._commands = commands
        self._names = names
        self._clock = clock

    @property
    def platform(self) -> str:
        return PLATFORM

    @property
    def messenger(self) -> TelegramMessenger:
        return self._messenger

    async def run(self, accept: Accept, ready: Ready) -> None:
        account = await self._sign_in()
        ready(account.key)
        try:
            async with asyncio.TaskGroup() as group:

                def acknowledge(query_id: str) -> None:
                    group.create_task(_quietly(self._messenger.acknowledge(query_id)))

                group.create_task(publish(self._connection.bot, self._commands))
                intake = Intake(self._connection, account, accept, acknowledge, self._clock)
                group.create_task(intake.run())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def aclose(self) -> None:
        await self._connection.aclose()

    async def _sign_in(self) -> Account:
        """Ask who we are until the server answers; a webhook would keep updates from us, so it goes."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                me = await understood(self._connection.bot.get_me())
            except TelegramError as error:
                if isinstance(error, Refused) and error.status in (401, 404):
                    raise SettingsError(token_refused()) from None
                if pause_s == _FIRST_PAUSE_S:
                    log.warning("Telegram does not answer (%s); trying until it does", error)
                await self._clock.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                await self._drop_webhook()
                log.info("Telegram: connected as @%s (%s)", me.username, me.id)
                return Account(id=me.id, username=me.username or "", names=self._names)

    async def _drop_webhook(self) -> None:
        """What fails here keeps nobody waiting: a webhook that stays shows as a 409 to the first poll."""
        bot = self._connection.bot
        try:
            if (await understood(bot.get_webhook_info())).url:
                log.warning("a webhook was set for this bot; deleting it, Parley asks for updates itself")
                await bot.delete_webhook(drop_pending_updates=False)
        except TelegramError as error:
            log.debug("whether a webhook is set was not found out: %s", error)


async def _quietly(acknowledgement: Coroutine[None, None, None]) -> None:
    """A spinner that ends late, or a press that is too old to be answered, is no trouble to anyone."""
    try:
        await acknowledgement
    except DeliveryError as error:
        log.debug("a press of a button was not acknowledged: %s", error)
