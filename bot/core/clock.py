"""The real clock; everything else gets time as a parameter."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """`Clock` over the machine's time and the running event loop."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))
