"""Which models cannot last, and what the operator is told of them."""

import asyncio
from datetime import date, timedelta

import pytest

from bot.core.catalogue import Catalogue, ModelInfo, ModelRef
from bot.core.retirement import fate, is_retired, retirement_lines, retiring, warn_daily
from tests.fakes.clock import START, ManualClock
from tests.fakes.desk import FixedDirectory

TODAY = date(2026, 11, 20)


def model(name: str, days: int | None = None, *, gone: bool = False) -> ModelInfo:
    retires = None if days is None else TODAY + timedelta(days=days)
    return ModelInfo(ref=ModelRef("a", name), retires=retires, gone=gone)


def test_what_is_gone_or_has_at_most_60_days_is_named_the_most_urgent_first() -> None:
    models = [model("later", 61), model("soon", 60), model("sooner", 1), model("over", -1), model("ever")]
    models.append(model("gone", gone=True))

    assert [info.ref.id for info in retiring(models, TODAY)] == ["gone", "over", "sooner", "soon"]


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (model("x"), ""),
        (model("x", 90), "retires on 2027-02-18"),
        (model("x", 0), "was retired on 2026-11-20"),
        (model("x", -1, gone=True), "was retired on 2026-11-19"),
        (model("x", 90, gone=True), "is not on the list of a any more"),
    ],
)
def test_the_fate_of_a_model_in_words(info: ModelInfo, words: str) -> None:
    assert fate(info, TODAY) == words


def test_a_model_is_retired_from_its_day_on() -> None:
    assert [is_retired(model("x", days), TODAY) for days in (1, 0, -1)] == [False, True, True]
    assert not is_retired(model("x"), TODAY)


def catalogue(*models: ModelInfo) -> Catalogue:
    return Catalogue(models={info.ref: info for info in models}, providers=("a",))


def test_a_line_names_the_setting_that_has_to_change() -> None:
    chosen = (("DEFAULT_MODEL", "auto"), ("FALLBACK_MODELS", "A/soon"), ("SIDE_MODEL", "a/fine"), ("X", "b/unknown"))

    lines = retirement_lines(catalogue(model("soon", 3), model("fine"), model("unused", 3)), chosen, TODAY)

    assert lines == ("a/soon retires on 2026-11-23; set FALLBACK_MODELS to another one",)


async def test_the_log_tells_at_once_and_again_every_day(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock(auto=False)
    dying = ModelInfo(ref=ModelRef("a", "x"), retires=START.date() + timedelta(days=2), aliases=("x",))
    seen = []

    async with asyncio.TaskGroup() as group:
        task = group.create_task(warn_daily(FixedDirectory((dying,)), (("DEFAULT_MODEL", "auto"),), clock))
        await clock.settle()
        seen.append(len(caplog.records))
        await clock.advance(86_400.0 * 2)
        seen.append(len(caplog.records))
        task.cancel()

    assert seen == [1, 3]
    assert [record.message for record in caplog.records] == [
        "a/x retires on 2026-11-03; set DEFAULT_MODEL to another one",
        "a/x retires on 2026-11-03; set DEFAULT_MODEL to another one",
        "a/x was retired on 2026-11-03; set DEFAULT_MODEL to another one",
    ]
