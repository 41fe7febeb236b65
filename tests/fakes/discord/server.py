"""The HTTP side: parses requests, applies authorisation, faults and limits, renders answers."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from aiohttp import BodyPartReader, web

from tests.fakes.discord import (
    errors,
    rest_account,
    rest_channels,
    rest_commands,
    rest_interactions,
    rest_messages,
)
from tests.fakes.discord.buckets import Buckets
from tests.fakes.discord.endpoint import Call, Endpoint, Reply
from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.faults import Delay, Drop, Faults, Gate, Respond
from tests.fakes.discord.records import Json, Upload

PREFIX = "/api/v10"
ENDPOINTS: tuple[Endpoint, ...] = (
    *rest_account.ENDPOINTS,
    *rest_channels.ENDPOINTS,
    *rest_messages.ENDPOINTS,
    *rest_interactions.ENDPOINTS,
    *rest_commands.ENDPOINTS,
)
MAX_BODY_BYTES = 30 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request that reached the fake; `status` 0 means that it got no answer."""

    at_s: float
    method: str
    path: str
    status: int
    json: object


class Server:
    """Serves the endpoints below /api/v10; `template` carries the world for each call."""

    def __init__(self, template: Call, buckets: Buckets, faults: Faults, gateway_url: Callable[[], str]) -> None:
        self._template = template
        self._gateway_url = gateway_url
        self._buckets = buckets
        self._faults = faults
        self.requests: list[Seen] = []
        self.unknown_routes: list[str] = []
        self.crashes: list[Exception] = []
        """What the fake itself got wrong or was sent malformed; the bot saw a 500."""

    def routes(self) -> list[web.RouteDef]:
        known = [
            web.route(endpoint.method, PREFIX + endpoint.path, partial(self._serve, endpoint)) for endpoint in ENDPOINTS
        ]
        return [*known, web.route("*", "/{tail:.*}", self._unknown)]

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        self.unknown_routes.append(f"{request.method} {request.path}")
        return _answer(errors.not_found().body, 404, {})

    async def _serve(self, endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        world = self._template.world
        body, files = await _read(request)
        if endpoint.bot and request.headers.get("Authorization") != f"Bot {world.token}":
            response, dropped = _answer(errors.unauthorized().body, 401, {}), False
        else:
            call = replace(
                self._template,
                path=dict(request.match_info),
                query=dict(request.query),
                json=body,
                files=files,
                gateway_url=self._gateway_url(),
            )
            response, dropped = await self._under_faults(endpoint, call, request.method, path)
        self.requests.append(
            Seen(
                at_s=world.clock.now_s(),
                method=request.method,
                path=path,
                status=0 if dropped else response.status,
                json=body,
            )
        )
        world.changes.fire()
        if dropped and request.transport is not None:
            request.transport.abort()
        return response

    async def _under_faults(self, endpoint: Endpoint, call: Call, method: str, path: str) -> tuple[web.Response, bool]:
        """Execute a call as the planted fault allows; the flag says whether the line is to be cut."""
        match self._faults.match(method, path):
            case Respond() as planted:
                return _answer(planted.body, planted.status, planted.headers, via=planted.via), False
            case Drop(after=False):
                return web.Response(), True
            case Drop(after=True):
                return await self._execute(endpoint, call), True
            case Delay(seconds=seconds):
                await asyncio.sleep(seconds)
            case Gate(after=True) as gate:
                response = await self._execute(endpoint, call)
                await gate.hold()
                return response, False
            case Gate() as gate:
                await gate.hold()
            case _:
                pass
        return await self._execute(endpoint, call), False

    async def _execute(self, endpoint: Endpoint, call: Call) -> web.Response:
        verdict = self._buckets.admit(endpoint.limit, _major(call.path), counts_globally=endpoint.bot)
        if verdict.refusal is not None:
            return _answer(verdict.refusal, 429, verdict.headers)
        try:
            reply = await endpoint.handler(call)
        except ApiError as error:
            return _answer(error.body, error.status, verdict.headers)
        except Exception as error:  # the boundary of one request: kept for the test, which must fail
            self.crashes.append(error)
            return _answer({"message": "500: Internal Server Error", "code": 0}, 500, verdict.headers)
        return _render(reply, verdict.headers)


def _major(path: dict[str, str]) -> str:
    """Name the major parameter; an interaction's webhook is told apart by its token too."""
    if "token" in path:
        return f"{path.get('application', '')}/{path['token']}"
    return path.get("channel") or path.get("guild") or ""


def _render(reply: Reply, headers: dict[str, str]) -> web.Response:
    if reply.body is None:
        return web.Response(status=204, headers=headers | {"Via": "1.1 fake"})
    return _answer(reply.body, reply.status, headers)


def _answer(body: Json | list[Json] | str, status: int, headers: dict[str, str], *, via: bool = True) -> web.Response:
    if via:
        headers = headers | {"Via": "1.1 fake"}
    if isinstance(body, str):
        return web.Response(text=body, status=status, headers=headers, content_type="text/html")
    # Without a charset, as Discord sends it: discord.py compares the whole header value.
    headers = {"Content-Type": "application/json"} | headers
    return web.Response(body=json.dumps(body).encode(), status=status, headers=headers)


async def _read(request: web.Request) -> tuple[object, dict[int, Upload]]:
    """Read a JSON body, or `payload_json` and `files[n]` of a multipart form."""
    if not request.content_type.startswith("multipart/"):
        raw = await request.read()
        try:
            return (json.loads(raw) if raw else {}), {}
        except ValueError:
            return None, {}
    body: object = {}
    files: dict[int, Upload] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        name = part.name or ""
        if name == "payload_json":
            try:
                body = json.loads(await part.text())
            except ValueError:
                body = None
        elif name.startswith("files["):
            files[int(name[6:-1])] = Upload(
                filename=part.filename or "unknown",
                content=bytes(await part.read()),
                content_type=part.headers.get("Content-Type", "application/octet-stream"),
            )
    return body, files
