"""From a claimed question to a plan: may it be asked, what was said before, what is set here, what is attached.

Chooses no model and calls none. Reads files, which may take a while: Stop and the turn's deadline end that.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.core.asking import Asking
from bot.core.choosing import Choosing
from bot.core.context import settle_references, system_prompt
from bot.core.delivery import Delivery
from bot.core.errors import NotAllowed
from bot.core.gate import Verdict
from bot.core.interrupt import Interrupt
from bot.core.parts import Parts
from bot.core.patience import Patience
from bot.core.place import Author, ChatKind
from bot.core.question import Plan, Question
from bot.core.showing import file_names
from bot.core.thread_settings import resolve
from bot.core.together import both
from bot.core.tool_belt import ToolBelt, tools_here
from bot.core.turn_record import Claim, Item

T = TypeVar("T")


class Planning:
    """One turn's preparation."""

    def __init__(
        self,
        parts: Parts,
        patience: Patience,
        claim: Claim,
        question: Question,
        *,
        asking: Asking,
        interrupt: Interrupt,
        delivery: Delivery,
    ) -> None:
        self._parts = parts
        self._patience = patience
        self._claim = claim
        self._question = question
        self._asking = asking
        self._interrupt = interrupt
        self._delivery = delivery

    async def plan(self) -> Plan:
        """All that has to be known before a model is chosen; the asking has its tools afterwards.

        Raises:
            NotAllowed: the author may not use the bot here any more.
            Fenced: somebody else has the thread.
            StopRequested, TurnTimeout: while files were read.
        """
        claim, place, author = self._claim, self._claim.place, self._asking.author
        if await self._persist(lambda: self._parts.gate.check(place, author)) is Verdict.DENIED:
            raise NotAllowed("You are not allowed to use me here any more.")
        keys = place.setting_keys(author.key)
        (history, values), _ = await self._persist(
            lambda: both(
                both(
                    self._parts.history.of(claim),
                    self._parts.settings.load([key for _, key in keys]),
                ),
                self._begin(),
            )
        )
        settings = resolve(keys, values)
        replaced = self._question.replaces
        if replaced is not None:
            history = tuple(turn for turn in history if turn.seq < replaced.seq)
            items = self._question.items
        else:
            items = settle_references(self._question.items, history)
        self._interrupt.start()
        items = await self._read(items)
        tools = tools_here(self._parts.tools, settings, turns=history, items=items, cut=claim.is_cut)
        self._asking.belt = ToolBelt(
            self._parts,
            tools,
            place=place,
            author=author,
            turn_uid=self._question.uid,
            bills=self._asking.bills,
            is_owner=lambda: self._persist(self._are_owners),
            history=history,
            items=items,
            fresh_seq=claim.fresh_seq,
        )
        shared = place.kind is ChatKind.SHARED
        return Plan(
            settings=settings,
            choosing=Choosing(self._parts, settings),
            system=system_prompt(settings, self._parts.defaults, shared=shared, with_tools=bool(tools)),
            history=history,
            items=items,
            tools=tools,
        )

    async def _begin(self) -> None:
        """Where nothing comes before the model's call, it is noted beside the history, which costs no time."""
        if not any(item.attachments or item.starter or item.search for item in self._question.items):
            await self._asking.begin()

    async def _are_owners(self) -> bool:
        """Whether everybody is an owner who had a part in asking: whoever wrote it, and whoever asks once more."""
        authors = {self._asking.author.key, *(item.author_key for item in self._question.items)}
        return all([await self._parts.gate.is_owner(_author(key)) for key in authors])

    async def _read(self, items: tuple[Item, ...]) -> tuple[Item, ...]:
        """The question with a note on each file of it; a turn that is given up is not worth the reading."""
        attached = [ref for item in items for ref in item.attachments]
        if not attached or self._asking.exhausted:
            return items
        if any(not item.files or any(note.again for note in item.files) for item in items if item.attachments):
            self._delivery.status(f"reading {file_names(attached)} …")
        place = self._claim.place
        messenger = self._parts.messengers[place.platform]
        return await self._interrupt.within(self._persist(lambda: self._parts.reading.read(place, messenger, items)))

    async def _persist(self, operation: Callable[[], Awaitable[T]]) -> T:
        return await self._patience.persist(operation, place=self._claim.place)


def _author(key: str) -> Author:
    platform, _, author_id = key.partition(":")
    return Author(platform=platform, id=author_id, name="")
