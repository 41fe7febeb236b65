"""Endpoints about the bot itself, its application and its guilds."""

from tests.fakes.discord import errors, wire
from tests.fakes.discord.endpoint import Call, Endpoint, Reply
from tests.fakes.discord.records import Guild, Json


async def me(call: Call) -> Reply:
    return Reply(wire.user_json(call.world.user(call.world.bot_id)) | {"verified": True, "mfa_enabled": False})


async def user(call: Call) -> Reply:
    return Reply(wire.user_json(call.world.user(call.id("user"))))


async def my_guilds(call: Call) -> Reply:
    return Reply([{"id": str(g.id), "name": g.name, "owner": False} for g in call.world.guilds.values()])


async def open_dm(call: Call) -> Reply:
    channel = call.world.dm_with(int(call.body["recipient_id"]))
    return Reply(wire.channel_json(call.world, channel))


async def gateway(call: Call) -> Reply:
    return Reply({"url": call.gateway_url})


async def gateway_bot(call: Call) -> Reply:
    limit: Json = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    return Reply({"url": call.gateway_url, "shards": 1, "session_start_limit": limit})


async def application(call: Call) -> Reply:
    world = call.world
    owner = min(world.guilds.values(), key=lambda guild: guild.id).owner_id if world.guilds else world.bot_id
    return Reply(
        {
            "id": str(world.application_id),
            "name": "parley",
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": wire.application_flags(world.portal),
            "owner": wire.user_json(world.user(owner)),
            "team": None,
            "bot": wire.user_json(world.user(world.bot_id)),
            "approximate_guild_count": len(world.guilds),
            "summary": "",
        }
    )


def _guild(call: Call) -> Guild:
    guild = call.world.guilds.get(call.id("guild"))
    if guild is None:
        raise errors.unknown("Guild")
    return guild


async def guild_get(call: Call) -> Reply:
    return Reply(wire.guild_json(call.world, _guild(call)))


async def guild_channels(call: Call) -> Reply:
    guild = _guild(call)
    return Reply(wire.guild_create_json(call.world, guild)["channels"])


async def active_threads(call: Call) -> Reply:
    threads = wire.guild_create_json(call.world, _guild(call))["threads"]
    return Reply({"threads": threads, "members": [thread["member"] for thread in threads]})


async def guild_member(call: Call) -> Reply:
    guild, user_id = _guild(call), call.id("user")
    if call.world.roles_of(guild.id, user_id) is None:
        raise errors.unknown("Member")
    return Reply(wire.member_json(call.world, guild.id, user_id, with_user=True))


ENDPOINTS = (
    Endpoint(method="GET", path="/users/@me", handler=me),
    Endpoint(method="GET", path="/users/@me/guilds", handler=my_guilds),
    Endpoint(method="POST", path="/users/@me/channels", handler=open_dm),
    Endpoint(method="GET", path="/users/{user}", handler=user),
    Endpoint(method="GET", path="/gateway", handler=gateway),
    Endpoint(method="GET", path="/gateway/bot", handler=gateway_bot),
    Endpoint(method="GET", path="/oauth2/applications/@me", handler=application),
    Endpoint(method="GET", path="/applications/@me", handler=application),
    Endpoint(method="GET", path="/guilds/{guild}", handler=guild_get),
    Endpoint(method="GET", path="/guilds/{guild}/channels", handler=guild_channels),
    Endpoint(method="GET", path="/guilds/{guild}/threads/active", handler=active_threads),
    Endpoint(method="GET", path="/guilds/{guild}/members/{user}", handler=guild_member),
)
