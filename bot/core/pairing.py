"""How a new bot finds its owner: whoever sends the code that stands in its log.

The code lives in this process only. Where several processes share a database each has its own, and any of
them will do. Does not know who owns the bot: ask for a code, and try one, only while `Gate.has_owner` is
False.
"""

import hmac
import secrets
from collections.abc import Callable

from bot.core.ports import Clock

#: No 0/O, 1/I/L: the code is read from a log and typed by hand. 8 of 31 letters: 40 bits, against 5 tries.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8
VALID_S = 3600.0
TRIES = 5


class Pairing:
    """One code at a time, valid for an hour and five tries.

    `announce` is called with each new code when it is made: log it. `choose` picks a letter of the alphabet.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        announce: Callable[[str], None],
        choose: Callable[[str], str] = secrets.choice,
    ) -> None:
        self._clock = clock
        self._announce = announce
        self._choose = choose
        self._code: str | None = None
        self._ends_at = 0.0
        self._tries_left = 0

    def code(self) -> str:
        """The code that counts now; makes and announces a new one when there is none or its hour is over."""
        if self._code is None or self._clock.monotonic() >= self._ends_at:
            self._code = "".join(self._choose(ALPHABET) for _ in range(CODE_LENGTH))
            self._ends_at = self._clock.monotonic() + VALID_S
            self._tries_left = TRIES
            self._announce(self._code)
        return self._code

    def attempt(self, text: str) -> bool:
        """Whether `text` is the code, in any case and whatever stands between. A right code is used up by that.

        The last wrong try announces a new code at once.
        """
        expected = self.code()
        typed = "".join(filter(str.isalnum, text.upper()))
        if hmac.compare_digest(typed.encode(), expected.encode()):
            self._code = None
            return True
        self._tries_left -= 1
        if self._tries_left == 0:
            self._code = None
            self.code()
        return False
