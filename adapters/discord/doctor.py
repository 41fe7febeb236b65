"""What `parley doctor` says of Discord: token, name, Message Content intent, servers.

Opens no gateway connection, so that it can run beside the bot.
"""

from adapters.discord.adapter import MISSING_INTENT, WRONG_TOKEN
from adapters.discord.rest import Refused, Rest
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.ports import Clock

_MESSAGE_CONTENT = 1 << 18 | 1 << 19  # for verified applications, and for those in fewer than 100 servers
#: View channels, send messages (also in threads) and voice messages, create threads, embed links, attach files,
#: read history.
_PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 35 | 1 << 38 | 1 << 46

Check = tuple[bool, str]


async def check(token: str, api_url: str, clock: Clock) -> tuple[Check, ...]:
    """Ask Discord; each line is whether it is fine, and a sentence with the remedy where it is not."""
    rest = Rest(token, api_url, clock)
    rest.open()
    try:
        return await _check(rest)
    except Refused as error:
        if error.kind is DeliveryKind.FORBIDDEN:
            return ((False, WRONG_TOKEN),)
        return ((False, f"Discord answers with an error: {error}. Try again later."),)
    except DeliveryError as error:
        return ((False, f"Discord cannot be reached ({error}). Check the network and DISCORD_API_URL."),)
    finally:
        await rest.aclose()


async def _check(rest: Rest) -> tuple[Check, ...]:
    me = await rest.call("GET", "/users/@me")
    # The same address as discord.py asks when it logs in: a server of one's own has it.
    application = await rest.call("GET", "/oauth2/applications/@me")
    reads = bool(int(application.get("flags") or 0) & _MESSAGE_CONTENT)
    invitation = (
        f"https://discord.com/oauth2/authorize?client_id={application['id']}"
        f"&scope=bot+applications.commands&permissions={_PERMISSIONS}"
    )
    where = await _where(rest, invitation)
    return (
        (True, f"Discord: the token is valid, the bot is {me['username']} (id {me['id']}){where}"),
        (True, "Discord: the Message Content Intent is on") if reads else (False, MISSING_INTENT),
    )


async def _where(rest: Rest, invitation: str) -> str:
    """In how many servers the bot is; nothing where that is not told."""
    try:
        guilds = await rest.call("GET", "/users/@me/guilds")
    except Refused:
        return ""
    return f", in {len(guilds)} server(s)" if guilds else f", in no server yet. Invite it: {invitation}"
