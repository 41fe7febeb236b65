"""Estimates that fit a model: what is learnt, what is passed over, what is stored."""

from collections.abc import Mapping

import pytest

from bot.core.calibration import HIGHEST, LOWEST, Calibration
from bot.core.catalogue import ModelRef
from bot.core.errors import StorageUnavailable
from bot.core.tokens import estimate_tokens
from tests.fakes.money import MemoryCalibrations

REF, OTHER = ModelRef("p", "claude"), ModelRef("p", "gpt")
TEXT = "What a lovely day it is to count some tokens. " * 100
PLAIN = estimate_tokens(TEXT)


class CountingStore(MemoryCalibrations):
    """Keeps what was asked to be saved."""

    def __init__(self) -> None:
        super().__init__()
        self.saves: list[Mapping[str, float]] = []

    async def save(self, factors: Mapping[str, float]) -> None:
        await super().save(factors)
        self.saves.append(dict(factors))


def answer(calibration: Calibration, *, factor: float, ref: ModelRef = REF, times: int = 1) -> None:
    """Prompts of TEXT to a model whose tokenizer really makes `factor` as many tokens."""
    for _ in range(times):
        calibration.observe(ref, estimated=calibration.estimator(ref)(TEXT), reported=round(PLAIN * factor))


def factor_of(calibration: Calibration, ref: ModelRef = REF) -> float:
    return calibration.estimator(ref)(TEXT) / PLAIN


def test_a_model_that_nobody_asked_is_estimated_as_any() -> None:
    assert Calibration(MemoryCalibrations()).estimator(REF)(TEXT) == PLAIN


def test_the_estimate_comes_to_what_the_model_counts() -> None:
    calibration = Calibration(MemoryCalibrations())
    answer(calibration, factor=1.3, times=15)

    assert factor_of(calibration) == pytest.approx(1.3, rel=0.02)
    assert factor_of(calibration, OTHER) == 1.0


def test_the_first_observations_weigh_more_than_later_ones() -> None:
    young, old = Calibration(MemoryCalibrations()), Calibration(MemoryCalibrations())
    answer(young, factor=1.4)
    answer(old, factor=1.0, times=20)
    answer(old, factor=1.4)

    assert factor_of(young) == pytest.approx(1.2, rel=0.01)
    assert factor_of(old) == pytest.approx(1.08, rel=0.01)


@pytest.mark.parametrize(
    ("factor", "bound"), [pytest.param(3.9, HIGHEST, id="high"), pytest.param(0.41, LOWEST, id="low")]
)
def test_what_is_learnt_stays_within_bounds(factor: float, bound: float) -> None:
    calibration = Calibration(MemoryCalibrations())
    answer(calibration, factor=factor, times=30)

    assert factor_of(calibration) == pytest.approx(bound, rel=0.01)


@pytest.mark.parametrize(
    ("estimated", "reported"),
    [
        pytest.param(150, 600, id="a short prompt"),
        pytest.param(600, 150, id="a short report"),
        pytest.param(10_000, 300, id="a server that leaves out what was cached"),
        pytest.param(1_000, 90_000, id="pictures"),
        pytest.param(0, 500, id="nothing estimated"),
    ],
)
def test_what_cannot_be_the_text_alone_is_passed_over(estimated: int, reported: int) -> None:
    calibration = Calibration(MemoryCalibrations())
    calibration.observe(REF, estimated=estimated, reported=reported)

    assert factor_of(calibration) == 1.0


async def test_what_was_learnt_is_there_after_a_restart_and_moves_slowly_from_then_on() -> None:
    store = MemoryCalibrations()
    calibration = Calibration(store)
    answer(calibration, factor=1.5, times=20)
    await calibration.save()
    again = Calibration(store)
    await again.load()

    assert factor_of(again) == pytest.approx(factor_of(calibration), rel=0.01)
    answer(again, factor=1.0)
    assert factor_of(again) == pytest.approx(1.4, rel=0.02)


async def test_only_what_changed_is_written() -> None:
    store = CountingStore()
    calibration = Calibration(store)
    await calibration.save()
    answer(calibration, factor=1.5, times=40)
    answer(calibration, factor=1.0, ref=OTHER, times=3)
    await calibration.save()
    await calibration.save()
    answer(calibration, factor=1.5)
    await calibration.save()

    assert [set(saved) for saved in store.saves] == [{"p/claude"}]


async def test_what_could_not_be_stored_is_stored_later() -> None:
    store = CountingStore()
    calibration = Calibration(store)
    answer(calibration, factor=2.0)
    store.down = True
    with pytest.raises(StorageUnavailable):
        await calibration.save()
    store.down = False
    await calibration.save()

    assert len(store.saves) == 1


async def test_nonsense_in_storage_does_no_harm() -> None:
    calibration = Calibration(MemoryCalibrations({"p/claude": 99.0, "p/gpt": float("nan"), "": 2.0}))
    await calibration.load()

    assert factor_of(calibration) == pytest.approx(HIGHEST, rel=0.01)
    assert factor_of(calibration, OTHER) == 1.0
