"""A simulated Discord on a free loopback port, and a way to run a real discord.py client against it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.sandbox.discord import Discord
from bot.sandbox.faults import Faults
from bot.sandbox.recorder import Recorder
from bot.sandbox.spec import ChannelSpec, GuildSpec, MemberSpec, RoleSpec

from . import contract

TOKEN = "sandbox-token"
ADMIN = 8
GUILD = GuildSpec(
    name="Agency",
    roles=(RoleSpec("chatter", "chatter"), RoleSpec("lead", "lead"), RoleSpec("owner", "owner", ADMIN)),
    members=(
        MemberSpec("olive", "owner", ("owner",)),
        MemberSpec("carl", "chatter", ("chatter",)),
        MemberSpec("lena", "lead", ("chatter", "lead")),
        MemberSpec("guest", None, ()),
    ),
    channels=(
        ChannelSpec("general", None),
        ChannelSpec("mia", ("chatter", "lead")),
        ChannelSpec("leads", ("lead",)),
    ),
    owner="olive",
)


class FakeHost:
    def clock_state(self) -> dict[str, Any]:
        return {"now": "2026-03-02T08:00:00Z", "version": 1, "rate": 0, "settled": False}

    def bot_pid(self) -> int | None:
        return 4242

    def agency_now(self) -> str:
        return "2026-03-02T08:00:00Z"

    def cycle(self) -> int:
        return 3


@dataclass(slots=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass(slots=True)
class Sandbox:
    """The server with a plain HTTP client: `call` as the bot, `control` as a person."""

    discord: Discord
    faults: Faults
    recorder: Recorder
    port: int
    http: aiohttp.ClientSession

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def channel(self, name: str = "mia") -> int:
        return self.discord.ids.channels[name]

    def member(self, name: str) -> int:
        return self.discord.ids.members[name]

    async def call(self, method: str, path: str, *, token: str = TOKEN, **kwargs: Any) -> Answer:
        headers = {"Authorization": f"Bot {token}"} | kwargs.pop("headers", {})
        url = f"{self.base}/api/v10{path}"
        async with self.http.request(method, url, headers=headers, **kwargs) as response:
            raw = await response.text()
            is_json = response.headers.get("Content-Type") == "application/json"
            body = json.loads(raw) if is_json and raw else raw
            return Answer(response.status, body, dict(response.headers))

    async def send(self, channel: str = "mia", **body: Any) -> Answer:
        return await self.call("POST", f"/channels/{self.channel(channel)}/messages", json=body)

    async def control(self, method: str, path: str, **kwargs: Any) -> Answer:
        async with self.http.request(method, f"{self.base}/sandbox/api/{path}", **kwargs) as response:
            return Answer(response.status, await response.json(), dict(response.headers))

    async def act(self, what: str, user: str, channel: str = "mia", **body: Any) -> dict[str, Any]:
        answer = await self.control("POST", what, json={"user": user, "channel": channel, **body})
        assert answer.status == 200, answer.body
        return answer.body

    async def messages(self, channel: str = "mia") -> list[dict[str, Any]]:
        answer = await self.control("GET", "messages", params={"channel": channel})
        return answer.body["messages"]


class Machine:
    """Machine time that a test can move."""

    def __init__(self) -> None:
        self.at = 1_772_438_400.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def machine() -> Machine:
    return Machine()


@contextlib.asynccontextmanager
async def serve(
    now: Callable[[], float], monotonic: Callable[[], float], wire_speed: float
) -> AsyncIterator[Sandbox]:
    host = FakeHost()
    recorder, faults = Recorder(host), Faults()
    port = 0
    simulated = Discord(
        GUILD,
        host=host,
        recorder=recorder,
        faults=faults,
        token=TOKEN,
        base_url=lambda: f"http://127.0.0.1:{port}",
        wire_speed=wire_speed,
        now=now,
        monotonic=monotonic,
    )
    app = web.Application(client_max_size=32 << 20)
    simulated.add_routes(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as http:
        try:
            yield Sandbox(simulated, faults, recorder, port, http)
            # Whatever a test asked for, what it was given was what Discord's own contract gives.
            answered = [json.loads(line) for line in recorder.lines(target="discord")]
            assert {wrong for line in answered if (wrong := contract.problem(line))} == set()
        finally:
            await simulated.close()
            await runner.cleanup()
            recorder.close()


@pytest.fixture
async def sandbox(machine: Machine) -> AsyncIterator[Sandbox]:
    """Machine time stands still, and rate windows are too short to be in the way."""
    async with serve(machine, time.monotonic, 1e9) as running:
        yield running


@pytest.fixture
async def strict(machine: Machine) -> AsyncIterator[Sandbox]:
    """Discord's own rate windows, in a machine time that only the test moves."""
    async with serve(machine, machine, 1.0) as running:
        yield running


@pytest.fixture
async def paced() -> AsyncIterator[Sandbox]:
    """Rate windows of 0.25 s and 0.05 s, and the machine's own time."""
    async with serve(time.time, time.monotonic, 20.0) as running:
        yield running


@pytest.fixture
async def connect(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    """`await connect(sandbox, client)` logs a discord.py client in and waits until it is ready."""
    tasks: list[tuple[discord.Client, asyncio.Task[None]]] = []

    async def start(running: Sandbox, client: discord.Client) -> None:
        monkeypatch.setattr(Route, "BASE", f"{running.base}/api/v10")
        gateway = yarl.URL(f"ws://127.0.0.1:{running.port}/gateway")
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        await client.login(TOKEN)
        task = asyncio.create_task(client.connect(reconnect=True))
        tasks.append((client, task))
        ready = asyncio.create_task(client.wait_until_ready())
        await asyncio.wait([ready, task], timeout=5, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            ready.cancel()
            await task
        assert ready.done(), "the client never became ready"

    yield start
    for client, task in tasks:
        await client.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
