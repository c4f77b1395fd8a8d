"""One GET to the data API: paced, timed, retried, counted, and judged by its status."""

from __future__ import annotations

import asyncio
import ipaddress
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from bot.fanapi import schemas
from bot.fanapi.decode import NotReadableError, decode
from bot.fanapi.errors import (
    AccountNotFoundError,
    CreditsExhaustedError,
    EdgeRejectedError,
    FanApiError,
    InvalidParameterError,
    KeyRefusedError,
    MalformedAnswerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    SessionExpiredError,
    UpstreamError,
)
from bot.fanapi.pacing import Sleep, TokenBucket, backoff_s
from bot.fanapi.parse import parse_number, parse_retry_after
from bot.fanapi.protocol import Meter

MAX_TRIES = 3
MAX_CONNECTIONS = 256
# A page is some 100 kB; what is far larger is not a page.
MAX_BODY_BYTES = 32 * 1024 * 1024
# Nobody waits longer than this inside a call: the caller has a schedule of its own.
MAX_RETRY_AFTER_S = 60.0
_WORDS: dict[type[FanApiError], str] = {
    KeyRefusedError: "the key is refused",
    SessionExpiredError: "the session has expired",
    CreditsExhaustedError: "no credits left",
    EdgeRejectedError: "turned away before the API",
    PermissionDeniedError: "the key may not do this",
    AccountNotFoundError: "the account is unknown",
    NotFoundError: "not found",
    InvalidParameterError: "a parameter is not taken",
    RateLimitedError: "too many requests",
    UpstreamError: "the API fails",
    MalformedAnswerError: "an unexpected status",
}


def make_client(version: str, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """The one place that builds an HTTP client for the data API. `transport` replaces the network in tests.

    On aiohttp, because httpx's own pool slows down several times over with 30 requests in flight. It
    follows no redirect and sends a plain User-Agent: the edge turns default ones away.
    """
    limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)
    return httpx.AsyncClient(
        transport=transport or AiohttpTransport(limits=limits),
        headers={"User-Agent": f"Fanwatch/{version}", "Accept": "application/json"},
        # Each try has a time-out as a whole; one per socket read would let a trickle go on for ever.
        timeout=None,  # noqa: S113
        follow_redirects=False,
    )


def check_base_url(base_url: str) -> str:
    """The base without a trailing slash. Raises ValueError unless it is https, or http on the loopback."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.username or parts.password or parts.query or parts.fragment or not host:
        raise ValueError("the base URL of the data API is a scheme, a host and a path, nothing else")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValueError("the base URL of the data API must be https: the key travels in every request")
    return base_url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


Verdict = Callable[[int, frozenset[str]], type[FanApiError] | None]
"""What an error status with these codes in its body stands for at one vendor; None: what the status alone does."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one vendor is spoken to.

    Attributes:
        root: the path all addresses begin with, whether the base URL ends in it or not.
        place: what stands before an endpoint that is asked about an account.
    """

    root: str
    place: str
    key_header: str
    key_prefix: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes


class ApiHttp:
    """GETs below one base URL with one key. The key goes to that host only."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        dialect: Dialect,
        base_url: str,
        key: str,
        bucket: TokenBucket,
        meter: Meter,
        timeout_s: float,
        sleep: Sleep,
        random: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("the key of the data API must be printable ASCII without spaces")
        base = check_base_url(base_url)
        self._root = base if base.endswith(dialect.root) else f"{base}{dialect.root}"
        self._headers = {dialect.key_header: f"{dialect.key_prefix}{key}"}
        self._place = dialect.place
        self._verdict = dialect.verdict
        self._client = client
        self._bucket = bucket
        self._meter = meter
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._random = random
        self._now = now

    async def get(self, endpoint: str, account_id: str | None, params: Mapping[str, str]) -> bytes:
        """The body of a 200. Raises a FanApiError; what may pass is tried three times in all."""
        url = f"{self._root}/{endpoint}"
        if account_id is not None:
            if account_id in ("", ".", ".."):
                raise AccountNotFoundError("not an account id", endpoint=endpoint, account_id=account_id)
            url = f"{self._root}/{self._place.format(account=quote(account_id, safe=''))}{endpoint}"
        failures = 0
        while True:
            await self._bucket.take()
            self._meter.add(account_id, calls=1)
            asked_to_wait: float | None = None
            try:
                answer = await self._send(url, params, endpoint, account_id)
                self._count_credits(answer, account_id)
                asked_to_wait = parse_retry_after(answer.headers.get("Retry-After"), self._now())
                self._judge(answer, endpoint, account_id, asked_to_wait)
            except (UpstreamError, RateLimitedError, SessionExpiredError) as error:
                failures += 1
                self._meter.add(account_id, errors=1)
                await self._wait(error, failures, asked_to_wait)
            except FanApiError:
                self._meter.add(account_id, errors=1)
                raise
            else:
                return answer.body

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _wait(self, error: FanApiError, failures: int, asked_to_wait: float | None) -> None:
        """Wait before the next try, or raise the error where there is none."""
        wait = backoff_s(failures, self._random) if asked_to_wait is None else asked_to_wait
        if isinstance(error, RateLimitedError):
            # The limit is the key's: its other accounts wait as well.
            self._bucket.hold(min(wait, MAX_RETRY_AFTER_S))
        if failures >= _tries(error) or wait > MAX_RETRY_AFTER_S:
            raise error
        if not isinstance(error, RateLimitedError):
            await self._sleep(wait)

    async def _send(
        self, url: str, params: Mapping[str, str], endpoint: str, account_id: str | None
    ) -> _Answer:
        try:
            async with asyncio.timeout(self._timeout_s):
                request = self._client.build_request("GET", url, params=dict(params), headers=self._headers)
                response = await self._client.send(request, stream=True, follow_redirects=False)
                try:
                    body = bytearray()
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        if len(body) > MAX_BODY_BYTES:
                            raise MalformedAnswerError(
                                "the answer does not end",
                                endpoint=endpoint,
                                account_id=account_id,
                                status=response.status_code,
                            )
                finally:
                    await response.aclose()
                return _Answer(response.status_code, response.headers, bytes(body))
        except TimeoutError:
            raise UpstreamError("no answer in time", endpoint=endpoint, account_id=account_id) from None
        except httpx.DecodingError:
            raise MalformedAnswerError(
                "the answer cannot be decompressed", endpoint=endpoint, account_id=account_id
            ) from None
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            # The class tells what happened; the texts of the libraries may quote what was sent.
            raise UpstreamError(
                f"no connection ({type(error).__name__})", endpoint=endpoint, account_id=account_id
            ) from None

    def _judge(
        self, answer: _Answer, endpoint: str, account_id: str | None, retry_after_s: float | None
    ) -> None:
        """Raise the error that a status stands for; 200 stands for none."""
        if answer.status == 200:
            return
        error = _error(answer.body)
        kind = self._verdict(answer.status, _codes(error))
        if kind is None:
            kind = _by_status(answer.status, is_json=error is not None)
        where: dict[str, Any] = {"endpoint": endpoint, "account_id": account_id, "status": answer.status}
        if kind is RateLimitedError:
            raise RateLimitedError(_WORDS[kind], **where, retry_after_s=retry_after_s)
        raise kind(_WORDS[kind], **where)

    def _count_credits(self, answer: _Answer, account_id: str | None) -> None:
        used = _whole(answer.headers.get("X-OFAPI-Credits-Used"))
        balance = _whole(answer.headers.get("X-OFAPI-Credits-Balance"))
        cached = answer.headers.get("X-OFAPI-Is-Cached", "").lower() in ("1", "true")
        if used is None or balance is None:
            meta = _meta(answer.body)
            if meta is not None and meta.credits is not None:
                used = _whole(meta.credits.used) if used is None else used
                balance = _whole(meta.credits.balance) if balance is None else balance
            cached = cached or bool(meta and meta.cache and meta.cache.is_cached is True)
        if used is None and answer.status == 200 and account_id is not None and not cached:
            # Not told: what the price list says, so that a budget errs on the safe side.
            used = 1
        self._meter.add(account_id, credits=max(0, used or 0))
        if balance is not None:
            self._meter.balance = balance


def _tries(error: FanApiError) -> int:
    """How often in all to ask, where that is how it ends."""
    if isinstance(error, SessionExpiredError):
        # Said with a 5xx it may be a guess about a platform that only stumbled: asked once more, not oftener.
        return 2 if error.status is not None and error.status >= 500 else 1
    return MAX_TRIES


def _by_status(status: int, *, is_json: bool) -> type[FanApiError]:
    if status == 401:
        return KeyRefusedError
    if status == 402:
        return CreditsExhaustedError
    if status == 403:
        return PermissionDeniedError if is_json else EdgeRejectedError
    if status == 404:
        return NotFoundError
    if status in (400, 422):
        return InvalidParameterError
    if status == 429:
        return RateLimitedError
    if status >= 500 or status == 408:
        return UpstreamError
    return MalformedAnswerError


def _error(body: bytes) -> schemas.ErrorAnswer | None:
    try:
        return decode(body, schemas.ErrorAnswer)
    except NotReadableError:
        return None


def _codes(error: schemas.ErrorAnswer | None) -> frozenset[str]:
    if error is None:
        return frozenset()
    inner = error.error.get("code") if isinstance(error.error, dict) else error.error
    return frozenset(code for code in (error.code, inner) if isinstance(code, str))


def _meta(body: bytes) -> schemas.Meta | None:
    try:
        return decode(body, schemas.MetaAnswer).meta
    except NotReadableError:
        return None


def _whole(value: Any) -> int | None:
    # Seen as integers, texts and null; a fraction is rounded up.
    number = parse_number(value)
    return None if number is None else math.ceil(number)
