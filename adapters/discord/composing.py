"""The bodies of messages that the bot sends. Pure.

Buttons hold their command line in the `custom_id`, so that they work after a restart with nothing remembered.
https://discord.com/developers/docs/components/reference
"""

import base64
import hashlib
import re
from collections.abc import Sequence

from adapters.discord.attachments import IS_VOICE_MESSAGE
from bot.core.ports import Button, File
from bot.core.sound import Voice

CONTENT_CHARS = 2_000
#: No link is fetched for a preview: whoever makes a model write an address would learn what it is made of.
SUPPRESS_EMBEDS = 1 << 2
_ROW_BUTTONS, _ROWS = 5, 5
_LABEL_CHARS, _CUSTOM_ID_CHARS, _NONCE_CHARS = 80, 100, 25
_WAVEFORM_POINTS = 256
_ROW, _BUTTON, _SECONDARY = 1, 2, 2
_NOBODY = {"parse": [], "replied_user": False}
#: The number keeps two buttons with the same line apart, which Discord demands.
_CUSTOM_ID = re.compile(r"p\d+:(.+)", re.DOTALL)


def compose(content: str, rows: Sequence[Sequence[Button]] = (), file: File | None = None) -> dict[str, object]:
    """A message that pings nobody and previews nothing; without `rows` it has no buttons, also after an edit."""
    body: dict[str, object] = {
        "content": content,
        "allowed_mentions": _NOBODY,
        "components": _components(rows),
        "flags": SUPPRESS_EMBEDS,
    }
    if file is not None:
        body["attachments"] = [{"id": 0, "filename": file.name}]
    return body


def compose_voice(voice: Voice) -> dict[str, object]:
    """A voice message: one recording, its length and its loudness, and nothing else.

    https://discord.com/developers/docs/resources/message#voice-messages
    """
    waveform = voice.waveform[:_WAVEFORM_POINTS] or b"\0"
    recording = {
        "id": 0,
        "filename": voice.name,
        "duration_secs": voice.duration_s,
        "waveform": base64.b64encode(waveform).decode(),
    }
    return {"flags": IS_VOICE_MESSAGE, "allowed_mentions": _NOBODY, "attachments": [recording]}


def in_rows(buttons: Sequence[Button]) -> list[Sequence[Button]]:
    """Buttons in as many full rows as they need."""
    return [buttons[start : start + _ROW_BUTTONS] for start in range(0, len(buttons), _ROW_BUTTONS)]


def line_of(custom_id: str) -> str | None:
    """The command line of a pressed button; None for one that is not ours."""
    found = _CUSTOM_ID.fullmatch(custom_id)
    return None if found is None else found[1]


def nonce_of(key: str) -> str:
    """What makes a repeated send the same message for some minutes: the same for the same key."""
    return hashlib.sha256(key.encode()).hexdigest()[:_NONCE_CHARS]


def _components(rows: Sequence[Sequence[Button]]) -> list[dict[str, object]]:
    components: list[dict[str, object]] = []
    full_rows = [part for row in rows for part in in_rows(row)]
    for number, row in enumerate(full_rows[:_ROWS]):
        buttons = [_button(button, number * _ROW_BUTTONS + place) for place, button in enumerate(row)]
        components.append({"type": _ROW, "components": buttons})
    return components


def _button(button: Button, number: int) -> dict[str, object]:
    return {
        "type": _BUTTON,
        "style": _SECONDARY,
        "label": button.label[:_LABEL_CHARS],
        "custom_id": f"p{number}:{button.line}"[:_CUSTOM_ID_CHARS],
    }
