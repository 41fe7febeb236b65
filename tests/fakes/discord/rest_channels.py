"""Endpoints for channels and threads."""

from dataclasses import replace

from tests.fakes.discord import errors, wire
from tests.fakes.discord.buckets import OTHER, Limit
from tests.fakes.discord.endpoint import Call, Endpoint, Reply
from tests.fakes.discord.errors import Problems
from tests.fakes.discord.message_form import parse_draft
from tests.fakes.discord.records import (
    CREATE_PRIVATE_THREADS,
    CREATE_PUBLIC_THREADS,
    DM,
    FORUM,
    MANAGE_THREADS,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    SEND_MESSAGES,
    THREAD_CREATED,
    THREAD_STARTER,
    THREADS,
    Channel,
    Json,
    Message,
)
from tests.fakes.discord.rest_messages import build_message

ARCHIVE_MINUTES = (60, 1440, 4320, 10080)
RENAME = Limit(name="rename", limit=2, window_s=600.0)


async def get_channel(call: Call) -> Reply:
    return Reply(wire.channel_json(call.world, call.channel()))


async def edit_channel(call: Call) -> Reply:
    channel = call.channel()
    if channel.kind not in THREADS:
        raise errors.missing_permissions()
    mine = channel.owner_id == call.world.bot_id
    if not mine and not call.world.bot_permissions(channel) & MANAGE_THREADS:
        raise errors.missing_permissions()
    body = call.body
    if channel.archived and body.get("archived") is not False:
        raise errors.archived_thread()
    problems = Problems()
    if "name" in body:
        problems.length(("name",), body["name"], 1, 100)
    problems.check()
    changed = replace(
        channel,
        name=body.get("name", channel.name),
        archived=body.get("archived", channel.archived),
        locked=body.get("locked", channel.locked),
    )
    return Reply(wire.channel_json(call.world, call.actions.update_channel(changed)))


def _check_thread(call: Call, parent: Channel) -> None:
    if parent.kind in THREADS or parent.kind == DM:
        raise errors.wrong_channel_type()
    problems = Problems()
    problems.length(("name",), call.body.get("name"), 1, 100)
    minutes = call.body.get("auto_archive_duration")
    if minutes is not None and minutes not in ARCHIVE_MINUTES:
        problems.choice(("auto_archive_duration",), minutes)
    problems.check()


async def thread_from_message(call: Call) -> Reply:
    parent = call.channel(CREATE_PUBLIC_THREADS)
    starter = call.world.message(parent.id, call.id("message"))
    _check_thread(call, parent)
    if starter.id in call.world.channels:
        raise errors.thread_exists()
    thread = _open(call, parent, thread_id=starter.id)
    call.actions.create(_system(call, thread, THREAD_STARTER, (parent.id, starter.id)))
    return Reply(wire.channel_json(call.world, thread), status=201)


async def create_thread(call: Call) -> Reply:
    parent = call.channel()
    _check_thread(call, parent)
    if parent.kind == FORUM:
        return _forum_post(call, parent)
    kind = call.body.get("type", PRIVATE_THREAD)
    needed = CREATE_PRIVATE_THREADS if kind == PRIVATE_THREAD else CREATE_PUBLIC_THREADS
    call.channel(needed)
    if kind not in THREADS:
        problems = Problems()
        problems.choice(("type",), kind)
        problems.check()
    thread = _open(call, parent, kind=kind)
    if kind == PUBLIC_THREAD:
        call.actions.create(_system(call, parent, THREAD_CREATED, (thread.id, thread.id)))
    return Reply(wire.channel_json(call.world, thread), status=201)


def _forum_post(call: Call, forum: Channel) -> Reply:
    """Open a forum thread; its starter message has the thread's id."""
    call.channel(SEND_MESSAGES)
    body = call.body.get("message")
    if not isinstance(body, dict):
        problems = Problems()
        problems.required(("message",))
        raise problems.error()
    draft = parse_draft(body, call.files)
    if draft.empty:
        raise errors.empty_message()
    thread = _open(call, forum)
    starter = replace(build_message(call, thread, draft, None), id=thread.id)
    created = call.actions.create(starter)
    reply: Json = wire.channel_json(call.world, thread)
    return Reply(reply | {"message": wire.message_json(call.world, created, content=True)}, status=201)


def _open(call: Call, parent: Channel, *, thread_id: int | None = None, kind: int = PUBLIC_THREAD) -> Channel:
    return call.actions.open_thread(
        parent,
        call.body["name"],
        call.world.bot_id,
        thread_id=thread_id,
        kind=kind,
        auto_archive_minutes=call.body.get("auto_archive_duration") or 4320,
    )


def _system(call: Call, channel: Channel, kind: int, reference: tuple[int, int]) -> Message:
    return Message(
        id=call.world.ids.next(),
        channel_id=channel.id,
        author_id=call.world.bot_id,
        content="" if kind == THREAD_STARTER else call.body["name"],
        at=call.world.clock.now(),
        kind=kind,
        reference=reference,
    )


async def join_thread(call: Call) -> Reply:
    if call.channel().kind not in THREADS:
        raise errors.wrong_channel_type()
    return Reply(status=204)


ENDPOINTS = (
    Endpoint(method="GET", path="/channels/{channel}", handler=get_channel),
    Endpoint(method="PATCH", path="/channels/{channel}", handler=edit_channel, limit=RENAME),
    Endpoint(method="POST", path="/channels/{channel}/threads", handler=create_thread, limit=OTHER),
    Endpoint(method="POST", path="/channels/{channel}/messages/{message}/threads", handler=thread_from_message),
    Endpoint(method="PUT", path="/channels/{channel}/thread-members/@me", handler=join_thread),
)
