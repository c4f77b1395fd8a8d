"""The page at /: plain files without a build step, served as they are."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).parent
_FILES = {
    "/": ("index.html", "text/html"),
    "/page/style.css": ("style.css", "text/css"),
    **{f"/page/{script.name}": (script.name, "text/javascript") for script in _FOLDER.glob("*.js")},
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


def add_routes(app: web.Application) -> None:
    """Serve the page."""
    app.router.add_get("/favicon.ico", _nothing)
    for path in _FILES:
        app.router.add_get(path, _file)


async def _file(request: web.Request) -> web.Response:
    name, kind = _FILES[request.path]
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=kind, headers=_HEADERS)


async def _nothing(request: web.Request) -> web.Response:
    return web.Response(status=204)
