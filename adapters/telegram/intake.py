"""The polling loop: takes updates from the server and tells it so only after each of them was accepted.

Chats are accepted side by side, each chat's updates in order. What cannot be accepted is delivered again,
since the offset does not move; the engine drops what it knows already.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from telegram import Update
from telegram.error import TelegramError

from adapters.telegram.batches import Unit, album_sizes, by_chat, read_updates
from adapters.telegram.inbound import Account, translate, translate_messages
from adapters.telegram.recent import RecentTexts
from adapters.telegram.wire import Connection, Refused, Unreachable
from bot.core.errors import SettingsError, StorageUnavailable
from bot.core.inbound import Edited, Inbound, Said
from bot.core.ports import Accept, Clock

log = logging.getLogger(__name__)

KINDS = (Update.MESSAGE, Update.EDITED_MESSAGE, Update.CALLBACK_QUERY)
POLL_S = 30
#: The messages of an album arrive within this time of each other. Sooner than 0.5 s after a request with the
#: same offset the server would hand out a single update.
ALBUM_S = 0.6
#: A server that answers with nothing sooner than this does not wait for updates: it is not asked without end.
_AT_ONCE_S = 0.05
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0


class Intake:
    """Feeds one account's updates to `accept`; `acknowledge` is given the query id of each pressed button."""

    def __init__(
        self,
        connection: Connection,
        account: Account,
        accept: Accept,
        acknowledge: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._account = account
        self._accept = accept
        self._acknowledge = acknowledge
        self._clock = clock
        self._texts = RecentTexts()
        self._offset = 0
        self._trouble: str | None = None
        self._pause_s = _FIRST_PAUSE_S

    async def run(self) -> None:
        """Poll until cancelled.

        Raises:
            SettingsError: the token is not valid any more.
        """
        while True:
            try:
                await self._round()
            except TelegramError as error:
                await self._wait_out(error)
            except StorageUnavailable:
                await self._pause("messages cannot be stored; Telegram keeps them")
            else:
                self._recover()

    async def _round(self) -> None:
        """One long poll, and all that it brought."""
        asked_at = self._clock.monotonic()
        raw = await self._poll(POLL_S)
        if not raw and self._clock.monotonic() - asked_at < _AT_ONCE_S:
            await self._clock.sleep(_AT_ONCE_S)
        done: set[int] = set()
        sizes: dict[str, int] = {}
        while raw:
            chats = by_chat(update for update in read_updates(raw) if update.update_id not in done)
            ready = [units for units in chats.values() if album_sizes(units).items() <= sizes.items()]
            await self._take_all(ready)
            if len(ready) == len(chats):
                self._offset = max(_update_id(item) for item in raw) + 1
                return
            done.update(update.update_id for units in ready for unit in units for update in unit.updates)
            sizes = {album: size for units in chats.values() for album, size in album_sizes(units).items()}
            await self._clock.sleep(ALBUM_S)
            raw = await self._poll(0)

    async def _poll(self, wait_s: int) -> list[dict[str, object]]:
        raw = await self._connection.poll(offset=self._offset, wait_s=wait_s, kinds=KINDS)
        return [item for item in raw if isinstance(item.get("update_id"), int)]

    async def _take_all(self, chats: Sequence[Sequence[Unit]]) -> None:
        """Accept everything. Raises StorageUnavailable after all chats have come to their end."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._take_chat(units)) for units in chats]
        if not all(task.result() for task in tasks):
            raise StorageUnavailable("an update was not accepted")

    async def _take_chat(self, units: Sequence[Unit]) -> bool:
        for unit in units:
            try:
                await self._take(unit)
            except StorageUnavailable:
                return False
            except Exception:
                # The boundary of one event: what fails now fails at every delivery and would hold up all.
                log.exception("update %s failed and is skipped", unit.updates[0].update_id)
        return True

    async def _take(self, unit: Unit) -> None:
        query = unit.updates[0].callback_query
        if query is not None:
            self._acknowledge(query.id)
        inbound = self._translate(unit)
        if inbound is None or self._is_unchanged(inbound):
            return
        await self._accept(inbound)
        self._remember(inbound)

    def _translate(self, unit: Unit) -> Inbound | None:
        if unit.album is not None:
            return translate_messages(unit.messages, self._account)
        return translate(unit.updates[0], self._account, self._clock.now())

    def _is_unchanged(self, inbound: Inbound) -> bool:
        event = inbound.event
        return isinstance(event, Edited) and self._texts.is_known(_text_key(inbound, event.message_id), event.text)

    def _remember(self, inbound: Inbound) -> None:
        event = inbound.event
        if isinstance(event, Said | Edited):
            self._texts.remember(_text_key(inbound, event.message_id), event.text)

    # --- trouble ---

    async def _wait_out(self, error: TelegramError) -> None:
        match error:
            case Refused(status=401):
                raise SettingsError(token_refused()) from None
            case Refused(status=409) if "webhook" in error.description:
                await self._pause("a webhook was set for this bot: deleting it, Parley polls")
                await self._delete_webhook()
            case Refused(status=409):
                await self._pause("another process polls Telegram with this TELEGRAM_TOKEN: stop one of the two")
            case Refused(retry_after_s=float() as seconds):
                await self._clock.sleep(seconds)
            case _:
                await self._pause(f"Telegram does not answer ({error}); asking again")

    async def _delete_webhook(self) -> None:
        try:
            await self._connection.bot.delete_webhook(drop_pending_updates=False)
        except (Refused, Unreachable) as error:
            await self._pause(f"the webhook could not be deleted ({error})")

    async def _pause(self, trouble: str) -> None:
        """Wait longer each time; the log hears of a trouble once."""
        if trouble != self._trouble:
            log.warning("%s", trouble)
            self._trouble = trouble
        await self._clock.sleep(self._pause_s)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def _recover(self) -> None:
        if self._trouble is not None:
            log.warning("Telegram: updates come in again")
        self._trouble, self._pause_s = None, _FIRST_PAUSE_S


def token_refused() -> str:
    """What to do about a token that Telegram does not take."""
    return "TELEGRAM_TOKEN: Telegram does not know this token. Copy it from @BotFather (/mybots, API Token)."


def _text_key(inbound: Inbound, message_id: str) -> str:
    return f"{inbound.place.chat}:{message_id}"


def _update_id(item: dict[str, object]) -> int:
    update_id = item["update_id"]
    return update_id if isinstance(update_id, int) else 0
