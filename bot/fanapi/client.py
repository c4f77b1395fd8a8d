"""OnlyFansAPI.com / Fans API behind the `FanApi` protocol (docs.onlyfansapi.com, state of 2026-09)."""

from __future__ import annotations

import asyncio
import random as random_module
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar

import httpx

from bot.domain.models import AccountRecord, FanRecord, MessageRecord, TransactionRecord
from bot.fanapi import mapping, schemas
from bot.fanapi.decode import NotReadableError, decode
from bot.fanapi.errors import (
    AccountNotFoundError,
    FanApiError,
    InvalidParameterError,
    MalformedAnswerError,
    SessionExpiredError,
)
from bot.fanapi.http import ApiHttp, Dialect, make_client
from bot.fanapi.pacing import Sleep, TokenBucket
from bot.fanapi.paging import PageTurner, Turn
from bot.fanapi.parse import format_instant
from bot.fanapi.protocol import Capabilities, Meter, Page

__all__ = ["FansApiClient", "make_client"]

A = TypeVar("A")
R = TypeVar("R", FanRecord, TransactionRecord, MessageRecord)
Out = TypeVar("Out")

FANS_PER_PAGE = 20
LATEST_PER_PAGE = 50
# The maximum is not documented: start high, step down on a 422.
MONEY_PER_PAGE = (100, 50, 10)
IDS_PER_CALL = 10
MESSAGES_PER_PAGE = 100
# A bare list as of today, or enveloped like everything else. (mypy knows no type of a union.)
_ACCOUNTS: Any = list[schemas.Account] | schemas.AccountsAnswer


def _verdict(status: int, codes: frozenset[str]) -> type[FanApiError] | None:
    # 401 speaks of the key, whatever else it says.
    if status != 401 and 400 <= status < 500 and "account_session_expired" in codes:
        return SessionExpiredError
    if status == 404 and "account_not_found" in codes:
        return AccountNotFoundError
    return None


_DIALECT = Dialect("/api", "{account}/", "Authorization", "Bearer ", _verdict)


class _PageSize:
    """A page size that the API may refuse; what it takes once is remembered."""

    def __init__(self, *choices: int) -> None:
        self._choices = choices
        self._index = 0

    def accepted(self, size: int) -> None:
        self._index = self._choices.index(size)

    @property
    def value(self) -> int:
        return self._choices[self._index]

    def below(self, size: int) -> int | None:
        """The next smaller one, None where there is none."""
        return next((choice for choice in self._choices if choice < size), None)


class FansApiClient:
    """Implements `FanApi`. Owns `http`; `sleep`, `random` and the clocks are arguments for tests."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        key: str,
        requests_per_minute: int = 1000,
        timeout_s: float = 30.0,
        keep_text: bool = False,
        sleep: Sleep = asyncio.sleep,
        random: Callable[[], float] = random_module.random,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._meter = Meter()
        self._keep_text = keep_text
        self._http = ApiHttp(
            http,
            dialect=_DIALECT,
            base_url=base_url,
            key=key,
            bucket=TokenBucket(requests_per_minute, monotonic, sleep),
            meter=self._meter,
            timeout_s=timeout_s,
            sleep=sleep,
            random=random,
            now=now,
        )
        self._fan_size = _PageSize(FANS_PER_PAGE)
        self._latest_size = _PageSize(LATEST_PER_PAGE)
        self._transaction_size = _PageSize(*MONEY_PER_PAGE)
        self._chargeback_size = _PageSize(*MONEY_PER_PAGE)
        self._message_size = _PageSize(MESSAGES_PER_PAGE)

    @property
    def meter(self) -> Meter:
        return self._meter

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def check_key(self) -> None:
        await self._get("whoami", None, {}, schemas.MetaAnswer, lambda _: None)

    async def list_accounts(self) -> list[AccountRecord]:
        def read(answer: list[schemas.Account] | schemas.AccountsAnswer) -> list[AccountRecord]:
            accounts = answer if isinstance(answer, list) else answer.data
            return [mapping.to_account(account) for account in accounts]

        return await self._get("accounts", None, {}, _ACCOUNTS, read)

    def walk_fans(self, account_id: str, cursor: str | None = None) -> AsyncIterator[Page[FanRecord]]:
        return self._walk(
            account_id,
            "fans/all",
            PageTurner(f"{account_id}/fans/all", {}, cursor, by_offset=True),
            self._fan_size,
            schemas.FanListAnswer,
            lambda answer: _fan_page(answer.data.items, answer.data.has_more, answer.pagination),
        )

    def walk_active(
        self, account_id: str, cursor: str | None = None, *, least_usd: int = 0
    ) -> AsyncIterator[Page[FanRecord]]:
        fixed = {"filter[total_spent]": str(least_usd)} if least_usd else {}
        return self._walk(
            account_id,
            "fans/active",
            PageTurner(f"{account_id}/fans/active", fixed, cursor, by_offset=True),
            self._fan_size,
            schemas.FanListAnswer,
            lambda answer: _fan_page(answer.data.items, answer.data.has_more, answer.pagination),
        )

    def walk_latest(self, account_id: str, since_ms: int, until_ms: int) -> AsyncIterator[Page[FanRecord]]:
        fixed = {**_window(since_ms, until_ms), "type": "total"}
        return self._walk(
            account_id,
            "fans/latest",
            PageTurner(f"{account_id}/fans/latest", fixed, None, by_offset=True),
            self._latest_size,
            schemas.LatestAnswer,
            lambda answer: _fan_page(answer.data.users, answer.data.has_more, answer.pagination),
        )

    async def walk_transactions(
        self, account_id: str, since_ms: int, cursor: str | None = None
    ) -> AsyncIterator[Page[TransactionRecord]]:
        # Newest first: from the first page that lies wholly before `since_ms` on there is nothing left to
        # read, even from an API that does not heed startDate.
        fixed = {"startDate": format_instant(since_ms)}
        walk = self._walk(
            account_id,
            "transactions",
            PageTurner(f"{account_id}/transactions", fixed, cursor, by_offset=False),
            self._transaction_size,
            schemas.TransactionAnswer,
            _transaction_page,
        )
        async with aclosing(walk) as pages:
            async for page in pages:
                kept = tuple(record for record in page.records if record.occurred_at >= since_ms)
                over = bool(page.records) and not kept
                yield Page(kept, None if over else page.next_cursor)
                if over:
                    return

    def walk_chargebacks(
        self, account_id: str, since_ms: int, until_ms: int
    ) -> AsyncIterator[Page[TransactionRecord]]:
        return self._walk(
            account_id,
            "chargebacks",
            PageTurner(f"{account_id}/chargebacks", _window(since_ms, until_ms), None, by_offset=True),
            self._chargeback_size,
            schemas.ChargebackAnswer,
            _chargeback_page,
        )

    async def walk_messages(
        self, account_id: str, platform_fan_id: str, since_ms: int
    ) -> AsyncIterator[Page[MessageRecord]]:
        endpoint = f"chats/{platform_fan_id}/messages"
        walk = self._walk(
            account_id,
            endpoint,
            PageTurner(f"{account_id}/{endpoint}", {"order": "desc"}, None, by_offset=False),
            self._message_size,
            schemas.MessageAnswer,
            partial(_message_page, platform_fan_id=platform_fan_id, keep_text=self._keep_text),
        )
        async with aclosing(walk) as pages:
            async for page in pages:
                kept = tuple(record for record in page.records if record.sent_at >= since_ms)
                # Newest first: where some lie before `since_ms`, all that follow do.
                over = len(kept) < len(page.records)
                yield Page(kept, None if over else page.next_cursor)
                if over:
                    return

    async def get_fans(self, account_id: str, ids: Iterable[str]) -> list[FanRecord]:
        def read(answer: schemas.FansById) -> list[FanRecord]:
            fans = answer.data if isinstance(answer.data, list) else answer.data.values()
            return [mapping.to_fan(fan) for fan in fans if fan is not None]

        wanted = list(dict.fromkeys(ids))
        found: dict[str, FanRecord] = {}
        for start in range(0, len(wanted), IDS_PER_CALL):
            params = {"ids": ",".join(wanted[start : start + IDS_PER_CALL])}
            for fan in await self._get("users/list", account_id, params, schemas.FansById, read):
                found[fan.platform_fan_id] = fan
        return [found[fan_id] for fan_id in wanted if fan_id in found]

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _walk(
        self,
        account_id: str,
        endpoint: str,
        turner: PageTurner,
        size: _PageSize,
        shape: type[A],
        read: Callable[[A], tuple[tuple[R, ...], Turn]],
    ) -> AsyncGenerator[Page[R], None]:
        limit = size.value
        while True:
            try:
                records, turn = await self._get(endpoint, account_id, turner.params(limit), shape, read)
            except InvalidParameterError as error:
                smaller = size.below(limit) if error.status == 422 else None
                if smaller is None:
                    raise
                limit = smaller
                continue
            size.accepted(limit)
            try:
                cursor = turner.turn(turn, limit)
            except NotReadableError as error:
                raise self._malformed(error, endpoint, account_id) from None
            yield Page(records, cursor)
            if cursor is None:
                return

    async def _get(
        self,
        endpoint: str,
        account_id: str | None,
        params: dict[str, str],
        shape: type[A],
        read: Callable[[A], Out],
    ) -> Out:
        body = await self._http.get(endpoint, account_id, params)
        try:
            return read(decode(body, shape))
        except NotReadableError as error:
            raise self._malformed(error, endpoint, account_id) from None

    def _malformed(
        self, error: NotReadableError, endpoint: str, account_id: str | None
    ) -> MalformedAnswerError:
        self._meter.add(account_id, errors=1)
        return MalformedAnswerError(str(error), endpoint=endpoint, account_id=account_id, status=200)


def _window(since_ms: int, until_ms: int) -> dict[str, str]:
    # The filters know whole seconds: the end is rounded up so that nothing falls out of the window.
    return {"start_date": format_instant(since_ms), "end_date": format_instant(until_ms + 999)}


def _next_page(pagination: schemas.Pagination | None) -> str | None:
    return pagination.next_page if pagination is not None else None


def _fan_page(
    fans: list[schemas.Fan], has_more: bool | None, pagination: schemas.Pagination | None
) -> tuple[tuple[FanRecord, ...], Turn]:
    records = tuple(mapping.to_fan(fan) for fan in fans)
    return records, Turn([record.platform_fan_id for record in records], has_more, _next_page(pagination))


def _transaction_page(answer: schemas.TransactionAnswer) -> tuple[tuple[TransactionRecord, ...], Turn]:
    records = tuple(mapping.to_transaction(transaction) for transaction in answer.data.items)
    marker = answer.data.next_marker
    return records, Turn(
        [record.platform_transaction_id for record in records],
        answer.data.has_more,
        _next_page(answer.pagination),
        None if marker is None else str(marker),
    )


def _message_page(
    answer: schemas.MessageAnswer, *, platform_fan_id: str, keep_text: bool
) -> tuple[tuple[MessageRecord, ...], Turn]:
    records = tuple(mapping.to_message(m, platform_fan_id, keep_text=keep_text) for m in answer.data)
    ids = [record.platform_message_id for record in records]
    return records, Turn(ids, None, _next_page(answer.pagination))


def _chargeback_page(answer: schemas.ChargebackAnswer) -> tuple[tuple[TransactionRecord, ...], Turn]:
    records = tuple(mapping.to_chargeback(chargeback) for chargeback in answer.data.items)
    ids = [record.platform_transaction_id for record in records]
    return records, Turn(ids, answer.data.has_more, _next_page(answer.pagination))
