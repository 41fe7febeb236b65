"""`make bench`: Parley beside the least program that answers with the same SDKs, then what threads and files cost.

Everything runs on this machine, on loopback, against our own fakes without rate limits.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import psutil

from bench import files_report, money_report, report, scenarios
from bench.contestant import FLOOR, PARLEY, running
from bench.database import database
from bench.files import files
from bench.ledger_year import ledger_year
from bench.market import FLASH, HAIKU, LUNA, SONNET, TERRA
from bench.money import bills
from bench.quiet import GAPS_S, quiet
from bench.scenarios import FULL, QUICK, Figures, Size
from bot.storage.embedded import embedded_mongod

_CHANNELS = 200
_PROGRAM = "python -m bench"


class Part(StrEnum):
    """What can be run alone."""

    SPEED = "speed"
    LEDGER = "ledger"
    MONEY = "money"
    FILES = "files"


def main() -> int:
    """Measure, print, and return 0 whatever the figures are: they are for people to judge."""
    parser = argparse.ArgumentParser(prog=_PROGRAM, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, no year of the ledger, fewer models")
    parser.add_argument("--only", type=Part, choices=list(Part), help="one part alone, with --quick its short form")
    parser.add_argument("--json", type=Path, help="where to write the figures (default: a temporary file)")
    arguments = parser.parse_args()
    results = asyncio.run(_run(arguments.only, quick=arguments.quick))
    path = arguments.json or Path(tempfile.mkstemp(prefix="parley-bench-", suffix=".json")[1])
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"\nfigures: {path}", file=sys.stderr)
    return 0


async def _run(only: Part | None, *, quick: bool) -> dict[str, object]:
    """Measure and print part by part; returns all figures."""
    results: dict[str, object] = {}
    parley: Figures = {}
    floor: Figures = {}
    if only in (None, Part.SPEED):
        rounds, size = (1, QUICK) if quick else (3, FULL)
        parley, floor = await _measure(rounds, size)
    if only is Part.LEDGER or (only is None and not quick):
        _say("a year of the ledger")
        parley = {**parley, **await _year()}
    if parley:
        print(report.table(parley, floor))
        results = {"parley": parley, "floor": floor, "met": report.verdicts(parley, floor)}
    if only in (None, Part.MONEY):
        results["money"] = await _money(quick=quick)
    if only in (None, Part.FILES):
        results["files"] = await _files(quick=quick)
    return results


async def _year() -> Figures:
    """A million rows, in a database of their own."""
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as name:
        async with embedded_mongod(Path(name)) as uri:
            return await ledger_year(uri)


async def _money(*, quick: bool) -> dict[str, object]:
    paid = {}
    for market in (HAIKU, LUNA, FLASH) if quick else (HAIKU, SONNET, LUNA, TERRA, FLASH):
        _say(f"what a thread costs: {market.model}")
        paid[market] = await bills(market)
    _say("what a quiet thread costs")
    silent = [await quiet(HAIKU, gap_s) for gap_s in GAPS_S]
    print(f"\n{money_report.money_tables(paid, silent)}")
    return money_report.money_results(paid, silent)


async def _files(*, quick: bool) -> Mapping[str, object]:
    costs, waits, growths_mib = await files(quick=quick, say=_say)
    print(f"\n{files_report.files_tables(costs, waits, growths_mib)}")
    return files_report.files_results(costs, waits, growths_mib)


async def _measure(rounds: int, size: Size) -> tuple[Figures, Figures]:
    """Floor and Parley in turn, round by round, so that drift of the machine hits both."""
    ours: list[Figures] = []
    floors: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as name:
        folder = Path(name)
        for number in range(rounds):
            _say(f"round {number + 1} of {rounds}: floor")
            floors.append(await _play("floor", FLOOR, folder, size))
            async with embedded_mongod(folder / f"data{number}") as uri:
                _say(f"round {number + 1} of {rounds}: Parley")
                environ = {"MONGODB_URI": uri, "DATA_DIR": str(folder / "own")}
                ours.append(await _play("parley", PARLEY, folder, size, environ, _mongod_of(folder)))
                if number == 0:
                    _say("the database's part")
                    ours[0] = {**ours[0], **await database(folder, uri, size)}
    return report.merged(ours), report.merged(floors)


async def _play(
    name: str,
    arguments: tuple[str, ...],
    folder: Path,
    size: Size,
    environ: dict[str, str] | None = None,
    server: psutil.Process | None = None,
) -> Figures:
    async with running(name, arguments, folder, channels=_CHANNELS, environ=environ, server=server) as bot:
        return {
            **await scenarios.at_rest(bot),
            **await scenarios.instant(bot, size),
            **await scenarios.streamed(bot, size),
            **await scenarios.crowd(bot, size),
        }


def _mongod_of(folder: Path) -> psutil.Process:
    """The private server that was just started in this folder."""
    return next(
        process
        for process in psutil.process_iter(["name", "status"])
        if process.info["name"] == "mongod"
        and process.info["status"] != psutil.STATUS_ZOMBIE
        and str(folder) in " ".join(process.cmdline())
    )


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
