"""Checks of reply_markup: inline keyboards, and that other kinds are at least objects.

Stricter than the server: it silently drops buttons without text and those past the 12th of a row or 300th;
here they are errors, because a bot that sends them does not show what it thinks it shows.
"""

import json

from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.model import JsonObject
from tests.fakes.telegram.params import Params

_MAX_IN_ROW = 12
_MAX_BUTTONS = 300
_MAX_CALLBACK_BYTES = 64
_OTHER_KINDS = (
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "copy_text",
    "pay",
)


def read_keyboard(params: Params) -> JsonObject | None:
    """Return the inline keyboard of the request; None if it is absent, empty, or another kind of markup.

    Raises:
        ApiError: the markup is malformed.
    """
    markup = params.decoded("reply_markup", "reply keyboard markup")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    kept = [[_button(button) for button in row] for row in rows if row]
    if any(len(row) > _MAX_IN_ROW for row in kept) or sum(len(row) for row in kept) > _MAX_BUTTONS:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def same_keyboard(one: JsonObject | None, other: JsonObject | None) -> bool:
    """Return whether two keyboards show the same."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _button(button: object) -> JsonObject:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: expected an Object")
    text = button.get("text")
    if not isinstance(text, str):
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    if not text.strip():
        raise bad_request("inline keyboard button text must be non-empty")
    if (data := button.get("callback_data")) is not None:
        if not isinstance(data, str) or not 1 <= len(data.encode()) <= _MAX_CALLBACK_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
    elif (url := button.get("url")) is not None:
        if not isinstance(url, str) or not url.startswith(("https://", "http://", "tg://")):
            raise bad_request(f"inline keyboard button URL '{url}' is invalid: Unsupported URL protocol")
    elif not any(kind in button for kind in _OTHER_KINDS):
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    return dict(button)
