"""Methods that ask about the bot, chats, members and files, and those that set commands or the webhook."""

import json

from tests.fakes.telegram.access import resolve_chat
from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.model import JsonObject
from tests.fakes.telegram.params import Params
from tests.fakes.telegram.wire import chat_to_wire, member_to_wire, user_to_wire
from tests.fakes.telegram.world import World

MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
_MAX_COMMANDS = 100
_COMMAND_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
_PLAIN_SCOPES = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")
_CHAT_SCOPES = ("chat", "chat_administrators", "chat_member")


def get_me(world: World, _params: Params) -> object:
    """Answer getMe."""
    profile = world.profile
    return user_to_wire(world.bot) | {
        "can_join_groups": profile.can_join_groups,
        "can_read_all_group_messages": profile.can_read_all_group_messages,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": profile.has_topics_enabled,
        "allows_users_to_create_topics": profile.has_topics_enabled,
        "can_manage_bots": False,
    }


def get_chat(world: World, params: Params) -> object:
    """Answer getChat."""
    chat = resolve_chat(world, params, write=False)
    return chat_to_wire(world, chat) | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(
            (
                "unlimited_gifts",
                "limited_gifts",
                "unique_gifts",
                "premium_subscription",
                "gifts_from_channels",
            ),
            False,
        ),
    }


def get_chat_member(world: World, params: Params) -> object:
    """Answer getChatMember."""
    chat = resolve_chat(world, params, write=False)
    user = world.users.get(params.integer("user_id"))
    if user is None:
        raise bad_request("user not found")
    return member_to_wire(world, chat, user)


def get_chat_administrators(world: World, params: Params) -> object:
    """Answer getChatAdministrators: people and other bots, without this bot."""
    chat = resolve_chat(world, params, write=False)
    if chat.is_private:
        raise bad_request("there are no administrators in the private chat")
    admins = [user_id for user_id, status in chat.members.items() if status in ("creator", "administrator")]
    return [member_to_wire(world, chat, world.users[user_id]) for user_id in admins if user_id != world.bot.id]


def get_file(world: World, params: Params) -> object:
    """Answer getFile; over 20 MB is too big."""
    file = world.files.get(params.text("file_id"))
    if file is None:
        raise bad_request("invalid file_id")
    if len(file.data) > MAX_DOWNLOAD_BYTES:
        raise bad_request("file is too big")
    return {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_size": len(file.data),
        "file_path": file.path,
    }


def set_my_commands(world: World, params: Params) -> object:
    """Answer setMyCommands."""
    commands = params.decoded("commands", "commands") or []
    if not isinstance(commands, list):
        raise bad_request("expected an Array of BotCommand")
    key = _command_key(world, params)
    checked = [_command(item) for item in commands]
    if len(checked) > _MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    world.commands[key] = checked
    world.changed.fire()
    return True


def get_my_commands(world: World, params: Params) -> object:
    """Answer getMyCommands."""
    return world.commands.get(_command_key(world, params), [])


def delete_my_commands(world: World, params: Params) -> object:
    """Answer deleteMyCommands."""
    world.commands.pop(_command_key(world, params), None)
    world.changed.fire()
    return True


def _command_key(world: World, params: Params) -> tuple[str, str]:
    scope = params.decoded("scope", "BotCommandScope") or {"type": "default"}
    if not isinstance(scope, dict):
        raise bad_request("expected an Object as BotCommandScope")
    kind = scope.get("type")
    if kind not in (*_PLAIN_SCOPES, *_CHAT_SCOPES):
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    if kind in _CHAT_SCOPES and int(str(scope.get("chat_id", "0"))) not in world.chats:
        raise bad_request("chat not found")
    language = params.text("language_code")
    if language and not (len(language) == 2 and language.isascii() and language.isalpha() and language.islower()):
        raise bad_request("invalid language code specified")
    return json.dumps(scope, sort_keys=True), language


def commands_of(world: World, scope: JsonObject | None, language_code: str) -> list[JsonObject]:
    """Return the commands set for exactly this scope (None: default) and language."""
    return world.commands.get((json.dumps(scope or {"type": "default"}, sort_keys=True), language_code), [])


def _command(item: object) -> JsonObject:
    if not isinstance(item, dict):
        raise bad_request("can't parse BotCommand: expected an Object")
    name, description = item.get("command"), item.get("description")
    if not isinstance(name, str) or not isinstance(description, str):
        raise bad_request('can\'t parse BotCommand: Can\'t find field "command" or "description"')
    name, description = name.strip().removeprefix("/"), description.strip()
    if not name:
        raise bad_request("command must be non-empty")
    if len(name) > 32:
        raise bad_request("command length must not exceed 32")
    if not description:
        raise bad_request("command description must be non-empty")
    if len(description) > 256:
        raise bad_request("command description length must not exceed 256")
    if not _COMMAND_CHARS.issuperset(name):
        raise bad_request("BOT_COMMAND_INVALID")
    return {"command": name, "description": description}


def set_webhook(world: World, params: Params) -> object:
    """Answer setWebhook. Plain http is let through for loopback only."""
    url = params.text("url")
    if url and not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = params.text("secret_token")
    if len(secret) > 256:
        raise bad_request("secret token is too long")
    if not all(char.isascii() and (char.isalnum() or char in "_-") for char in secret):
        raise bad_request("secret token contains unallowed characters")
    read_allowed_updates(world, params)
    if params.flag("drop_pending_updates"):
        world.updates.confirm_before(2**31)
    world.webhook = {
        "url": url,
        "secret_token": secret,
        "max_connections": params.integer("max_connections", 40),
    }
    world.updates.set_webhook(url)
    world.changed.fire()
    return True


def delete_webhook(world: World, params: Params) -> object:
    """Answer deleteWebhook."""
    if params.flag("drop_pending_updates"):
        world.updates.confirm_before(2**31)
    world.webhook = {}
    world.updates.set_webhook("")
    world.changed.fire()
    return True


def get_webhook_info(world: World, _params: Params) -> object:
    """Answer getWebhookInfo."""
    info: JsonObject = {
        "url": world.updates.webhook_url,
        "has_custom_certificate": False,
        "pending_update_count": len(world.updates.pending),
    }
    if world.updates.webhook_url:
        info["max_connections"] = world.webhook["max_connections"]
    if world.updates.allowed:
        info["allowed_updates"] = list(world.updates.allowed)
    return info


def read_allowed_updates(world: World, params: Params) -> None:
    """Take over `allowed_updates`: absent keeps the setting, an empty list restores the default."""
    allowed = params.decoded("allowed_updates", "allowed_updates")
    if isinstance(allowed, list):
        world.updates.allowed = tuple(str(kind) for kind in allowed)
