"""What can happen to messages, channels and threads: each changes the world and tells the gateway.

Both the REST endpoints and the test's verbs act through here; permission checks are the callers'.
"""

import mimetypes
from collections.abc import Iterable
from dataclasses import replace

from tests.fakes.discord import wire
from tests.fakes.discord.records import (
    HAS_THREAD,
    PUBLIC_THREAD,
    Attachment,
    Channel,
    Json,
    Message,
    Revision,
    Upload,
)
from tests.fakes.discord.sessions import DIRECT_MESSAGES, GUILD_MESSAGES, GUILDS, Sessions
from tests.fakes.discord.world import World


class Actions:
    def __init__(self, world: World, sessions: Sessions) -> None:
        self._world = world
        self._sessions = sessions

    def store_files(self, channel_id: int, uploads: Iterable[Upload]) -> tuple[Attachment, ...]:
        """Give files their ids; the content type follows from the name, as on Discord."""
        return tuple(
            Attachment(
                id=self._world.ids.next(),
                channel_id=channel_id,
                filename=upload.filename,
                content_type=mimetypes.guess_type(upload.filename)[0] or upload.content_type,
                content=upload.content,
                description=upload.description,
                duration_s=upload.duration_s,
                waveform=upload.waveform,
            )
            for upload in uploads
        )

    def create(self, message: Message) -> Message:
        """Add a message with its first revision and dispatch MESSAGE_CREATE (not for ephemeral ones).

        A message reopens an archived thread, as on Discord.
        """
        channel = self._world.channels[message.channel_id]
        if channel.archived and not channel.locked:
            self.update_channel(replace(channel, archived=False))
        message = self._world.put_message(replace(message, revisions=(_revision(message),)))
        self._announce("MESSAGE_CREATE", message)
        return message

    def edit(self, message: Message, *, stamp: bool = True, **changes: object) -> Message:
        """Change a message; `stamp` False is an update without an edit (an embed that was resolved)."""
        now = self._world.clock.now()
        changed = replace(message, **changes)  # type: ignore[arg-type]  # names are checked by replace
        if stamp:
            changed = replace(changed, edited_at=now)
            changed = replace(changed, revisions=(*message.revisions, replace(_revision(changed), at=now)))
        self._world.put_message(changed)
        self._announce("MESSAGE_UPDATE", changed)
        return changed

    def delete(self, message: Message) -> Message:
        deleted = self._world.put_message(replace(message, deleted_at=self._world.clock.now()))
        channel = self._world.channels[message.channel_id]
        body: Json = {"id": str(message.id), "channel_id": str(channel.id)}
        if channel.guild_id is not None:
            body["guild_id"] = str(channel.guild_id)
        if not message.ephemeral_for:
            self.tell(channel, "MESSAGE_DELETE", body)
        return deleted

    def _announce(self, name: str, message: Message) -> None:
        channel = self._world.channels[message.channel_id]
        if message.ephemeral_for or not self._world.bot_sees(channel):
            return
        intent = DIRECT_MESSAGES if channel.guild_id is None else GUILD_MESSAGES
        self._sessions.dispatch(
            name,
            channel.guild_id,
            intent,
            lambda content: wire.message_event_json(self._world, message, content=content),
        )

    def tell(self, channel: Channel, name: str, body: Json, *, intent: int | None = None) -> None:
        """Dispatch an event about a channel that the bot may see."""
        if intent is None:
            intent = DIRECT_MESSAGES if channel.guild_id is None else GUILD_MESSAGES
        if self._world.bot_sees(channel):
            self._sessions.dispatch(name, channel.guild_id, intent, lambda _content: body)

    def tell_guild(self, guild_id: int, name: str, body: Json, *, intent: int) -> None:
        self._sessions.dispatch(name, guild_id, intent, lambda _content: body)

    def add_channel(self, channel: Channel, *, event: str = "CHANNEL_CREATE") -> Channel:
        self._world.put_channel(channel)
        body = wire.channel_json(self._world, channel)
        if event == "THREAD_CREATE":
            body |= {"newly_created": True}
        if channel.guild_id is not None:
            self.tell(channel, event, body, intent=GUILDS)
        return channel

    def update_channel(self, channel: Channel) -> Channel:
        self._world.put_channel(channel)
        event = "CHANNEL_UPDATE" if channel.kind not in (10, 11, 12) else "THREAD_UPDATE"
        self.tell(channel, event, wire.channel_json(self._world, channel), intent=GUILDS)
        return channel

    def open_thread(
        self,
        parent: Channel,
        name: str,
        owner_id: int,
        *,
        thread_id: int | None = None,
        kind: int = PUBLIC_THREAD,
        auto_archive_minutes: int = 4320,
    ) -> Channel:
        """Open a thread below a channel; on a message it takes that message's id and marks the message."""
        thread = Channel(
            id=thread_id or self._world.ids.next(),
            kind=kind,
            name=name,
            guild_id=parent.guild_id,
            parent_id=parent.id,
            owner_id=owner_id,
            created_at=self._world.clock.now(),
            auto_archive_minutes=auto_archive_minutes,
        )
        self.add_channel(thread, event="THREAD_CREATE")
        starter = self._world.messages.get(thread.id)
        if starter is not None:
            self.edit(starter, stamp=False, flags=starter.flags | HAS_THREAD)
        return thread


def _revision(message: Message) -> Revision:
    return Revision(
        at=message.at,
        content=message.content,
        embeds=message.embeds,
        components=message.components,
        attachment_ids=tuple(attachment.id for attachment in message.attachments),
        flags=message.flags,
    )
