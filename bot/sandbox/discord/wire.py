"""The REST door: what every request to the simulated Discord goes through, whatever it asks for."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from aiohttp import BodyPartReader, web

from bot.sandbox.faults import Fault, Faults
from bot.sandbox.recorder import Recorder

from .errors import INVALID_JSON, METHOD_NOT_ALLOWED, NOT_FOUND, UNAUTHORIZED, ApiError, api_error
from .messages import Upload
from .ratelimit import RateLimits, limited

_log = logging.getLogger(__name__)

PREFIX: Final = "/api/v10"
MAX_FILE_BYTES: Final = 10 * 1024 * 1024
_ANSWERED: Final = frozenset({"status", "rate_limit", "latency", "reset", "bad_json"})
_PERFORMED: Final = frozenset({"delete", "forget_nonces", "gateway_drop", "forbid"})


@dataclass(slots=True)
class Call:
    """A request as a handler sees it.

    Attributes:
        ids: the numbers in the path, by name.
        token: the interaction or webhook token in the path; "" = none there.
        body: the JSON of the body; {} without one. A list for the bulk update of commands.
        reason: X-Audit-Log-Reason.
    """

    method: str
    ids: Mapping[str, int]
    token: str
    query: Mapping[str, str]
    body: Any = field(default_factory=dict)
    uploads: list[Upload] = field(default_factory=list)
    form: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None

    def fields(self) -> dict[str, Any]:
        """The body as an object; raises 50109 for another kind of JSON."""
        if not isinstance(self.body, dict):
            raise api_error(INVALID_JSON)
        return self.body


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any = None


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint.

    Attributes:
        bucket: name of its rate limit, kept per `major`; None = only the limit of the whole bot.
        major: the id in the path that has a bucket of its own.
        interaction: it is authorised by a token in the path and exempt from all limits.
    """

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    bucket: str | None = None
    major: str = "channel"
    interaction: bool = False


def route(
    method: str, template: str, handler: Handler, *, bucket: str | None = None, interaction: bool = False
) -> Route:
    """`{name}` in the template is an id, `{token}` a token."""
    parts = re.sub(
        r"\{(\w+)\}", lambda m: r"(?P<token>[^/]+)" if m[1] == "token" else rf"(?P<{m[1]}>\d+)", template
    )
    return Route(method, re.compile(parts + "/?"), handler, bucket, interaction=interaction)


class Wire:
    """Finds the route, checks the token, applies limits and faults, records, and answers as Discord does."""

    def __init__(
        self,
        routes: list[Route],
        limits: RateLimits,
        faults: Faults,
        perform: Callable[[Fault], None],
        recorder: Recorder,
        token: str,
    ) -> None:
        self._routes = routes
        self._limits = limits
        self._faults = faults
        self._perform = perform
        self._recorder = recorder
        self._authorization = f"Bot {token}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        started = time.perf_counter()
        path = request.raw_path
        call = Call(request.method, {}, "", request.query)
        fault: Fault | None = None
        found: Route | None = None
        headers: dict[str, str] = {}
        try:
            call.reason = _reason(request)
            found, match = self._find(request.method, request.path.removeprefix(PREFIX))
            call.ids = {key: int(value) for key, value in match.groupdict().items() if key != "token"}
            call.token = match.groupdict().get("token") or ""
            await _read(request, call)
            if not found.interaction:
                self._authorise(request)
                headers = self._limits.check(found.bucket, call.ids.get(found.major, 0))
            happening = self._faults.take("discord", request.method, path, _PERFORMED)
            if happening is not None:
                self._perform(happening)
            fault = await self._faults.apply("discord", request.method, path, _ANSWERED)
            reply = self._faulted(fault) or await found.handler(call)
        except ApiError as error:
            reply = Reply(error.status, error.body)
            headers |= error.headers
        except (TypeError, ValueError, KeyError, AttributeError, IndexError):
            # A field of a kind nobody sends on purpose; Discord says no more of it than this.
            _log.warning(
                "a request that could not be read: %s %s",
                request.method,
                found and found.pattern.pattern,
                exc_info=True,
            )
            reply = Reply(400, {"message": "Invalid Form Body", "code": 50035, "errors": {}})
        cut = fault is not None and fault.kind == "reset"
        self._record(request, call, path, None if cut else reply, fault, started)
        if cut:
            return await _reset(request)
        return _respond(reply, headers, broken=fault is not None and fault.kind == "bad_json")

    def _find(self, method: str, path: str) -> tuple[Route, re.Match[str]]:
        known = False
        for one in self._routes:
            match = one.pattern.fullmatch(path)
            if match is None:
                continue
            known = True
            if one.method == method:
                return one, match
        raise api_error(METHOD_NOT_ALLOWED if known else NOT_FOUND)

    def _authorise(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if not secrets.compare_digest(given.encode(), self._authorization.encode()):
            raise api_error(UNAUTHORIZED)

    @staticmethod
    def _faulted(fault: Fault | None) -> Reply | None:
        """The answer a fault gives in place of the real one; None = the request goes through."""
        if fault is None:
            return None
        args = fault.args
        if fault.kind == "status":
            code = int(args.get("code", 500))
            body = args.get("body", {"message": f"{code}: sandbox fault", "code": 0})
            return Reply(code, body)
        if fault.kind == "rate_limit":
            everywhere = bool(args.get("global", False))
            given = args.get("headers")
            sent = {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else {}
            error = limited(float(args.get("retry_after_s", 1)), everywhere=everywhere, headers=sent)
            if given is False:
                # As Cloudflare does it: nothing beside the status and the body.
                error.headers = {}
            raise error
        if fault.kind == "reset" and args.get("when", "before") != "after":
            return Reply(0)
        return None

    def _record(
        self,
        request: web.Request,
        call: Call,
        path: str,
        reply: Reply | None,
        fault: Fault | None,
        started: float,
    ) -> None:
        self._recorder.record(
            "discord",
            request.method,
            path,
            headers=request.headers,
            status=reply.status if reply else None,
            ms=(time.perf_counter() - started) * 1000,
            json_body=None if call.body == {} else call.body,
            files=[
                {
                    "name": f"files[{one.key}]",
                    "filename": one.filename,
                    "content_type": one.content_type,
                    "size": len(one.data),
                }
                for one in call.uploads
            ],
            form=call.form,
            reason=call.reason,
            response=reply.body if reply else None,
            fault=fault.kind if fault else None,
        )


def _reason(request: web.Request) -> str | None:
    given = request.headers.get("X-Audit-Log-Reason")
    return unquote(given) if given else None


async def _read(request: web.Request, call: Call) -> None:
    if request.content_type.startswith("multipart/"):
        await _read_multipart(request, call)
        return
    raw = await request.read()
    if raw:
        call.body = _parse(raw)


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise api_error(INVALID_JSON) from None


async def _read_multipart(request: web.Request, call: Call) -> None:
    reader = await request.multipart()
    async for part in reader:
        if not isinstance(part, BodyPartReader):
            raise api_error(INVALID_JSON)
        name = part.name or ""
        data = bytes(await part.read(decode=True))
        if name == "payload_json":
            call.body = _parse(data)
        elif (key := re.fullmatch(r"files\[(\d+)\]", name)) is not None:
            if len(data) > MAX_FILE_BYTES:
                raise ApiError(413, {"message": "Request entity too large", "code": 40005})
            filename = part.filename or "file"
            call.uploads.append(Upload(int(key[1]), filename, _content_type(part, filename), data))
        else:
            call.form[name] = data.decode(errors="replace")


_TYPES: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "svg": "image/svg+xml",
}


def _content_type(part: BodyPartReader, filename: str) -> str:
    # discord.py declares every file an octet-stream; Discord goes by the name.
    given = part.headers.get("Content-Type", "application/octet-stream")
    return _TYPES.get(filename.rpartition(".")[2].lower(), given)


def _respond(reply: Reply, headers: Mapping[str, str], *, broken: bool) -> web.Response:
    if broken:
        return web.Response(
            status=reply.status, body=b'{"id": "12', headers={"Content-Type": "application/json", **headers}
        )
    if reply.status == 204 or reply.body is None:
        return web.Response(status=reply.status, headers=dict(headers))
    if isinstance(reply.body, str):
        return web.Response(
            status=reply.status, text=reply.body, content_type="text/html", headers=dict(headers)
        )
    # web.json_response would add a charset, which discord.py does not take for JSON.
    body = json.dumps(reply.body, separators=(",", ":"), ensure_ascii=False).encode()
    return web.Response(
        status=reply.status, body=body, headers={"Content-Type": "application/json", **headers}
    )


async def _reset(request: web.Request) -> web.Response:
    """Ends the connection without an answer, with RST as a lost peer does."""
    transport = request.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    await asyncio.sleep(0)
    return web.Response(status=500)
