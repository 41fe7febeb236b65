"""A connection to the tests' database on which one operation goes wrong, in each way in which that happens."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import Any, cast

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from bot.core.errors import StorageUnavailable
from bot.core.ports import Clock
from bot.storage.codec import Document
from bot.storage.database import Database


class Fault(StrEnum):
    """`BEFORE`: the process dies before the operation. `AFTER`: right after it. `LATE`: the operation times out, and
    what it writes is applied later."""

    BEFORE = "before"
    AFTER = "after"
    LATE = "late"


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


_WRITES = ("update_one", "update_many", "bulk_write", "delete_many", "insert_one", "insert_many", "replace_one")


class InterruptedDatabase(Database):
    """Another process's connection. Operation number `at` (from 0; None: none) meets the fault.

    `before` is called with each operation's number before it begins.
    """

    def __init__(
        self,
        shared: Database,
        *,
        at: int | None = None,
        fault: Fault = Fault.BEFORE,
        before: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        self.clock: Clock = shared.clock
        self.operations = 0
        self.late: list[Callable[[], Awaitable[object]]] = []
        self._shared = shared
        self._at = at
        self._fault = fault
        self._before = before

    def collection(self, name: str) -> AsyncCollection[Document]:
        return cast("AsyncCollection[Document]", _LateCollection(self, self._shared.collection(name)))

    @asynccontextmanager
    async def operation(self) -> AsyncIterator[None]:
        number = self.operations
        self.operations += 1
        if self._before is not None:
            await self._before(number)
        if number == self._at and self._fault is Fault.BEFORE:
            raise Killed
        async with self._shared.operation():
            yield
        if number == self._at:
            raise Killed if self._fault is Fault.AFTER else StorageUnavailable("timed out")

    @property
    def is_late(self) -> bool:
        """Whether the operation that runs now is the one that is applied later."""
        return self.operations - 1 == self._at and self._fault is Fault.LATE

    async def arrive(self) -> None:
        """What was late is applied now."""
        late, self.late = self.late, []
        for write in late:
            with suppress(DuplicateKeyError, BulkWriteError):  # nobody is there any more to be told
                await write()


class _LateCollection:
    """A collection whose writes are kept back while the database says so."""

    def __init__(self, database: InterruptedDatabase, collection: AsyncCollection[Document]) -> None:
        self._database = database
        self._collection = collection

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._collection, name)
        if name not in _WRITES:
            return real

        async def write(*arguments: Any, **options: Any) -> Any:
            if not self._database.is_late:
                return await real(*arguments, **options)
            self._database.late.append(lambda: real(*arguments, **options))
            raise StorageUnavailable("timed out")

        return write


def doing(at: int, work: Callable[[], Awaitable[object]]) -> Callable[[int], Awaitable[None]]:
    """For `InterruptedDatabase`: do some work before its operation number `at`."""

    async def before(number: int) -> None:
        if number == at:
            await work()

    return before
