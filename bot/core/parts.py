"""What the engine is made of: every port in one value, filled in once by the composition root."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.core.command import Command, ModelDirectory
from bot.core.gate import Gate
from bot.core.history import History
from bot.core.pacing import Pacers
from bot.core.pairing import Pairing
from bot.core.ports import Clock, Messenger, Pricer, Provider, Tool
from bot.core.stores import InvocationStore, Ledger, SettingStore, ThreadStore, TurnStore
from bot.core.thread_settings import TurnDefaults


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All that the engine works with. `messengers` and `providers` are by name, `context_tokens` bounds any prompt."""

    threads: ThreadStore
    turns: TurnStore
    history: History
    ledger: Ledger
    settings: SettingStore
    invocations: InvocationStore
    gate: Gate
    pairing: Pairing
    directory: ModelDirectory
    providers: Mapping[str, Provider]
    tools: Mapping[str, Tool]
    messengers: Mapping[str, Messenger]
    price: Pricer
    commands: Sequence[Command]
    pacers: Pacers
    defaults: TurnDefaults
    context_tokens: int
    clock: Clock
