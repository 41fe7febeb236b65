"""From what was typed to an Inbound; numbers the messages of one chat. Knows neither screens nor keys."""

import re
from collections.abc import Callable

from adapters.terminal.attaching import Attached
from bot.core.inbound import Event, Inbound, Invoked, Pressed, Said
from bot.core.place import Addressed, Author, ChatKind, Place
from bot.core.ports import Clock

PLATFORM = "terminal"
CHAT = "me"
#: The person at the keyboard; `terminal:me` is an owner's key that nobody could type.
AUTHOR = Author(platform=PLATFORM, id="me", name="you")
#: A path (`/etc/hosts …`) is no command.
_COMMAND = re.compile(r"/([A-Za-z][A-Za-z0-9_-]{0,31})(?:\s+(.*))?", re.DOTALL)


class Translator:
    """The events of one account's chat. `new_id` gives 16 hexadecimal digits that were never used before."""

    def __init__(self, account: str, *, clock: Clock, new_id: Callable[[], str]) -> None:
        self.place = Place(platform=PLATFORM, account=account, chat=CHAT, kind=ChatKind.PRIVATE)
        self._clock = clock
        self._new_id = new_id
        self._order = 0

    def translate(self, text: str) -> Inbound | None:
        """A typed text as a message or command; None for a blank one."""
        text = text.strip()
        if not text:
            return None
        message_id = self._new_id()
        command = _COMMAND.fullmatch(text)
        if command is None:
            said = Said(text=text, message_id=message_id, addressed=Addressed.PRIVATE)
            return self._inbound(message_id, said)
        invoked = Invoked(name=command[1].lower(), text=(command[2] or "").strip(), message_id=message_id)
        return self._inbound(message_id, invoked)

    def ask_about(self, attached: Attached) -> Inbound:
        """Files with what is asked of them, which may be nothing."""
        message_id = self._new_id()
        said = Said(text=attached.text, message_id=message_id, addressed=Addressed.PRIVATE, attachments=attached.files)
        return self._inbound(message_id, said)

    def stop(self) -> Inbound:
        """Ctrl-C while an answer is written: the Stop button under it."""
        message_id = self._new_id()
        return self._inbound(message_id, Pressed(line="stop", message_id=message_id))

    def _inbound(self, message_id: str, event: Event) -> Inbound:
        at = self._clock.now()
        # Milliseconds order messages also over restarts; two in one are told apart here.
        self._order = max(self._order + 1, int(at.timestamp() * 1000))
        return Inbound(
            uid=f"{self.place.account_key}:{message_id}",
            place=self.place,
            author=AUTHOR,
            at=at,
            order=self._order,
            event=event,
        )
