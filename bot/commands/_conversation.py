"""What the next message in a conversation would carry along, and to which model. Shared by /context and /compact.

Follows what people set here, as an answer would; what `auto` would choose is not known before there is a message.
"""

from dataclasses import dataclass

from bot.commands._target import thread_settings
from bot.core.catalogue import AUTO, ModelInfo
from bot.core.command import Desk, Invocation
from bot.core.context import (
    MAX_TURNS,
    Context,
    Window,
    answer_limit,
    answer_reserve,
    build,
    system_prompt,
    tokens_of_tools,
)
from bot.core.place import ChatKind
from bot.core.showing import ShownFile, choose_shown
from bot.core.stores import ThreadState
from bot.core.thread_settings import ThreadSettings
from bot.core.tool_belt import tools_here
from bot.core.turn_record import TurnRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation as the next message finds it.

    `turns` are those that go along word for word, oldest first; `reserve` is what the window leaves to the answer.
    """

    model: ModelInfo
    window: Window
    reserve: int
    state: ThreadState
    turns: tuple[TurnRecord, ...]
    context: Context


async def look(invocation: Invocation, desk: Desk) -> Conversation:
    """The conversation here. Raises ModelNotFound when there is no model."""
    place = invocation.place
    state = await desk.threads.state(place.thread_key)
    turns = await desk.turns.recent(place.thread_key, from_seq=state.from_seq, limit=MAX_TURNS)
    settings = await thread_settings(invocation, desk)
    model = await model_here(desk, settings, turns)
    output = answer_limit(settings, desk.defaults, model)
    window = Window.of(limit_tokens=desk.context_tokens, window_tokens=model.window_tokens, max_output_tokens=output)
    shared, estimate = place.kind is ChatKind.SHARED, desk.calibration.estimator(model.ref)
    tools = tools_here(desk.tools, settings, turns=turns, items=(), cut=state.is_cut)
    offered = [tool.spec for tool in tools.values()] if model.tools is not False else []
    chosen = choose_shown(turns, (), model, high_tokens=window.high)
    context = build(
        turns,
        (),
        system=system_prompt(settings, desk.defaults, shared=shared, with_tools=bool(tools)),
        window=window,
        estimate=estimate,
        named=shared,
        next_seq=state.next_seq,
        summary=state.summary,
        shown={key: ShownFile(parts=(), tokens=choice.tokens) for key, choice in chosen.items()},
        tools_tokens=tokens_of_tools(offered, estimate),
    )
    return Conversation(
        model=model,
        window=window,
        reserve=answer_reserve(window_tokens=model.window_tokens, max_output_tokens=output),
        state=state,
        turns=tuple(turn for turn in turns if turn.seq >= context.from_seq),
        context=context,
    )


def call_uid(invocation: Invocation, desk: Desk) -> str:
    """What a call belongs to. With the time: a command that is run again after a crash makes calls of its own."""
    return f"{invocation.inbound.uid}~{desk.clock.now():%H%M%S%f}"


async def model_here(desk: Desk, settings: ThreadSettings, turns: tuple[TurnRecord, ...]) -> ModelInfo:
    """The model that would answer; for `auto` the one that answered last. Raises ModelNotFound."""
    chosen = settings.model or desk.directory.default_choice
    if chosen != AUTO:
        return await desk.directory.model_for(settings.model)
    last = turns[-1].model if turns else None
    return await desk.directory.default() if last is None else await desk.directory.model_for(last)
