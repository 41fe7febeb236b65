"""Watches the operator's catalogue file and hands over its rows whenever it has changed and can be read.

Looks at the file's time and size every few seconds; no platform's notification service is needed, and files that are
mounted into a container work as well. Knows neither the format of the file nor who uses the rows.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.core.catalogue_rows import CatalogueRow
from bot.core.errors import SettingsError
from bot.core.ports import Clock

log = logging.getLogger(__name__)

POLL_S = 3.0

#: Reads all rows, the file's (None: there is no file) merged over the shipped ones. Raises SettingsError.
Load = Callable[[Path | None], Sequence[CatalogueRow]]
#: Time of change (ns), size and inode; None: there is no such file.
_State = tuple[int, int, int] | None


class CatalogueWatch:
    """One file (None: there is none, and nothing ever changes). Call `load` once, then leave `run` running."""

    def __init__(self, path: Path | None, load: Load, *, clock: Clock) -> None:
        self._path = path
        self._load = load
        self._clock = clock
        self._taken: _State = None

    def load(self) -> Sequence[CatalogueRow]:
        """The rows as of now. Raises SettingsError."""
        self._taken = _state(self._path)
        return self._load(self._path)

    async def run(self, take: Callable[[Sequence[CatalogueRow]], None]) -> None:
        """Call `take` with the rows of each new version that is valid, until cancelled; returns when there is no file.

        A version counts once two looks in a row found it: an editor may be in the middle of writing. One that is
        wrong, or a file that is gone, is told in the log once, and what was taken before stays.
        """
        if self._path is None:
            return
        seen = self._taken
        while True:
            await self._clock.sleep(POLL_S)
            state = await asyncio.to_thread(_state, self._path)
            if state == seen and state != self._taken:
                self._taken = state
                await self._reload(state, take)
            seen = state

    async def _reload(self, state: _State, take: Callable[[Sequence[CatalogueRow]], None]) -> None:
        if state is None:
            log.warning("MODELS_FILE: %s is gone; the models stay as they are", self._path)
            return
        try:
            rows = await asyncio.to_thread(self._load, self._path)
        except SettingsError as error:
            log.warning("MODELS_FILE is not taken over, the models stay as they are: %s", "; ".join(error.lines))
        except Exception:
            # Whatever is in the file, conversations go on.
            log.exception("MODELS_FILE is not taken over, the models stay as they are")
        else:
            take(rows)
            log.info("MODELS_FILE: %s was read again", self._path)


def _state(path: Path | None) -> _State:
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_size, found.st_ino)
