"""What every provider's body holds: what the request says and the model's row allows, and nothing else."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from bot.core.catalogue import ModelInfo
from tests.bot.providers.serving import ADD, World, only
from tests.fakes.model_server import ModelServer, Said

SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {"verdict": {"type": "string"}},
    "required": ["verdict"],
    "additionalProperties": False,
}
OPTIONS: Mapping[str, object] = {
    "system": "Be brief.",
    "tools": (ADD,),
    "max_output_tokens": 100,
    "temperature": 0.3,
    "top_p": 0.4,
    "reasoning_effort": "low",
    "json": True,
    "response_schema": SCHEMA,
    "cache_key": "thread-1",
}


def model_for(world: World[ModelServer], option: str) -> ModelInfo | None:
    """The model that takes the option, None when this API has none."""
    match option:
        case "temperature" | "top_p":
            return world.case.samples
        case "reasoning_effort":
            return world.case.thinks
        case "json" | "response_schema":
            return world.case.shaped
        case _:
            return world.case.model


async def test_the_body_of_the_least_request_has_nothing_more_than_it_needs(world: World[ModelServer]) -> None:
    await world.ask(world.request("Hi"))

    assert world.sent.fields == world.case.fields
    assert world.sent.model == world.case.model.ref.id


@pytest.mark.parametrize("option", OPTIONS)
async def test_each_option_adds_its_own_fields_and_no_other(world: World[ModelServer], option: str) -> None:
    model = model_for(world, option) or world.case.model
    system = {} if option == "system" else {"system": "Be brief."}

    await world.ask(world.request("Hi", model=model, **system))
    without = world.sent.fields
    await world.ask(world.request("Hi", model=model, **system, **{option: OPTIONS[option]}))

    assert world.sent.fields - without == world.case.adds.get(option, frozenset())
    assert without - world.sent.fields == frozenset()


async def test_what_the_request_says_arrives(world: World[ModelServer]) -> None:
    await world.ask(world.request("Hi", system="Be brief.", tools=(ADD,), max_output_tokens=100))

    assert world.sent.system == "Be brief."
    assert world.sent.said == (Said(role="user", text="Hi"),)
    assert world.sent.tools == ("add",)
    assert world.sent.max_output_tokens == 100


@only(lambda case: case.samples is not None)
async def test_sampling_goes_out_where_the_model_takes_it(world: World[ModelServer]) -> None:
    await world.ask(world.request("Hi", model=world.case.samples, temperature=0.3, top_p=0.4))

    assert (world.sent.temperature, world.sent.top_p) == (0.3, 0.4)


async def test_sampling_stays_at_home_where_the_model_refuses_it(world: World[ModelServer]) -> None:
    model = dataclasses.replace(world.case.model, temperature=False)

    await world.ask(world.request("Hi", model=model, temperature=0.3, top_p=0.4))

    assert (world.sent.temperature, world.sent.top_p) == (None, None)


@only(lambda case: case.thinks is not None)
async def test_an_effort_that_the_model_has_goes_out(world: World[ModelServer]) -> None:
    assert world.case.thinks is not None
    effort = world.case.thinks.efforts[-1]

    await world.ask(world.request("Hi", model=world.case.thinks, reasoning_effort=effort))

    assert world.sent.effort == effort


@only(lambda case: case.thinks is not None)
async def test_an_effort_that_the_model_does_not_have_gives_way_to_its_usual_one(world: World[ModelServer]) -> None:
    assert world.case.thinks is not None
    usual = world.case.thinks.efforts[-1]
    model = dataclasses.replace(world.case.thinks, reasoning_effort=usual)

    await world.ask(world.request("Hi", model=model, reasoning_effort="galactic"))

    assert world.sent.effort == usual


async def test_a_model_without_efforts_gets_none(world: World[ModelServer]) -> None:
    await world.ask(world.request("Hi", reasoning_effort="high"))

    assert world.sent.effort is None


@only(lambda case: case.shaped is not None)
async def test_a_model_that_can_be_held_to_json_is(world: World[ModelServer]) -> None:
    await world.ask(world.request("Hi", model=world.case.shaped, json=True))

    assert (world.sent.json, world.sent.schema) == (True, None)


@only(lambda case: case.shaped is not None and case.holds_schema)
async def test_a_model_that_can_be_held_to_a_schema_is(world: World[ModelServer]) -> None:
    await world.ask(world.request("Hi", model=world.case.shaped, response_schema=SCHEMA))

    assert world.sent.json
    assert world.sent.schema == SCHEMA


@pytest.mark.parametrize("wish", [{"json": True}, {"response_schema": SCHEMA}], ids=["json", "schema"])
@pytest.mark.parametrize("known", [False, None])
async def test_a_model_that_may_not_know_of_json_is_asked_in_words(
    world: World[ModelServer], wish: Mapping[str, Any], known: bool | None
) -> None:
    model = dataclasses.replace(world.case.model, json=known)

    await world.ask(world.request("Hi", model=model, system="Be brief.", **wish))

    assert not world.sent.json
    assert world.sent.system.startswith("Be brief.")
    assert "JSON" in world.sent.system
    assert ("verdict" in world.sent.system) == ("response_schema" in wish)
