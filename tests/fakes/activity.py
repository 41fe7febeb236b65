"""An `ActivityStore` in memory: the same answers as the database's for what a test puts in."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.inbound import Inbound
from bot.core.place import Place
from bot.core.stores import ActiveChannel
from tests.fakes.memory_threads import Outage


class MemoryActivity(Outage):
    """See `bot.core.stores.ActivityStore`; `asked` counts the questions."""

    def __init__(self) -> None:
        self.asked = 0
        self._noted: dict[str, tuple[Place, datetime, int]] = {}

    def note(self, inbound: Inbound) -> None:
        """An event was accepted."""
        _, at, order = self._noted.get(inbound.place.thread_key, (None, inbound.at, 0))
        newest = (inbound.place, max(at, inbound.at), max(order, inbound.order))
        self._noted[inbound.place.thread_key] = newest

    async def active(self, account_key: str, since: datetime) -> Sequence[ActiveChannel]:
        self.asked += 1
        self._answer()
        mine = [noted for noted in self._noted.values() if noted[0].account_key == account_key]
        newest = sorted((noted for noted in mine if noted[1] >= since), key=lambda noted: noted[1])
        return [ActiveChannel(place=place, last_order=order) for place, _, order in reversed(newest)][:500]
