"""Puts the bot together from its settings and runs it until it is told to stop. The only place that constructs things."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import aiohttp
import discord
import httpx
import structlog
from sqlalchemy.exc import DBAPIError
from yarl import URL

from bot import VERSION
from bot.app import FanwatchBot
from bot.building import build_services, database_bytes
from bot.clock import Clock, ClockUnreachableError, RemoteClock, SystemClock
from bot.config import Settings, SettingsError, load_settings
from bot.discord_ui.pacer import Pacer
from bot.discord_ui.people import People
from bot.discord_ui.sender import DiscordSender
from bot.domain.models import MS_PER_DAY, MS_PER_S
from bot.domain.roster import RosterError, read_roster
from bot.domain.scoring import get_model
from bot.fanapi.errors import FanApiError, KeyRefusedError, PermissionDeniedError
from bot.fanapi.http import make_client
from bot.fanapi.make import make_api
from bot.fanapi.protocol import FanApi
from bot.jobs.boards import BoardsJob
from bot.jobs.calm import CalmJob
from bot.jobs.daily import DailyJob
from bot.jobs.delivery import Delivery
from bot.jobs.desk_timers import DeskTimers
from bot.jobs.digest import DigestJob
from bot.jobs.fetching.budget import Budget
from bot.jobs.fetching.second_look import SecondLook
from bot.jobs.followups import FollowupsJob
from bot.jobs.health import Health
from bot.jobs.notices import Notices
from bot.jobs.scoring import Scoring
from bot.jobs.shifts import ShiftsJob
from bot.jobs.sync import SyncJob
from bot.jobs.ticker import Ticker
from bot.jobs.webhook_server import WebhookServer
from bot.jobs.webhooks import WebhookJob
from bot.logs import configure_logging
from storage import card_delivery, messages, webhook_inbox
from storage.engine import AgencyStore, Storage
from storage.lock import DatabaseInUseError, ProcessLock
from storage.roster import apply_roster
from storage.settings import create_agency

log = structlog.get_logger(__name__)

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_SETTINGS = 2
EXIT_REFUSED = 3
EXIT_IN_USE = 4

DRAIN_S = 10.0
LOGIN_RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)


class StartError(Exception):
    """The bot cannot start. The message is one line for the operator."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


async def run_bot(env_file: str) -> int:
    """Run until SIGTERM or SIGINT; the exit code. Whatever keeps it from starting is told in one line each."""
    try:
        settings = load_settings(env_file=env_file)
        configure_logging(settings.log_level)
        async with AsyncExitStack() as stack:
            return await _run(settings, stack)
    except SettingsError as error:
        for problem in error.problems:
            print(f"fanwatch: {problem}", file=sys.stderr)  # noqa: T201 - the operator's terminal
        return EXIT_SETTINGS
    except StartError as error:
        print(f"fanwatch: {error}", file=sys.stderr)  # noqa: T201 - the operator's terminal
        return error.exit_code


async def _run(settings: Settings, stack: AsyncExitStack) -> int:
    stopping = asyncio.Event()
    _stop_on_signals(stopping)
    clock = await _open_clock(settings, stack)
    storage = await _open_storage(settings, stack)
    store = await _open_agency(settings, storage, clock)
    api = make_api(
        settings.fanapi_kind,
        make_client(VERSION),
        base_url=settings.api_base_url(),
        key=settings.read_fanapi_key().get_secret_value(),
        requests_per_minute=settings.requests_per_minute(),
        keep_text=settings.store_message_text,
        variant=settings.fanapi_variant,
        top_fans=settings.fanapi_top_fans,
    )
    stack.push_async_callback(api.aclose)
    await _check_key(api)

    discord.http.Route.BASE = settings.discord_api_base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = URL(settings.discord_gateway_url)
    bot = FanwatchBot(guild_id=settings.discord_guild_id, http_trace=Pacer().trace_config())
    stack.push_async_callback(bot.close)
    delivery = Delivery(
        store,
        DiscordSender(bot),
        guild_id=settings.discord_guild_id,
        chat_url=settings.chat_url,
        now_ms=clock.now_ms,
    )
    bot.services = build_services(settings, store, clock, api, delivery)

    async def message_gone(message_id: int) -> None:
        if await store.write(lambda tx: card_delivery.mark_message_deleted(tx, message_id)):
            await delivery.wake()

    async def still_works(user_id: int, creator_id: int) -> bool:
        guild = bot.get_guild(settings.discord_guild_id)
        if guild is None:
            # Not connected yet: nothing says that anybody has left.
            return True
        found = await People(guild, bot.services.access).viewer(user_id)
        return found is not None and creator_id in found.creator_ids

    bot.on_message_gone = message_gone
    bot.on_channel_gone = delivery.channel_gone
    bot.on_permissions_changed = delivery.retry_blocked
    budget = Budget(store, settings.credits_per_day)
    look = SecondLook(store, api, budget, clock, keep_messages=messages.apply_messages)
    scoring = Scoring(
        store,
        get_model(settings.score_model),
        look=look,
        wake_delivery=delivery.wake,
        payments_known=api.capabilities.payments,
        rules=settings.desk_rules(),
    )
    notices = Notices(store)
    sync = SyncJob(
        store,
        api,
        scoring,
        notices,
        clock,
        budget=budget,
        poll_every_ms=settings.poll_minutes * 60 * MS_PER_S,
        history_ms=settings.history_days * MS_PER_DAY,
        on_scored=delivery.wake,
    )
    hooks = WebhookJob(
        store,
        api,
        scoring,
        notices,
        clock,
        keep_text=settings.store_message_text,
        on_changed=delivery.wake,
    )
    server = _webhook_server(settings, store, clock, hooks)
    health = Health(
        store,
        clock,
        api.meter,
        webhooks=hooks.counters,
        version=VERSION,
        connected=lambda: bot.is_ready() and bot.ws is not None and bot.ws.open,
        database_bytes=partial(database_bytes, settings.database_url),
    )
    followups = FollowupsJob(store, settings.desk_rules(), still_works=still_works)
    ticker = Ticker(
        clock,
        [
            CalmJob(store),
            hooks,
            ShiftsJob(store, settings.desk_rules()),
            sync,
            # After a sync, so that nobody is called about what it has just found to be over.
            DeskTimers(store, settings.desk_rules()),
            followups,
            DailyJob(store),
            BoardsJob(store),
            DigestJob(store, settings.desk_rules()),
        ],
        delivery,
        on_tick=health.note_tick,
    )
    await _serve_metrics(health, settings, stack)

    await _log_in(bot, settings.discord_token.get_secret_value(), stopping)
    connection = asyncio.create_task(bot.connect(reconnect=True), name="gateway")
    # What was imported and built so far lives as long as the process: left out of every later collection, which would
    # otherwise hold up the event loop for some 65 ms at a time.
    gc.collect()
    gc.freeze()
    if server is not None:
        await _listen(server, settings, store, clock)
    log.info("started", agency_id=store.agency_id, model=settings.score_model)
    # What is owed from before does not wait for the first tick, whose jobs may take long.
    await delivery.wake()
    ticker.start()
    stop = asyncio.create_task(stopping.wait(), name="stop")
    try:
        await asyncio.wait({connection, stop}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        if server is not None:
            await _within(DRAIN_S, server.stop(), "webhooks")
        await _within(DRAIN_S, ticker.stop(), "ticker")
        await hooks.stop()
        await bot.drain(DRAIN_S)
        await delivery.stop(DRAIN_S)
        await _within(DRAIN_S, bot.close(), "gateway")
        # A connection that was only just being made does not notice that the bot was closed.
        connection.cancel()
        await asyncio.gather(connection, stop, return_exceptions=True)
    if connection.done() and not connection.cancelled() and (error := connection.exception()) is not None:
        if isinstance(error, discord.ConnectionClosed) and error.code == 4004:
            raise StartError("Discord refused the token (DISCORD_TOKEN).", EXIT_REFUSED)
        log.error("gateway_failed", error=type(error).__name__)
        return EXIT_FAILED
    return EXIT_OK


def _webhook_server(
    settings: Settings, store: AgencyStore, clock: Clock, hooks: WebhookJob
) -> WebhookServer | None:
    """None where the settings ask for none."""
    if settings.webhook_listen is None:
        return None
    given = (settings.webhook_secret, settings.webhook_secret_previous)
    return WebhookServer(
        store,
        clock,
        settings.webhook_listen,
        [secret.get_secret_value() for secret in given if secret is not None],
        hooks.counters,
        on_stored=hooks.wake,
        keep_text=settings.store_message_text,
    )


async def _listen(server: WebhookServer, settings: Settings, store: AgencyStore, clock: Clock) -> None:
    missed = await store.write(lambda tx: webhook_inbox.note_gaps_at_start(tx, clock.now_ms()))
    if missed:
        log.info("webhooks_missed", creators=missed)
    try:
        await server.start()
    except OSError as error:
        raise StartError(
            f"WEBHOOK_LISTEN: cannot listen there ({type(error).__name__})", EXIT_SETTINGS
        ) from error


async def _serve_metrics(health: Health, settings: Settings, stack: AsyncExitStack) -> None:
    address = settings.metrics_listen
    if address is None:
        return
    try:
        await health.start(address.host, address.port)
    except OSError as error:
        raise StartError(
            f"METRICS_LISTEN: cannot listen there ({type(error).__name__})", EXIT_SETTINGS
        ) from error
    stack.push_async_callback(health.stop)


async def _within(seconds: float, ending: Coroutine[Any, Any, None], what: str) -> None:
    """Give one part of the shutdown its time; the others must come to theirs."""
    try:
        async with asyncio.timeout(seconds):
            await ending
    except TimeoutError:
        log.warning("shutdown_slow", part=what)


def _stop_on_signals(stopping: asyncio.Event) -> None:
    # discord.py leaves SIGTERM to its host, and a second signal must not cut the draining short.
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)


async def _open_clock(settings: Settings, stack: AsyncExitStack) -> Clock:
    if settings.clock_url is None:
        return SystemClock()
    client = await stack.enter_async_context(httpx.AsyncClient())
    clock = RemoteClock(settings.clock_url, client)
    try:
        await clock.start()
    except ClockUnreachableError as error:
        raise StartError(str(error), EXIT_SETTINGS) from error
    return clock


async def _open_storage(settings: Settings, stack: AsyncExitStack) -> Storage:
    try:
        await stack.enter_async_context(ProcessLock(settings.database_url))
        return await stack.enter_async_context(await Storage.open(settings.database_url))
    except DatabaseInUseError as error:
        raise StartError(str(error), EXIT_IN_USE) from error
    except (OSError, DBAPIError) as error:
        raise StartError(
            f"DATABASE_URL: the database cannot be opened ({type(error).__name__})", EXIT_SETTINGS
        ) from error


async def _open_agency(settings: Settings, storage: Storage, clock: Clock) -> AgencyStore:
    """The agency of this Discord server; in an empty database from ROSTER_FILE or, without one, for /setup."""
    if not await storage.system.list_agencies():
        if settings.roster_file is None:
            agency_id = await create_agency(storage, settings.discord_guild_id, clock.now_ms())
            log.info("agency_to_be_set_up", agency_id=agency_id)
            return storage.agency(agency_id)
        try:
            roster = read_roster(settings.roster_file)
        except RosterError as error:
            raise StartError(f"ROSTER_FILE: {error}", EXIT_SETTINGS) from error
        await apply_roster(storage, roster, clock.now_ms())
    agency = await storage.system.find_agency(settings.discord_guild_id)
    if agency is not None:
        if agency.set_up_at is None and settings.roster_file is not None:
            log.warning(
                "roster_not_read", reason="the database is not empty; use /setup or an empty database"
            )
        return storage.agency(agency.id)
    raise StartError(
        "DISCORD_GUILD_ID: this database belongs to another Discord server than the one set", EXIT_SETTINGS
    )


async def _check_key(api: FanApi) -> None:
    try:
        await api.check_key()
    except (KeyRefusedError, PermissionDeniedError) as error:
        raise StartError(f"The data API refused the key (FANAPI_KEY): {error}", EXIT_REFUSED) from error
    except FanApiError as error:
        # Down or out of credits is no reason to stay down ourselves: what is stored can be worked with.
        log.warning("api_not_answering", error=type(error).__name__)


async def _log_in(bot: FanwatchBot, token: str, stopping: asyncio.Event) -> None:
    """Log in, waiting for Discord where it is down. Raises StartError where it refuses the token."""
    attempt = 0
    while not stopping.is_set():
        try:
            await bot.login(token)
            return
        except discord.LoginFailure as error:
            raise StartError("Discord refused the token (DISCORD_TOKEN).", EXIT_REFUSED) from error
        except discord.HTTPException as error:
            if error.status == 403 and error.code != 0:
                raise StartError("Discord refused the token (DISCORD_TOKEN).", EXIT_REFUSED) from error
            reason = f"{error.status}"
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            reason = type(error).__name__
        wait_s = LOGIN_RETRY_S[min(attempt, len(LOGIN_RETRY_S) - 1)]
        log.warning("discord_not_answering", reason=reason, retry_s=wait_s)
        attempt += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), wait_s)
