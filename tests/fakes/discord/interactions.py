"""Interactions as the user who causes them sees them: what was answered, when, and how often.

An interaction is live: the endpoints of `rest_interactions.py` write into it, a test reads it.
https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import secrets
from dataclasses import dataclass, field
from enum import IntEnum

from tests.fakes.discord import errors
from tests.fakes.discord.records import EPHEMERAL, Json, Message
from tests.fakes.discord.world import World

ACKNOWLEDGE_WITHIN_S = 3.0
TOKEN_LIVES_S = 15 * 60.0


class InteractionType(IntEnum):
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


@dataclass(slots=True, kw_only=True)
class Interaction:
    """One slash command, autocomplete request, click or modal of a user."""

    id: int
    type: InteractionType
    token: str
    channel_id: int
    user_id: int
    created_at_s: float
    world: World = field(repr=False)
    source_id: int | None = None
    """The message whose component was used."""
    command: Json | None = None
    """`interaction_metadata` of the messages that answer this."""
    callback: Json | None = None
    """The body of the one accepted callback; None while unanswered."""
    acknowledged_after_s: float | None = None
    original_id: int | None = None
    deferred_ephemeral: bool = False
    pending: bool = False
    """True while "Bot is thinking..." is shown."""
    followup_ids: list[int] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    """Error codes that callbacks and follow-ups of this interaction got (10062, 40060, 50035 ...)."""

    @property
    def callback_type(self) -> int | None:
        return None if self.callback is None else int(self.callback["type"])

    @property
    def original(self) -> Message | None:
        """The message that answered, as it is now; None if there is none or it was deleted."""
        message = None if self.original_id is None else self.world.messages[self.original_id]
        return message if message is not None and message.alive else None

    @property
    def followups(self) -> tuple[Message, ...]:
        return tuple(self.world.messages[message_id] for message_id in self.followup_ids)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The answer, when there is one to read, and all follow-ups."""
        original = () if self.original is None or self.pending else (self.original,)
        return (*original, *self.followups)

    @property
    def ephemeral(self) -> bool:
        """Whether the answer is visible to the user only."""
        return self.original is not None and bool(self.original.flags & EPHEMERAL)

    @property
    def choices(self) -> tuple[Json, ...] | None:
        """The choices of an answered autocomplete."""
        return tuple(self.callback["data"]["choices"]) if self.callback_type == 8 and self.callback else None

    @property
    def modal(self) -> Json | None:
        return self.callback["data"] if self.callback_type == 9 and self.callback else None

    async def acknowledged(self, deadline_s: float = 5.0) -> Json:
        """Wait for the callback and give its body.

        Raises:
            TimeoutError: the bot did not answer.
        """
        return await self.world.changes.wait_for(lambda: self.callback or {}, deadline_s)

    async def answered(self, deadline_s: float = 5.0) -> Message:
        """Wait for the first readable message (after a deferral, for its edit or follow-up)."""
        return (await self.world.changes.wait_for(lambda: self.messages, deadline_s))[0]


class Interactions:
    """All interactions by id and by token."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._all: dict[int, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}

    def open(
        self,
        kind: InteractionType,
        channel_id: int,
        user_id: int,
        *,
        source_id: int | None = None,
        command: Json | None = None,
    ) -> Interaction:
        world = self._world
        interaction = Interaction(
            id=world.ids.next(),
            type=kind,
            token=secrets.token_urlsafe(40),
            channel_id=channel_id,
            user_id=user_id,
            created_at_s=world.clock.now_s(),
            world=world,
            source_id=source_id,
            command=command,
        )
        self._all[interaction.id] = interaction
        self._by_token[interaction.token] = interaction
        return interaction

    def to_acknowledge(self, interaction_id: int, token: str) -> Interaction:
        """Find an interaction that may be answered now.

        Raises:
            ApiError: 10062 when it is unknown or over 3 s old, 40060 when it was answered.
        """
        interaction = self._all.get(interaction_id)
        if interaction is None or interaction.token != token:
            raise errors.unknown("interaction")
        if interaction.callback is not None:
            raise errors.already_acknowledged()
        if self._world.clock.now_s() - interaction.created_at_s > ACKNOWLEDGE_WITHIN_S:
            raise errors.unknown("interaction")
        return interaction

    def by_token(self, application_id: int, token: str) -> Interaction:
        """Find an answered interaction whose token still lives.

        Raises:
            ApiError: 10015 when unknown or unanswered, 50027 after 15 minutes.
        """
        interaction = self._by_token.get(token)
        if interaction is None or application_id != self._world.application_id or interaction.callback is None:
            raise errors.unknown("Webhook")
        if self._world.clock.now_s() - interaction.created_at_s > TOKEN_LIVES_S:
            raise errors.invalid_webhook_token()
        return interaction

    def find(self, interaction_id: int) -> Interaction | None:
        return self._all.get(interaction_id)

    def find_by_token(self, token: str) -> Interaction | None:
        return self._by_token.get(token)
