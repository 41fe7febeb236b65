"""A process that rolls up without a pause until it is killed; run by test_rollups.py.

`python -m tests.bot.storage.rolling URI DATABASE`
"""

import asyncio
import sys

from bot.storage.database import Database
from bot.storage.rollups import Roller


async def main(uri: str, name: str) -> None:
    async with Database(uri, name) as database:
        print("rolling", flush=True)
        while True:
            await Roller(database).roll()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
