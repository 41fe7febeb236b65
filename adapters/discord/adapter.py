"""Discord as an `Adapter`: connects, comes back after faults, and says what an operator has to do.

What happens on a connection is `session.py`'s, what an event means `inbound.py`'s and `hearing.py`'s, what is
sent `messenger.py`'s.
"""

import asyncio
import logging
from collections.abc import Sequence

import discord

from adapters.discord.client import Client
from adapters.discord.guilds import Guilds
from adapters.discord.hearing import Hearing
from adapters.discord.inbound import PLATFORM, names_pattern
from adapters.discord.intake import Intake
from adapters.discord.interactions import Interactions
from adapters.discord.messenger import DiscordMessenger
from adapters.discord.rest import Rest
from adapters.discord.session import Parts, Session
from bot.core.command import Command
from bot.core.door import Completer
from bot.core.errors import SettingsError
from bot.core.ports import Accept, Clock, Messenger, Ready
from bot.core.stores import ActivityStore

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
RECONNECT_FIRST_S = 1.0
RECONNECT_LAST_S = 60.0
PORTAL = "https://discord.com/developers/applications"
WRONG_TOKEN = f"DISCORD_TOKEN: Discord refuses it. Copy the token anew: {PORTAL}, your application, Bot, Reset Token."
MISSING_INTENT = (
    "DISCORD_TOKEN: the bot may not read messages yet. Switch on the Message Content Intent: "
    f"{PORTAL}, your application, Bot, Privileged Gateway Intents."
)
_TOKEN_CLOSE_CODE = 4004


class DiscordAdapter:
    """See `bot.core.ports.Adapter`. `names` are what the bot is called besides its mention."""

    def __init__(
        self,
        *,
        token: str,
        api_url: str,
        commands: Sequence[Command],
        names: Sequence[str],
        complete: Completer,
        activity: ActivityStore,
        clock: Clock,
    ) -> None:
        self._token = token
        self._api_url = api_url
        known = frozenset(command.name for command in commands)
        rest, guilds = Rest(token, api_url, clock), Guilds()
        self._parts = Parts(
            rest=rest,
            guilds=guilds,
            interactions=Interactions(rest, clock),
            hearing=Hearing(guilds, rest, clock, names=names_pattern(names), commands=known),
            commands=tuple(commands),
            complete=complete,
            activity=activity,
            clock=clock,
        )
        self._messenger = DiscordMessenger(rest, guilds, self._parts.interactions, self._parts.hearing.files)

    @property
    def platform(self) -> str:
        return PLATFORM

    @property
    def messenger(self) -> Messenger:
        return self._messenger

    async def run(self, accept: Accept, ready: Ready) -> None:
        self._parts.rest.open()
        try:
            async with asyncio.TaskGroup() as group:
                intake = Intake(group, accept, self._parts.clock)
                await self._stay_connected(Session(self._parts, group, intake, ready))
        except ExceptionGroup as failed:
            # Every task guards itself: what arrives here is the one SettingsError, wrapped by the group.
            raise failed.exceptions[0] from None

    async def aclose(self) -> None:
        await self._parts.rest.aclose()

    async def _stay_connected(self, session: Session) -> None:
        """discord.py resumes and reconnects by itself; where it gives up, a new client begins anew."""
        delay_s = RECONNECT_FIRST_S
        while True:
            before = session.connections
            await self._connect(session)
            delay_s = RECONNECT_FIRST_S if session.connections > before else delay_s
            await self._parts.clock.sleep(delay_s)
            delay_s = min(RECONNECT_LAST_S, delay_s * 2)

    async def _connect(self, session: Session) -> None:
        """Be connected until discord.py gives up. Raises SettingsError when only the operator can help."""
        client = self._parts.guilds.client = Client(self._api_url, session.handlers)
        try:
            await client.start(self._token)
        except discord.LoginFailure:
            raise SettingsError(WRONG_TOKEN) from None
        except discord.PrivilegedIntentsRequired:
            raise SettingsError(MISSING_INTENT) from None
        except Exception as error:
            if isinstance(error, discord.ConnectionClosed) and error.code == _TOKEN_CLOSE_CODE:
                raise SettingsError(WRONG_TOKEN) from None
            log.warning("the connection to Discord ended: %s: %s", type(error).__name__, error)
        finally:
            await _close(client)


async def _close(client: Client) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await client.close()
    except Exception as error:
        log.warning("closing the connection to Discord failed: %s", type(error).__name__)
