"""The command table as Telegram's menus, one for each scope; set only where it differs from what is set.

A menu is what a client proposes after a slash; every command works everywhere, whatever its menu.
"""

import logging
from collections.abc import Mapping, Sequence

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeDefault,
)
from telegram.error import TelegramError

from adapters.telegram.wire import understood
from bot.core.command import Command, Privilege

log = logging.getLogger(__name__)

#: About the person alone with the bot; no use in a group's menu.
_PERSONAL = frozenset({"start", "pair"})
_MAX_COMMANDS = 100


def menus(commands: Sequence[Command]) -> Mapping[BotCommandScope, tuple[BotCommand, ...]]:
    """The menu of each scope, in the order of the table."""
    everything = _menu(commands)
    for_groups = [command for command in commands if command.name not in _PERSONAL]
    for_members = _menu([command for command in for_groups if command.privilege is not Privilege.OWNER])
    return {
        BotCommandScopeAllPrivateChats(): everything,
        BotCommandScopeAllGroupChats(): for_members,
        BotCommandScopeAllChatAdministrators(): _menu(for_groups),
        BotCommandScopeDefault(): for_members,
    }


async def publish(bot: Bot, commands: Sequence[Command]) -> None:
    """Bring all menus up to date. A failure is logged: the bot works without them."""
    for scope, menu in menus(commands).items():
        try:
            if await _present(bot, scope) != menu:
                await bot.set_my_commands(menu, scope)
        except TelegramError as error:
            log.warning("the command menu of %s was not set: %s", scope.type, error)


async def _present(bot: Bot, scope: BotCommandScope) -> tuple[BotCommand, ...] | None:
    """The menu that is set; None when that cannot be found out."""
    try:
        return await understood(bot.get_my_commands(scope))
    except TelegramError:
        return None


def _menu(commands: Sequence[Command]) -> tuple[BotCommand, ...]:
    """Names have no dashes here; the core takes `_` for one."""
    return tuple(
        BotCommand(command.name.replace("-", "_"), command.description) for command in commands[:_MAX_COMMANDS]
    )
