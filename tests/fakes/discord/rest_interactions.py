"""Endpoints that answer interactions: the callback, the original response, follow-ups."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from tests.fakes.discord import errors, wire
from tests.fakes.discord.buckets import EDIT, WEBHOOK
from tests.fakes.discord.endpoint import Call, Endpoint, Reply
from tests.fakes.discord.errors import ApiError, Problems
from tests.fakes.discord.interactions import Interaction, InteractionType
from tests.fakes.discord.message_form import EDITABLE_FLAGS, Draft, parse_draft
from tests.fakes.discord.records import COMMAND, DEFAULT_MESSAGE, EPHEMERAL, LOADING, Json, Message
from tests.fakes.discord.rest_messages import apply_edit, build_message

MESSAGE, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9

ALLOWED_TYPES = {
    InteractionType.COMMAND: (MESSAGE, DEFER, MODAL),
    InteractionType.COMPONENT: (MESSAGE, DEFER, DEFER_UPDATE, UPDATE, MODAL),
    InteractionType.AUTOCOMPLETE: (CHOICES,),
    InteractionType.MODAL_SUBMIT: (MESSAGE, DEFER, DEFER_UPDATE, UPDATE),
}


async def callback(call: Call) -> Reply:
    """Accept the one answer to an interaction, within 3 s."""
    token = call.path["token"]
    known = call.interactions.find(call.id("interaction"))
    try:
        interaction = call.interactions.to_acknowledge(call.id("interaction"), token)
        _check_type(interaction, call.body)
        message = _execute(call, interaction)
    except ApiError as error:
        if known is not None:
            known.refusals.append(error.body["code"])
        call.world.changes.fire()
        raise
    interaction.callback = call.body
    interaction.acknowledged_after_s = call.world.clock.now_s() - interaction.created_at_s
    call.world.changes.fire()
    if call.query.get("with_response") not in ("1", "true", "True"):
        return Reply(status=204)
    return Reply(_callback_response(call, interaction, message))


def _check_type(interaction: Interaction, body: Json) -> None:
    problems = Problems()
    if body.get("type") not in ALLOWED_TYPES[interaction.type]:
        problems.choice(("type",), body.get("type"))
    data = body.get("data") or {}
    if body.get("type") == CHOICES:
        _check_choices(data.get("choices"), problems)
    if body.get("type") == MODAL:
        problems.length(("data", "custom_id"), data.get("custom_id"), 1, 100)
        problems.length(("data", "title"), data.get("title"), 1, 45)
        problems.size(("data", "components"), len(data.get("components") or ()), 1, 5)
    problems.check()


def _check_choices(choices: object, problems: Problems) -> None:
    if not isinstance(choices, list):
        problems.required(("data", "choices"))
        return
    problems.size(("data", "choices"), len(choices), 0, 25)
    for index, choice in enumerate(choices):
        problems.length(("data", "choices", index, "name"), choice.get("name"), 1, 100)
        if isinstance(choice.get("value"), str):
            problems.length(("data", "choices", index, "value"), choice["value"], 1, 100)


def _execute(call: Call, interaction: Interaction) -> Message | None:
    data = call.body.get("data") or {}
    match call.body["type"]:
        case 4:
            draft = parse_draft(data, call.files)
            if draft.empty:
                raise errors.empty_message()
            message = _post(call, interaction, draft)
            interaction.original_id = message.id
            return message
        case 5:
            draft = parse_draft({"flags": data.get("flags", 0)}, {})
            message = _post(call, interaction, replace(draft, flags=draft.flags | LOADING))
            interaction.original_id, interaction.pending = message.id, True
            return message
        case 6:
            interaction.original_id = interaction.source_id
        case 7:
            assert interaction.source_id is not None
            interaction.original_id = interaction.source_id
            source = call.world.messages[interaction.source_id]
            draft = parse_draft(data, call.files, old_flags=source.flags)
            return apply_edit(replace(call, json=data), source, draft)
        case _:
            pass
    return None


def _callback_response(call: Call, interaction: Interaction, message: Message | None) -> Json:
    shown: Json = {"id": str(interaction.id), "type": int(interaction.type)}
    resource: Json = {"type": call.body["type"]}
    if message is not None:
        resource["message"] = wire.message_json(call.world, message, content=True)
        shown |= {
            "response_message_id": str(message.id),
            "response_message_loading": interaction.pending,
            "response_message_ephemeral": bool(message.flags & EPHEMERAL),
        }
    return {"interaction": shown, "resource": resource}


def _post(call: Call, interaction: Interaction, draft: Draft) -> Message:
    """Create the bot's message in the interaction's channel; an ephemeral one stays out of history."""
    channel = call.world.channel(interaction.channel_id)
    command = interaction.type == InteractionType.COMMAND
    message = replace(
        build_message(call, channel, draft, None),
        kind=COMMAND if command and interaction.original_id is None else DEFAULT_MESSAGE,
        command=interaction.command,
        ephemeral_for=interaction.user_id if draft.flags & EPHEMERAL else None,
    )
    return call.actions.create(message)


def _edit(call: Call, interaction: Interaction, message: Message, body: Json) -> Message:
    draft = parse_draft(body, call.files, old_flags=message.flags, settable=EDITABLE_FLAGS)
    if message.id == interaction.original_id and interaction.pending:
        message = replace(message, flags=message.flags & ~LOADING)
        interaction.pending = False
        try:
            return apply_edit(replace(call, json=body), message, draft)
        except ApiError:
            interaction.pending = True
            raise
    return apply_edit(replace(call, json=body), message, draft)


def _by_token(
    work: Callable[[Call, Interaction], Awaitable[Reply]],
) -> Callable[[Call], Awaitable[Reply]]:
    """Look up the interaction of a webhook path and note what is refused."""

    async def handler(call: Call) -> Reply:
        token = call.path["token"]
        try:
            return await work(call, call.interactions.by_token(call.id("application"), token))
        except ApiError as error:
            known = call.interactions.find_by_token(token)
            if known is not None:
                known.refusals.append(error.body["code"])
            call.world.changes.fire()
            raise

    return handler


@_by_token
async def followup(call: Call, interaction: Interaction) -> Reply:
    """Send a follow-up; the first one after a deferral fills the deferred message, as on Discord."""
    body = {name: value for name, value in call.body.items() if name != "flags"}
    if interaction.pending and interaction.original is not None:
        message = _edit(call, interaction, interaction.original, body)
        return Reply(wire.message_json(call.world, message, content=True))
    draft = parse_draft(call.body, call.files)
    if draft.empty:
        raise errors.empty_message()
    message = _post(call, interaction, draft)
    interaction.followup_ids.append(message.id)
    call.world.changes.fire()
    return Reply(wire.message_json(call.world, message, content=True))


def _target(call: Call, interaction: Interaction) -> Message:
    """Find the message that a webhook path names: @original or one of this interaction's own."""
    name = call.path["message"]
    message_id = interaction.original_id if name == "@original" else call.id("message")
    known = {interaction.original_id, *interaction.followup_ids}
    message = call.world.messages.get(message_id) if message_id in known and message_id is not None else None
    if message is None or not message.alive:
        raise errors.unknown("Message")
    return message


@_by_token
async def get_response(call: Call, interaction: Interaction) -> Reply:
    return Reply(wire.message_json(call.world, _target(call, interaction), content=True))


@_by_token
async def edit_response(call: Call, interaction: Interaction) -> Reply:
    message = _edit(call, interaction, _target(call, interaction), call.body)
    return Reply(wire.message_json(call.world, message, content=True))


@_by_token
async def delete_response(call: Call, interaction: Interaction) -> Reply:
    call.actions.delete(_target(call, interaction))
    return Reply(status=204)


_WEBHOOK = "/webhooks/{application}/{token}"
_RESPONSE = _WEBHOOK + "/messages/{message}"

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/interactions/{interaction}/{token}/callback",
        handler=callback,
        limit=None,
        bot=False,
    ),
    Endpoint(method="POST", path=_WEBHOOK, handler=followup, limit=WEBHOOK, bot=False),
    Endpoint(method="GET", path=_RESPONSE, handler=get_response, bot=False),
    Endpoint(method="PATCH", path=_RESPONSE, handler=edit_response, limit=EDIT, bot=False),
    Endpoint(method="DELETE", path=_RESPONSE, handler=delete_response, bot=False),
)
