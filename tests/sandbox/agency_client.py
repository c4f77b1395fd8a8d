"""The data API of a small agency, served on loopback for the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox.agency.api import FanApi
from bot.sandbox.agency.history import HistoryAgency, Row
from bot.sandbox.agency.model import Agency
from bot.sandbox.clock import AgencyClock
from bot.sandbox.faults import Faults
from bot.sandbox.recorder import Recorder
from bot.sandbox.times import MS_PER_DAY, parse

T0 = parse("2024-01-01T00:00:00Z")
KEY = "test-key"
ACCOUNT = "acct_creator-1"
Json = dict[str, Any]


class StillHost:
    """A host without a bot."""

    def clock_state(self) -> Json:
        return {}

    def bot_pid(self) -> int | None:
        return None

    def agency_now(self) -> str:
        return "2024-01-01T00:00:00Z"

    def cycle(self) -> int:
        return 0


def crowd(fans: int, *, creator: str = "creator-1", first: int = 1_000) -> list[Row]:
    """Rows of fans who each bought once, one an hour."""
    return [
        Row(first + number, creator, first + number, T0 + number * 3_600_000, 1_000 + number)
        for number in range(fans)
    ]


@dataclass(slots=True)
class Api:
    """A running data API."""

    client: TestClient[web.Request, web.Application]
    agency: Agency
    clock: AgencyClock
    faults: Faults
    fan_api: FanApi

    async def ask(self, path: str, *, key: str = KEY, **query: str | int) -> ClientResponse:
        return await self.client.get(
            f"/fanapi/api/{path}",
            params={name: str(value) for name, value in query.items()},
            headers={"Authorization": f"Bearer {key}"},
        )

    async def get(self, path: str, **query: str | int) -> Any:
        """The body of a 200."""
        async with await self.ask(path, **query) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def walk(self, path: str, **query: str | int) -> list[list[Json]]:
        """The pages of a list, following the query of `next_page` only."""
        pages: list[list[Json]] = []
        asked = dict(query)
        while True:
            body = await self.get(path, **asked)
            pages.append(body["data"].get("list", body["data"].get("users")))
            following = body["_pagination"]["next_page"]
            assert body["data"].get("hasMore", following is not None) is (following is not None)
            if following is None:
                return pages
            assert following.startswith(f"https://app.onlyfansapi.com/api/{path}?")
            asked = dict(part.split("=", 1) for part in following.partition("?")[2].split("&"))


@asynccontextmanager
async def serving(
    agency: Agency | None = None, *, fans: int = 0, vendor: type[FanApi] = FanApi
) -> AsyncIterator[Api]:
    """Serve an agency, by default one of `fans` fans of one creator, all of them known already."""
    made = agency or HistoryAgency([*crowd(fans), Row(1, "creator-1", 1, T0 + 300 * MS_PER_DAY, 100)])
    clock = AgencyClock(made.start_at)
    faults = Faults()
    recorder = Recorder(StillHost())
    fan_api = vendor(made, clock=clock, faults=faults, recorder=recorder, key=KEY, seed=7)
    app = web.Application()
    fan_api.add_routes(app)
    try:
        async with TestClient(TestServer(app)) as client:
            yield Api(client, made, clock, faults, fan_api)
    finally:
        recorder.close()
