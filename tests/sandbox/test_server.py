"""The sandbox as a program, with a stand-in that reads the clock and settles instead of the bot."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import psutil
import pytest

from bot.sandbox.__main__ import read_options
from bot.sandbox.options import Headless
from tests.sandbox.processes import gone

ROOT = Path(__file__).resolve().parents[2]

# Standard library only, so that it is up at once. It settles every version up to the one it is told.
STAND_IN = """
import json, os, sys, urllib.error, urllib.request
last, version = int(sys.argv[1]), 0
clock = os.environ["CLOCK_URL"]
while version < last:
    with urllib.request.urlopen(f"{clock}?after={version}") as answer:
        version = json.load(answer)["version"]
    body = json.dumps({"version": version, "ran": {"sync": 1}, "cards_behind": 0, "blocked": []}).encode()
    request = urllib.request.Request(clock + "/settled", body, {"Content-Type": "application/json"})
    try:
        urllib.request.urlopen(request).close()
    except urllib.error.HTTPError as refused:
        refused.close()
sys.exit(5) if "die" in sys.argv else __import__("signal").pause()
"""


def bot_command(last: int = 99, *words: str) -> list[str]:
    return [sys.executable, "-S", "-c", STAND_IN, str(last), *words]


def history(folder: Path) -> Path:
    file = folder / "history.csv"
    file.write_text(
        "creator,fan,at,amount_cents\n"
        "creator-1,1,2024-01-01T00:00:00Z,100\n"
        "creator-2,2,2024-01-01T00:00:00Z,100\n"
        "creator-1,3,2024-01-22T12:00:00Z,100\n"
        "creator-1,1,2024-01-31T00:00:00Z,100\n"
    )
    return file


async def start(*arguments: str, command: list[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.sandbox", *arguments, "--", *command),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(*arguments: str, command: list[str]) -> tuple[int, str, str]:
    process = await start(*arguments, command=command)
    try:
        out, err = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def running(
    *arguments: str, command: list[str]
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The process and its address; a SIGTERM ends it, cleanly."""
    process = await start("--port", "0", *arguments, command=command)
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        assert line.startswith("Fanwatch sandbox on http://127.0.0.1:"), line
        yield process, line.split()[-1]
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.communicate(), 20)


async def test_a_headless_run_settles_its_cycles_and_reports(tmp_path: Path) -> None:
    data, files = tmp_path / "data", tmp_path / "out"
    code, out, err = await run(
        *("--port", "0", "--history", str(history(tmp_path)), "--data", str(data), "--headless"),
        *("--cycles", "4", "--step", "1d", "--report", str(files / "report.json")),
        *("--requests", str(files / "requests.jsonl"), "--state", str(files / "state.json")),
        command=bot_command(),
    )
    assert code == 0, err
    assert out.count("\n") == 1
    report = json.loads((files / "report.json").read_text())
    assert report["bot_peak_rss_mb"] > 1
    assert report["wall_s"] > 0
    del report["bot_peak_rss_mb"], report["wall_s"]
    assert report == {
        "schema": 1,
        "cycles": 4,
        "step_s": 86_400,
        "fans": 3,
        "api": {"calls": 0, "credits": 0, "errors": 0},
        "alerts": 0,
        "action_items": 0,
        "cards": {"created": 0, "edited": 0, "reposted": 0, "failed": 0},
        "duplicates": 0,
        "foreign_names": 0,
        "discord": {"requests": 0, "rejections": 0, "http_429": 0, "old_edit_30046": 0},
        "score_to_card_ms": {"n": 0, "p50": 0, "p99": 0},
    }
    state = json.loads((files / "state.json").read_text())
    assert state["state"]["clock"]["now"] == "2024-01-24T00:00:00Z", "three advances from 01-21"
    assert [channel["name"] for channel in state["state"]["channels"]] == [
        "creator-1",
        "creator-2",
        "fanwatch-notices",
    ]
    assert set(state["messages"]) == {channel["id"] for channel in state["state"]["channels"]}
    assert (files / "requests.jsonl").read_text() == ""
    assert (data / "roster.json").exists()


async def test_a_bot_that_dies_ends_a_headless_run_in_failure(tmp_path: Path) -> None:
    code, _, err = await run(
        *("--port", "0", "--history", str(history(tmp_path)), "--headless", "--cycles", "9", "--step", "1h"),
        command=bot_command(3, "die"),
    )
    assert code == 1
    assert "the bot ended by itself with code 5" in err


async def test_a_cycle_that_does_not_settle_ends_the_run(tmp_path: Path) -> None:
    code, _, err = await run(
        *("--port", "0", "--history", str(history(tmp_path)), "--headless", "--cycles", "2"),
        *("--cycle-timeout", "1", "--report", str(tmp_path / "report.json")),
        command=bot_command(1),
    )
    assert code == 1
    assert "cycle 1: the bot has not reported after 1 s" in err
    assert json.loads((tmp_path / "report.json").read_text())["cycles"] == 1


async def test_it_is_controlled_over_http_and_ends_with_its_bot(tmp_path: Path) -> None:
    sandbox = running("--history", str(history(tmp_path)), "--speed", "0", command=bot_command())
    async with sandbox as (process, base), aiohttp.ClientSession(base) as http:
        async with http.post("/sandbox/api/clock", json={"advance_s": 86_400}) as answer:
            assert (await answer.json())["settled"] is True
        async with http.get("/sandbox/api/state") as answer:
            state = await answer.json()
        assert state["clock"] == {"now": "2024-01-22T00:00:00Z", "version": 2, "rate": 0, "settled": True}
        bot = int(state["bot"]["pid"])
        async with http.post("/sandbox/api/bot", json={"action": "kill"}) as answer:
            assert (await answer.json())["running"] is False
        assert not psutil.pid_exists(bot)
        async with http.post("/sandbox/api/bot", json={"action": "start"}) as answer:
            bot = int((await answer.json())["pid"])
        for path in ("/", "/page/app.js", "/page/style.css"):
            async with http.get(path) as answer:
                assert answer.status == 200
                assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            async with http.get("/sandbox/api/state", headers=headers) as answer:
                assert answer.status == 403
                assert (await answer.json())["error"]["code"].startswith("foreign_")
        folder = psutil.Process(bot).cwd()
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 20) == 0
        assert await gone(bot)
        assert not os.path.exists(folder), "the temporary folder is removed"  # noqa: ASYNC240


async def test_it_ends_when_whoever_started_it_is_gone(tmp_path: Path) -> None:
    shell = (
        "import subprocess, sys, time\nprint(subprocess.Popen(sys.argv[1:]).pid, flush=True)\ntime.sleep(60)"
    )
    inner = [sys.executable, "-m", "bot.sandbox", "--port", "0", "--history", str(history(tmp_path))]
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-c", shell, *inner, "--", *bot_command()),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    await asyncio.wait_for(parent.stdout.readline(), 30)
    parent.kill()
    await parent.communicate()
    assert await gone(pid)


async def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = await run("--port", str(port), command=bot_command())
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"port {port} cannot be used (Address already in use): choose another with --port, or --port 0"
    ]


async def test_a_history_that_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    code, _, err = await run("--port", "0", "--history", str(tmp_path / "absent.csv"), command=bot_command())
    assert code == 2
    assert err.splitlines() == [f"{tmp_path / 'absent.csv'}: No such file or directory"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--headless", "--", "bot"],
        ["--headless", "--cycles", "0", "--", "bot"],
        ["--cycles", "3", "--", "bot"],
        ["--wire-speed", "0", "--", "bot"],
        ["--speed", "-1", "--", "bot"],
        ["--step", "2d", "--headless", "--cycles", "1", "--", "bot"],
        ["--port", "x", "--", "bot"],
    ],
)
def test_arguments_that_make_no_sense(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        read_options(arguments)
    assert refused.value.code == 2


def test_arguments() -> None:
    options = read_options(
        ["--port", "0", "--headless", "--cycles", "3", "--step", "15m", "--", "python", "-m", "bot", "run"]
    )
    assert options.command == ("python", "-m", "bot", "run")
    assert options.headless == Headless(3, 900, 600.0, None, None, None)
    assert (options.seed, options.speed, options.wire_speed) == (7, 120.0, 1.0)
