"""The lock files: pinned, hashed, the same for users and tests, and free of addresses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[0-9][\w.]*)(?: ; (?P<marker>.+))?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def _entries(lock: str) -> dict[str, list[str]]:
    """Requirement (with its marker) -> its hashes, as written."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    split = [re.split(r"\s+(?=--)", line) for line in lines]
    return {requirement.strip(): hashes for requirement, *hashes in split}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_hashed(lock: str) -> None:
    entries = _entries(lock)

    assert entries
    assert [entry for entry in entries if not PIN.fullmatch(entry)] == []
    assert [entry for entry, hashes in entries.items() if not hashes] == []
    assert [item for hashes in entries.values() for item in hashes if not HASH.fullmatch(item)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_an_index_or_an_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert re.findall(r"://|--\w*index|--find-links|--trusted-host| @ |^-[eric] |\bfile:", text, re.MULTILINE) == []


def test_tests_run_against_the_versions_that_users_get() -> None:
    # Without markers: what users need on some systems alone, a test's own library may need on all.
    runtime, dev = (
        {requirement.partition(" ;")[0]: hashes for requirement, hashes in _entries(lock).items()} for lock in LOCKS
    )

    assert {entry: hashes for entry, hashes in runtime.items() if dev.get(entry) != hashes} == {}
