"""A server for this machine only: whether the bot is well (/healthz), and its figures for Prometheus (/metrics).

It tells ids and numbers, never a name.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from bot.clock import Clock
from bot.domain.models import MS_PER_S, AlertTier
from bot.fanapi.protocol import Meter, Usage
from bot.jobs.webhooks import WebhookCounters
from storage import metrics, roster, status
from storage.engine import AgencyStore
from storage.metrics import CreatorGauges

log = structlog.get_logger(__name__)

OLDEST_TICK_S = 60.0
DATABASE_S = 5.0
BEAT_S = 0.5
"""How often the loop is asked how late it is, and whether anything moves."""
FANS_KEPT_S = 60.0
_TICK_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)
_LAG_BUCKETS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_NOBODY = "0"
"""The label of what belongs to no creator."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What /metrics tells, read in one go. `used`: by creator id."""

    now_ms: int
    creators: Sequence[CreatorGauges]
    fans: dict[int, int]
    used: dict[str, Usage]
    cards_behind: int
    cards_blocked: int


class Health:
    """`connected`: whether the gateway is; `database_bytes` None: unknown."""

    def __init__(
        self,
        store: AgencyStore,
        clock: Clock,
        meter: Meter,
        *,
        version: str,
        connected: Callable[[], bool],
        database_bytes: Callable[[], int | None],
        webhooks: WebhookCounters | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._meter = meter
        self._version = version
        self._connected = connected
        self._database_bytes = database_bytes
        self._webhooks = webhooks
        self._monotonic = monotonic
        self._moved_s = monotonic()
        self._calls = 0
        self._fans: tuple[float, dict[int, int]] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self._registry = CollectorRegistry(auto_describe=False)
        self._ticks = Histogram(
            "fanwatch_tick_seconds", "How long ticks took", buckets=_TICK_BUCKETS, registry=self._registry
        )
        self._lag = Histogram(
            "fanwatch_event_loop_lag_seconds",
            "How late the event loop was",
            buckets=_LAG_BUCKETS,
            registry=self._registry,
        )

    def note_tick(self, seconds: float) -> None:
        """A tick has ended that took that long."""
        self._moved_s = self._monotonic()
        self._ticks.observe(seconds)

    async def start(self, host: str, port: int) -> int:
        """Listen; the port, also where 0 asked for any free one. Raises OSError."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError:
            await self.stop()
            raise
        self._beating = asyncio.create_task(self._beat(), name="health-beat")
        bound = int(self._runner.addresses[0][1])
        log.info("metrics_listening", port=bound)
        return bound

    async def stop(self) -> None:
        """Listen no more; again is nothing."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _beat(self) -> None:
        while True:
            asked = self._monotonic()
            await asyncio.sleep(BEAT_S)
            self._lag.observe(max(0.0, self._monotonic() - asked - BEAT_S))
            calls = self._meter.total().calls
            if calls != self._calls:
                # A first walk of many fans is one long tick: what fetches is not stuck.
                self._calls, self._moved_s = calls, self._monotonic()

    async def troubles(self) -> list[str]:
        """What is wrong, as codes; none: all is well."""
        found = []
        if not self._connected():
            found.append("gateway_not_connected")
        if self._monotonic() - self._moved_s > OLDEST_TICK_S:
            found.append("no_tick")
        trouble = await metrics.trouble_of(self._store, DATABASE_S)
        if trouble is not None:
            log.warning("database_not_answering", error=trouble)
            found.append("database_not_answering")
        return found

    async def _healthz(self, _: web.Request) -> web.Response:
        troubles = await self.troubles()
        if not troubles:
            return web.json_response({"status": "ok", "version": self._version})
        return web.json_response(
            {"status": "failing", "version": self._version, "reasons": troubles}, status=503
        )

    async def _metrics(self, _: web.Request) -> web.Response:
        told = generate_latest(self._registry)
        snapshot = CollectorRegistry(auto_describe=False)
        snapshot.register(_Told(list(self._families(await self._snapshot()))))
        body = told + generate_latest(snapshot)
        return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _snapshot(self) -> _Snapshot:
        now_s = self._monotonic()
        async with self._store.read() as tx:
            creators = await metrics.read_gauges(tx)
            accounts = {one.account_id: str(one.id) for one in await roster.list_creators(tx)}
            waiting = await status.waiting_cards(tx)
            if self._fans is None or now_s - self._fans[0] >= FANS_KEPT_S:
                self._fans = (now_s, await metrics.count_fans(tx))
        used: dict[str, Usage] = {}
        for account, usage in list(self._meter.accounts.items()):
            whole = used.setdefault(accounts.get(account, _NOBODY) if account else _NOBODY, Usage())
            whole.calls += usage.calls
            whole.credits += usage.credits
            whole.errors += usage.errors
        return _Snapshot(
            now_ms=self._clock.now_ms(),
            creators=creators,
            fans=self._fans[1],
            used=used,
            cards_behind=sum(heap.count for heap in waiting),
            cards_blocked=sum(heap.count for heap in waiting if heap.reason is not None),
        )

    def _families(self, told: _Snapshot) -> Iterator[Metric]:
        for name, what in (
            ("calls", "Requests"),
            ("credits", "Credits billed"),
            ("errors", "Failed requests"),
        ):
            counter = CounterMetricFamily(
                f"fanwatch_api_{name}", f"{what} of the data API since the start", labels=["creator"]
            )
            for creator, usage in sorted(told.used.items()):
                counter.add_metric([creator], getattr(usage, name))
            yield counter
        if self._meter.balance is not None:
            yield GaugeMetricFamily(
                "fanwatch_api_balance_credits", "Credits left, as told last", self._meter.balance
            )
        ages = GaugeMetricFamily(
            "fanwatch_sync_age_seconds", "Age of the data of who is watched", labels=["creator"]
        )
        fans = GaugeMetricFamily("fanwatch_fans", "Fans ever seen", labels=["creator"])
        work = GaugeMetricFamily("fanwatch_open_episodes", "Open alerts", labels=["creator", "tier"])
        for one in told.creators:
            creator = str(one.creator_id)
            if one.watched and one.synced_at is not None:
                ages.add_metric([creator], max(0, told.now_ms - one.synced_at) / MS_PER_S)
            fans.add_metric([creator], told.fans.get(one.creator_id, 0))
            for tier in AlertTier:
                work.add_metric([creator, tier.value], one.open_by_tier.get(tier.value, 0))
        yield from (ages, fans, work)
        yield GaugeMetricFamily("fanwatch_cards_behind", "Cards to be sent or edited", told.cards_behind)
        yield GaugeMetricFamily("fanwatch_cards_blocked", "Cards that cannot be", told.cards_blocked)
        size = self._database_bytes()
        if size is not None:
            yield GaugeMetricFamily("fanwatch_database_bytes", "Size of the database's files", size)
        if self._webhooks is not None:
            hooks = CounterMetricFamily(
                "fanwatch_webhooks", "Webhooks since the start, by what became of them", labels=["what"]
            )
            for what in ("received", "duplicates", "ignored", "applied", "failed"):
                hooks.add_metric([what], getattr(self._webhooks, what))
            for reason, count in sorted(self._webhooks.refused.items()):
                hooks.add_metric([f"refused_{reason}"], count)
            yield hooks
        build = GaugeMetricFamily("fanwatch_build_info", "The version that runs", labels=["version"])
        build.add_metric([self._version], 1)
        yield build


class _Told:
    """Families that are read already, as the library wants them."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families
