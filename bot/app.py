"""The composition root: the one place where settings become real things and real things meet.

Everything that is opened here is closed here, in the opposite order. Decides nothing about conversations.
"""

import asyncio
import gc
import logging
import os
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from adapters import ADAPTERS
from adapters.terminal.adapter import Console, TerminalAdapter
from adapters.terminal.inbound import AUTHOR as TERMINAL_AUTHOR
from bot.commands import COMMANDS
from bot.core.calibration import Calibration
from bot.core.chores import Chores
from bot.core.clock import SystemClock
from bot.core.completion import Completion
from bot.core.door import Access, AdapterRow, Door
from bot.core.engine import Engine
from bot.core.errors import ParleyError, StorageUnavailable
from bot.core.formatting import amount
from bot.core.gate import Gate
from bot.core.history import History
from bot.core.pacing import Pacers
from bot.core.pairing import Pairing
from bot.core.parts import Parts
from bot.core.ports import Adapter, Clock, Messenger
from bot.core.purse import Pace, Purse
from bot.core.retirement import warn_daily
from bot.core.side_call import SideCalls
from bot.core.speaking import Speaking
from bot.core.thread_settings import TurnDefaults
from bot.doctor import Check, Patient, examine
from bot.models import Models, chosen_models, open_models
from bot.remote_time import http_time
from bot.settings import Access as AccessMode
from bot.settings import Settings, UnknownPrices
from bot.storage.access import AccessStore
from bot.storage.activity import ActivityStore
from bot.storage.answers import AnswerCache
from bot.storage.budgets import BudgetStore
from bot.storage.calibrations import CalibrationStore
from bot.storage.database import Database, open_database
from bot.storage.embedded import embedded_mongod
from bot.storage.files import FileStore
from bot.storage.invocations import InvocationStore
from bot.storage.ledger import Ledger
from bot.storage.rates import RateStore
from bot.storage.rebuild import rebuild
from bot.storage.rollups import Roller
from bot.storage.settings import SettingStore
from bot.storage.threads import ThreadStore
from bot.storage.turns import TurnStore
from bot.tooling import Tooling, describe, open_tooling

log = logging.getLogger(__name__)

_NANO_PER_USD = 10**9
_PROVIDER_URLS = ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GEMINI_BASE_URL", "COMPATIBLE_BASE_URL")


async def run(
    settings: Settings, *, stop: asyncio.Event, terminal: bool, environment: Mapping[str, str] | None = None
) -> None:
    """Serve every configured platform, or the terminal alone, until `stop` is set or the terminal is left.

    `environment` is what programs of MCP_SERVERS_FILE may be given of this process's own, None: nothing.

    Raises:
        SettingsError: a platform refuses its token, or no platform is configured.
        StorageUnavailable: there is no database to start with.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        models = await stack.enter_async_context(open_models(settings, clock))
        database = await stack.enter_async_context(_open_storage(settings, clock))
        gate = _gate(settings, database, clock, terminal=terminal)
        messengers: dict[str, Messenger] = {}
        files = FileStore(database, ttl_days=settings.attachment_ttl_days)
        tooling = await stack.enter_async_context(
            open_tooling(settings, files, TurnStore(database), environment=environment or {}, clock=clock)
        )
        parts = await _parts(settings, database, models, tooling, gate, messengers, clock)
        engine = Engine(parts)
        if terminal:
            # Alone: a chat beside a running bot would take its updates away.
            doors = [_terminal(settings, models, engine, clock)]
        else:
            doors = list(_doors(settings, database, models, gate, clock))
        messengers |= {door.platform: door.messenger for door in doors}
        for door in doors:
            stack.push_async_callback(door.aclose)
        await stack.enter_async_context(engine)
        beside = (
            models.directory.run(),
            models.watch.run(models.directory.set_rows),
            Roller(database).run(),
            warn_daily(models.directory, chosen_models(settings), clock),
        )
        # What is there by now stays: without this a full collection looks at all of it, for 100 ms each time.
        gc.collect()
        gc.freeze()
        await _serve(doors, engine, beside, stop, settings.shutdown_grace_s)
        with suppress(StorageUnavailable):
            await parts.calibration.save()


def token_settings() -> tuple[str, ...]:
    """The names of the settings that switch platforms on."""
    return tuple(row.token_setting for row in ADAPTERS)


def has_platform(settings: Settings) -> bool:
    """Whether any platform's token is set."""
    return any(_accesses(settings, SystemClock()))


async def doctor(settings: Settings, environment: Mapping[str, str] | None = None) -> Sequence[Check]:
    """Check everything that is configured; the bot itself is not started. `environment` as in `run`."""
    clock = SystemClock()
    values = settings.by_name()
    async with open_models(settings, clock) as models:
        accesses = {row.platform: (row, access) for row, access in _accesses(settings, clock)}
        urls = [access.api_url for _, access in accesses.values()]
        urls += [str(values[row]) for row in _PROVIDER_URLS if values.get(row)]
        return await examine(
            Patient(
                platforms={name: partial(row.check, access) for name, (row, access) in accesses.items()},
                providers=models.configured,
                directory=models.directory,
                default_model=settings.default_model,
                chosen=chosen_models(settings),
                abilities=partial(describe, settings, environment or {}, clock),
                database=partial(_diagnose_storage, settings, clock),
                data_dir=settings.data_dir,
                remote_time=partial(http_time, urls) if urls else None,
                clock=clock,
            )
        )


async def models(settings: Settings, query: str) -> str:
    """The lines of `parley models`: every model that can be asked and fits the words of `query`."""
    async with open_models(settings, SystemClock()) as built:
        catalogue = await built.directory.catalogue(refresh=True)
        default = (await built.directory.default()).ref
        return "\n".join(
            f"{info.ref}{' (default)' if info.ref == default else ''}  {info.description or ''}".rstrip()
            for info in catalogue.search(query)
        )


async def rebuild_costs(settings: Settings) -> str:
    """Add up the sums of /cost anew from the single calls; returns what was done, in words."""
    async with _open_storage(settings, SystemClock()) as database:
        done = await rebuild(database)
    return (
        f"Added up {amount(done.days, 'day')} anew, into {amount(done.rollups, 'sum')}. Calls of the last moments may "
        "not be in them yet: /cost counts those by themselves."
    )


async def _serve(
    doors: Sequence[Adapter],
    engine: Engine,
    beside: Sequence[Coroutine[None, None, None]],
    stop: asyncio.Event,
    grace_s: float,
) -> None:
    """Take events until `stop`, then no more, and let what runs come to its end for `grace_s`.

    `beside` is what runs all the time.
    """
    try:
        async with asyncio.TaskGroup() as group:
            intake = {group.create_task(door.run(engine.accept, engine.serve)): door for door in doors}
            background = [group.create_task(work) for work in beside]
            stopping = group.create_task(stop.wait())
            await asyncio.wait((*intake, stopping), return_when=asyncio.FIRST_COMPLETED)
            for task in (*intake, *background, stopping):
                task.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    if not await engine.drain(grace_s):
        log.warning("some answers were not finished; they are taken up at the next start")


@asynccontextmanager
async def _open_storage(settings: Settings, clock: Clock) -> AsyncIterator[Database]:
    async with AsyncExitStack() as stack:
        if settings.mongodb_uri is not None:
            uri = settings.mongodb_uri.get_secret_value()
        else:
            mongod = None if settings.mongod is None else str(settings.mongod)
            uri = await stack.enter_async_context(embedded_mongod(settings.data_dir, mongod=mongod))
        yield await stack.enter_async_context(open_database(uri, settings.mongodb_database, clock=clock))


@asynccontextmanager
async def _diagnose_storage(settings: Settings, clock: Clock) -> AsyncIterator[str]:
    async with _open_storage(settings, clock) as database:
        await database.ping()
        where = "at MONGODB_URI" if settings.mongodb_uri is not None else f"embedded, in {settings.data_dir}"
        yield f"MongoDB: {database.server_version} {where}"


def _gate(settings: Settings, database: Database, clock: Clock, *, terminal: bool) -> Gate:
    at_the_keyboard = frozenset({TERMINAL_AUTHOR.key}) if terminal else frozenset()
    return Gate(
        AccessStore(database),
        open_to_all=settings.access is AccessMode.OPEN,
        owners=settings.owners | at_the_keyboard,
        allow=settings.allow,
        clock=clock,
    )


async def _parts(
    settings: Settings,
    database: Database,
    models: Models,
    tooling: Tooling,
    gate: Gate,
    messengers: dict[str, Messenger],
    clock: Clock,
) -> Parts:
    threads = ThreadStore(database, owner=f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}")
    turns, ledger = TurnStore(database), Ledger(database)
    budgets = BudgetStore(database, ledger)
    purse = _purse(settings, models, budgets, RateStore(database), clock)
    side = SideCalls(providers=models.providers, price=models.price, purse=purse, ledger=ledger, clock=clock)
    speaking = Speaking(
        speaker=tooling.speaker, messengers=messengers, price=models.price, purse=purse, ledger=ledger, clock=clock
    )
    calibration = Calibration(CalibrationStore(database))
    await calibration.load()
    chores = Chores(
        threads=threads,
        turns=turns,
        side=side,
        directory=models.directory,
        calibration=calibration,
        messengers=messengers,
        titles=settings.auto_titles,
    )
    return Parts(
        threads=threads,
        turns=turns,
        history=History(turns),
        ledger=ledger,
        settings=SettingStore(database),
        invocations=InvocationStore(database),
        gate=gate,
        pairing=await _pairing(gate, clock),
        directory=models.directory,
        providers=models.providers,
        tools=tooling.tools,
        tool_servers=tooling.servers,
        files=tooling.files,
        reading=tooling.reading,
        transcriber=tooling.transcriber,
        speaking=speaking,
        messengers=messengers,
        price=models.price,
        budgets=budgets,
        purse=purse,
        side=side,
        chores=chores,
        calibration=calibration,
        health=models.health,
        answers=AnswerCache(database),
        commands=COMMANDS,
        pacers=Pacers(clock),
        defaults=_defaults(settings),
        context_tokens=settings.context_tokens,
        clock=clock,
    )


async def _pairing(gate: Gate, clock: Clock) -> Pairing:
    """Who owns the bot: as long as nobody does, a code is announced."""
    pairing = Pairing(clock=clock, announce=_announce)
    if not await gate.has_owner():
        pairing.code()
    return pairing


def _purse(settings: Settings, models: Models, budgets: BudgetStore, rates: RateStore, clock: Clock) -> Purse:
    return Purse(
        budgets=budgets,
        rates=rates,
        price=models.price,
        clock=clock,
        limits=settings.budgets,
        pace=Pace(
            user_requests=settings.user_requests_per_minute,
            user_tokens=settings.user_tokens_per_minute,
            channel_requests=settings.channel_requests_per_minute,
            channel_tokens=settings.channel_tokens_per_minute,
        ),
        allow_unknown=settings.unknown_prices is UnknownPrices.ALLOW,
        cheaper=models.cheaper,
    )


def _defaults(settings: Settings) -> TurnDefaults:
    return TurnDefaults(
        system_prompt=settings.system_prompt,
        temperature=settings.temperature,
        max_output_tokens=settings.max_output_tokens,
        timeout_s=settings.turn_timeout_s,
        fallback=settings.fallback_models,
        auto_models=settings.auto_models,
        answer_ttl_s=settings.response_cache_ttl_s,
        tool_rounds=settings.max_tool_rounds,
        turn_cost_nano=int(settings.turn_cost_usd * _NANO_PER_USD) or None,
    )


def _announce(code: str) -> None:
    # At whatever level is shown: without the code nobody can ever own the bot.
    level = max(logging.WARNING, log.getEffectiveLevel())
    log.log(level, "pairing code %s (send the bot /pair %s within an hour to become its owner)", code, code)


def _accesses(settings: Settings, clock: Clock) -> Iterator[tuple[AdapterRow, Access]]:
    """The platforms whose token is set."""
    values = settings.by_name()
    for row in ADAPTERS:
        token = values[row.token_setting]
        if token is not None and not isinstance(token, str):
            url = str(values[row.url_setting])
            yield row, Access(token=token.get_secret_value(), api_url=url, clock=clock)


def _doors(settings: Settings, database: Database, models: Models, gate: Gate, clock: Clock) -> Iterator[Adapter]:
    complete = Completion(gate=gate, directory=models.directory, commands=COMMANDS)
    for row, access in _accesses(settings, clock):
        yield row.build(
            Door(
                access=access,
                commands=COMMANDS,
                names=settings.bot_names,
                complete=complete,
                activity=ActivityStore(database),
            )
        )


def _terminal(settings: Settings, models: Models, engine: Engine, clock: Clock) -> Adapter:
    async def model_name() -> str:
        try:
            return str((await models.directory.default()).ref)
        except ParleyError:
            return "no model"

    return TerminalAdapter(
        Console(stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr),
        data_dir=settings.data_dir,
        commands=COMMANDS,
        idle=engine.idle,
        model=model_name,
        clock=clock,
    )
