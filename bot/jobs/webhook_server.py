"""Takes webhooks in: genuine ones are stored before the vendor is answered, everything else is turned away cheaply.

One request a connection, at most 15 seconds for all of it, so that nobody holds one open. Nothing of a request but its
outcome is ever logged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address, ip_address
from math import ceil

import structlog
from aiohttp import web

from bot.clock import Clock
from bot.config import Address
from bot.fanapi.decode import NotReadableError
from bot.fanapi.webhooks import (
    KEY_HEADER,
    SIGNATURE_HEADER,
    UNREADABLE,
    event_key,
    is_genuine,
    may_be_signature,
    read_account,
    read_event,
    to_keep,
)
from bot.jobs.webhooks import WebhookCounters
from storage import webhook_inbox
from storage.engine import AgencyStore
from storage.ids import machine_ms
from storage.webhook_inbox import NewEvent, Received

log = structlog.get_logger(__name__)

PATH = "/webhook"
# What aiohttp would log of a broken request quotes it.
_silent = logging.getLogger(f"{__name__}.requests")
_silent.disabled = True


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken from whom. Rates are requests a second, with what may come at once after a quiet time."""

    body_bytes: int = 1_000_000
    body_s: float = 5.0
    connection_s: float = 15.0
    store_s: float = 4.0
    """Longer than this the database may not take: the vendor waits ten seconds in all."""
    connections: int = 256
    at_once: int = 64
    """Requests being read and stored; more wait their turn, unread."""
    rate: float = 300.0
    burst: int = 1_500
    address_rate: float = 150.0
    address_burst: int = 750
    addresses: int = 1_024
    """Addresses that are kept in mind; the one heard of longest ago is forgotten for a new one."""


class Bucket:
    """Fills at `rate` a second up to `size`; each request takes one."""

    __slots__ = ("_at", "_level", "_rate", "_size")

    def __init__(self, rate: float, size: int, now: float) -> None:
        self._rate, self._size = rate, size
        self._level, self._at = float(size), now

    def wait_s(self, now: float) -> float:
        """How long until there is one to take; 0: now."""
        self._level = min(self._size, self._level + (now - self._at) * self._rate)
        self._at = now
        return 0.0 if self._level >= 1 else (1 - self._level) / self._rate

    def take(self) -> None:
        self._level -= 1


class RateLimit:
    """A bucket for everybody together and one for each address, of which a bounded number is kept."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._all = Bucket(limits.rate, limits.burst, monotonic())
        self._by_address: OrderedDict[str, Bucket] = OrderedDict()

    def admit(self, address: str) -> float:
        """0: it may come in. Else how many seconds it should wait; it has taken nothing from the others then."""
        now = self._monotonic()
        key = _network(address)
        own = self._by_address.get(key)
        if own is None:
            own = self._by_address[key] = Bucket(self._limits.address_rate, self._limits.address_burst, now)
            if len(self._by_address) > self._limits.addresses:
                self._by_address.popitem(last=False)
        self._by_address.move_to_end(key)
        wait_s = own.wait_s(now) or self._all.wait_s(now)
        if not wait_s:
            own.take()
            self._all.take()
        return wait_s

    def __len__(self) -> int:
        return len(self._by_address)


def _network(address: str) -> str:
    """Who has one IPv6 address has a whole /64 of them."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return known.exploded[:19]
    return address


class _Impatient(web.Server):
    """Cuts every connection after a time, whatever it is doing, and refuses more than a number of them."""

    def __init__(
        self, *args: object, limits: Limits, on_refused: Callable[[str], None], **kw: object
    ) -> None:
        super().__init__(*args, **kw)  # type: ignore[arg-type]
        self._limits = limits
        self._on_refused = on_refused
        self._deadlines: dict[web.RequestHandler, asyncio.TimerHandle] = {}

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._deadlines) >= self._limits.connections:
            self._on_refused("connections")
            transport.abort()
            return
        loop = asyncio.get_running_loop()
        self._deadlines[handler] = loop.call_later(self._limits.connection_s, transport.abort)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        deadline = self._deadlines.pop(handler, None)
        if deadline is not None:
            deadline.cancel()
        super().connection_lost(handler, exc)


class _RefusedError(Exception):
    """A request is turned away. `reason` is a code for the counters."""

    def __init__(self, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, headers or {}


class WebhookServer:
    """Listens for the webhooks of one agency. `on_stored` is called after each event that is to be applied."""

    def __init__(
        self,
        store: AgencyStore,
        clock: Clock,
        address: Address,
        secrets: Sequence[str],
        counters: WebhookCounters,
        *,
        on_stored: Callable[[], None],
        keep_text: bool = False,
        limits: Limits | None = None,
        wall_ms: Callable[[], int] = machine_ms,
    ) -> None:
        self._store = store
        self._clock = clock
        self._address = address
        self._secrets = [secret for secret in secrets if secret]
        self._counters = counters
        self._on_stored = on_stored
        self._keep_text = keep_text
        self._limits = limits or Limits()
        self._wall_ms = wall_ms
        self._rate = RateLimit(self._limits)
        self._turns = asyncio.Semaphore(self._limits.at_once)
        self._runner: web.ServerRunner | None = None
        self._late: set[asyncio.Task[Received]] = set()
        self._storing_fails = False

    @property
    def port(self) -> int:
        """The port that is listened on, once started."""
        if self._runner is None:
            raise RuntimeError("the server is not running")
        return int(self._runner.addresses[0][1])

    async def start(self) -> None:
        """Listen. Raises OSError where the address cannot be had."""
        server = _Impatient(
            self._handle,
            limits=self._limits,
            on_refused=self._count_refused,
            access_log=None,
            logger=_silent,
            # The signature is over the bytes that were sent, and nothing is unpacked for a stranger.
            auto_decompress=False,
            keepalive_timeout=self._limits.connection_s,
            # What is left of a body that was turned away is read for so long, or the client would not see the answer.
            lingering_time=1.0,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=self._limits.store_s)
        try:
            await self._runner.setup()
            await web.TCPSite(self._runner, self._address.host, self._address.port).start()
        except BaseException:
            await self.stop()
            raise
        log.info("webhooks_listening", port=self.port)

    async def stop(self) -> None:
        """Take nothing more in; what is being stored comes to its end."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await asyncio.gather(*self._late, return_exceptions=True)

    def _count_refused(self, reason: str) -> None:
        self._counters.refused[reason] += 1

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {"Server": "Fanwatch"}
        try:
            self._admit(request)
            async with self._turns:
                body = await self._read(request)
                await self._take(request, body)
            status = 200
        except _RefusedError as refused:
            self._count_refused(refused.reason)
            status = refused.status
            headers |= refused.headers
        answer = web.Response(status=status, headers=headers)
        # One request a connection: then one deadline bounds all that a slow client can hold.
        answer.force_close()
        return answer

    def _admit(self, request: web.BaseRequest) -> None:
        wait_s = self._rate.admit(_remote(request))
        if wait_s:
            raise _RefusedError(429, "rate", {"Retry-After": str(max(1, ceil(wait_s)))})
        if request.path != PATH:
            raise _RefusedError(404, "path")
        if request.method != "POST":
            raise _RefusedError(405, "method", {"Allow": "POST"})
        if request.content_length is not None and request.content_length > self._limits.body_bytes:
            raise _RefusedError(413, "size")
        if not may_be_signature(request.headers.get(SIGNATURE_HEADER)):
            # Its body is not waited for: others may need the turn.
            raise _RefusedError(401, "signature")

    async def _read(self, request: web.BaseRequest) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_s):
                async for part in request.content.iter_any():
                    body += part
                    if len(body) > self._limits.body_bytes:
                        raise _RefusedError(413, "size")
        except TimeoutError:
            raise _RefusedError(408, "slow") from None
        except (web.RequestPayloadError, ConnectionError):
            raise _RefusedError(400, "broken") from None
        return bytes(body)

    async def _take(self, request: web.BaseRequest, body: bytes) -> None:
        if not is_genuine(body, request.headers.get(SIGNATURE_HEADER), self._secrets):
            raise _RefusedError(401, "signature")
        key = event_key(request.headers.get(KEY_HEADER), body)
        received = await self._keep(self._to_event(key, body))
        counters = self._counters
        counters.received += 1
        if received == "stored":
            self._on_stored()
        elif received == "duplicate":
            counters.duplicates += 1
        elif received == "ignored":
            counters.ignored += 1
        else:
            counters.failed += 1

    def _to_event(self, key: str, body: bytes) -> NewEvent:
        try:
            event = read_event(body, keep_text=self._keep_text)
        except NotReadableError:
            return NewEvent(key, UNREADABLE, read_account(body), None, error=UNREADABLE)
        kept = to_keep(body, keep_text=self._keep_text) if event.news is not None else None
        return NewEvent(key, event.name, event.account_id, kept)

    async def _keep(self, event: NewEvent) -> Received:
        now_ms, wall_ms = self._clock.now_ms(), self._wall_ms()
        task = asyncio.create_task(
            self._store.write(partial(webhook_inbox.receive, event=event, now_ms=now_ms, wall_ms=wall_ms))
        )
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        await asyncio.wait({task}, timeout=self._limits.store_s)
        error: str
        if not task.done():
            # Whether it is stored after all makes no difference: the vendor sends it again.
            task.cancel()
            error = "TimeoutError"
        elif (failure := task.exception()) is not None:
            error = type(failure).__name__
        else:
            self._storing_fails = False
            return task.result()
        if not self._storing_fails:
            log.error("webhook_not_stored", error=error)
        self._storing_fails = True
        raise _RefusedError(503, "database", {"Retry-After": "5"})


def _remote(request: web.BaseRequest) -> str:
    """Who is asking: the peer, or, where that is a proxy on this machine, whom it says it speaks for."""
    peer = request.remote or ""
    try:
        near = ip_address(peer).is_loopback
    except ValueError:
        return peer
    if near:
        # The last entry is the one that the proxy itself has added.
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", [])).rpartition(",")[2].strip()[:64]
        return forwarded or peer
    return peer
