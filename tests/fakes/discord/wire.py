"""Records -> the JSON objects of API v10; ids become strings, unknown people stay unknown.

The message content rule (privileged intent) is applied here, by `message_json(content=...)`.
"""

from tests.fakes.discord.clock import timestamp_of
from tests.fakes.discord.records import (
    DM,
    FORUM,
    REPLY,
    THREAD_STARTER,
    THREADS,
    Attachment,
    Channel,
    Guild,
    Json,
    Message,
    Portal,
    Role,
    User,
)
from tests.fakes.discord.world import World


def application_flags(portal: Portal) -> int:
    """Compute the flags that show which privileged intents the portal allows."""
    flags = {"none": 0, "limited": 1 << 19, "full": 1 << 18}[portal.message_content]
    return flags | (1 << 15 if portal.members else 0) | (1 << 13 if portal.presences else 0)


def user_json(user: User) -> Json:
    return {
        "id": str(user.id),
        "username": user.name,
        "global_name": None if user.bot else user.name,
        "discriminator": "0000" if user.bot else "0",
        "avatar": None,
        "bot": user.bot,
        "system": False,
        "public_flags": 0,
    }


def role_json(role: Role) -> Json:
    return {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(role.permissions),
        "mentionable": role.mentionable,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0 if role.name == "@everyone" else 1,
        "managed": False,
        "flags": 0,
    }


def member_json(world: World, guild_id: int, user_id: int, *, with_user: bool) -> Json:
    member: Json = {
        "roles": [str(role_id) for role_id in world.roles_of(guild_id, user_id) or ()],
        "nick": None,
        "avatar": None,
        "joined_at": timestamp_of(guild_id).isoformat(),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "communication_disabled_until": None,
        "flags": 0,
    }
    if with_user:
        member["user"] = user_json(world.user(user_id))
    return member


def channel_json(world: World, channel: Channel) -> Json:
    order = world.order.get(channel.id, [])
    base: Json = {
        "id": str(channel.id),
        "type": channel.kind,
        "flags": 0,
        "last_message_id": str(order[-1]) if order else None,
    }
    if channel.kind == DM and channel.recipient_id is not None:
        return base | {"recipients": [user_json(world.user(channel.recipient_id))]}
    base |= {"guild_id": str(channel.guild_id), "name": channel.name, "rate_limit_per_user": 0}
    base["parent_id"] = None if channel.parent_id is None else str(channel.parent_id)
    if channel.kind in THREADS:
        return base | _thread_fields(world, channel)
    denied = channel.bot_denied
    overwrite = {"id": str(world.bot_id), "type": 1, "allow": "0", "deny": str(denied)}
    base |= {
        "position": 0,
        "topic": channel.topic,
        "nsfw": False,
        "permission_overwrites": [overwrite] if denied else [],
    }
    if channel.kind == FORUM:
        base |= {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None}
        base |= {"default_forum_layout": 0, "last_message_id": None}
    return base


def _thread_fields(world: World, channel: Channel) -> Json:
    count = sum(1 for message in world.in_channel(channel.id) if message.id != channel.id)
    return {
        "owner_id": str(channel.owner_id),
        "message_count": count,
        "total_message_sent": count,
        "member_count": 1,
        "applied_tags": list(channel.applied_tags),
        "thread_metadata": {
            "archived": channel.archived,
            "auto_archive_duration": channel.auto_archive_minutes,
            "archive_timestamp": channel.created_at.isoformat(),
            "create_timestamp": channel.created_at.isoformat(),
            "locked": channel.locked,
        },
    }


def thread_member_json(world: World, channel: Channel) -> Json:
    joined = channel.created_at.isoformat()
    return {"id": str(channel.id), "user_id": str(world.bot_id), "join_timestamp": joined, "flags": 1}


def guild_json(world: World, guild: Guild) -> Json:
    """Translate a guild as GET /guilds/{id} shows it."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "owner_id": str(guild.owner_id),
        "roles": [role_json(role) for role in guild.roles],
        "emojis": [],
        "stickers": [],
        "features": [],
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": "en-US",
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
    }


def guild_create_json(world: World, guild: Guild) -> Json:
    """Translate a guild as GUILD_CREATE shows it: with channels, live threads and the bot's member."""
    channels = [c for c in world.channels.values() if c.guild_id == guild.id and c.kind not in THREADS]
    threads = [c for c in world.threads_of(guild.id) if not c.archived and world.bot_sees(c)]
    return guild_json(world, guild) | {
        "joined_at": timestamp_of(guild.id).isoformat(),
        "large": len(guild.members) >= 250,
        "unavailable": False,
        "member_count": len(guild.members),
        "members": [member_json(world, guild.id, world.bot_id, with_user=True)],
        "voice_states": [],
        "channels": [channel_json(world, c) for c in channels if world.bot_sees(c)],
        "threads": [channel_json(world, c) | {"member": thread_member_json(world, c)} for c in threads],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def attachment_json(world: World, attachment: Attachment) -> Json:
    url = world.attachment_url(attachment)
    body: Json = {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "size": len(attachment.content),
        "url": url,
        "proxy_url": url,
        "content_type": attachment.content_type,
        "content_scan_version": 0,
    }
    if attachment.description is not None:
        body["description"] = attachment.description
    if attachment.duration_s is not None:
        body |= {"duration_secs": attachment.duration_s, "waveform": attachment.waveform or ""}
    return body


def author_json(world: World, message: Message) -> Json:
    if message.webhook_name is not None:
        return user_json(User(id=message.author_id, name=message.webhook_name, bot=True)) | {"global_name": None}
    return user_json(world.user(message.author_id))


def readable(world: World, message: Message) -> bool:
    """Say whether an application without the Message Content intent may read this message."""
    in_dm = world.channels[message.channel_id].kind == DM
    return in_dm or message.author_id == world.bot_id or world.bot_id in message.mentions


def message_json(world: World, message: Message, *, content: bool, nested: bool = False) -> Json:
    """Translate a message; `content` says whether the reader holds the Message Content intent."""
    show = content or readable(world, message)
    attachments = [attachment_json(world, attachment) for attachment in message.attachments]
    body: Json = {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "type": message.kind,
        "author": author_json(world, message),
        "content": message.content if show else "",
        "embeds": list(message.embeds) if show else [],
        "components": list(message.components) if show else [],
        "attachments": attachments if show else [],
        "timestamp": message.at.isoformat(),
        "edited_timestamp": None if message.edited_at is None else message.edited_at.isoformat(),
        "flags": message.flags,
        "mentions": [user_json(world.user(user_id)) for user_id in message.mentions],
        "mention_roles": [str(role_id) for role_id in message.pings.roles],
        "mention_everyone": message.pings.everyone,
        "pinned": False,
        "tts": False,
    }
    if message.webhook_name is not None:
        body["webhook_id"] = str(message.author_id)
    if message.reactions:
        body["reactions"] = _reactions_json(world, message)
    if message.command is not None:
        body |= {
            "interaction_metadata": message.command,
            "webhook_id": str(world.application_id),
            "application_id": str(world.application_id),
        }
    if message.forwards is not None:
        body |= _snapshot_json(world, message, show=show)
    if message.reference is not None:
        body |= _reference_json(world, message, content=content, nested=nested)
    if message.id in world.channels and message.channel_id != message.id:
        body["thread"] = channel_json(world, world.channels[message.id])
    return body


def _reference_json(world: World, message: Message, *, content: bool, nested: bool) -> Json:
    assert message.reference is not None
    channel_id, message_id = message.reference
    reference: Json = {"type": 0, "channel_id": str(channel_id), "message_id": str(message_id)}
    guild_id = world.channels[channel_id].guild_id
    if guild_id is not None:
        reference["guild_id"] = str(guild_id)
    body: Json = {"message_reference": reference}
    if message.kind in (REPLY, THREAD_STARTER) and not nested:
        target = world.messages.get(message_id)
        gone = target is None or not target.alive
        body["referenced_message"] = (
            None if gone or target is None else message_json(world, target, content=content, nested=True)
        )
    return body


def _snapshot_json(world: World, message: Message, *, show: bool) -> Json:
    """Translate what is forwarded: a copy without id and author."""
    assert message.forwards is not None
    original = world.messages[message.forwards]
    kept = ("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags", "mentions")
    copied = message_json(world, original, content=show, nested=True)
    reference = {"type": 1, "message_id": str(original.id), "channel_id": str(original.channel_id)}
    return {
        "message_snapshots": [{"message": {name: copied[name] for name in kept}}] if show else [],
        "message_reference": reference,
    }


def _reactions_json(world: World, message: Message) -> list[Json]:
    found: dict[str, list[int]] = {}
    for emoji, user_id in message.reactions:
        found.setdefault(emoji, []).append(user_id)
    return [
        {
            "emoji": {"id": None, "name": emoji},
            "count": len(users),
            "count_details": {"burst": 0, "normal": len(users)},
            "me": world.bot_id in users,
            "me_burst": False,
            "burst_colors": [],
        }
        for emoji, users in found.items()
    ]


def nonce_json(message: Message) -> Json:
    """Give the nonce, which only the answer to a create and the event show, not the history."""
    return {} if message.nonce is None else {"nonce": message.nonce}


def message_event_json(world: World, message: Message, *, content: bool) -> Json:
    """Translate a message as MESSAGE_CREATE and MESSAGE_UPDATE show it: with nonce, guild and member."""
    body = message_json(world, message, content=content) | nonce_json(message)
    channel = world.channels[message.channel_id]
    body["channel_type"] = channel.kind
    if channel.guild_id is None:
        return body
    guild_id = channel.guild_id
    body["guild_id"] = str(guild_id)
    if message.webhook_name is None and world.roles_of(guild_id, message.author_id) is not None:
        body["member"] = member_json(world, guild_id, message.author_id, with_user=False)
    body["mentions"] = [
        mention | {"member": member_json(world, guild_id, int(mention["id"]), with_user=False)}
        for mention in body["mentions"]
    ]
    return body
