"""The ports of the core but for storage and tools: what it asks of providers, platforms and the clock.

The Protocols carry the full contracts; implementations document only what differs. Values that cross these ports
stand beside them or in the modules of the domain.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.catalogue import Catalogue, ModelInfo
from bot.core.events import ProviderEvent, Usage
from bot.core.inbound import Inbound
from bot.core.ledger import Cost
from bot.core.message import AttachmentRef, Message
from bot.core.place import Author, Place
from bot.core.sound import Voice
from bot.core.tools import ToolSpec

# --- time ---------------------------------------------------------------------------------------------------------


class Clock(Protocol):
    """Time as a parameter, so that tests can own it."""

    def now(self) -> datetime:
        """The time of day, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; zero or less only yields."""
        ...


# --- models -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One call of a model.

    `messages` are in order and end with a user or tool message. None for `max_output_tokens`, `temperature`, `top_p` or
    `reasoning_effort` means the provider's default; what the model's row says that it refuses is left out. `json` asks
    for a JSON object, `response_schema` (a JSON schema of type object) for one of that form; a model whose row does
    not say that it can is only asked in words. `cache_key` is stable per thread and carries no personal data; None
    switches caching hints off. `cache_ttl_s` is how long a written cache should live, where the provider lets one
    choose: 300 or 3,600. `lane` tells whose request it is where requests have to wait for one another.
    `first_token_s`: nothing may come for so many seconds at most, None: as long as usual.
    """

    model: ModelInfo
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    reasoning_effort: str | None = None
    json: bool = False
    response_schema: Mapping[str, object] | None = None
    cache_key: str | None = None
    cache_ttl_s: int = 300
    lane: str = ""
    first_token_s: float | None = None


class Provider(Protocol):
    """One configured model API. Owns its client; entering and leaving is done by whoever built it."""

    @property
    def name(self) -> str:
        """The part before the slash in `provider/model`."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[ProviderEvent, None]:
        """Call the model and yield events as they arrive.

        Text and reasoning deltas in order, each tool call once it is complete, at most one whole UsageReport (before
        the first delta there may be a partial one, which it replaces), and Finish last. Always used under
        `contextlib.aclosing`; closing it early closes the connection. Never retries.

        Raises:
            ProviderError: a subclass, for everything that the API or the network can do, also in mid-stream.
        """
        ...

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        """What the server offers, None where it cannot tell. Raises ProviderError."""
        ...

    async def aclose(self) -> None:
        """Close the client's connections."""
        ...


class Pricer(Protocol):
    """What a call costs."""

    def __call__(
        self, usage: Usage, model: ModelInfo, at: datetime, *, estimated: bool, service_tier: str | None = None
    ) -> Cost:
        """The cost of `usage`; UNKNOWN when no price is known. `estimated`: the usage was not reported."""
        ...


class ModelDirectory(Protocol):
    """The models that can be asked now."""

    async def catalogue(self, *, refresh: bool = False) -> Catalogue:
        """All models, discovered ones merged in; at most five minutes old unless `refresh`. Never raises."""
        ...

    @property
    def default_choice(self) -> str | None:
        """What the operator set as the default: a model's name, or `auto`; None: nothing."""
        ...

    async def default(self) -> ModelInfo:
        """The model for whoever chose none (for `auto`: what it falls back on).

        Raises ModelNotFound when no provider offers any.
        """
        ...

    async def model_for(self, chosen: str | None) -> ModelInfo:
        """The model of a turn: `chosen` as stored (`provider/id`), None: the default. Does not wait for discovery
        where the catalogue or the name alone tells enough. Raises ModelNotFound when its provider is not configured.
        """
        ...

    def cheap_for(self, model: ModelInfo) -> ModelInfo:
        """What to write titles and summaries with for a conversation with `model`, without waiting: the operator's
        choice, else the cheapest of the same provider (what was said goes to nobody else), else `model` itself.
        """
        ...


# --- platforms ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `calls` in any window of `window_s` seconds."""

    calls: int
    window_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What one conversation can do.

    `edit_interval_s` is the least time between two edits of a streaming answer; `rates` bound sends and edits
    together per chat, of which streaming edits leave `reserved` calls for sends and last states. `max_pages` is how
    many messages an answer may take before it becomes a file. `idempotent_send`: the platform de-duplicates a send
    by its key. `typing_interval_s` is how often typing has to be renewed, None when there is no such thing.
    `edits` is False where a message once out cannot be changed: then only final pages are sent. `threads`: a thread
    can be opened from a message. `rates_per_thread`: a thread has limits of its own and does not share its chat's.
    `titles`: this is a thread with a name, which can be changed. `voice`: it plays voice messages.
    """

    edit_interval_s: float
    rates: tuple[Rate, ...]
    reserved: int
    max_pages: int
    edits: bool
    buttons: bool
    files: bool
    idempotent_send: bool
    typing_interval_s: float | None
    threads: bool = False
    rates_per_thread: bool = False
    titles: bool = False
    voice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button under a message: pressing it runs `line`, a command line without its slash, at most 64 bytes."""

    label: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStart:
    """Where in the Markdown source a page begins, and what must be reopened there (a code fence, a table head)."""

    offset: int = 0
    reopen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One message's worth of an answer, within the platform's limits.

    `content` is what the platform shows, `markup` is the adapter's own companion to it (entities), opaque to the
    core. `plain` is the same piece without any formatting, for when the platform refuses the page. `end` is where the
    next page starts: a full page does not change when text is added after it.
    """

    content: str
    plain: str
    end: PageStart
    markup: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file to send along."""

    name: str
    content: bytes
    media_type: str


class Messenger(Protocol):
    """The verbs of one platform. Knows nothing of turns; never retries by itself beyond one HTTP exchange.

    All coroutines raise DeliveryError with a kind of the closed set, and nothing else but CancelledError.
    """

    def capabilities(self, place: Place) -> Capabilities:
        """What `place` can do; cheap, no I/O."""
        ...

    def render(self, place: Place, markdown: str, start: PageStart = PageStart()) -> tuple[Page, ...]:
        """Turn a model's Markdown from `start` on into pages; pure and total, at least one page for non-blank text.

        All pages but the last stay the same when more text is appended to `markdown`.
        """
        ...

    async def send(
        self,
        place: Place,
        page: Page,
        *,
        key: str,
        reply_to: str | None = None,
        buttons: Sequence[Button] = (),
        file: File | None = None,
        plain: bool = False,
    ) -> str:
        """Send one message and return its id. `key` is the same for a repetition of the same send (turn and page).

        `reply_to` that no longer exists is left out, as is a thread that is gone. `plain` sends `page.plain`.
        """
        ...

    async def edit(
        self,
        place: Place,
        message_id: str,
        page: Page,
        *,
        buttons: Sequence[Button] = (),
        plain: bool = False,
    ) -> None:
        """Replace content and buttons of our own message. "Not modified" is success."""
        ...

    async def delete(self, place: Place, message_id: str) -> None:
        """Delete our own message; one that is already gone is success."""
        ...

    async def typing(self, place: Place) -> None:
        """Show that the bot is at work, for `typing_interval_s` and a little more."""
        ...

    async def send_voice(self, place: Place, voice: Voice, *, key: str, reply_to: str | None = None) -> str:
        """Send a voice message, or a file where there is no such thing; `key` and what is returned as in `send`."""
        ...

    async def fetch(self, place: Place, attachment: AttachmentRef, *, max_bytes: int) -> bytes:
        """The bytes of an attachment. Raises DeliveryError(INVALID) when it is larger than `max_bytes`."""
        ...

    async def answer(self, inbound: Inbound, answer: "Answer") -> None:
        """Answer a command or a button: privately where the platform can, else in the chat.

        An empty text only acknowledges: nothing new is shown. `answer.replace` edits the message that bore the button.
        An interaction that this process does not know any more is DeliveryError(NOT_FOUND).
        """
        ...

    async def open_thread(self, place: Place, message_id: str, title: str) -> Place:
        """Open a thread from a message, or find the one that it has already; only where `threads` is true."""
        ...

    async def rename(self, place: Place, title: str, *, anyones: bool = False) -> None:
        """Show `title`, shortened where need be, as the name of a thread; only where `titles` is true.

        A thread that others opened, and whose name is theirs, is FORBIDDEN unless `anyones`: somebody who manages it
        asks for this.
        """
        ...

    async def may_manage(self, place: Place, author: Author) -> bool:
        """Whether the person administers this chat (Discord: Manage Channels). False when it cannot be found out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command answers, in Markdown. `private`: for the asker's eyes where the platform can do that.

    Empty `text`: the command is only acknowledged, nothing is shown. `rows` are rows of buttons, at most 5 rows of 5.
    `replace` edits the message whose button was pressed instead of sending a new one.
    """

    text: str
    private: bool = True
    rows: tuple[tuple[Button, ...], ...] = ()
    replace: bool = False
    file: File | None = None


Accept = Callable[[Inbound], Awaitable[None]]
#: Called with `platform:account` once the connection is up and answers can be sent.
Ready = Callable[[str], None]


class Adapter(Protocol):
    """One door: a connection to a platform."""

    @property
    def platform(self) -> str:
        """The first part of every key of this platform: `discord`, `telegram`, `terminal`."""
        ...

    @property
    def messenger(self) -> Messenger:
        """The verbs; usable while `run` is running."""
        ...

    async def run(self, accept: Accept, ready: Ready) -> None:
        """Connect and pass every event to `accept` until cancelled; a terminal returns at the end of its input.

        `accept` returns when the event is stored (or needs no storing): only then may the platform be told that it
        was received. It raises StorageUnavailable when the platform should deliver the event again. Events of one
        thread are accepted in order. Cancelling stops the intake only; messages of running turns can still be sent
        until `aclose`.

        Raises:
            SettingsError: the platform refuses the token or an intent; the text says what to do.
        """
        ...

    async def aclose(self) -> None:
        """Close the connection for good, after running turns have ended."""
        ...
