"""/compare: one message to several models at once, with the time, tokens and cost of each."""

import asyncio
from collections.abc import Sequence

from bot.commands._conversation import call_uid
from bot.commands._models import KEEP, picker
from bot.commands._target import scope_name, thread_settings
from bot.core.catalogue import Catalogue, ModelInfo
from bot.core.command import Command, Desk, Invocation, Option
from bot.core.context import system_prompt
from bot.core.errors import StorageUnavailable, UsageError, explain, reference_of
from bot.core.formatting import cost, count, excerpt
from bot.core.ledger import CallKind
from bot.core.list_price import above_ceiling, list_price
from bot.core.message import Message, Role
from bot.core.place import ChatKind, Scope
from bot.core.ports import Answer, ChatRequest
from bot.core.request import build_request
from bot.core.side_call import Reply
from bot.core.thread_settings import ThreadSettings
from bot.core.tokens import estimate_tokens

_FEWEST, _MOST = 2, 4
_MESSAGE_CHARS = 16_000


async def _compare(invocation: Invocation, desk: Desk) -> Answer:
    options = invocation.options
    catalogue = await desk.directory.catalogue()
    message, models = _read(options.get("message", ""), options.get("models", ""), catalogue)
    settings = await thread_settings(invocation, desk)
    _check_prices(models, settings, desk)
    shared = invocation.place.kind is ChatKind.SHARED
    system = system_prompt(settings, desk.defaults, shared=shared)
    said, lane = (Message.of_text(Role.USER, message),), reference_of(invocation.place.thread_key)
    requests = [
        build_request(model, settings, desk.defaults, system=system, messages=said, lane=lane) for model in models
    ]
    tokens = estimate_tokens(system) + estimate_tokens(message)
    await desk.purse.admit(invocation.place, invocation.author.key, prompt_tokens=tokens * len(models))
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_ask(number, request, invocation, desk)) for number, request in enumerate(requests)]
    replies = [task.result() for task in asked]
    sections = [_section(model, reply, invocation) for model, reply in zip(models, replies, strict=True)]
    notices = [reply.notice for reply in replies if reply.notice is not None]
    adopts = f"A button makes that model the one of {scope_name(Scope.CHANNEL)}." if shared else "A button chooses one."
    return Answer(
        text="\n\n".join([f"**{excerpt(message, 200)}**", *sections, *notices, adopts]),
        private=False,
        rows=picker(models, KEEP),
    )


def _check_prices(models: Sequence[ModelInfo], settings: ThreadSettings, desk: Desk) -> None:
    """Raises UsageError for a model that may not answer here."""
    for model in models:
        listed = list_price(model, desk.price, desk.clock.now())
        if (above := above_ceiling(model, listed, settings.price_ceiling)) is not None:
            raise UsageError(above)


def _read(message: str, names: str, catalogue: Catalogue) -> tuple[str, tuple[ModelInfo, ...]]:
    """The message and the models: the words at the end that name models. Raises UsageError."""
    words = names.replace(",", " ").split()
    models: list[ModelInfo] = []
    while words and (model := _named(words[-1], catalogue)) is not None:
        models.insert(0, model)
        words.pop()
    text = " ".join([message, *words]).strip()
    chosen = tuple({model.ref: model for model in models}.values())
    if words and not chosen:
        raise UsageError(
            f"I know no model `{excerpt(words[-1], 60)}`. /models lists all; write them after the message."
        )
    if not _FEWEST <= len(chosen) <= _MOST:
        raise UsageError(f"Name {_FEWEST} to {_MOST} different models after the message, for example: fast smart.")
    if not text or len(text) > _MESSAGE_CHARS:
        raise UsageError(f"Write a message of at most {_MESSAGE_CHARS:,} characters, then the models.")
    return text, chosen


def _named(word: str, catalogue: Catalogue) -> ModelInfo | None:
    """The model of exactly that name or alias: other words belong to the message."""
    found = catalogue.resolve(word)
    if not isinstance(found, ModelInfo):
        return None
    wanted, ref = word.casefold(), found.ref
    names = (str(ref), ref.id, ref.id.rpartition("/")[2], *found.aliases)
    return found if wanted in (name.casefold() for name in names) else None


async def _ask(number: int, request: ChatRequest, invocation: Invocation, desk: Desk) -> Reply:
    """One model's reply; that storage is away is said in its place, beside the others."""
    try:
        return await desk.side.ask(
            request,
            uid=f"{call_uid(invocation, desk)}~{number}",
            kind=CallKind.COMPARISON,
            place=invocation.place,
            author_key=invocation.author.key,
            timeout_s=desk.defaults.timeout_s,
        )
    except StorageUnavailable as error:
        return Reply(text="", error=error, row=None)


def _section(model: ModelInfo, reply: Reply, invocation: Invocation) -> str:
    facts = [f"**{model.name or model.ref.id}** `{model.ref}`"]
    if reply.duration_s is not None:
        facts.append(f"{reply.duration_s:.1f} s" + _first_words(reply))
    if reply.row is not None:
        usage, price = reply.row.usage, reply.row.cost
        facts += [f"{count(usage.input_tokens)} in", f"{count(usage.output_tokens)} out"]
        facts.append(cost(price.nano_usd, price.certainty))
    text = [reply.text] if reply.text else []
    if reply.error is not None:
        text.append(explain(reply.error, reference=reference_of(invocation.inbound.uid)).line)
    return "\n\n".join([" · ".join(facts), *text])


def _first_words(reply: Reply) -> str:
    return "" if reply.first_token_s is None else f" (first words after {reply.first_token_s:.1f} s)"


COMMAND = Command(
    name="compare",
    description="Ask two to four models the same and see their answers, times and costs",
    handler=_compare,
    options=(
        Option(name="message", description="What to ask", required=True),
        Option(
            name="models", description="Two to four models, or aliases such as: fast smart", required=True, rest=True
        ),
    ),
    details="For example `/compare Why is the sky blue? fast smart`. Each answer is charged like any other. The "
    "conversation itself is not sent and does not change.",
)
