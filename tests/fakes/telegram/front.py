"""HTTP front of the fake: tokens, method names, faults, the envelope of answers, file downloads.

Decides nothing about methods; `methods` maps their lower-case names (the server ignores case) to functions.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from tests.fakes.body import Body
from tests.fakes.telegram.errors import ApiError
from tests.fakes.telegram.faults import Action, Delay, Drop, Faults, Gate, Respond
from tests.fakes.telegram.model import Call, JsonObject
from tests.fakes.telegram.params import Params, read_params
from tests.fakes.telegram.world import World

Method = Callable[[World, Params], object]
Poll = Callable[[Params], Awaitable[object]]
MAX_UPLOAD_BYTES = 50 * 1024 * 1024
_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{35}")


class _Dropped(Exception):
    """The connection is to be aborted."""


class Front:
    """Answers requests; `calls` records them all in the order of arrival."""

    def __init__(
        self, world: World, token: str, faults: Faults, methods: Mapping[str, Method], get_updates: Poll
    ) -> None:
        self.calls: list[Call] = []
        self._world = world
        self._token = token
        self._faults = faults
        self._methods = methods
        self._get_updates = get_updates

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(client_max_size=MAX_UPLOAD_BYTES + 64 * 1024)
        app.router.add_route("*", "/bot{token:[^/]+}/{method:[^/]+}", self._answer_method)
        app.router.add_get("/file/bot{token:[^/]+}/{path:.+}", self._answer_file)
        app.router.add_route("*", "/{rest:.*}", self._answer_unknown)
        return app

    async def _answer_unknown(self, _request: web.Request) -> web.StreamResponse:
        return _failure(ApiError(404, "Not Found"))

    async def _answer_method(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        call = Call(method=method, params={}, at=self._world.now())
        self.calls.append(call)
        self._world.changed.fire()
        try:
            self._check_token(request)
            params = await read_params(request)
            uploads = {name: f"<{len(upload.data)} bytes>" for name, upload in params.files.items()}
            call.params = params.values | uploads
            response = await self._with_faults(method, request, lambda: self._run(method, params))
        except web.HTTPRequestEntityTooLarge:
            response = _failure(ApiError(413, "Request Entity Too Large"))
        except ApiError as error:
            response = _failure(error)
        except _Dropped:
            return self._abort(request, call)
        call.status = response.status
        if (
            isinstance(response, web.Response)
            and response.status != 200
            and response.content_type == "application/json"
        ):
            call.description = json.loads(response.body or b"{}").get("description")  # type: ignore[arg-type]  # bytes here
        self._world.changed.fire()
        return response

    def _abort(self, request: web.Request, call: Call) -> web.StreamResponse:
        call.status = 0
        self._world.changed.fire()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _with_faults(
        self, method: str, request: web.Request, run: Callable[[], Awaitable[web.Response]]
    ) -> web.StreamResponse:
        fault = self._faults.take(method)
        if isinstance(fault, Body):
            return await fault.answer(request)
        if isinstance(fault, Respond):
            return web.Response(status=fault.status, body=fault.body, content_type=fault.content_type)
        await _strike(fault, after=False)
        response = await run()
        await _strike(fault, after=True)
        return response

    async def _run(self, name: str, params: Params) -> web.Response:
        try:
            if name.lower() == "getupdates":
                return _success(await self._get_updates(params))
            method = self._methods.get(name.lower())
            if method is None:
                raise ApiError(404, "Not Found: method not found")
            return _success(method(self._world, params))
        except ApiError as error:
            return _failure(error)

    def _check_token(self, request: web.Request) -> None:
        token = request.match_info["token"]
        if not _TOKEN.fullmatch(token):
            raise ApiError(404, "Not Found")
        if token != self._token:
            raise ApiError(401, "Unauthorized")

    async def _answer_file(self, request: web.Request) -> web.StreamResponse:
        call = Call(method="file", params={"path": request.match_info["path"]}, at=self._world.now())
        self.calls.append(call)

        async def read() -> web.Response:
            path = request.match_info["path"]
            file = next((file for file in self._world.files.values() if file.path == path), None)
            if file is None:
                raise ApiError(404, "Not Found")
            return web.Response(body=file.data, content_type="application/octet-stream")

        try:
            self._check_token(request)
            response = await self._with_faults("file", request, read)
        except ApiError as error:
            response = _failure(error)
        except _Dropped:
            return self._abort(request, call)
        call.status = response.status
        self._world.changed.fire()
        return response


async def _strike(fault: Action | None, *, after: bool) -> None:
    match fault:
        case Drop(after=when) if when == after:
            raise _Dropped
        case Delay(seconds=seconds, after=when) if when == after:
            await asyncio.sleep(seconds)
        case Gate() if fault.after == after and not await fault.hold():
            raise _Dropped


def _success(result: object) -> web.Response:
    return _json_response(200, {"ok": True, "result": result})


def _failure(error: ApiError) -> web.Response:
    body: JsonObject = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    response = _json_response(error.code, body)
    if error.parameters and "retry_after" in error.parameters:
        response.headers["Retry-After"] = str(error.parameters["retry_after"])
    return response


def _json_response(status: int, body: JsonObject) -> web.Response:
    raw = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return web.Response(status=status, body=raw, content_type="application/json")
