"""How many tokens each model counts where we estimate one, learnt from what providers report.

Factors are kept by model in storage; what one process learns another takes in at its next start.
"""

import math
from collections.abc import Callable

from bot.core.catalogue import ModelRef
from bot.core.context import Estimate
from bot.core.money_stores import CalibrationStore
from bot.core.tokens import estimate_tokens

#: What is learnt stays within these: no tokenizer differs by more, whatever a server reports.
LOWEST, HIGHEST = 0.5, 3.0
#: Beyond these a report does not count the prompt that was sent, but what a cache left of it, or more than text.
_LEAST_PLAUSIBLE, _MOST_PLAUSIBLE = 0.4, 4.0
#: In short prompts the framing of messages outweighs the text.
_FEWEST_TOKENS = 200
#: The weight of an observation once there are some. Before that each counts as much as all before it and one more.
_ALPHA = 0.2
#: A factor that moved by less is not worth a write.
_STEP = 0.01


class Calibration:
    """Estimates of tokens that fit a model better with every answer."""

    def __init__(self, store: CalibrationStore) -> None:
        self._store = store
        self._factors: dict[ModelRef, float] = {}
        self._seen: dict[ModelRef, int] = {}
        self._stored: dict[ModelRef, float] = {}

    def estimator(self, ref: ModelRef) -> Estimate:
        """What to estimate a text of this model with: `estimate_tokens` times what was learnt."""
        factor = self._factors.get(ref)
        return estimate_tokens if factor is None else _times(factor)

    def observe(self, ref: ModelRef, *, estimated: int, reported: int) -> None:
        """A prompt was estimated by `estimator(ref)` at `estimated` tokens and really had `reported`."""
        if min(estimated, reported) < _FEWEST_TOKENS:
            return
        former = self._factors.get(ref, 1.0)
        observed = former * reported / estimated
        if not _LEAST_PLAUSIBLE <= observed <= _MOST_PLAUSIBLE:
            return
        seen = self._seen.get(ref, 0)
        self._seen[ref] = seen + 1
        weight = max(_ALPHA, 1 / (seen + 2))
        self._factors[ref] = _bounded(former + weight * (observed - former))

    async def load(self) -> None:
        """Take in what was learnt before. Raises StorageUnavailable."""
        for name, factor in (await self._store.load()).items():
            ref = ModelRef.parse(name)
            if ref is not None and math.isfinite(factor):
                self._stored[ref] = self._factors[ref] = _bounded(factor)
                self._seen[ref] = round(1 / _ALPHA)

    async def save(self) -> None:
        """Store what was learnt since the last time; does nothing when that is nothing. Raises StorageUnavailable."""
        learnt = {ref: factor for ref, factor in self._factors.items() if self._moved(ref, factor)}
        if learnt:
            await self._store.save({str(ref): factor for ref, factor in learnt.items()})
            self._stored |= learnt

    def _moved(self, ref: ModelRef, factor: float) -> bool:
        return abs(factor - self._stored.get(ref, 1.0)) >= _STEP


def _times(factor: float) -> Callable[[str], int]:
    return lambda text: math.ceil(estimate_tokens(text) * factor)


def _bounded(factor: float) -> float:
    return min(HIGHEST, max(LOWEST, factor))
