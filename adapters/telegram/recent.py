"""What messages said when they were last seen, as digests: Telegram reports edits that changed no text.

A link preview that arrived late or a reaction comes as `edited_message`, too. Texts themselves are not kept.
"""

import hashlib
from collections import OrderedDict

_KEPT = 2_000


class RecentTexts:
    """Remembers the digests of the newest texts; older ones count as changed, which costs one look-up."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._digests: OrderedDict[str, bytes] = OrderedDict()

    def remember(self, key: str, text: str) -> None:
        """Note what the message `key` says now."""
        self._digests[key] = _digest(text)
        self._digests.move_to_end(key)
        if len(self._digests) > self._kept:
            self._digests.popitem(last=False)

    def is_known(self, key: str, text: str) -> bool:
        """Whether the message `key` said just this when it was last seen."""
        return self._digests.get(key) == _digest(text)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()
