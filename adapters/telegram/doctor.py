"""What `parley doctor` says about Telegram: the token, privacy mode, a webhook in the way.

Each check is `(ok, line)`; a line that is not ok names the remedy. Asks the server, changes nothing.
"""

from telegram.error import TelegramError

from adapters.telegram.intake import token_refused
from adapters.telegram.wire import Connection, Refused, understood


async def check(token: str, api_url: str) -> tuple[tuple[bool, str], ...]:
    """All checks in their order; none raises."""
    connection = Connection(token, api_url)
    try:
        return await _checks(connection)
    except TelegramError as error:
        if isinstance(error, Refused) and error.status in (401, 404):
            return ((False, token_refused()),)
        return ((False, f"Telegram does not answer ({error}): check the network and TELEGRAM_API_URL."),)
    finally:
        await connection.aclose()


async def _checks(connection: Connection) -> tuple[tuple[bool, str], ...]:
    me = await understood(connection.bot.get_me())
    return (
        (True, f"Telegram: the token is valid, the bot is @{me.username} ({me.id})."),
        _privacy(reads_all=bool(me.can_read_all_group_messages)),
        await _webhook(connection),
    )


def _privacy(*, reads_all: bool) -> tuple[bool, str]:
    if reads_all:
        return True, "Telegram: privacy mode is off, the bot hears its names (BOT_NAMES) in groups."
    return True, (
        "Telegram: privacy mode is on: in groups the bot gets mentions, replies and commands only. "
        "To have it hear BOT_NAMES, turn it off with @BotFather (/setprivacy) and add the bot to groups anew."
    )


async def _webhook(connection: Connection) -> tuple[bool, str]:
    try:
        webhook = await understood(connection.bot.get_webhook_info())
    except TelegramError as error:
        return True, f"Telegram: whether a webhook is set is unknown ({error})."
    if webhook.url:
        return (
            False,
            "Telegram: another program has set a webhook; stop it, `parley run` deletes the webhook.",
        )
    return True, "Telegram: no webhook is set."
