"""The whole sandbox with webhooks on, and a stand-in for the bot that takes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import aiohttp

from tests.sandbox.test_server import history, running

# Standard library only. It writes down what comes, and whether it came before the clock told of it.
STAND_IN = """
import hashlib, hmac, http.server, json, os, sys, threading, urllib.error, urllib.request
version, log = 0, open(sys.argv[1], "a", buffering=1)
host, port = os.environ["WEBHOOK_LISTEN"].split(":")

class Taker(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        made = hmac.new(os.environ["WEBHOOK_SECRET"].encode(), body, hashlib.sha256).hexdigest()
        told = json.loads(body)
        log.write(json.dumps({"path": self.path, "event": told["event"], "version": version,
                              "genuine": made == self.headers["Signature"]}) + "\\n")
        self.send_response(204)
        self.end_headers()
    def log_message(self, *words): pass

taking = http.server.HTTPServer((host, int(port)), Taker)
threading.Thread(target=taking.serve_forever, daemon=True).start()
clock = os.environ["CLOCK_URL"]
while True:
    with urllib.request.urlopen(f"{clock}?after={version}") as answer:
        version = json.load(answer)["version"]
    body = json.dumps({"version": version, "ran": {}, "cards_behind": 0, "blocked": []}).encode()
    request = urllib.request.Request(clock + "/settled", body, {"Content-Type": "application/json"})
    try:
        urllib.request.urlopen(request).close()
    except urllib.error.HTTPError as refused:
        refused.close()
"""


def read(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


async def advance(http: aiohttp.ClientSession, seconds: int) -> bool:
    async with http.post("/sandbox/api/clock", json={"advance_s": seconds, "timeout_s": 20}) as answer:
        assert answer.status == 200, await answer.text()
        return bool((await answer.json())["settled"])


async def test_what_an_advance_brings_is_there_once_it_is_settled(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    command = [sys.executable, "-S", "-c", STAND_IN, str(log)]
    sandbox = running("--webhooks", "--history", str(history(tmp_path)), "--speed", "0", command=command)
    async with sandbox as (_, base), aiohttp.ClientSession(base) as http:
        assert await advance(http, 0), "up, and listening"
        assert await advance(http, 2 * 86_400)
        assert read(log) == [
            {"path": "/webhook", "event": event, "version": 1, "genuine": True}
            for event in ("transactions.new", "messages.ppv.unlocked", *["subscriptions.new"] * 2)
        ], "on seed 7 the third is a duplicate"
        async with http.post("/sandbox/api/bot", json={"action": "kill"}) as answer:
            assert answer.status == 200
        async with http.post(
            "/sandbox/api/clock", json={"advance_s": 14 * 86_400, "timeout_s": 0.5}
        ) as answer:
            assert (await answer.json())["settled"] is False
        async with http.get("/sandbox/api/webhooks") as answer:
            (shown,) = (await answer.json())["webhooks"]
        assert shown["endpoint"]["url"].endswith("/webhook")
        assert {made["status"] for made in shown["deliveries"][:3]} == {"delivered"}
        missed = shown["deliveries"][3:]
        assert "subscriptions.expired" in {made["event"] for made in missed}
        assert {made["response_status"] for made in missed} == {None}, "nobody was there to take it"
