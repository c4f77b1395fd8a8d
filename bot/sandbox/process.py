"""The bot as a child process: a clean environment, signals on request, its peak memory, and no life after
ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil
from aiohttp import web

from bot.sandbox.clock import error, read_object
from bot.sandbox.options import Api

SAMPLE_EVERY_S = 0.25
TERM_TIMEOUT_S = 30.0
_KEPT = re.compile(r"PATH|HOME|LANG|TZ|VIRTUAL_ENV|XDG_RUNTIME_DIR|PYTHON\w*")
_PLACES: dict[Api, str] = {"fansapi": "fanapi", "ofapi_ai": "ofapi"}
_PROJECT = Path(__file__).resolve().parents[2]
_PEAK_LINE = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class BotSettings:
    """What the bot is told; see sandbox-api.md section 1."""

    discord_token: str
    discord_guild_id: str
    base_url: str
    fanapi_key: str
    fanapi_requests_per_minute: int
    database_url: str
    roster_file: Path
    score_model: str | None
    log_level: str = "INFO"
    webhook_listen: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    fanapi_kind: Api = "fansapi"

    def as_environment(self) -> dict[str, str]:
        """The settings as environment variables."""
        settings = {
            "DISCORD_TOKEN": self.discord_token,
            "DISCORD_GUILD_ID": self.discord_guild_id,
            "DISCORD_API_BASE": f"{self.base_url}/api/v10",
            "DISCORD_GATEWAY_URL": f"{self.base_url.replace('http', 'ws', 1)}/gateway",
            "FANAPI_KIND": self.fanapi_kind,
            "FANAPI_KEY": self.fanapi_key,
            "FANAPI_BASE_URL": f"{self.base_url}/{_PLACES[self.fanapi_kind]}",
            "FANAPI_REQUESTS_PER_MINUTE": str(self.fanapi_requests_per_minute),
            "DATABASE_URL": self.database_url,
            "ROSTER_FILE": str(self.roster_file),
            "CLOCK_URL": f"{self.base_url}/sandbox/clock",
            "LOG_LEVEL": self.log_level,
        }
        if self.score_model is not None:
            settings["SCORE_MODEL"] = self.score_model
        if self.webhook_listen is not None and self.webhook_secret is not None:
            settings |= {"WEBHOOK_LISTEN": self.webhook_listen, "WEBHOOK_SECRET": self.webhook_secret}
        return settings


def clean_environment(ours: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """What a program needs to run, the settings, and nothing else of `ours`.

    The project is put on PYTHONPATH, since the child does not run in our working directory: a `.env` lying
    there must not be read.
    """
    environment = {name: value for name, value in ours.items() if _KEPT.fullmatch(name)}
    paths = [str(_PROJECT), *environment.get("PYTHONPATH", "").split(os.pathsep)]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment | dict(settings)


class BotProcess:
    """One command that is started, killed and started again; at most one runs at a time.

    `output` None lets the bot write to our standard error.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, directory: Path, output: Path | None
    ) -> None:
        program = shutil.which(command[0]) or command[0]
        # The child runs elsewhere, so a relative path must be made whole; links stay, a virtualenv is one.
        self._command = [str(Path(program).absolute()) if os.sep in program else program, *command[1:]]
        self._environment = dict(environment)
        self._directory = directory
        self._output = output
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._guard: subprocess.Popen[str] | None = None
        self._asked = False
        self._exit_code: int | None = None
        self._peak_bytes = 0
        self.died = asyncio.Event()
        """Set once the bot has ended without being asked to; cleared by a start."""

    @property
    def pid(self) -> int | None:
        """The running bot's process id; None = none runs."""
        return self._process.pid if self._process is not None else None

    @property
    def exit_code(self) -> int | None:
        """How the last bot ended, negative for a signal; None = it has not."""
        return self._exit_code

    @property
    def peak_rss_mb(self) -> float:
        """The largest resident memory of the bot's process over all its starts, in MiB."""
        return round(self._peak_bytes / (1 << 20), 1)

    async def start(self) -> None:
        """Start the command. Raises OSError where it cannot be run, RuntimeError where it runs already."""
        if self._process is not None:
            raise RuntimeError("the bot runs already")
        self._asked = False
        self._exit_code = None
        self.died.clear()
        output: IO[bytes] | None = self._output.open("ab") if self._output is not None else None
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output or sys.stderr,
                stderr=output or sys.stderr,
                cwd=self._directory,
                env=self._environment,
                start_new_session=True,
            )
        finally:
            if output is not None:
                output.close()
        self._process = process
        self._tell_guard(f"+{process.pid}")
        self._watcher = asyncio.create_task(self._watch(process))

    async def kill(self) -> None:
        """SIGKILL, and wait for the end. Raises RuntimeError where no bot runs."""
        await self._end(signal.SIGKILL, None)

    async def terminate(self, timeout_s: float = TERM_TIMEOUT_S) -> None:
        """SIGTERM, and wait; after `timeout_s` SIGKILL. Raises RuntimeError where no bot runs."""
        await self._end(signal.SIGTERM, timeout_s)

    async def close(self) -> None:
        """End the bot, if one runs, and the guard."""
        if self._process is not None:
            await self.terminate()
        if self._guard is not None:
            guard, self._guard = self._guard, None
            if guard.stdin is not None:
                guard.stdin.close()
            await asyncio.to_thread(guard.wait)

    async def _end(self, number: signal.Signals, timeout_s: float | None) -> None:
        process, watcher = self._process, self._watcher
        if process is None or watcher is None:
            raise RuntimeError("no bot runs")
        self._asked = True
        self._sample(process.pid)
        _signal_group(process.pid, number)
        try:
            await asyncio.wait_for(asyncio.shield(watcher), timeout_s)
        except TimeoutError:
            _signal_group(process.pid, signal.SIGKILL)
            await watcher

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Sample memory until the process ends, then clear what is left of its group."""
        ended = asyncio.ensure_future(process.wait())
        while not ended.done():
            self._sample(process.pid)
            await asyncio.wait([ended], timeout=SAMPLE_EVERY_S)
        _signal_group(process.pid, signal.SIGKILL)
        self._tell_guard(f"-{process.pid}")
        self._exit_code = process.returncode
        self._process = None
        if not self._asked:
            self.died.set()

    def _sample(self, pid: int) -> None:
        self._peak_bytes = max(self._peak_bytes, peak_rss(pid))

    def _tell_guard(self, line: str) -> None:
        if self._guard is None:
            # A group of its own, or an interrupt from the terminal would end it before us.
            self._guard = subprocess.Popen(  # noqa: S603 - our own file, run by our own interpreter
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))],
                stdin=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        if self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.write(line + "\n")
                self._guard.stdin.flush()


def peak_rss(pid: int) -> int:
    """The peak resident memory of a process in bytes, where the system tells; else its present one. 0 = it is
    gone.
    """
    try:
        found = _PEAK_LINE.search(Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace"))
        if found is not None:
            return int(found[1]) * 1024
        return int(psutil.Process(pid).memory_info().rss)
    except (OSError, psutil.Error):
        return 0


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


class BotApi:
    """POST /sandbox/api/bot {"action": "kill|term|start"}; answers once it is done."""

    def __init__(self, bot: BotProcess) -> None:
        self._bot = bot

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/sandbox/api/bot", self._act)

    async def _act(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        action = body.get("action") if body is not None else None
        actions: dict[object, Any] = {
            "kill": self._bot.kill,
            "term": self._bot.terminate,
            "start": self._bot.start,
        }
        if action not in actions:
            return error(400, "bad_request", "action is kill, term or start", "action")
        try:
            await actions[action]()
        except RuntimeError as problem:
            return error(409, "conflict", str(problem), "action")
        except OSError as problem:
            return error(409, "not_started", str(problem), "action")
        return web.json_response(
            {"pid": self._bot.pid, "running": self._bot.pid is not None, "exit_code": self._bot.exit_code}
        )
