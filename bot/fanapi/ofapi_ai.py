"""onlyfans-api.ai behind the `FanApi` protocol, in the two forms in which it is known.

`v1` is what reference tools call: `stats/fans/top` for a list, `fans/info` for a fan, answers flat. `gateway` is what
the vendor documents now: paths below `models/UUID/`, enveloped, and no list of fans among them. There is no list of
accounts, of payments, of messages, and none of all fans in either.
"""

from __future__ import annotations

import asyncio
import random as random_module
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Literal, TypeVar

import httpx

from bot.domain.models import AccountRecord, FanRecord, MessageRecord, TransactionRecord
from bot.fanapi import ofapi_schemas
from bot.fanapi.decode import NotReadableError
from bot.fanapi.errors import (
    CreditsExhaustedError,
    FanApiError,
    InvalidParameterError,
    KeyRefusedError,
    MalformedAnswerError,
    NotFoundError,
    RateLimitedError,
    SessionExpiredError,
)
from bot.fanapi.http import ApiHttp, Dialect
from bot.fanapi.pacing import Sleep, TokenBucket
from bot.fanapi.protocol import Capabilities, Meter, Page

A = TypeVar("A")

Variant = Literal["v1", "gateway"]

AT_ONCE = 10
"""Fans asked about at the same time, and fans of a page: the vendor limits bursts, how much is not documented."""
_CODES: dict[str, type[FanApiError]] = {
    "INVALID_API_KEY": KeyRefusedError,
    "INSUFFICIENT_CREDITS": CreditsExhaustedError,
    "NO_SUBSCRIPTION": CreditsExhaustedError,
    "RATE_LIMIT_EXCEEDED": RateLimitedError,
    # The platform did not answer as it should, which nearly always is a creator who was logged out.
    "OF_API_ERROR": SessionExpiredError,
}


def _verdict(_: int, codes: frozenset[str]) -> type[FanApiError] | None:
    """The code decides, as the vendor asks for; None: a code we do not know, or none."""
    return next((kind for code, kind in _CODES.items() if code in codes), None)


_DIALECTS: dict[Variant, Dialect] = {
    "v1": Dialect("/api/v1", "", "X-API-Key", "", _verdict),
    "gateway": Dialect("/api", "models/{account}/", "X-API-Key", "", _verdict),
}


class OfapiAiClient:
    """Implements `FanApi`. Owns `http`; `sleep`, `random` and the clocks are arguments for tests.

    A pull costs 1 credit for the list and 1 for each fan on it; so does each fan asked for by id.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        key: str,
        variant: Variant = "v1",
        top_fans: int = 50,
        requests_per_minute: int = 60,
        timeout_s: float = 30.0,
        sleep: Sleep = asyncio.sleep,
        random: Callable[[], float] = random_module.random,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._meter = Meter()
        self._variant = variant
        self._top_fans = top_fans
        # Which of the two answers supplies what is not known. What the list alone says stays known between two lists.
        self._listed: dict[str, dict[str, ofapi_schemas.Fan]] = {}
        self._http = ApiHttp(
            http,
            dialect=_DIALECTS[variant],
            base_url=base_url,
            key=key,
            bucket=TokenBucket(requests_per_minute, monotonic, sleep),
            meter=self._meter,
            timeout_s=timeout_s,
            sleep=sleep,
            random=random,
            now=now,
        )

    @property
    def meter(self) -> Meter:
        return self._meter

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            accounts=False,
            all_fans=False,
            latest=False,
            payments=False,
            messages=False,
            ids_a_credit=1,
            # A gateway lists nobody.
            pull_credits=1 + self._top_fans if self._variant == "v1" else 0,
        )

    async def check_key(self) -> None:
        """There is no call for this: `fans/info` without a fan is refused, and errors cost nothing.

        A gateway knows no address without a creator: there the first pull tells.
        """
        if self._variant == "gateway":
            return
        try:
            await self._http.get("fans/info", None, {})
        except (InvalidParameterError, NotFoundError):
            # What is wrong with the question is said to a key that is taken.
            return

    async def list_accounts(self) -> list[AccountRecord]:
        return []

    async def walk_fans(self, account_id: str, cursor: str | None = None) -> AsyncIterator[Page[FanRecord]]:
        """The top fans by spend, each with what is said of them alone. A cursor says how many have been read."""
        if self._variant == "gateway":
            return
        params = {"creatorId": account_id, "limit": str(self._top_fans)}
        body = await self._http.get("stats/fans/top", account_id, params)
        top = self._read("stats/fans/top", account_id, ofapi_schemas.read_top, body)
        # However many it sends, no more are paid for than were asked for.
        listed = dict(islice(top.items(), self._top_fans))
        self._listed[account_id] = listed
        fan_ids = list(listed)
        start = int(cursor) if cursor is not None and cursor.isascii() and cursor.isdigit() else 0
        while True:
            part = fan_ids[start : start + AT_ONCE]
            start += AT_ONCE
            infos = await self._infos(account_id, part)
            records = tuple(
                ofapi_schemas.to_fan(fan_id, *([] if info is None else [info]), listed[fan_id])
                for fan_id, info in zip(part, infos, strict=True)
            )
            last = start >= len(fan_ids)
            yield Page(records, None if last else str(start))
            if last:
                return

    def walk_active(
        self, account_id: str, cursor: str | None = None, *, least_usd: int = 0
    ) -> AsyncIterator[Page[FanRecord]]:
        """The top fans, subscribed or not: there is no other list, and all of them have spent."""
        return self.walk_fans(account_id, cursor)

    def walk_latest(self, account_id: str, since_ms: int, until_ms: int) -> AsyncIterator[Page[FanRecord]]:
        return _nothing()

    def walk_transactions(
        self, account_id: str, since_ms: int, cursor: str | None = None
    ) -> AsyncIterator[Page[TransactionRecord]]:
        return _nothing()

    def walk_chargebacks(
        self, account_id: str, since_ms: int, until_ms: int
    ) -> AsyncIterator[Page[TransactionRecord]]:
        return _nothing()

    def walk_messages(
        self, account_id: str, platform_fan_id: str, since_ms: int
    ) -> AsyncIterator[Page[MessageRecord]]:
        return _nothing()

    async def get_fans(self, account_id: str, ids: Iterable[str]) -> list[FanRecord]:
        """A call and a credit for each."""
        wanted = list(dict.fromkeys(ids))
        listed = self._listed.get(account_id, {})
        found: list[FanRecord] = []
        for start in range(0, len(wanted), AT_ONCE):
            part = wanted[start : start + AT_ONCE]
            infos = await self._infos(account_id, part)
            found += [
                ofapi_schemas.to_fan(fan_id, info, *([listed[fan_id]] if fan_id in listed else []))
                for fan_id, info in zip(part, infos, strict=True)
                if info is not None
            ]
        return found

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _infos(self, account_id: str, fan_ids: Sequence[str]) -> list[ofapi_schemas.Fan | None]:
        """What is said of each, asked at the same time; None: no such fan. The first error ends the others."""
        asked = [asyncio.ensure_future(self._info(account_id, fan_id)) for fan_id in fan_ids]
        try:
            return await asyncio.gather(*asked)
        finally:
            for one in asked:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _info(self, account_id: str, fan_id: str) -> ofapi_schemas.Fan | None:
        try:
            body = await self._http.get("fans/info", account_id, {"fanId": fan_id})
        except NotFoundError:
            return None
        return self._read("fans/info", account_id, lambda said: ofapi_schemas.read_info(said, fan_id), body)

    def _read(self, endpoint: str, account_id: str, read: Callable[[bytes], A], body: bytes) -> A:
        try:
            return read(body)
        except NotReadableError as error:
            self._meter.add(account_id, errors=1)
            raise MalformedAnswerError(
                str(error), endpoint=endpoint, account_id=account_id, status=200
            ) from None


async def _nothing() -> AsyncIterator[Page[Any]]:
    pages: tuple[Page[Any], ...] = ()
    for page in pages:
        yield page
