"""Slash commands, buttons and completion: acknowledged at once, answered within 15 minutes, in private.

Tokens live here alone, by the uid of the event; after a restart there are none, and nothing can be answered.
https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.discord.composing import SUPPRESS_EMBEDS
from adapters.discord.inbound import PLATFORM
from adapters.discord.markup import Payload
from adapters.discord.recent import Recent
from adapters.discord.rest import Refused, Rest
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.place import Author, Place
from bot.core.ports import Clock, File

log = logging.getLogger(__name__)

COMMAND, COMPONENT, AUTOCOMPLETE = 2, 3, 4
#: Discord gives up after 3 s.
ACKNOWLEDGE_TIMEOUT_S = 2.5
TOKEN_LIVES_S = 15 * 60.0
#: How long permissions that came with an interaction count as those of now.
PERMISSIONS_FRESH_S = 60.0
REMEMBERED = 2_000

_DEFER, _DEFER_UPDATE, _CHOICES = 5, 6, 8
_EPHEMERAL = 1 << 6
_ADMINISTRATOR, _MANAGE_CHANNELS = 1 << 3, 1 << 4
_ALREADY_ACKNOWLEDGED, _INVALID_TOKEN = 40060, 50027

Body = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Pending:
    """An interaction that waits for its answer. `thinking`: Discord shows that the bot is at work on it."""

    webhook: str
    thinking: bool
    since_s: float


class Interactions:
    """What people do with commands and buttons, and the only way to answer it."""

    def __init__(self, rest: Rest, clock: Clock) -> None:
        self._rest = rest
        self._clock = clock
        self._pending: Recent[str, _Pending] = Recent(REMEMBERED)
        self._managers: Recent[tuple[str, str], tuple[bool, float]] = Recent(REMEMBERED)

    async def acknowledge(self, interaction: Payload) -> bool:
        """Tell Discord that it was received; False when that failed, and the person was told so already."""
        thinking = interaction["type"] == COMMAND
        body: Body = {"type": _DEFER, "data": {"flags": _EPHEMERAL}} if thinking else {"type": _DEFER_UPDATE}
        if not await self._call_back(interaction, body):
            return False
        webhook = f"/webhooks/{interaction['application_id']}/{interaction['token']}"
        pending = _Pending(webhook, thinking, self._clock.monotonic())
        self._pending[f"{PLATFORM}:{interaction['id']}"] = pending
        member = interaction.get("member")
        if member:
            held = int(member.get("permissions") or 0)
            key = (interaction["channel_id"], member["user"]["id"])
            self._managers[key] = (bool(held & (_ADMINISTRATOR | _MANAGE_CHANNELS)), pending.since_s)
        return True

    async def complete(self, interaction: Payload, names: Sequence[str]) -> None:
        """Answer a request for completions; Discord takes 25 of at most 100 characters."""
        choices = [{"name": name, "value": name} for name in names if 1 <= len(name) <= 100][:25]
        await self._call_back(interaction, {"type": _CHOICES, "data": {"choices": choices}})

    def may_manage(self, place: Place, author: Author) -> bool | None:
        """What Discord said of the person's permissions just now; None when it did not."""
        known = self._managers.get((place.thread or place.chat, author.id))
        if known is None or self._clock.monotonic() - known[1] > PERMISSIONS_FRESH_S:
            return None
        return known[0]

    async def answer(
        self, uid: str, bodies: Sequence[Body], *, private: bool, replace: bool, file: File | None
    ) -> None:
        """Show `bodies` one after the other, the file with the last; none at all: only end the waiting.

        Raises:
            DeliveryError: NOT_FOUND when the interaction is not known any more.
        """
        pending = self._pending.get(uid)
        if pending is None or self._clock.monotonic() - pending.since_s > TOKEN_LIVES_S:
            raise DeliveryError(DeliveryKind.NOT_FOUND, "the interaction is not known any more")
        for number, body in enumerate(bodies):
            last = number == len(bodies) - 1
            edits = number == 0 and (private if pending.thinking else replace)
            if number == 0 and pending.thinking and not private:
                await self._end_thinking(pending)
            await self._show(pending, body, edits=edits, private=private, file=file if last else None)
        if not bodies and pending.thinking:
            await self._end_thinking(pending)
        self._pending.pop(uid)

    async def _show(self, pending: _Pending, body: Body, *, edits: bool, private: bool, file: File | None) -> None:
        """Fill the message that is there (the waiting one, or that with the button), or add one."""
        if edits:
            await self._webhook(pending, "PATCH", "/messages/@original", body, file)
        else:
            flags = SUPPRESS_EMBEDS | (_EPHEMERAL if private else 0)
            await self._webhook(pending, "POST", "", {**body, "flags": flags}, file)

    async def _end_thinking(self, pending: _Pending) -> None:
        await self._webhook(pending, "DELETE", "/messages/@original", None, None)

    async def _webhook(self, pending: _Pending, method: str, path: str, body: Body | None, file: File | None) -> None:
        try:
            await self._rest.call(method, pending.webhook + path, body, file=file, as_bot=False)
        except Refused as error:
            if error.code == _INVALID_TOKEN:
                raise DeliveryError(DeliveryKind.NOT_FOUND, "the interaction's token ran out") from error
            raise

    async def _call_back(self, interaction: Payload, body: Body) -> bool:
        """The one answer that has to come in time; a lost line is worth a second try."""
        path = f"/interactions/{interaction['id']}/{interaction['token']}/callback"
        for _ in range(2):
            try:
                await self._rest.call("POST", path, body, as_bot=False, timeout_s=ACKNOWLEDGE_TIMEOUT_S)
                return True
            except DeliveryError as error:
                if isinstance(error, Refused) and error.code == _ALREADY_ACKNOWLEDGED:
                    return True
                log.warning("an interaction could not be acknowledged: %s", error)
                if error.kind not in (DeliveryKind.TRANSIENT, DeliveryKind.UNKNOWN_AFTER_SEND):
                    break
        return False
