"""Starts the sandbox with the real bot in it and talks to its control API. Always ends what it started."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiohttp

from tests.e2e.answers import Advance, Json, Reply, SandboxError

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
RUN_BOT: tuple[str, ...] = (sys.executable, "-m", "bot", "run")
PLENTY_OF_MENTIONS = ("/usr/bin/env", "ALERT_BUDGET=100", *RUN_BOT)
"""A bot whose budget of mentions no replay uses up: who of several creators is first served by one person's budget depends
on whose data comes first, and a kill may change that.
"""
_LINE = re.compile(r"Fanwatch sandbox on (http://127\.0\.0\.1:(\d+))")
_NO_PAYLOAD: dict[str, Any] = {}


@dataclass(slots=True)
class Sandbox:
    """A running sandbox. Ids are strings; `user` and `channel` take an id or an exact name."""

    base: str
    data: Path
    log: Path
    process: asyncio.subprocess.Process
    http: aiohttp.ClientSession
    database: Path | str
    """The bot's: a SQLite file, or the address of a PostgreSQL database."""
    bot_pids: set[int] = field(default_factory=set)
    _newest: int = 0

    async def _call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        query: Json = _NO_PAYLOAD,
        within: float = 30,
    ) -> Any:
        try:
            async with self.http.request(
                method,
                f"{self.base}/sandbox/api/{path}",
                json=body,
                params={key: str(value) for key, value in query.items()},
                timeout=aiohttp.ClientTimeout(total=within),
            ) as answer:
                text = await answer.text()
                if answer.status >= 400:
                    raise SandboxError(f"{method} {path} -> {answer.status} {text}\n{self.tail()}")
                if answer.content_type == "application/json" and path != "requests":
                    return await answer.json()
                return text
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SandboxError(f"{method} {path} {body}: {error!r}\n{self.tail()}") from error

    def tail(self, lines: int = 40) -> str:
        """The end of the log of the sandbox and the bot, for failure messages."""
        told: list[str] = []
        for log in (self.log, self.data / "bot.log"):
            told += [f"--- {log.name}", *(_read(log).splitlines()[-lines:] if log.exists() else ())]
        return "\n".join(told)

    async def state(self) -> Json:
        raw: Json = await self._call("GET", "state")
        if pid := raw["bot"].get("pid"):
            self.bot_pids.add(int(pid))
        return raw

    async def messages(self, channel: str) -> list[Json]:
        """Every message of a channel or thread, oldest first, the deleted ones included."""
        found: dict[str, Json] = {}
        after = "0"
        while True:
            page = (
                await self._call("GET", "messages", query={"channel": channel, "after": after, "limit": 100})
            )["messages"]
            fresh = [message for message in page if message["id"] not in found]
            if not fresh:
                return [found[key] for key in sorted(found, key=int)]
            found.update((message["id"], message) for message in fresh)
            after = max(found, key=int)

    async def slash(
        self,
        user: str,
        channel: str,
        command: str,
        options: Json | None = None,
        *,
        target: str | None = None,
        wait_ms: int = 5000,
        forge: bool = False,
    ) -> Reply:
        """`target`: the message, where `command` is one of its menu."""
        body = {
            "user": user,
            "channel": channel,
            "target": target,
            "command": command,
            "options": options or {},
            "wait_ms": wait_ms,
        }
        return Reply.of(await self._call("POST", "slash", body | ({"forge": True} if forge else {})))

    async def press(
        self,
        user: str,
        channel: str,
        message: str,
        custom_id: str,
        values: Sequence[str] = (),
        *,
        wait_ms: int = 5000,
        forge: bool = False,
    ) -> Reply:
        body = {
            "user": user,
            "channel": channel,
            "message": message,
            "custom_id": custom_id,
            "values": list(values),
            "wait_ms": wait_ms,
        }
        return Reply.of(await self._call("POST", "press", body | ({"forge": True} if forge else {})))

    async def submit(
        self, user: str, channel: str, custom_id: str, opened_by: str, fields: Json, *, forge: bool = False
    ) -> Reply:
        body = {
            "user": user,
            "channel": channel,
            "custom_id": custom_id,
            "opened_by": opened_by,
            "fields": fields,
        }
        return Reply.of(await self._call("POST", "submit", body | ({"forge": True} if forge else {})))

    async def autocomplete(
        self, user: str, channel: str, command: str, options: Json, focused: str, *, forge: bool = False
    ) -> Json:
        body = {"user": user, "channel": channel, "command": command, "options": options, "focused": focused}
        raw: Json = await self._call("POST", "autocomplete", body | ({"forge": True} if forge else {}))
        return raw

    async def say(self, user: str, channel: str, content: str) -> str:
        body = {"user": user, "channel": channel, "content": content, "reply_to": None}
        return str((await self._call("POST", "say", body))["message"])

    async def members(self, user: str, roles: Sequence[str]) -> None:
        await self._call("POST", "members", {"user": user, "roles": list(roles)})

    async def fault(
        self,
        target: Literal["discord", "fanapi"],
        kind: str,
        *,
        args: Json | None = None,
        match: Json | None = None,
        after: int = 0,
        count: int = 1,
    ) -> str:
        body = {
            "target": target,
            "kind": kind,
            "match": match or {},
            "after": after,
            "count": count,
            "args": args or {},
        }
        return str((await self._call("POST", "faults", body))["id"])

    async def faults(self) -> list[Json]:
        return list((await self._call("GET", "faults"))["faults"])

    async def clear_faults(self) -> None:
        await self._call("DELETE", "faults")

    async def advance(self, seconds: int, *, timeout_s: int = 60) -> Advance:
        """One step of agency time; `settled` False when the bot did not settle within `timeout_s` of machine
        time.
        """
        body = {"advance_s": seconds, "step_s": None, "timeout_s": timeout_s}
        raw = await self._call("POST", "clock", body, within=timeout_s + 30)
        return Advance(raw["now"], raw["version"], bool(raw["settled"]), raw.get("ran") or {}, raw["wall_ms"])

    async def bot(self, action: Literal["kill", "term", "start"]) -> None:
        await self._call("POST", "bot", {"action": action})

    async def requests(self, since: int = 0, target: str = "discord") -> list[Json]:
        """The recorded requests after number `since`, in order."""
        text = await self._call("GET", "requests", query={"since": since, "target": target}, within=60)
        return json_lines(text)

    async def newest_request(self) -> int:
        """The number of the newest recorded request to Discord, 0 where there is none."""
        lines = await self.requests(self._newest)
        self._newest = max((int(line["n"]) for line in lines), default=self._newest)
        return self._newest

    async def until(self, what: str, holds: Callable[[Json], bool], within: float = 30) -> Json:
        """Asks for the state until `holds(state)`; fails after `within` seconds and where no bot runs."""
        deadline = time.monotonic() + within
        while True:
            state = await self.state()
            if holds(state):
                return state
            if state["bot"]["pid"] is None:
                raise SandboxError(f"the bot ended by itself before {what}\n{self.tail()}")
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"not within {within:.0f} s: {what}; {state['bot']} {state['clock']}\n{self.tail()}"
                )
            await asyncio.sleep(0.05)

    async def settled(self, within: float = 60) -> Json:
        return await self.until("settled", lambda state: bool(state["clock"]["settled"]), within)

    async def person(self, tier: str) -> str:
        """The id of a member of that tier: chatter, lead, manager or owner."""
        state = await self.state()
        for member in state["members"]:
            if str(member.get("tier") or "").lower() == tier:
                return str(member["id"])
        raise SandboxError(f"nobody is a {tier}: {state['members']}")


def json_lines(text: str) -> list[Json]:
    """The objects of a text with one JSON object on each line."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def clean_environment() -> dict[str, str]:
    """What a subprocess of the tests gets: nothing of the developer's own settings."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "COVERAGE_PROCESS_START")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"PYTHONUNBUFFERED": "1"}


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _log_in(data: Path) -> Path:
    data.mkdir(parents=True, exist_ok=True)
    return data / "sandbox.log"


async def _address(
    process: asyncio.subprocess.Process, log: Path, within: float
) -> tuple[str, asyncio.Task[None]]:
    """Waits for the line with the address, then keeps copying the output to the log."""
    assert process.stdout is not None
    stream = process.stdout
    seen: list[str] = []

    async def find() -> str:
        while line := await stream.readline():
            seen.append(line.decode(errors="replace"))
            if match := _LINE.search(seen[-1]):
                return match[1]
        raise SandboxError(f"the sandbox ended before it was up:\n{''.join(seen)}\n{_read(log)}")

    async def drain() -> None:
        with log.open("ab") as out:
            while line := await stream.readline():
                out.write(line)

    try:
        base = await asyncio.wait_for(find(), within)
    except TimeoutError as error:
        raise SandboxError(f"no address within {within} s:\n{''.join(seen)}\n{_read(log)}") from error
    return base, asyncio.create_task(drain())


async def stop(process: asyncio.subprocess.Process, within: float = 5) -> None:
    """SIGTERM to the group, SIGKILL where that is not enough; returns when the process is gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            await asyncio.wait_for(process.wait(), within)
        except TimeoutError:
            continue
        break
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@asynccontextmanager
async def sandbox(
    data: Path,
    *,
    history: Path | None = None,
    wire_speed: int = 20,
    model: str | None = None,
    command: Sequence[str] = RUN_BOT,
    launcher: Sequence[str] = ("-m", "bot.sandbox"),
    extra: Sequence[str] = (),
    up_within: float = 30,
    database: str | None = None,
) -> AsyncIterator[Sandbox]:
    """A sandbox at agency speed 0 with `command` as its bot; everything it writes is under `data`.

    `database`: the address of a PostgreSQL database; None: a SQLite file under `data`.
    """
    log = _log_in(data)
    arguments = [sys.executable, *launcher, "--port", "0", "--speed", "0", "--data", str(data)]
    arguments += ["--wire-speed", str(wire_speed), *extra]
    arguments += ["--history", str(history)] if history else []
    arguments += ["--model", model] if model else []
    arguments += ["--database", database] if database else []
    with log.open("ab") as err:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            "--",
            *command,
            cwd=ROOT,
            env=clean_environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=err,
            start_new_session=True,
            limit=1 << 20,
        )
    copying: asyncio.Task[None] | None = None
    session = aiohttp.ClientSession()
    running: Sandbox | None = None
    try:
        base, copying = await _address(process, log, up_within)
        running = Sandbox(base, data, log, process, session, database or data / "fanwatch.db")
        yield running
    finally:
        if running is not None:
            with suppress(SandboxError):
                await asyncio.wait_for(running.state(), 5)
        await stop(process)
        await session.close()
        if copying is not None:
            await copying
        for pid in running.bot_pids if running is not None else ():
            # The bot ends with the sandbox; one that does not must not outlive the test.
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
