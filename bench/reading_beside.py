"""Reads files one after another as the bot does, in worker processes, but is not the bot.

Run by the benchmark as `python -m bench.reading_beside FILE...`: what this costs other chats is the machine's doing.
"""

import asyncio
import sys
from pathlib import Path

from bot.attachments.reader import SubprocessReader


async def _read(paths: list[Path]) -> None:
    reader = SubprocessReader()
    for path in paths:
        await reader.read(path.name, None, path.read_bytes())  # nobody else runs in this loop


if __name__ == "__main__":
    asyncio.run(_read([Path(name) for name in sys.argv[1:]]))
