"""What a failed call means for a delivery: the Bot API's statuses and texts -> DeliveryError. Pure.

The texts are those of the server's source (Client.cpp and td); it has no codes for these cases.
"""

from telegram.error import TelegramError

from adapters.telegram.wire import TOO_BIG, Refused, Unreachable
from bot.core.errors import DeliveryError, DeliveryKind

#: The message or chat is gone, or cannot be what an edit would make of it (a file has no text): send anew.
_GONE = (
    "no text in the message to edit",
    "message to edit not found",
    "message to delete not found",
    "message can't be edited",
    "message_id_invalid",
    "chat not found",
    "peer_id_invalid",
)
_NOT_PERMITTED = (
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "chat_write_forbidden",
    "chat_restricted",
    "topic_closed",
    "user_is_blocked",
    "bot is not a member",
)


def says(error: TelegramError, text: str) -> bool:
    """Whether the server refused with this text, in lower case."""
    return isinstance(error, Refused) and text in error.description.lower()


def delivery_error(error: TelegramError, *, repeatable: bool) -> DeliveryError:
    """The error of a call. `repeatable`: done twice it shows the same as done once (an edit, not a send)."""
    match error:
        case Refused():
            kind = _kind_of(error, repeatable=repeatable)
            return DeliveryError(kind, str(error), retry_after_s=error.retry_after_s)
        case Unreachable():
            return DeliveryError(_after(error.sent and not repeatable), str(error))
        case _:
            return DeliveryError(DeliveryKind.INVALID, type(error).__name__)


def fetch_error(error: TelegramError) -> DeliveryError:
    """The error of a download: there is no such file, it is too large for bots, or it may come later."""
    if says(error, TOO_BIG):
        return DeliveryError(DeliveryKind.INVALID, "Telegram gives bots files of up to 20 MB only")
    if says(error, "temporarily unavailable"):
        return DeliveryError(DeliveryKind.TRANSIENT, str(error))
    if isinstance(error, Refused) and (error.status == 404 or says(error, "file_id") or says(error, "file identifier")):
        return DeliveryError(DeliveryKind.NOT_FOUND, str(error))
    return delivery_error(error, repeatable=True)


def _after(maybe_done: bool) -> DeliveryKind:
    return DeliveryKind.UNKNOWN_AFTER_SEND if maybe_done else DeliveryKind.TRANSIENT


def _kind_of(error: Refused, *, repeatable: bool) -> DeliveryKind:
    text = error.description.lower()
    if error.status == 429:
        return DeliveryKind.RATE_LIMITED
    if error.status >= 500:
        # 503 is of a proxy that had nobody to hand the request to; 502 and 504 are of one that had.
        return _after(error.status != 503 and not repeatable)
    if error.status in (401, 403, 404) or any(words in text for words in _NOT_PERMITTED):
        return DeliveryKind.FORBIDDEN
    if any(words in text for words in _GONE):
        return DeliveryKind.NOT_FOUND
    return DeliveryKind.INVALID
