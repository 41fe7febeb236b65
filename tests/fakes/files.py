"""A `FileStore` in memory: bytes and readings that live as long as in the database, held to the same contract."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.clock import SystemClock
from bot.core.files import FileNote
from bot.core.ports import Clock
from tests.fakes.memory_threads import Outage

MAX_BYTES = 15_000_000
#: What is used is renewed when so much of its time is over.
RENEWED_AFTER = 1 / 30


@dataclass(slots=True, kw_only=True)
class Kept:
    """Bytes as they are kept."""

    content: bytes
    media_type: str
    expire_at: datetime


class MemoryFiles(Outage):
    """See `bot.core.files.FileStore`; `blobs` (by SHA-256) and `readings` (by attachment key) are for assertions."""

    def __init__(self, clock: Clock | None = None, ttl_days: float = 30.0) -> None:
        self.blobs: dict[str, Kept] = {}
        self.readings: dict[str, tuple[FileNote, datetime]] = {}
        self._clock = SystemClock() if clock is None else clock
        self._ttl = timedelta(days=ttl_days)

    async def save(self, content: bytes, media_type: str) -> str:
        self._answer()
        if len(content) > MAX_BYTES:
            raise ValueError(f"{len(content):,} bytes are too many to keep")
        sha256 = hashlib.sha256(content).hexdigest()
        self._use(self.blobs.setdefault(sha256, Kept(content=content, media_type=media_type, expire_at=self._end())))
        return sha256

    async def load(self, sha256s: Collection[str]) -> Mapping[str, bytes]:
        self._answer()
        wanted = {sha256: self.blobs[sha256] for sha256 in sha256s if sha256 in self.blobs}
        there = {sha256: kept for sha256, kept in wanted.items() if kept.expire_at > self._clock.now()}
        for kept in there.values():
            self._use(kept)
        return {sha256: kept.content for sha256, kept in there.items()}

    async def note(self, attachment_key: str) -> FileNote | None:
        self._answer()
        note, expire_at = self.readings.get(attachment_key, (None, self._clock.now()))
        return note if expire_at > self._clock.now() else None

    async def set_note(self, attachment_key: str, note: FileNote) -> None:
        self._answer()
        self.readings[attachment_key] = (note, self._aging())

    def _use(self, kept: Kept) -> None:
        if kept.expire_at < self._aging():
            kept.expire_at = self._end()

    def _aging(self) -> datetime:
        return self._end() - self._ttl * RENEWED_AFTER

    def _end(self) -> datetime:
        return self._clock.now() + self._ttl
