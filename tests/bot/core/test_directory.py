"""The directory: what servers list, kept for five minutes, and whatever they do it answers."""

import asyncio

import pytest

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.catalogue_rows import ANY_MODEL, CatalogueRow
from bot.core.directory import FORCED_EVERY_S, MAX_AGE_S, Directory, Sources
from bot.core.errors import ModelNotFound, ProviderUnavailable
from bot.core.ports import Provider
from tests.fakes.clock import ManualClock
from tests.fakes.providers import ScriptedProvider

ROWS = (
    CatalogueRow(ref=ModelRef("openai", "luna"), aliases=("fast",)),
    CatalogueRow(ref=ModelRef("openai", "sol"), default=True),
    CatalogueRow(ref=ModelRef("groq", "oss"), default=True),
    CatalogueRow(ref=ModelRef("demo", "parrot"), default=True),
)
DOWN = ProviderUnavailable("the connection failed", provider="x")


def listing(name: str, *ids: str) -> ScriptedProvider:
    return ScriptedProvider(name=name, models=tuple(ModelInfo(ref=ModelRef(name, each)) for each in ids))


def directory(
    *configured: Provider,
    sought: tuple[Provider, ...] = (),
    stand_in: Provider | None = None,
    clock: ManualClock | None = None,
    default_model: str | None = None,
) -> Directory:
    sources = Sources(configured=configured, sought=sought, stand_in=stand_in)
    return Directory(ROWS, sources, clock=clock or ManualClock(), default_model=default_model)


async def names(models: Directory, *, refresh: bool = False) -> list[str]:
    return [str(ref) for ref in (await models.catalogue(refresh=refresh)).models]


async def test_rows_and_lists_are_merged_for_configured_providers_only() -> None:
    models = directory(listing("openai", "luna", "new"))

    assert sorted(await names(models)) == ["openai/luna", "openai/new", "openai/sol"]


async def test_a_list_is_asked_for_once_in_five_minutes() -> None:
    provider, clock = listing("openai", "luna"), ManualClock()
    models = directory(provider, clock=clock)

    await models.catalogue()
    await clock.advance(MAX_AGE_S - 1)
    await models.catalogue()
    before = provider.list_calls
    await clock.advance(1)
    await models.catalogue()

    assert (before, provider.list_calls) == (1, 2)


async def test_a_refresh_can_be_forced() -> None:
    provider, clock = listing("openai", "luna"), ManualClock()
    models = directory(provider, clock=clock)

    await models.catalogue()
    provider.models = listing("openai", "newer").models
    await clock.advance(FORCED_EVERY_S)

    assert "openai/newer" in await names(models, refresh=True)


async def test_nobody_can_flood_the_providers_by_forcing() -> None:
    provider, clock = listing("openai", "luna"), ManualClock()
    models = directory(provider, clock=clock)

    for _ in range(20):
        await models.catalogue(refresh=True)
        await clock.advance(1)

    assert provider.list_calls == 2


async def test_many_callers_cause_one_refresh() -> None:
    provider = listing("openai", "luna")
    models = directory(provider)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(names(models)) for _ in range(20)]

    assert provider.list_calls == 1
    assert len({tuple(task.result()) for task in tasks}) == 1


async def test_a_provider_that_fails_keeps_its_last_list() -> None:
    provider, clock = listing("openai", "special"), ManualClock()
    models = directory(provider, clock=clock)

    await models.catalogue()
    provider.list_error = DOWN
    await clock.advance(FORCED_EVERY_S)
    listed = await names(models, refresh=True)

    assert "openai/special" in listed
    assert provider.list_calls == 2


async def test_a_provider_that_fails_does_not_hurt_the_others() -> None:
    broken, sound = listing("openai"), listing("groq", "extra")
    broken.list_error = DOWN

    assert "groq/extra" in await names(directory(broken, sound))


class Buggy(ScriptedProvider):
    """A provider with a mistake in it."""

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        raise TypeError("nobody foresaw this")


async def test_a_mistake_in_one_provider_does_not_hurt_the_others() -> None:
    assert "groq/extra" in await names(directory(Buggy(name="openai"), listing("groq", "extra")))


class Slow(ScriptedProvider):
    """A server whose list comes only when it is `let` to; `asked` is set while it is awaited."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, models=listing(name, "slow").models)
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        self.asked.set()
        await self.let.wait()
        return await super().list_models()


async def test_a_provider_that_hangs_is_given_up() -> None:
    sources = Sources(configured=(Slow("openai"), listing("groq", "extra")))
    models = Directory(ROWS, sources, clock=ManualClock(), list_deadline_s=0.05)

    async with asyncio.timeout(5):
        listed = await names(models)

    assert "groq/extra" in listed
    assert "openai/slow" not in listed


async def test_while_one_caller_refreshes_others_get_the_last_catalogue_at_once() -> None:
    slow, clock = Slow("openai"), ManualClock(auto=False)
    models = directory(slow, clock=clock)
    slow.let.set()
    await models.catalogue()
    slow.asked.clear()
    slow.let.clear()
    await clock.advance(MAX_AGE_S)

    async with asyncio.TaskGroup() as group:
        refresh = group.create_task(models.catalogue())
        await slow.asked.wait()
        listed = await names(models)
        finished = refresh.done()
        slow.let.set()

    assert "openai/slow" in listed
    assert not finished


async def test_the_default_is_that_of_the_first_configured_provider() -> None:
    models = directory(ScriptedProvider(name="groq"), ScriptedProvider(name="openai"))

    assert str((await models.default()).ref) == "groq/oss"


async def test_a_server_without_rows_gives_the_first_model_that_it_lists() -> None:
    assert str((await directory(listing("ollama", "a", "b")).default()).ref) == "ollama/a"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("fast", "openai/luna"), ("openai/unlisted", "openai/unlisted"), ("nope", "openai/sol")],
)
async def test_the_operators_default_counts_when_it_means_something(wanted: str, expected: str) -> None:
    models = directory(ScriptedProvider(name="openai"), default_model=wanted)

    assert str((await models.default()).ref) == expected


async def test_a_server_that_is_only_sought_counts_once_it_lists_a_model() -> None:
    ollama, parrot, clock = listing("ollama"), ScriptedProvider(name="demo"), ManualClock()
    models = directory(sought=(ollama,), stand_in=parrot, clock=clock)

    before = str((await models.default()).ref)
    ollama.models = listing("ollama", "llama").models
    await clock.advance(FORCED_EVERY_S)
    await models.catalogue(refresh=True)

    assert before == "demo/parrot"
    assert str((await models.default()).ref) == "ollama/llama"
    assert await names(models) == ["ollama/llama"]


async def test_the_parrot_is_not_there_beside_a_real_provider() -> None:
    models = directory(ScriptedProvider(name="openai"), stand_in=ScriptedProvider(name="demo"))

    assert await names(models) == ["openai/luna", "openai/sol"]


async def test_no_model_at_all_is_not_found() -> None:
    broken = listing("compatible")
    broken.list_error = DOWN

    with pytest.raises(ModelNotFound):
        await directory(broken).default()


async def test_a_turn_is_told_that_the_only_server_is_down() -> None:
    broken = listing("compatible")
    broken.list_error = DOWN

    with pytest.raises(ProviderUnavailable):
        await directory(broken).model_for(None)


async def test_a_server_that_is_back_is_noticed_by_the_next_turn() -> None:
    server = listing("compatible", "llama")
    server.list_error = DOWN
    models = directory(server)
    with pytest.raises(ProviderUnavailable):
        await models.model_for(None)

    server.list_error = None

    assert str((await models.model_for(None)).ref) == "compatible/llama"


@pytest.mark.parametrize("chosen", [None, "openai/luna", "openai/unlisted", "groq/oss"])
@pytest.mark.parametrize("default_model", [None, "openai/sol"])
async def test_a_turn_does_not_wait_for_discovery_where_the_rows_tell_enough(
    chosen: str | None, default_model: str | None
) -> None:
    models = directory(Slow("openai"), Slow("groq"), default_model=default_model)

    async with asyncio.timeout(1):
        model = await models.model_for(chosen)

    assert str(model.ref) == (chosen or "openai/sol")


async def test_a_turn_waits_for_the_list_when_that_decides_the_default() -> None:
    models = directory(listing("compatible", "llama"), ScriptedProvider(name="openai"))

    assert str((await models.model_for(None)).ref) == "compatible/llama"


async def test_a_choice_of_a_sought_server_waits_until_it_is_known_whether_it_is_there() -> None:
    models = directory(sought=(listing("ollama", "llama"),), stand_in=ScriptedProvider(name="demo"))

    assert str((await models.model_for("ollama/llama")).ref) == "ollama/llama"


@pytest.mark.parametrize("chosen", ["anthropic/claude", "demo/parrot", "luna", ""])
async def test_a_choice_that_cannot_be_asked_any_more_is_not_found(chosen: str) -> None:
    models = directory(ScriptedProvider(name="openai"), stand_in=ScriptedProvider(name="demo"))

    with pytest.raises(ModelNotFound):
        await models.model_for(chosen)


async def test_the_parrot_alone_needs_no_discovery() -> None:
    models = directory(stand_in=ScriptedProvider(name="demo"))

    assert str((await models.model_for(None)).ref) == "demo/parrot"


async def test_it_refreshes_by_itself_before_the_list_is_too_old() -> None:
    provider, clock = listing("openai", "luna"), ManualClock(auto=False)
    models = directory(provider, clock=clock)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(models.run())
        await clock.advance(1_000)
        task.cancel()

    assert provider.list_calls >= 4


async def test_auto_falls_back_on_the_default_of_the_catalogue() -> None:
    models = directory(ScriptedProvider(name="openai"), default_model="auto")

    assert models.default_choice == "auto"
    assert str((await models.default()).ref) == "openai/sol"
    assert str((await models.model_for(None)).ref) == "openai/sol"


async def test_a_server_without_a_list_asks_for_a_default_model() -> None:
    models = directory(ScriptedProvider(name="compatible"))

    for ask in (models.default(), models.model_for(None)):
        with pytest.raises(ModelNotFound, match="set DEFAULT_MODEL=compatible/<model>") as caught:
            await ask
        assert caught.value.provider == "compatible"


async def test_other_rows_count_at_once_and_lists_stay() -> None:
    models = directory(listing("openai", "listed"))
    models.set_rows([*ROWS, CatalogueRow(ref=ModelRef("openai", "early"))])
    early = ModelRef("openai", "early") in models.known.models
    await models.catalogue()

    models.set_rows([CatalogueRow(ref=ModelRef("openai", "late"), aliases=("fast",))])

    assert early
    assert sorted(await names(models)) == ["openai/late", "openai/listed"]


async def test_a_model_that_its_provider_lists_no_more_is_gone_and_not_the_default() -> None:
    whole = CatalogueRow(ref=ModelRef("openai", ANY_MODEL), lists_all=True)
    sources = Sources(configured=(listing("openai", "embedding", "luna"),))
    models = Directory([whole, *ROWS], sources, clock=ManualClock(), default_model="auto")

    found = (await models.catalogue()).models

    assert [ref.id for ref, info in found.items() if info.gone] == ["sol"]
    assert str((await models.default()).ref) == "openai/luna"


@pytest.mark.parametrize(
    ("lists_all", "listed"),
    [(None, ("luna",)), (False, ("luna",)), (True, ("other", "server")), (True, ("luna", "sol"))],
)
async def test_nothing_is_gone_while_the_list_may_be_short_or_of_another_server(
    lists_all: bool | None, listed: tuple[str, ...]
) -> None:
    row = CatalogueRow(ref=ModelRef("openai", ANY_MODEL), lists_all=lists_all)
    sources = Sources(configured=(listing("openai", *listed),))
    models = Directory([row, *ROWS], sources, clock=ManualClock())

    assert not [info for info in (await models.catalogue()).models.values() if info.gone]


async def test_what_could_be_configured_is_known_to_the_catalogue() -> None:
    sources = Sources(sought=(ScriptedProvider(name="ollama"),), unconfigured={"openai": "OPENAI_API_KEY"})
    models = Directory(ROWS, sources, clock=ManualClock())

    assert (await models.catalogue()).unconfigured == {"openai": "OPENAI_API_KEY"}
