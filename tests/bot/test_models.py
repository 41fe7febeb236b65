"""Which models are named to somebody whose budget is spent."""

from dataclasses import replace

import pytest

from bot.catalogue_watch import CatalogueWatch
from bot.core.catalogue import ModelInfo, ModelRef, Price
from bot.core.catalogue_rows import CatalogueRow
from bot.core.directory import Directory, Sources
from bot.core.health import Health
from bot.core.message import Document, Image, Message, Part, Role, Text
from bot.core.ports import ChatRequest
from bot.core.pricing import Pricing
from bot.core.tools import ToolSpec
from bot.models import Models
from tests.bot.core.spending import asks
from tests.fakes.clock import ManualClock
from tests.fakes.providers import ScriptedProvider

ROWS = (
    CatalogueRow(ref=ModelRef("alpha", "blind"), price=Price(input="1", output="1"), tools=True, vision=False),
    CatalogueRow(ref=ModelRef("alpha", "able"), price=Price(input="2", output="2"), tools=True, vision=True, pdf=True),
    CatalogueRow(ref=ModelRef("alpha", "unsure"), price=Price(input="3", output="3")),
    CatalogueRow(ref=ModelRef("alpha", "unpriced"), tools=True, vision=True, pdf=True),
    CatalogueRow(ref=ModelRef("demo", "parrot"), price=Price(input="0", output="0"), tools=True, vision=True),
)
PICTURE = Image(content=b"png", media_type="image/png")
PAPER = Document(content=b"pdf", media_type="application/pdf", name="a.pdf")
TOOL = ToolSpec(name="add", description="Adds.", parameters={"type": "object"})


def models() -> Models:
    clock = ManualClock()
    alpha, demo = (ScriptedProvider(name=name) for name in ("alpha", "demo"))
    price = Pricing()
    sources = Sources(configured=(alpha, demo))
    return Models(
        providers={"alpha": alpha, "demo": demo},
        configured={"alpha": alpha},
        directory=Directory(ROWS, sources, clock=clock, price=price),
        price=price,
        health=Health(clock, configured={"alpha"}),
        watch=CatalogueWatch(None, lambda path: ROWS, clock=clock),
        clock=clock,
    )


def cheaper(*parts: Part, tools: tuple[ToolSpec, ...] = ()) -> list[str]:
    message = Message(role=Role.USER, parts=(Text(text="Why?"), *parts))
    request: ChatRequest = replace(asks(ModelInfo(ref=ModelRef("alpha", "dear"))), messages=(message,), tools=tools)
    return [model.ref.id for model in models().cheaper(request)]


def test_the_cheapest_comes_first_and_what_has_no_price_is_left_out() -> None:
    assert cheaper() == ["blind", "able", "unsure"]


@pytest.mark.parametrize("part", [PICTURE, PAPER], ids=lambda part: type(part).__name__)
def test_only_models_that_are_known_to_take_a_file_are_named(part: Part) -> None:
    assert cheaper(part) == ["able"]


def test_only_models_that_are_known_to_call_tools_are_named() -> None:
    assert cheaper(tools=(TOOL,)) == ["blind", "able"]


def test_the_parrot_is_never_named() -> None:
    assert ModelRef("demo", "parrot") in models().directory.known.models
    assert "parrot" not in cheaper()
