"""The connection to MongoDB: one client, its limits, and the guard that every operation passes.

Knows no document. Works on replica sets and on standalone servers; starting one is embedded.py's business.
"""

import uuid
from contextlib import AbstractAsyncContextManager
from datetime import UTC
from types import TracebackType
from urllib.parse import unquote_plus

import pymongo
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, InvalidURI
from pymongo.write_concern import WriteConcern

from bot.core.clock import SystemClock
from bot.core.errors import SettingsError, StorageUnavailable
from bot.core.ports import Clock
from bot.storage.codec import Document
from bot.storage.driver_waits import repair_waits
from bot.storage.guard import POOL_SIZE, Guard
from bot.storage.migrations import Migration, migrate, migrations
from bot.storage.schema import ensure_indexes

TIMEOUT_MS = 5000
PING_TIMEOUT_S = 1.0
#: Building a new index takes seconds per million documents; an old one is no work.
INDEX_TIMEOUT_S = 60.0
#: What our pipelines need ($setField) exists since 5.0; older than 6.0 is not tested.
OLDEST_SERVER = (6, 0)


class Database:
    """An open database. Use it as an async context manager; stores take it as their first argument."""

    def __init__(
        self, uri: str, name: str, *, clock: Clock | None = None, steps: tuple[Migration, ...] | None = None
    ) -> None:
        """Nothing is connected before the context is entered.

        Raises:
            SettingsError: the URI cannot be used.
        """
        self.clock: Clock = SystemClock() if clock is None else clock
        self.server_version = ""
        self._guard = Guard(self.clock, _secrets(uri))
        self._steps = migrations() if steps is None else steps
        self._client = _client(uri)
        self._database = self._open(name, WriteConcern(w="majority"))
        # Making one anew for each operation would cost a few percent of it.
        self._collections: dict[str, AsyncCollection[Document]] = {}

    async def __aenter__(self) -> "Database":
        """Connect, check the server's version, migrate, ensure indexes. Raises StorageUnavailable."""
        try:
            async with self._guard.translated():
                await self._prepare()
        except BaseException:
            await self._client.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    def collection(self, name: str) -> AsyncCollection[Document]:
        """A collection with durable writes and aware UTC times; to be used inside `operation()` only."""
        if name not in self._collections:
            self._collections[name] = self._database[name]
        return self._collections[name]

    def operation(self) -> AbstractAsyncContextManager[None]:
        """Around every database operation: waits for its turn, PyMongo's errors become StorageUnavailable."""
        return self._guard.operation()

    async def ping(self) -> None:
        """Return when the server answers within a second. Raises StorageUnavailable."""
        with pymongo.timeout(PING_TIMEOUT_S):
            async with self._guard.translated():
                await self._client.admin.command("ping")

    async def _prepare(self) -> None:
        hello = await self._client.admin.command("hello")
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            # A standalone server takes "majority" for "in memory": the journal makes a write durable there.
            self._database = self._open(self._database.name, WriteConcern(w=1, j=True))
            self._collections.clear()
        info = await self._client.admin.command("buildInfo")
        self.server_version = str(info["version"])
        if tuple(info["versionArray"][:2]) < OLDEST_SERVER:
            raise StorageUnavailable(
                f"MongoDB {self.server_version} is too old",
                remedy="Use MongoDB 6.0 or newer (8.0 is a good choice).",
            )
        await migrate(self._database, self._steps, owner=uuid.uuid4().hex, clock=self.clock)
        with pymongo.timeout(INDEX_TIMEOUT_S):
            await ensure_indexes(self._database)

    def _open(self, name: str, concern: WriteConcern) -> AsyncDatabase[Document]:
        options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
        return self._client.get_database(name, codec_options=options, write_concern=concern)


def open_database(uri: str, name: str, *, clock: Clock | None = None) -> Database:
    """`async with open_database(uri, name) as database:`; see `Database`."""
    return Database(uri, name, clock=clock)


def _client(uri: str) -> AsyncMongoClient[Document]:
    repair_waits()
    try:
        return AsyncMongoClient(
            uri,
            appname="parley",
            maxPoolSize=POOL_SIZE,
            timeoutMS=TIMEOUT_MS,
            serverSelectionTimeoutMS=3000,
            connectTimeoutMS=2000,
            tz_aware=True,
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        # Without its cause: the driver's text may quote the URI, which holds a password.
        raise SettingsError(f"MONGODB_URI cannot be used ({type(error).__name__}).") from None


def _secrets(uri: str) -> tuple[str, ...]:
    """The password as written and as meant; empty where there is none."""
    _, _, rest = uri.partition("://")
    userinfo, at, _ = rest.rpartition("@")
    password = userinfo.partition(":")[2] if at else ""
    return (password, unquote_plus(password))
