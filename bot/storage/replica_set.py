"""Makes the private mongod the primary of a replica set of one, which durable and retried writes need.

It knows the server by its socket alone: not its process, not its files, not who else uses it. All blocks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from bot.core.errors import StorageUnavailable
from bot.storage.mongod_process import Home

# A stopped or overloaded server still accepts connections: without a limit every start would hang on it.
ANSWER_TIMEOUT_S = 4.0
_POLL_S = 0.01
_ALREADY_INITIALIZED = 23
_INVALID_CONFIG = 93  # it has a configuration, but none of its members is this server
_NOT_YET_INITIALIZED = 94


def server_pid(home: Home) -> int:
    """The process that answers on the socket.

    Raises:
        PyMongoError: nobody answers in time.
    """
    with _connect(home) as client:
        return int(client.admin.command("serverStatus")["pid"])


def become_primary(home: Home, *, timeout_s: float, wanted: Callable[[], bool]) -> None:
    """Return when the server takes writes; makes or repairs the set's configuration where that is needed.

    `wanted` is asked all the time; False = give up without an error.

    Raises:
        PyMongoError: it does not answer.
        StorageUnavailable: it answers, and does not become primary in `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    with _connect(home) as client:
        while wanted():
            if client.admin.command("hello").get("isWritablePrimary"):
                return
            if time.monotonic() > deadline:
                raise StorageUnavailable(
                    "The private MongoDB runs, but does not take writes.", remedy=f"Read {home.log}."
                )
            _configure(client, home)
            time.sleep(_POLL_S)


def _connect(home: Home) -> MongoClient[dict[str, Any]]:
    # A fresh client for each step: one that saw the server before its configuration keeps believing that
    # it has no sessions.
    return MongoClient(home.uri, serverSelectionTimeoutMS=ANSWER_TIMEOUT_S * 1000, timeoutMS=ANSWER_TIMEOUT_S * 1000)


def _configure(client: MongoClient[dict[str, Any]], home: Home) -> None:
    """Make the configuration of a new server, or correct that of a data folder that was moved."""
    host = str(home.socket)
    try:
        config = client.admin.command("replSetGetConfig", commitmentStatus=False)["config"]
        if config["members"][0]["host"] != host:
            config["members"][0]["host"] = host
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)
    except OperationFailure as error:
        if error.code == _NOT_YET_INITIALIZED:
            _initiate(client, host)
        elif error.code != _INVALID_CONFIG:
            raise


def _initiate(client: MongoClient[dict[str, Any]], host: str) -> None:
    try:
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": host}]})
    except OperationFailure as error:
        # A server that is still reading its configuration says that it has none.
        if error.code != _ALREADY_INITIALIZED:
            raise
