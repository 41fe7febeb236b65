"""Why a server is away, in few words for the operator. Raises and classifies by type, never by a message's text."""

import httpx2
from mcp import MCPError
from mcp.types import CONNECTION_CLOSED, REQUEST_TIMEOUT

from bot.core.formatting import excerpt
from bot.core.untrusted import clean

_WORDS_CHARS = 200


class ServerGone(Exception):
    """A server's end or misbehaviour that makes its connection useless; the message says what it did."""


def reason(error: BaseException) -> str:
    """Words that follow a server's name and a colon; whoever shows them takes secrets out."""
    match error:
        case BaseExceptionGroup():
            return reason(error.exceptions[0])
        case ServerGone():
            return str(error)
        case TimeoutError() | httpx2.TimeoutException():
            return "it did not answer in time"
        case MCPError() if error.code == REQUEST_TIMEOUT:
            return "it did not answer in time"
        case MCPError() if error.code == CONNECTION_CLOSED:
            return "it closed the connection"
        case MCPError():
            return f"it refused: {excerpt(clean(error.message), _WORDS_CHARS)}"
        case httpx2.TransportError():
            return "it cannot be reached"
        case OSError():
            return f"it cannot be started: {error.strerror or type(error).__name__}"
        case _:
            return f"it failed ({type(error).__name__})"
