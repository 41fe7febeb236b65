"""What people do in the fake: build guilds, talk, edit, delete, react. A mixin of `FakeDiscord`."""

from collections.abc import Sequence
from dataclasses import replace

from tests.fakes.discord.actions import Actions
from tests.fakes.discord.mentions import compute_pings
from tests.fakes.discord.records import (
    BOT_PERMISSIONS,
    DEFAULT_MESSAGE,
    FORUM,
    HAS_SNAPSHOT,
    MENTION_EVERYONE,
    PUBLIC_THREAD,
    REPLY,
    TEXT,
    VOICE_MESSAGE,
    Channel,
    Guild,
    Json,
    Message,
    Pings,
    Role,
    Upload,
    User,
)
from tests.fakes.discord.sessions import DIRECT_REACTIONS, GUILD_REACTIONS, GUILDS
from tests.fakes.discord.wire import guild_create_json, member_json, role_json
from tests.fakes.discord.world import World


class People:
    """Synchronous verbs: each changes the world at once and queues its gateway event."""

    world: World
    _actions: Actions

    def add_user(self, name: str = "ada", *, bot: bool = False, accepts_dms: bool = True) -> User:
        world = self.world
        return world.add_user(User(id=world.ids.next(), name=name, bot=bot, accepts_dms=accepts_dms))

    def add_guild(
        self, name: str = "Lab", *, bot_permissions: int = BOT_PERMISSIONS, members: Sequence[User] = ()
    ) -> Guild:
        """Add a guild with the bot and an owner of its own; GUILD_CREATE goes to live sessions."""
        world = self.world
        owner = self.add_user(f"owner of {name}")
        guild_id, role_id = world.ids.next(new_millisecond=True), world.ids.next()
        guild = world.put_guild(
            Guild(
                id=guild_id,
                name=name,
                owner_id=owner.id,
                bot_permissions=bot_permissions,
                bot_role_id=role_id,
                roles=(
                    Role(id=guild_id, name="@everyone"),
                    Role(id=role_id, name="parley", permissions=bot_permissions),
                ),
                members=(
                    (world.bot_id, (role_id,)),
                    (owner.id, ()),
                    *((user.id, ()) for user in members),
                ),
            )
        )
        self._tell_guild(guild.id, "GUILD_CREATE", guild_create_json(world, guild))
        return guild

    def add_role(self, guild_id: int, name: str, *, mentionable: bool = True) -> Role:
        role = Role(id=self.world.ids.next(), name=name, mentionable=mentionable)
        guild = self.world.guilds[guild_id]
        self.world.put_guild(replace(guild, roles=(*guild.roles, role)))
        self._tell_guild(guild_id, "GUILD_ROLE_CREATE", {"guild_id": str(guild_id), "role": role_json(role)})
        return role

    def add_member(self, guild_id: int, user_id: int, roles: Sequence[int] = ()) -> None:
        """Make a user a member, or change a member's roles."""
        guild = self.world.guilds[guild_id]
        others = tuple(entry for entry in guild.members if entry[0] != user_id)
        self.world.put_guild(replace(guild, members=(*others, (user_id, tuple(roles)))))

    def set_bot_permissions(self, guild_id: int, permissions: int) -> None:
        """Change what the bot's own role may do in a guild."""
        guild = self.world.guilds[guild_id]
        roles = tuple(replace(r, permissions=permissions) if r.id == guild.bot_role_id else r for r in guild.roles)
        self.world.put_guild(replace(guild, bot_permissions=permissions, roles=roles))
        for role in roles:
            if role.id == guild.bot_role_id:
                body = {"guild_id": str(guild_id), "role": role_json(role)}
                self._tell_guild(guild_id, "GUILD_ROLE_UPDATE", body)

    def deny_bot(self, channel_id: int, permissions: int) -> Channel:
        """Set what the bot may not do in one channel and its threads (0 allows everything again)."""
        changed = replace(self.world.channel(channel_id), bot_denied=permissions)
        return self._actions.update_channel(changed)

    def _tell_guild(self, guild_id: int, name: str, body: Json) -> None:
        self._actions.tell_guild(guild_id, name, body, intent=GUILDS)

    def add_text_channel(self, guild_id: int, name: str = "general", *, bot_denied: int = 0) -> Channel:
        return self._add_channel(guild_id, name, TEXT, bot_denied)

    def add_forum(self, guild_id: int, name: str = "forum", *, bot_denied: int = 0) -> Channel:
        return self._add_channel(guild_id, name, FORUM, bot_denied)

    def _add_channel(self, guild_id: int, name: str, kind: int, bot_denied: int) -> Channel:
        world = self.world
        return self._actions.add_channel(
            Channel(
                id=world.ids.next(),
                kind=kind,
                name=name,
                guild_id=guild_id,
                bot_denied=bot_denied,
                created_at=world.clock.now(),
            )
        )

    def add_thread(
        self,
        parent_id: int,
        name: str = "thread",
        *,
        owner_id: int | None = None,
        message_id: int | None = None,
        kind: int = PUBLIC_THREAD,
    ) -> Channel:
        """Open a thread as a user (default the guild's owner), on a message when one is given."""
        parent = self.world.channel(parent_id)
        assert parent.guild_id is not None, "threads live in guilds"
        owner = owner_id or self.world.guilds[parent.guild_id].owner_id
        return self._actions.open_thread(parent, name, owner, thread_id=message_id, kind=kind)

    def add_forum_post(self, forum_id: int, author_id: int, name: str, text: str) -> Message:
        """Open a forum thread; gives its starter message, whose id is the thread's."""
        thread = self.add_thread(forum_id, name, owner_id=author_id)
        return self.say(thread.id, author_id, text, message_id=thread.id)

    def add_dm(self, user_id: int) -> Channel:
        return self.world.dm_with(user_id)

    def say(
        self,
        channel_id: int,
        author_id: int,
        text: str = "",
        mentions: Sequence[int] = (),
        reply_to: int | None = None,
        attachments: Sequence[Upload] = (),
        *,
        message_id: int | None = None,
        flags: int = 0,
        forwards: int | None = None,
    ) -> Message:
        """Post as a person (or another bot); `mentions` are put before the text as <@id>."""
        world = self.world
        channel = world.channel(channel_id)
        if channel.guild_id is not None and world.roles_of(channel.guild_id, author_id) is None:
            self.add_member(channel.guild_id, author_id)
        marks = [f"<@{user_id}>" for user_id in mentions if f"<@{user_id}>" not in text]
        content = " ".join([*marks, text] if text else marks)
        pings = compute_pings(
            world,
            channel,
            content,
            None,
            replied_to=None if reply_to is None else world.messages[reply_to].author_id,
            author_permissions=MENTION_EVERYONE,
        )
        message = Message(
            id=message_id or world.ids.next(),
            channel_id=channel_id,
            author_id=author_id,
            content=content,
            at=world.clock.now(),
            kind=DEFAULT_MESSAGE if reply_to is None else REPLY,
            flags=flags,
            forwards=forwards,
            attachments=self._actions.store_files(channel_id, attachments),
            pings=pings,
            mentions=pings.users,
            reference=None if reply_to is None else (channel_id, reply_to),
        )
        return self._actions.create(message)

    def voice_say(
        self, channel_id: int, author_id: int, content: bytes, *, duration_s: float = 3.5, reply_to: int | None = None
    ) -> Message:
        """Record a voice message: it has no text, so it mentions nobody."""
        recording = Upload(
            filename="voice-message.ogg",
            content=content,
            content_type="audio/ogg",
            duration_s=duration_s,
            waveform="AAD/AA==",
        )
        return self.say(channel_id, author_id, "", (), reply_to, [recording], flags=VOICE_MESSAGE)

    def forward(self, message_id: int, channel_id: int, author_id: int) -> Message:
        """Forward a message: its text and files, without its author."""
        return self.say(channel_id, author_id, "", flags=HAS_SNAPSHOT, forwards=message_id)

    def webhook_say(self, channel_id: int, text: str, *, name: str = "Hook") -> Message:
        """Post as a webhook: the author has `bot` set, the message has `webhook_id`."""
        world = self.world
        webhook_id = world.ids.next()
        return self._actions.create(
            Message(
                id=world.ids.next(),
                channel_id=channel_id,
                author_id=webhook_id,
                content=text,
                at=world.clock.now(),
                webhook_name=name,
                pings=Pings(),
            )
        )

    def edit(self, message_id: int, text: str) -> Message:
        """Edit a person's message; its mentions are computed anew and ping nobody."""
        message = self.world.messages[message_id]
        channel = self.world.channel(message.channel_id)
        found = compute_pings(self.world, channel, text, None, replied_to=None, author_permissions=MENTION_EVERYONE)
        return self._actions.edit(message, content=text, mentions=found.users)

    def touch(self, message_id: int) -> Message:
        """Dispatch a MESSAGE_UPDATE without an edit, as when Discord resolves a link's preview."""
        message = self.world.messages[message_id]
        preview: Json = {"type": "link", "title": "preview", "url": "https://example.com/"}
        return self._actions.edit(message, stamp=False, embeds=(*message.embeds, preview))

    def delete(self, message_id: int) -> Message:
        return self._actions.delete(self.world.messages[message_id])

    def react(self, message_id: int, user_id: int, emoji: str = "👍") -> None:
        message = self.world.messages[message_id]
        self.world.replace_message(message, reactions=(*message.reactions, (emoji, user_id)))
        channel = self.world.channel(message.channel_id)
        body: Json = {
            "user_id": str(user_id),
            "channel_id": str(channel.id),
            "message_id": str(message_id),
            "message_author_id": str(message.author_id),
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": 0,
        }
        if channel.guild_id is not None:
            body["guild_id"] = str(channel.guild_id)
            body["member"] = member_json(self.world, channel.guild_id, user_id, with_user=True)
        intent = DIRECT_REACTIONS if channel.guild_id is None else GUILD_REACTIONS
        self._actions.tell(channel, "MESSAGE_REACTION_ADD", body, intent=intent)

    def update_thread(self, thread_id: int, *, archived: bool = False, locked: bool = False) -> Channel:
        """Archive, lock or reopen a thread as a moderator."""
        changed = replace(self.world.channel(thread_id), archived=archived, locked=locked)
        return self._actions.update_channel(changed)
