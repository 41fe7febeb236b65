"""A chat in which answers are delivered, for the tests of delivery."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.core.delivery import Delivery, Shown
from bot.core.pacing import Pacers
from bot.core.place import ChatKind, Place
from bot.core.ports import Button, Capabilities
from tests.fakes.clock import ManualClock
from tests.fakes.messenger import CAPABILITIES, RecordingMessenger

PLACE = Place(platform="test", account="1", chat="10", kind=ChatKind.SHARED)
AGAIN = (Button(label="Retry", line="retry test:7"),)
STOP = (Button(label="Stop", line="stop test:7"),)
#: Sends that a repetition of which shows twice, as on Telegram.
NOT_IDEMPOTENT = replace(CAPABILITIES, idempotent_send=False)
WORDS = "These are nine words that a model may say. "


@dataclass
class Chat:
    """A chat with a bot: one answer at a time, shown by a real Delivery in virtual time."""

    abilities: Capabilities = CAPABILITIES
    page_chars: int = 2_000
    clock: ManualClock = field(default_factory=ManualClock)
    recorded: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.messenger = RecordingMessenger(self.clock, abilities=self.abilities, page_chars=self.page_chars)
        self.pacers = Pacers(self.clock)

    def delivery(
        self,
        *,
        known: tuple[str, ...] = (),
        resent: bool = False,
        before_send: Callable[[int], Awaitable[None]] | None = None,
        call_timeout_s: float = 60.0,
        turn_uid: str = "test:7",
    ) -> Delivery:
        return Delivery(
            self.messenger,
            self.pacers,
            self.clock,
            place=PLACE,
            turn_uid=turn_uid,
            reply_to="question",
            on_message=self._record,
            known=known,
            resent=resent,
            before_send=before_send,
            jitter=lambda: 0.5,
            call_timeout_s=call_timeout_s,
        )

    async def answer(
        self,
        *chunks: str,
        every_s: float = 0.0,
        reason: str | None = None,
        known: tuple[str, ...] = (),
        resent: bool = False,
        deadline_s: float = 900.0,
    ) -> Shown:
        """Stream an answer and finish it."""
        async with self.delivery(known=known, resent=resent) as delivery:
            for chunk in chunks:
                delivery.feed(chunk)
                if every_s:
                    await self.clock.sleep(every_s)
            return await delivery.finish(reason=reason, buttons=AGAIN, deadline_s=deadline_s)

    @property
    def verbs(self) -> list[str]:
        """What was done to messages, in order."""
        return [call.verb for call in self.messenger.calls_of("send", "edit", "delete")]

    async def _record(self, page: int, message_id: str) -> None:
        self.recorded.append((page, message_id))
