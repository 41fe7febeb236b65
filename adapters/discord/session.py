"""What happens while an adapter runs: each gateway event to its place, and what a new session calls for.

The handlers are called by discord.py in the order of the events and must not wait; whatever has to be awaited
becomes a job of the channel's lane or a task of the run.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from adapters.discord.backfill import Backfill
from adapters.discord.client import Handler
from adapters.discord.commands import differ, focused_option, options_of, to_payloads
from adapters.discord.composing import line_of
from adapters.discord.guilds import Guilds
from adapters.discord.hearing import Hearing
from adapters.discord.inbound import (
    PLATFORM,
    author_of_interaction,
    place_of_interaction,
    translate_interaction,
)
from adapters.discord.intake import Intake
from adapters.discord.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, Interactions
from adapters.discord.markup import Payload
from adapters.discord.rest import Rest
from bot.core.command import Command
from bot.core.door import Completer
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.inbound import Inbound, Invoked, Pressed
from bot.core.ports import Clock, Ready
from bot.core.stores import ActivityStore

log = logging.getLogger(__name__)

COMPLETE_TIMEOUT_S = 2.0
#: How long to wait after each failure to update the commands; after the last one the old ones stay.
COMMANDS_RETRY_S = (1.0, 10.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an adapter is made of; lives longer than a connection."""

    rest: Rest
    guilds: Guilds
    interactions: Interactions
    hearing: Hearing
    commands: tuple[Command, ...]
    complete: Completer
    activity: ActivityStore
    clock: Clock


class Session:
    """Takes the events of one `Adapter.run`. `connections` counts the sessions that Discord opened for it."""

    def __init__(self, parts: Parts, group: asyncio.TaskGroup, intake: Intake, ready: Ready) -> None:
        self.connections = 0
        self._parts = parts
        self._group = group
        self._intake = intake
        self._ready = ready
        self._backfill = Backfill(parts.activity, parts.rest, parts.hearing, intake, parts.clock)

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Who takes which gateway event."""
        return {
            "READY": self._connected,
            "MESSAGE_CREATE": self._said,
            "MESSAGE_UPDATE": self._edited,
            "MESSAGE_DELETE": self._deleted,
            "MESSAGE_DELETE_BULK": self._deleted,
            "INTERACTION_CREATE": self._interacted,
        }

    def _connected(self, payload: Payload) -> None:
        """A new session, for whatever reason: what happened before it is not delivered any more."""
        account_key = f"{PLATFORM}:{payload['user']['id']}"
        shard, shards = payload.get("shard") or (0, 1)
        self._intake.hold()
        self._start("looking for missed messages", self._backfill.run(account_key, shard, shards))
        self.connections += 1
        if self.connections == 1:
            self._ready(account_key)
            self._start("updating the commands", self._update_commands(payload["application"]["id"]))

    def _said(self, message: Payload) -> None:
        if self._parts.hearing.may_concern(message):
            self._submit(message["channel_id"], partial(self._parts.hearing.message, message))

    def _edited(self, message: Payload) -> None:
        if message.get("edited_timestamp"):
            self._submit(message["channel_id"], partial(self._edit, message))

    def _deleted(self, payload: Payload) -> None:
        for message_id in payload.get("ids") or (payload["id"],):
            self._submit(payload["channel_id"], partial(self._deletion, message_id))

    async def _edit(self, message: Payload) -> Inbound | None:
        return self._parts.hearing.edit(message)

    async def _deletion(self, message_id: str) -> Inbound | None:
        return self._parts.hearing.deletion(message_id)

    def _interacted(self, interaction: Payload) -> None:
        kind, data = interaction["type"], interaction["data"]
        if kind == AUTOCOMPLETE:
            self._start("a completion", self._complete(interaction))
        elif kind == COMMAND:
            invoked = Invoked(name=data["name"], options=options_of(data))
            self._start("a command", self._invoke(interaction, invoked))
        elif kind == COMPONENT and (line := line_of(data["custom_id"])) is not None:
            pressed = Pressed(line=line, message_id=interaction["message"]["id"])
            self._start("a button", self._invoke(interaction, pressed))

    async def _invoke(self, interaction: Payload, event: Invoked | Pressed) -> None:
        """Acknowledge before anything else: Discord waits 3 s, a lane may have to wait longer."""
        if not await self._parts.interactions.acknowledge(interaction):
            return

        async def translate() -> Inbound:
            return translate_interaction(interaction, self._parts.guilds.account, event)

        self._submit(interaction["channel_id"], translate)

    async def _complete(self, interaction: Payload) -> None:
        names: Sequence[str] = ()
        found = focused_option(self._parts.commands, interaction["data"])
        if found is not None and found[0].complete is not None:
            place = place_of_interaction(interaction, self._parts.guilds.account)
            try:
                async with asyncio.timeout(COMPLETE_TIMEOUT_S):
                    author = author_of_interaction(interaction)
                    names = await self._parts.complete(found[0].complete, found[1], place, author)
            except TimeoutError:
                log.warning("a completion took too long")
        await self._parts.interactions.complete(interaction, names)

    async def _update_commands(self, application_id: str) -> None:
        """Overwriting is rate-limited and makes clients reload: only when something changed."""
        path, rest = f"/applications/{application_id}/commands", self._parts.rest
        wanted = to_payloads(self._parts.commands)
        for delay_s in COMMANDS_RETRY_S:
            try:
                if differ(await self._registered(path), wanted):
                    await rest.call("PUT", path, wanted)
                    log.info("the slash commands were updated")
                return
            except DeliveryError as error:
                log.warning("the slash commands could not be updated: %s", error)
                await self._parts.clock.sleep(error.retry_after_s or delay_s)

    async def _registered(self, path: str) -> Sequence[Payload]:
        """The commands as Discord has them; none where a server only lets them be written."""
        try:
            registered: Sequence[Payload] = await self._parts.rest.call("GET", path)
        except DeliveryError as error:
            if error.kind is not DeliveryKind.NOT_FOUND:
                raise
            return ()
        return registered

    def _submit(self, lane: str, translate: Callable[[], Awaitable[Inbound | None]]) -> None:
        async def job() -> None:
            inbound = await translate()
            if inbound is not None:
                await self._intake.deliver(inbound)

        self._intake.submit(lane, job)

    def _start(self, what: str, work: Coroutine[None, None, None]) -> None:
        self._group.create_task(_guarded(what, work))


async def _guarded(what: str, work: Coroutine[None, None, None]) -> None:
    """The boundary of one task: what fails here must not end the connection."""
    try:
        await work
    except Exception:
        log.exception("%s failed", what)
