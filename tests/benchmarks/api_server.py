"""A data API of made-up fans in a process of its own: `python -m tests.benchmarks.api_server FANS LATENCY_MS`.

Pages are made from their offset alone, so that a million fans take no memory here. It prints its address and serves until
its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

ACCOUNT = "acct_1"
PAGE = 20
PAYMENTS_PAGE = 100
_META = {"_credits": {"used": 1, "balance": 1_000_000}, "_cache": {"is_cached": False}}

Json = dict[str, Any]


def fan(number: int) -> Json:
    """Fan `number` of the list, whose id is number + 1; one in three has left."""
    left = number % 3 == 0
    spent = number % 900 if number % 2 else 0
    return {
        "id": number + 1,
        "username": f"fan_{number + 1}",
        "name": f"Fan {number + 1}",
        "displayName": "",
        "lastSeen": f"2026-02-{1 + number % 28:02}T10:00:00+00:00",
        "isBlocked": False,
        "isRestricted": False,
        "isPerformer": False,
        "canReceiveChatMessage": True,
        "subscribedOn": not left,
        "subscribedOnExpiredNow": left,
        "subscribedOnData": {
            "price": 9.99,
            "subscribeAt": "2025-11-01T09:00:00+00:00",
            "renewedAt": "2026-02-10T09:00:00+00:00",
            "expiredAt": "2026-02-12T09:00:00+00:00" if left else "2026-03-12T09:00:00+00:00",
            "unsubscribeReason": "",
            "totalSumm": spent,
            "subscribesSumm": spent,
            "subscribes": [
                {
                    "id": number,
                    "startDate": "2026-02-10T09:00:00+00:00",
                    "expireDate": "2026-02-12T09:00:00+00:00" if left else "2026-03-12T09:00:00+00:00",
                    "cancelDate": None,
                    "price": 9.99,
                    "regularPrice": 9.99,
                    "isCurrent": not left,
                }
            ],
        },
    }


class Api:
    """Serves one account of `fans` fans, each answer `latency_s` late; counts the requests."""

    def __init__(self, fans: int, latency_s: float) -> None:
        self._fans = fans
        self._latency_s = latency_s
        self.calls = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/{tail:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.Response:
        self.calls += 1
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        tail = request.match_info["tail"]
        if tail == "accounts":
            return _json([{"id": ACCOUNT, "is_authenticated": True}])
        if tail == "calls":
            return _json({"calls": self.calls})
        endpoint = tail.partition("/")[2]
        offset = int(request.query.get("offset", "0"))
        if endpoint in ("fans/all", "fans/active"):
            return self._page(tail, offset)
        if endpoint == "fans/latest":
            return _json({"data": {"users": [], "hasMore": False}, "_pagination": {"next_page": None}})
        if endpoint in ("transactions", "chargebacks"):
            return _json({"data": {"list": [], "hasMore": False}, "_pagination": {"next_page": None}})
        if endpoint == "users/list":
            ids = [int(number) for number in request.query["ids"].split(",")]
            return _json({"data": {str(number): fan(number - 1) for number in ids}})
        return web.json_response({"message": "Not found."}, status=404)

    def _page(self, tail: str, offset: int) -> web.Response:
        end = min(offset + PAGE, self._fans)
        more = end < self._fans
        following = f"https://app.onlyfansapi.com/api/{tail}?limit={PAGE}&offset={end}" if more else None
        listed = [fan(number) for number in range(offset, end)]
        return _json({"data": {"list": listed, "hasMore": more}, "_pagination": {"next_page": following}})


def _json(body: Any) -> web.Response:
    if isinstance(body, dict):
        body["_meta"] = _META
    return web.Response(body=json.dumps(body).encode(), content_type="application/json")


async def _serve(fans: int, latency_ms: float) -> None:
    runner = web.AppRunner(Api(fans, latency_ms / 1_000).app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)  # noqa: T201 - whoever started it reads it
    try:
        # Ends with who started it, however that ends.
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(fans: int, latency_ms: float) -> AsyncIterator[str]:
    """The address of such a server, which ends with the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.api_server", str(fans), str(latency_ms)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            address = (await process.stdout.readline()).decode().strip()
        yield address
    finally:
        process.stdin.close()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
