"""Whether a model can work where it is chosen, why not, and which others can. Used by /model."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from bot.commands._target import thread_settings
from bot.core.catalogue import Catalogue, ModelInfo
from bot.core.command import Desk, Invocation
from bot.core.context import MAX_TURNS
from bot.core.files import FileKind
from bot.core.list_price import above_ceiling, list_price
from bot.core.place import Scope
from bot.core.retirement import fate, is_retired
from bot.core.turn_record import TurnRecord

_OFFERED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a model has to cope with. `ceiling_usd` is per million tokens of answer, None: there is none."""

    has_images: bool
    ceiling_usd: float | None
    today: date


async def circumstances(invocation: Invocation, desk: Desk, scope: Scope) -> Circumstances:
    """What counts in this place for a choice of that scope: for a whole server no single conversation does."""
    place = invocation.place
    settings = await thread_settings(invocation, desk)
    has_images = False
    if scope is not Scope.SERVER:
        state = await desk.threads.state(place.thread_key)
        turns = await desk.turns.recent(place.thread_key, from_seq=state.from_seq, limit=MAX_TURNS)
        has_images = _have_images(turns)
    return Circumstances(has_images=has_images, ceiling_usd=settings.price_ceiling, today=desk.clock.now().date())


def why_not(model: ModelInfo, here: Circumstances, desk: Desk) -> str | None:
    """Why the model cannot work here, in a sentence; None when nothing is known against it."""
    name = f"`{model.ref}`"
    if is_retired(model, here.today):
        return f"{name} {fate(model, here.today)}: nobody can ask it any more."
    if here.has_images and model.vision is False:
        return f"There are images in this conversation, and {name} cannot see them. /new starts without them."
    return above_ceiling(model, list_price(model, desk.price, desk.clock.now()), here.ceiling_usd)


def alternatives(model: ModelInfo, catalogue: Catalogue, here: Circumstances, desk: Desk) -> tuple[ModelInfo, ...]:
    """Up to four models that can work here: those of the same provider first, then those of like cost and speed."""

    def distance(other: ModelInfo) -> tuple[bool, bool, bool]:
        return other.ref.provider != model.ref.provider, other.cost is not model.cost, other.speed is not model.speed

    fitting = [
        other
        for other in catalogue.models.values()
        if other.ref != model.ref
        and not other.gone
        and why_not(other, here, desk) is None
        and (other.vision or not here.has_images)
    ]
    return tuple(sorted(fitting, key=distance)[:_OFFERED])


def _have_images(turns: Iterable[TurnRecord]) -> bool:
    return any(note.kind is FileKind.IMAGE for turn in turns for item in turn.items for note in item.files)
