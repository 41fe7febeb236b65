"""The state of the fake: users, guilds, channels, messages, commands.

It only stores and looks up; what may happen is decided in `actions.py` and the endpoint modules,
and nothing here knows HTTP or the gateway.
"""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from tests.fakes.discord import errors
from tests.fakes.discord.clock import Changes, Clock, Snowflakes
from tests.fakes.discord.records import (
    DM,
    THREADS,
    VIEW_CHANNEL,
    Attachment,
    Channel,
    Guild,
    Json,
    Message,
    Portal,
    User,
)

ALL_PERMISSIONS = (1 << 53) - 1
ATTACHMENT_LIFETIME_S = 24 * 3600


class World:
    def __init__(self, clock: Clock, *, token: str) -> None:
        self.clock = clock
        self.changes = Changes()
        self.ids = Snowflakes(clock)
        self.token = token
        self.base_url = ""
        self.portal = Portal()
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.order: dict[int, list[int]] = {}
        self.by_nonce: dict[str, Message] = {}
        """The bot's last message with each nonce, as it was created."""
        self.attachments: dict[int, Attachment] = {}
        self.commands: dict[int, tuple[Json, ...]] = {}
        """Application commands by guild id, 0 for the global ones."""
        self.command_syncs = 0
        """Count of bulk overwrites (PUT) of commands, refused ones included."""
        self.typing: list[int] = []
        """Channel ids in which the bot began to type, oldest first."""
        self.application_id = self.ids.next()
        self.bot_id = self.add_user(User(id=self.ids.next(), name="parley", bot=True)).id

    def add_user(self, user: User) -> User:
        self.users[user.id] = user
        self.changes.fire()
        return user

    def put_guild(self, guild: Guild) -> Guild:
        self.guilds[guild.id] = guild
        self.changes.fire()
        return guild

    def put_channel(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        self.order.setdefault(channel.id, [])
        self.changes.fire()
        return channel

    def put_message(self, message: Message) -> Message:
        if message.id not in self.messages:
            self.order[message.channel_id].append(message.id)
            if message.nonce is not None and message.author_id == self.bot_id:
                self.by_nonce[str(message.nonce)] = message
        self.messages[message.id] = message
        for attachment in message.attachments:
            self.attachments[attachment.id] = attachment
        self.changes.fire()
        return message

    def user(self, user_id: int) -> User:
        if user_id not in self.users:
            raise errors.unknown("User")
        return self.users[user_id]

    def channel(self, channel_id: int) -> Channel:
        if channel_id not in self.channels:
            raise errors.unknown("Channel")
        return self.channels[channel_id]

    def message(self, channel_id: int, message_id: int) -> Message:
        """Look up a message that REST would show: in this channel, not deleted, not ephemeral."""
        message = self.messages.get(message_id)
        if message is None or message.channel_id != channel_id or not message.alive or message.ephemeral_for:
            raise errors.unknown("Message")
        return message

    def in_channel(self, channel_id: int) -> Iterator[Message]:
        """Yield what REST would show of a channel, oldest first."""
        for message_id in self.order[channel_id]:
            message = self.messages[message_id]
            if message.alive and not message.ephemeral_for:
                yield message

    def threads_of(self, guild_id: int) -> list[Channel]:
        return [c for c in self.channels.values() if c.guild_id == guild_id and c.kind in THREADS]

    def dm_with(self, user_id: int) -> Channel:
        """Find or open the DM of the bot and a user."""
        for channel in self.channels.values():
            if channel.kind == DM and channel.recipient_id == user_id:
                return channel
        return self.put_channel(
            Channel(
                id=self.ids.next(),
                kind=DM,
                name="",
                recipient_id=self.user(user_id).id,
                created_at=self.clock.now(),
            )
        )

    def bot_permissions(self, channel: Channel) -> int:
        """Compute the bot's permissions in a channel; threads inherit their parent's denials."""
        if channel.guild_id is None:
            return ALL_PERMISSIONS
        denied = channel.bot_denied
        if channel.kind in THREADS and channel.parent_id is not None:
            denied |= self.channels[channel.parent_id].bot_denied
        permissions = self.guilds[channel.guild_id].bot_permissions
        if permissions & 1 << 3:
            return ALL_PERMISSIONS
        return permissions & ~denied

    def bot_sees(self, channel: Channel) -> bool:
        return bool(self.bot_permissions(channel) & VIEW_CHANNEL)

    def roles_of(self, guild_id: int, user_id: int) -> tuple[int, ...] | None:
        """Give the role ids of a member; None if the user is not one."""
        return dict(self.guilds[guild_id].members).get(user_id)

    def replace_message(self, message: Message, **changes: object) -> Message:
        return self.put_message(replace(message, **changes))  # type: ignore[arg-type]  # names are checked by replace

    def attachment_url(self, attachment: Attachment) -> str:
        """Sign a CDN address that is valid for 24 hours."""
        return self.signed_url(attachment, f"{int(self.clock.now_s()) + ATTACHMENT_LIFETIME_S:x}")

    def signed_url(self, attachment: Attachment, expires: str) -> str:
        """The address that is valid until `expires`, a hexadecimal time."""
        name = quote(attachment.filename)
        path = f"/attachments/{attachment.channel_id}/{attachment.id}/{name}"
        return f"{self.base_url}{path}?ex={expires}&is=0&hm={self.signature(attachment.id, expires)}&"

    def signature(self, attachment_id: int, expires: str) -> str:
        return f"{hash((self.token, attachment_id, expires)) & 0xFFFFFFFFFFFFFFFF:016x}"
