"""A data API without sockets: answers are functions, time stands still unless somebody sleeps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

from bot.fanapi.client import FansApiClient
from bot.fanapi.http import make_client

KEY = "ofapi_secret_key"
BASE = "https://api.example.test"
NOW_S = 1_772_000_000.0

Handler = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


class FakeTime:
    """A clock that moves only when somebody sleeps, and keeps how long."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.at

    def now(self) -> float:
        return NOW_S + self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


class FakeApi:
    """Keeps every request; `handler` gives the answers."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[httpx.Request] = []
        self._handler = handler

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._handler(request)
        return answer if isinstance(answer, httpx.Response) else await answer

    @property
    def queries(self) -> list[dict[str, str]]:
        return [dict(request.url.params) for request in self.requests]


def in_turn(*answers: httpx.Response | Exception) -> Handler:
    """Answers one after the other; the last one stays."""
    left = list(answers)

    def handler(_: httpx.Request) -> httpx.Response:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return handler


C = TypeVar("C")


def build_client(
    kind: Callable[..., C], handler: Handler, settings: dict[str, Any]
) -> tuple[C, FakeApi, FakeTime]:
    """A client of either kind on an API and a time of the test's own."""
    time, api = FakeTime(), FakeApi(handler)
    client = kind(
        make_client("1.2.3", httpx.MockTransport(api)),
        **{
            "base_url": BASE,
            "key": KEY,
            "requests_per_minute": 60_000,
            "sleep": time.sleep,
            "random": lambda: 1.0,
            "monotonic": time.monotonic,
            "now": time.now,
            **settings,
        },
    )
    return client, api, time


def build(handler: Handler, **settings: Any) -> tuple[FansApiClient, FakeApi, FakeTime]:
    return build_client(FansApiClient, handler, settings)


def fan(fan_id: int | str, **fields: Any) -> dict[str, Any]:
    return {
        "id": fan_id,
        "username": f"fan_{fan_id}",
        "subscribedOn": True,
        "subscribedOnData": None,
        **fields,
    }


def fan_page(
    ids: list[int], more: bool | None, next_page: str | None = None, key: str = "list"
) -> httpx.Response:
    data: dict[str, Any] = {key: [fan(fan_id) for fan_id in ids]}
    if more is not None:
        data["hasMore"] = more
    return httpx.Response(200, json={"data": data, "_pagination": {"next_page": next_page}})


def payment(payment_id: str, created_at: str = "2026-03-01T10:00:00+00:00", **fields: Any) -> dict[str, Any]:
    return {
        "id": payment_id,
        "type": "tips",
        "amount": 20,
        "net": 16,
        "currency": "usd",
        "createdAt": created_at,
        "status": "loading",
        "user": {"id": 1000001, "username": "fan_alpha", "name": "Alpha"},
        **fields,
    }


def payment_page(
    payments: list[dict[str, Any]], more: bool, marker: int | None = None, next_page: str | None = None
) -> httpx.Response:
    data = {"list": payments, "hasMore": more, "nextMarker": marker}
    return httpx.Response(200, json={"data": data, "_pagination": {"next_page": next_page}})
