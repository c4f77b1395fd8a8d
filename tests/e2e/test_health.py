"""/healthz and /metrics of the real bot, while it works."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import aiohttp

from tests.e2e.harness import sandbox
from tests.e2e.office import HISTORY, eventually


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_the_running_bot_says_how_it_is(tmp_path: Path) -> None:
    port = _free_port()
    command = ("env", f"METRICS_LISTEN=127.0.0.1:{port}", sys.executable, "-m", "bot", "run")
    base = f"http://127.0.0.1:{port}"
    async with (
        sandbox(tmp_path / "data", history=HISTORY, model="reference", command=command) as box,
        aiohttp.ClientSession() as http,
    ):
        await box.settled()

        async def well() -> dict[str, object] | None:
            async with http.get(f"{base}/healthz") as answer:
                told: dict[str, object] = await answer.json()
                return told if answer.status == 200 else None

        assert (await eventually("/healthz answers 200", well, box, within=30))["status"] == "ok"
        async with http.get(f"{base}/metrics") as answer:
            text = await answer.text()
        assert "fanwatch_api_calls_total{" in text
        assert "fanwatch_cards_behind 0.0" in text
        assert 'tier="action"' in text
        for name in ("luna", "fan_1001", "acct_"):
            assert name not in text
