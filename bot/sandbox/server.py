"""The sandbox as one program: a local Discord and an agency on one loopback port, the bot as its child."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox import border, headless, page, report, view
from bot.sandbox.agency.api import REQUESTS_A_MINUTE, START_BALANCE, FanApi
from bot.sandbox.agency.contacts import ContactApi, Directory
from bot.sandbox.agency.credits import Ledger
from bot.sandbox.agency.history import HistoryAgency, HistoryError, read_rows
from bot.sandbox.agency.model import Agency
from bot.sandbox.agency.ofapi import OfApi
from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.clock import AgencyClock, ClockApi
from bot.sandbox.discord import Discord
from bot.sandbox.faults import Faults
from bot.sandbox.options import Headless, Options
from bot.sandbox.process import BotApi, BotProcess, BotSettings, clean_environment
from bot.sandbox.recorder import Recorder
from bot.sandbox.roster import build_guild, write_roster
from bot.sandbox.staff import history_staff, sample_staff
from bot.sandbox.times import to_rfc3339
from bot.sandbox.webhooks import BotHook, Webhooks

OK, FAILED, USAGE = 0, 1, 2
_SHUTDOWN_S = 2.0
_PARENT_EVERY_S = 0.5


class Sandbox:
    """Everything but the port: built on an address that is known already. Also the `Host` of the simulated
    Discord.
    """

    def __init__(self, options: Options, agency: Agency, *, base_url: str, folder: Path) -> None:
        self.agency = agency
        self.clock = AgencyClock(agency.start_at, 0.0 if options.headless else options.speed)
        self.faults = Faults()
        self.recorder = Recorder(self)
        self._cycle = 0
        token, key = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        hire = sample_staff if options.history is None else history_staff
        staff = hire(agency.creators)
        self.discord = Discord(
            build_guild(agency.creators, staff),
            host=self,
            recorder=self.recorder,
            faults=self.faults,
            token=token,
            base_url=base_url,
            wire_speed=options.wire_speed,
        )
        ledger = Ledger(START_BALANCE)
        self.webhooks = Webhooks(
            agency,
            clock=self.clock,
            faults=self.faults,
            ledger=ledger,
            seed=options.seed,
            wire_speed=options.wire_speed,
        )
        self.clock.on_move(self.webhooks.catch_up)
        self._hook = BotHook(_free_port(), secrets.token_urlsafe(32)) if options.webhooks else None
        self.fan_api = (OfApi if options.api == "ofapi_ai" else FanApi)(
            agency,
            clock=self.clock,
            faults=self.faults,
            recorder=self.recorder,
            key=key,
            seed=options.seed,
            wire_speed=options.wire_speed,
            ledger=ledger,
            desk=self.webhooks.desk,
        )
        self.ids = view.ids_of(self.discord)
        self.contacts = ContactApi(
            agency if isinstance(agency, SampleAgency) else None,
            clock=self.clock,
            directory=Directory.of(
                {worker.name: self.ids.members[worker.name] for worker in staff.workers if worker.tier},
                self.ids.channels,
                agency.creators,
            ),
        )
        roster_file = folder / "roster.json"
        write_roster(roster_file, agency.creators, staff, self.ids)
        settings = BotSettings(
            discord_token=token,
            discord_guild_id=self.ids.guild_id,
            base_url=base_url,
            fanapi_kind=options.api,
            fanapi_key=key,
            fanapi_requests_per_minute=max(1, min(100_000, round(REQUESTS_A_MINUTE * options.wire_speed))),
            database_url=options.database or f"sqlite:///{folder}/fanwatch.db",
            roster_file=roster_file,
            score_model=options.model,
            webhook_listen=self._hook.listen if self._hook else None,
            webhook_secret=self._hook.secret if self._hook else None,
        )
        self.bot = BotProcess(
            options.command,
            clean_environment(os.environ, settings.as_environment()),
            directory=folder,
            output=None if options.verbose else folder / "bot.log",
        )

    def clock_state(self) -> dict[str, Any]:
        return {**self.clock.state(), "settled": self.clock.settled}

    def bot_pid(self) -> int | None:
        return self.bot.pid

    def agency_now(self) -> str:
        return to_rfc3339(self.clock.now())

    def cycle(self) -> int:
        return self._cycle

    def enter_cycle(self, cycle: int) -> None:
        """Number what is recorded from here on."""
        self._cycle = cycle

    def application(self, port: int) -> web.Application:
        app = web.Application(middlewares=[border.same_origin(port)], client_max_size=32 << 20)
        ClockApi(self.clock).add_routes(app)
        BotApi(self.bot).add_routes(app)
        self.contacts.add_routes(app)
        self.webhooks.add_routes(app)
        self.fan_api.add_routes(app)
        self.discord.add_routes(app)
        page.add_routes(app)
        return app

    async def start(self) -> None:
        """Start the bot and what is told to it. Raises OSError where its command cannot be run."""
        self.webhooks.start(self._hook)
        await self.bot.start()

    async def close(self) -> None:
        """End the bot first, while Discord and the API still answer it."""
        await self.bot.close()
        await self.webhooks.close()
        self.clock.close()
        await self.discord.close()
        self.recorder.close()

    def report(self, run: Headless, done: int, wall_s: float) -> dict[str, Any]:
        """The headless report as of now."""
        self.agency.advance(self.clock.now())
        channels = self.ids.channels
        return report.build_report(
            cycles=done,
            step_s=run.step_s,
            creators=self.agency.creators,
            channel_accounts={channels[creator.name]: creator.account_id for creator in self.agency.creators},
            usage=self.fan_api.usage,
            counters=self.recorder.counters(),
            request_lines=self.recorder.lines(target="discord"),
            messages=view.seen_messages(self.discord),
            wall_s=wall_s,
            bot_peak_rss_mb=self.bot.peak_rss_mb,
        )


def load_agency(options: Options) -> Agency:
    """The agency the options ask for. Raises HistoryError."""
    if options.history is None:
        return SampleAgency(seed=options.seed, effect=options.effect)
    return HistoryAgency(read_rows(options.history))


async def serve(options: Options) -> int:
    """Run a sandbox to its end and give the exit code."""
    try:
        listener = _listen(options.port)
    except OSError as problem:
        told = f"port {options.port} cannot be used ({problem.strerror}): choose another with --port, or --port 0"
        print(told, file=sys.stderr)  # noqa: T201
        return USAGE
    with listener, contextlib.ExitStack() as stack:
        try:
            agency = load_agency(options)
        except HistoryError as problem:
            print(problem, file=sys.stderr)  # noqa: T201
            return USAGE
        if options.data is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fanwatch-")))
        else:
            folder = options.data.resolve()
            folder.mkdir(parents=True, exist_ok=True)
        return await _serve(options, agency, listener, folder)


async def _serve(options: Options, agency: Agency, listener: socket.socket, folder: Path) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    watcher = asyncio.create_task(_stop_without_parent(stopping, os.getppid()))
    port = int(listener.getsockname()[1])
    base_url = f"http://127.0.0.1:{port}"
    sandbox = Sandbox(options, agency, base_url=base_url, folder=folder)
    runner = web.AppRunner(sandbox.application(port), access_log=None, shutdown_timeout=_SHUTDOWN_S)
    try:
        await runner.setup()
        await web.SockSite(runner, listener).start()
        try:
            await sandbox.start()
        except OSError as problem:
            print(f"the bot's command cannot be run: {problem}", file=sys.stderr)  # noqa: T201
            return USAGE
        print(f"Fanwatch sandbox on {base_url}", flush=True)  # noqa: T201
        if not options.verbose:
            print(f"the bot writes to {folder / 'bot.log'}", file=sys.stderr)  # noqa: T201
        if options.headless is None:
            await stopping.wait()
            return OK
        return await _run_headless(sandbox, options.headless, stopping)
    finally:
        watcher.cancel()
        await sandbox.close()
        await runner.cleanup()


async def _run_headless(sandbox: Sandbox, run: Headless, stopping: asyncio.Event) -> int:
    started = time.monotonic()
    cycling = asyncio.create_task(
        headless.run_cycles(
            sandbox.clock,
            sandbox.bot,
            cycles=run.cycles,
            step_s=run.step_s,
            timeout_s=run.timeout_s,
            on_cycle=sandbox.enter_cycle,
        )
    )
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait([cycling, stop], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not cycling.done():
        cycling.cancel()
        await asyncio.gather(cycling, return_exceptions=True)
        return FAILED
    result = cycling.result()
    wall_s = time.monotonic() - started
    if sandbox.bot.pid is not None:
        await sandbox.bot.terminate()
    if run.report is not None:
        _write_json(run.report, sandbox.report(run, result.done, wall_s))
    if run.requests is not None:
        run.requests.parent.mkdir(parents=True, exist_ok=True)
        sandbox.recorder.write(run.requests)
    if run.state is not None:
        _write_json(run.state, view.final_state(sandbox.discord))
    if result.trouble is not None:
        print(result.trouble, file=sys.stderr)  # noqa: T201
        return FAILED
    return OK


async def _stop_without_parent(stopping: asyncio.Event, parent: int) -> None:
    """Whoever started us and is gone can no longer stop us."""
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing can be waited for: the system tells nobody
        await asyncio.sleep(_PARENT_EVERY_S)
    stopping.set()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _free_port() -> int:
    """A loopback port that nobody has now, for the bot to listen on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
