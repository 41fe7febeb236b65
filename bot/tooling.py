"""Tools, sound and the reading of files, built from settings: a part of the composition root.

Only what is configured is imported. Decides nothing about which tool runs for whom.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.attachments.reader import SubprocessReader
from bot.catalogue_file import load_sound_models
from bot.core.files import FileStore
from bot.core.ports import Clock
from bot.core.reading import FileLimits, Reading
from bot.core.sound import Speaker, Transcriber
from bot.core.stores import TurnStore
from bot.core.tools import ServerState, Tool
from bot.core.untrusted import new_marker
from bot.mcp.servers import open_mcp
from bot.mcp.servers_file import read_servers
from bot.settings import Settings
from bot.speech.opening import Sound, open_sound
from bot.tools import TOOLS
from bot.tools.supplies import Supplies

_BYTES_PER_MB = 1_000_000
#: How much of a prompt the words of a message's files may take at once; a tool reads the rest.
_EXCERPT_SHARE = 0.3
_SEARCHES = (("Tavily", "tavily_api_key"), ("Brave", "brave_search_api_key"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tooling:
    """What turns have besides models. `tools` is as of now whenever it is looked into."""

    tools: Mapping[str, Tool]
    servers: Callable[[], Sequence[ServerState]]
    files: FileStore
    reading: Reading
    transcriber: Transcriber | None
    speaker: Speaker | None


class _Together(Mapping[str, Tool]):
    """Our own tools, and those of servers as of now."""

    def __init__(self, own: Mapping[str, Tool], others: Mapping[str, Tool]) -> None:
        self._own = own
        self._others = others

    def __getitem__(self, name: str) -> Tool:
        return self._own[name] if name in self._own else self._others[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._others, **self._own})

    def __len__(self) -> int:
        return len({**self._others, **self._own})


async def describe(settings: Settings, environment: Mapping[str, str], clock: Clock) -> Sequence[str]:
    """What is switched on, in lines for the operator; nothing is connected. Raises SettingsError."""
    services = [name for name, key in _SEARCHES if getattr(settings, key) is not None]
    search = (
        f"on, with {' and then '.join(services)}" if services else "off; set TAVILY_API_KEY or BRAVE_SEARCH_API_KEY"
    )
    lines = [f"web search: {search}"]
    async with _open_sound(settings, clock) as sound:
        hears = None if sound.transcriber is None else sound.transcriber.model.ref
        speaks = None if sound.speaker is None else sound.speaker.model.ref
    lines.append(f"voice messages: {'not transcribed; set GROQ_API_KEY or OPENAI_API_KEY' if hears is None else hears}")
    lines.append(f"reading out: {'off; set OPENAI_API_KEY or GEMINI_API_KEY' if speaks is None else speaks}")
    if settings.mcp_servers_file is not None:
        names = [server.name for server in read_servers(settings.mcp_servers_file, environment)]
        lines.append(f"MCP servers: {', '.join(names) or 'none in the file'}")
    return lines


def _open_sound(settings: Settings, clock: Clock) -> AbstractAsyncContextManager[Sound]:
    return open_sound(
        settings.by_name(),
        load_sound_models(settings.models_file),
        transcription_model=settings.transcription_model,
        speech_model=settings.speech_model,
        voice=settings.speech_voice,
        clock=clock,
    )


@asynccontextmanager
async def open_tooling(
    settings: Settings, files: FileStore, turns: TurnStore, *, environment: Mapping[str, str], clock: Clock
) -> AsyncIterator[Tooling]:
    """Open every tool whose settings are there, and what hears and speaks; all is closed on leaving.

    `environment` is for the programs that MCP_SERVERS_FILE names. Raises SettingsError.
    """
    values = settings.by_name()
    reader = SubprocessReader()
    supplies = Supplies(
        values=values,
        tavily_credit_usd=settings.tavily_credit_usd,
        brave_request_usd=settings.brave_request_usd,
        private_hosts=settings.fetch_private_hosts,
        reader=reader,
        files=files,
        turns=turns,
        clock=clock,
    )
    async with AsyncExitStack() as stack:
        own: dict[str, Tool] = {}
        for row in TOOLS:
            if row.is_configured(values):
                tool = await stack.enter_async_context(row.load()(supplies))
                own[tool.spec.name] = tool
        mcp = await stack.enter_async_context(open_mcp(settings.mcp_servers_file, environment=environment, clock=clock))
        sound = await stack.enter_async_context(_open_sound(settings, clock))
        yield Tooling(
            tools=_Together(own, mcp.tools),
            servers=mcp.states,
            files=files,
            reading=Reading(
                reader=reader,
                files=files,
                limits=FileLimits(
                    file_bytes=int(settings.max_attachment_mb * _BYTES_PER_MB),
                    excerpt_tokens=int(settings.context_tokens * _EXCERPT_SHARE),
                ),
                new_marker=new_marker,
            ),
            transcriber=sound.transcriber,
            speaker=sound.speaker,
        )
