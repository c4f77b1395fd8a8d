"""Who may speak to the sandbox: programs and pages of this machine that address it by its own name."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.sandbox.clock import error


def same_origin(port: int) -> Middleware:
    """Refuse a foreign Host (a rebound name) and a foreign Origin (a page of another site) with 403."""
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    origins = {f"http://{host}" for host in hosts}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.host not in hosts:
            return error(403, "foreign_host", "the sandbox answers to its own address only", None)
        origin = request.headers.get("Origin")
        if origin is not None and origin not in origins:
            return error(403, "foreign_origin", "the sandbox answers to its own page only", None)
        return await handler(request)

    return check
