"""Which model writes titles and summaries."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from bot.core.catalogue import CostClass, ModelInfo, ModelRef, Price
from bot.core.catalogue_rows import CatalogueRow
from bot.core.directory import Directory, Sources
from bot.core.pricing import Pricing
from tests.fakes.clock import START, ManualClock
from tests.fakes.providers import ScriptedProvider


def priced(name: str, usd: str, **facts: object) -> CatalogueRow:
    build: Callable[..., CatalogueRow] = CatalogueRow
    return build(ref=ModelRef("openai", name), price=Price(input=usd, output=usd), **facts)


def side_of(rows: Sequence[CatalogueRow], *, side_model: str | None = None, asked: str = "openai/big") -> str:
    """What writes titles for `asked`."""
    providers = tuple(ScriptedProvider(name=name) for name in ("openai", "groq"))
    models = Directory(
        rows,
        Sources(configured=providers, stand_in=ScriptedProvider(name="demo")),
        clock=ManualClock(),
        side_model=side_model,
        price=Pricing(),
    )
    provider, _, model_id = asked.partition("/")
    known = next((row for row in rows if row.ref == ModelRef(provider, model_id)), None)
    price = None if known is None else known.price
    return str(models.cheap_for(ModelInfo(ref=ModelRef(provider, model_id), price=price)).ref)


BIG = priced("big", "10")
CHEAP = priced("cheap", "1", cost=CostClass.CHEAP)
CHEAPER = priced("cheaper", "0.5", aliases=("cheap",))
NOT_FOR_CHAT = priced("embedding", "0.01")
ELSEWHERE = CatalogueRow(ref=ModelRef("groq", "tiny"), aliases=("cheap",), price=Price(input="0", output="0"))
PARROT = CatalogueRow(ref=ModelRef("demo", "parrot"), aliases=("cheap",), price=Price(input="0", output="0"))


def test_summaries_are_written_by_the_cheapest_of_the_same_provider() -> None:
    assert side_of([BIG, CHEAP, CHEAPER, NOT_FOR_CHAT, ELSEWHERE, PARROT]) == "openai/cheaper"


def test_the_operators_choice_writes_summaries_when_it_can_be_asked() -> None:
    assert side_of([BIG, CHEAP], side_model="groq/any") == "groq/any"
    assert side_of([BIG, CHEAP], side_model="gemini/any") == "openai/cheap"


def test_without_a_cheaper_model_of_known_price_the_model_itself_writes() -> None:
    unknown = CatalogueRow(ref=ModelRef("openai", "unknown"), cost=CostClass.CHEAP)
    same = priced("same", "10", cost=CostClass.CHEAP)

    assert side_of([BIG, ELSEWHERE, PARROT, unknown]) == "openai/big"
    assert side_of([BIG, same]) == "openai/big"
    assert side_of([priced("big", "0.1"), CHEAP]) == "openai/big"
    assert side_of([ELSEWHERE], asked="openai/unlisted") == "openai/unlisted"


def test_a_retired_model_writes_nothing() -> None:
    retired = priced("old", "0.1", cost=CostClass.CHEAP, retires=START.date() - timedelta(days=1))

    assert side_of([BIG, CHEAP, retired]) == "openai/cheap"


def test_a_model_of_unknown_price_hands_over_to_a_cheap_one() -> None:
    assert side_of([CHEAP], asked="openai/unlisted") == "openai/cheap"
