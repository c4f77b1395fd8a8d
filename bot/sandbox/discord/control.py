"""The control API's own manners: who may call, what a request holds, and errors as it words them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from aiohttp import web

BASE: Final = "/sandbox/api"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})

Body = dict[str, Any]


class ControlError(Exception):
    """`field` names what in the request is wrong; None = nothing in particular."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


def bad(field: str, message: str) -> NoReturn:
    raise ControlError(400, "invalid", message, field)


def answer(value: Any, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, headers={"Cache-Control": "no-store"})


def guarded(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Refuses other machines' names and other sites' pages, and words errors as the control API does."""

    async def guard(request: web.Request) -> web.StreamResponse:
        try:
            _check_caller(request)
            return await handler(request)
        except ControlError as error:
            body = {"error": {"code": error.code, "message": error.message, "field": error.field}}
            return answer(body, error.status)

    return guard


def _check_caller(request: web.Request) -> None:
    if urlsplit(f"//{request.host}").hostname not in _LOOPBACK:
        raise ControlError(403, "foreign_host", "the sandbox answers to its own address only")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        raise ControlError(403, "foreign_origin", "the sandbox answers to its own page only")


async def body_of(request: web.Request) -> Body:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        raise ControlError(400, "invalid_json", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise ControlError(400, "invalid_json", "the body is not an object")
    return body


def text(body: Body, field: str) -> str:
    """A required text; numbers are taken too, as ids are often written so."""
    value = body.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        bad(field, f"{field} is missing")
    return value


def mapping(body: Body, field: str) -> Body:
    value = body.get(field) or {}
    if not isinstance(value, dict):
        bad(field, f"{field} is not an object")
    return value


def whole(body: Body, field: str, otherwise: int, *, low: int = 0, high: int = 1 << 62) -> int:
    value = body.get(field)
    if value is None:
        return otherwise
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        bad(field, f"{field} is no whole number from {low} to {high}")
    return value
