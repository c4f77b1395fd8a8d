"""The bot's process, with a stand-in for the bot: environment, signals, memory, and its end with ours."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox.process import BotApi, BotProcess, BotSettings, clean_environment, peak_rss
from tests.sandbox.processes import gone

STAND_IN = """
import json, os, pathlib, signal, subprocess, sys
folder = pathlib.Path(sys.argv[1])
grandchild = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"])
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
told = {"environment": dict(os.environ), "cwd": os.getcwd(), "grandchild": grandchild.pid, "pid": os.getpid()}
print("stand-in is up", flush=True)
(folder / "told.tmp").write_text(json.dumps(told))
(folder / "told.tmp").replace(folder / "told.json")
if "brief" in sys.argv:
    grandchild.kill()
    sys.exit(3)
signal.pause()
"""


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-c", STAND_IN, str(folder), *words]


async def told(folder: Path) -> dict[str, Any]:
    """What the stand-in wrote once it was up; taken away, so that the next start writes it anew."""
    file = folder / "told.json"
    async with asyncio.timeout(10):
        while not file.exists():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
    body: dict[str, Any] = json.loads(file.read_text())
    file.unlink()
    return body


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotProcess]:
    made = BotProcess(command(tmp_path), os.environ, directory=tmp_path, output=tmp_path / "bot.log")
    yield made
    await made.close()


async def test_it_is_started_killed_and_started_again(bot: BotProcess, tmp_path: Path) -> None:
    await bot.start()
    first = await told(tmp_path)
    assert first["pid"] == bot.pid
    assert first["cwd"] == str(tmp_path)
    with pytest.raises(RuntimeError):
        await bot.start()
    await bot.kill()
    assert (bot.pid, bot.exit_code) == (None, -signal.SIGKILL)
    assert not bot.died.is_set()
    assert await gone(first["grandchild"]), "its own children end with it"
    await bot.start()
    second = await told(tmp_path)
    assert second["pid"] == bot.pid != first["pid"]
    await bot.terminate()
    assert bot.exit_code == -signal.SIGTERM
    with pytest.raises(RuntimeError):
        await bot.kill()
    assert (tmp_path / "bot.log").read_text() == "stand-in is up\n" * 2
    assert bot.peak_rss_mb > 1


async def test_one_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    bot = BotProcess(command(tmp_path, "stubborn"), os.environ, directory=tmp_path, output=tmp_path / "log")
    await bot.start()
    await told(tmp_path)
    await bot.terminate(timeout_s=0.1)
    assert bot.exit_code == -signal.SIGKILL
    await bot.close()


async def test_one_that_dies_unasked_stays_dead(tmp_path: Path) -> None:
    bot = BotProcess(command(tmp_path, "brief"), os.environ, directory=tmp_path, output=tmp_path / "log")
    await bot.start()
    async with asyncio.timeout(10):
        await bot.died.wait()
    assert (bot.pid, bot.exit_code) == (None, 3)
    await bot.close()


async def test_a_command_that_cannot_be_run_says_so(tmp_path: Path) -> None:
    bot = BotProcess(["no-such-program"], os.environ, directory=tmp_path, output=tmp_path / "log")
    with pytest.raises(OSError, match="no-such-program"):
        await bot.start()
    assert bot.pid is None
    await bot.close()


async def test_the_control_endpoint(bot: BotProcess, tmp_path: Path) -> None:
    app = web.Application()
    BotApi(bot).add_routes(app)
    async with TestClient(TestServer(app)) as client:

        async def act(action: str) -> tuple[int, dict[str, object]]:
            async with client.post("/sandbox/api/bot", json={"action": action}) as response:
                return response.status, await response.json()

        status, body = await act("start")
        assert (status, body["running"], body["pid"]) == (200, True, bot.pid)
        assert (await act("start"))[0] == 409
        await told(tmp_path)
        status, body = await act("kill")
        assert (status, body) == (200, {"pid": None, "running": False, "exit_code": -9})
        assert (await act("term"))[0] == 409
        status, body = await act("dance")
        assert (status, body["error"]) == (
            400,
            {"code": "bad_request", "message": "action is kill, term or start", "field": "action"},
        )


def test_the_environment_is_clean_and_has_the_settings(tmp_path: Path) -> None:
    settings = BotSettings(
        discord_token="token",
        discord_guild_id="5",
        base_url="http://127.0.0.1:8080",
        fanapi_key="key",
        fanapi_requests_per_minute=5000,
        database_url="sqlite:////tmp/x/fanwatch.db",
        roster_file=tmp_path / "roster.json",
        score_model=None,
        webhook_listen="127.0.0.1:8090",
        webhook_secret="shared",
    )
    ours = {
        "PATH": "/bin",
        "HOME": "/home/x",
        "LANG": "C",
        "TZ": "UTC",
        "PYTHONPATH": "/lib/x",
        "PYTHONUNBUFFERED": "1",
        "XDG_RUNTIME_DIR": "/run/x",
        "DISCORD_TOKEN": "the operator's own",
        "FANAPI_KEY_FILE": "/secret",
        "AWS_SECRET": "x",
        "MYPATH": "x",
    }
    made = clean_environment(ours, settings.as_environment())
    assert made["PYTHONPATH"].endswith(f"{os.pathsep}/lib/x")
    assert {name: value for name, value in made.items() if name != "PYTHONPATH"} == {
        "PATH": "/bin",
        "HOME": "/home/x",
        "LANG": "C",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "XDG_RUNTIME_DIR": "/run/x",
        "DISCORD_TOKEN": "token",
        "DISCORD_GUILD_ID": "5",
        "DISCORD_API_BASE": "http://127.0.0.1:8080/api/v10",
        "DISCORD_GATEWAY_URL": "ws://127.0.0.1:8080/gateway",
        "FANAPI_KIND": "fansapi",
        "FANAPI_KEY": "key",
        "FANAPI_BASE_URL": "http://127.0.0.1:8080/fanapi",
        "FANAPI_REQUESTS_PER_MINUTE": "5000",
        "DATABASE_URL": "sqlite:////tmp/x/fanwatch.db",
        "ROSTER_FILE": str(tmp_path / "roster.json"),
        "CLOCK_URL": "http://127.0.0.1:8080/sandbox/clock",
        "LOG_LEVEL": "INFO",
        "WEBHOOK_LISTEN": "127.0.0.1:8090",
        "WEBHOOK_SECRET": "shared",
    }
    assert "shared" not in repr(settings)


def test_peak_memory_of_this_process_and_of_none() -> None:
    assert peak_rss(os.getpid()) > 5 << 20
    assert peak_rss(2**22 + 1) == 0


HOLDER = """
import asyncio, pathlib, sys
from bot.sandbox.process import BotProcess
async def main():
    folder = pathlib.Path(sys.argv[1])
    bot = BotProcess(sys.argv[2:], {"PATH": "/usr/bin"}, directory=folder, output=folder / "log")
    await bot.start()
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, str(tmp_path), *command(tmp_path), cwd=Path(__file__).parents[2]
    )
    try:
        up = await told(tmp_path)
    finally:
        holder.kill()
        await holder.wait()
    assert await gone(up["pid"])
    assert await gone(up["grandchild"])
