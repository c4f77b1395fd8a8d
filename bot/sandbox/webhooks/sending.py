"""One delivery over the wire: its headers, its signature, and what came of it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp

from bot.sandbox.times import to_iso
from bot.sandbox.webhooks.endpoints import Endpoint
from bot.sandbox.webhooks.mischief import Trouble

USER_AGENT = "OnlyFansAPI.com/Webhook-Client"
CONNECT_S, TOTAL_S = 5.0, 10.0
AT_ONCE = 8
"""Deliveries under way at the same time, over all endpoints."""
_NOT_THE_SECRET = b"who knows the secret does not sign with this"

State = Literal["pending", "delivered", "failed", "dropped"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request. `status` None = no answer came."""

    at: int
    status: int | None

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True)
class Delivery:
    """An event on its way to one endpoint.

    Attributes:
        created_at: agency time, as the `at` of its attempts.
        trouble: what is made to go wrong with it; "forged" = the vendor knows nothing of it.
        redelivery_of: the delivery that is sent again on request.
    """

    id: str
    event: str
    account_id: str
    key: str | None
    body: bytes = field(repr=False)
    created_at: int
    trouble: Trouble | Literal["forged"] | None = None
    redelivery_of: str | None = None
    state: State = "pending"
    attempts: list[Attempt] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "event": self.event,
            "account_id": self.account_id,
            "idempotency_key": self.key,
            "status": self.state,
            "response_status": self.attempts[-1].status if self.attempts else None,
            "attempts": [{"at": to_iso(made.at), "status": made.status} for made in self.attempts],
            "created_at": to_iso(self.created_at),
            "redelivery_of": self.redelivery_of,
        }


def sign(secret: str, body: bytes) -> str:
    """The `Signature` of a body: hex HMAC-SHA256 of its raw bytes."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def end_tasks(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait for their end. Raises what one of them has failed with before."""
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


class Sender:
    """Posts deliveries. Every one takes a connection of its own: a reused one may be dead, which would look as
    if the receiver had failed.
    """

    def __init__(
        self, now: Callable[[], int], *, connect_s: float = CONNECT_S, total_s: float = TOTAL_S
    ) -> None:
        self._now = now
        self._timeout = aiohttp.ClientTimeout(total=total_s, sock_connect=connect_s)
        self._under_way = asyncio.Semaphore(AT_ONCE)
        self._http: aiohttp.ClientSession | None = None

    async def post(self, endpoint: Endpoint, delivery: Delivery, *, forged: bool = False) -> bool:
        """Make one attempt; True = it was taken. `forged`: with a signature made without the secret."""
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        if forged:
            headers["Signature"] = hmac.new(_NOT_THE_SECRET, delivery.body, hashlib.sha256).hexdigest()
        elif endpoint.secret is not None:
            headers["Signature"] = sign(endpoint.secret, delivery.body)
        if delivery.key is not None:
            headers["X-OFAPI-Idempotency-Key"] = delivery.key
        if delivery.redelivery_of is not None:
            headers["X-OFAPI-Redelivery-Of"] = delivery.redelivery_of
        async with self._under_way:
            status = await self._ask(endpoint.url, delivery.body, headers)
        delivery.attempts.append(Attempt(self._now(), status))
        return delivery.attempts[-1].ok

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def _ask(self, url: str, body: bytes, headers: dict[str, str]) -> int | None:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
            )
        try:
            # A redirect could lead away from this machine.
            async with self._http.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None
