"""A data API in memory behind the FanApi protocol, with faults on demand and every call counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bot.domain.models import AccountRecord, FanRecord, MessageRecord, TransactionRecord
from bot.fanapi.errors import AccountNotFoundError, SessionExpiredError
from bot.fanapi.protocol import Capabilities, Meter, Page

T = TypeVar("T")

Fault = Callable[[str | None, str], Exception | None]


@dataclass
class Account:
    """What the platform knows of one creator."""

    fans: list[FanRecord] = field(default_factory=list)
    payments: list[TransactionRecord] = field(default_factory=list)
    chargebacks: list[TransactionRecord] = field(default_factory=list)
    authenticated: bool = True
    messages: dict[str, list[MessageRecord]] = field(default_factory=dict)

    def put(self, record: FanRecord) -> None:
        """The fan is like this from now on; a new one comes first."""
        for at, known in enumerate(self.fans):
            if known.platform_fan_id == record.platform_fan_id:
                self.fans[at] = record
                return
        self.fans.insert(0, record)


@dataclass
class FakeApi:
    """Pages of two. `fault` may give an error for a call; `stuck` is waited for before call number `stuck_at`.

    `before_call` is told the number of each call, and may change what the platform knows in the middle of a walk.
    """

    accounts: dict[str, Account]
    page_size: int = 2
    fault: Fault = lambda account_id, what: None
    before_call: Callable[[int], None] = lambda number: None
    stuck_at: int | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    calls: list[tuple[str | None, str]] = field(default_factory=list)
    repeat_first_of_next_page: bool = False
    capabilities: Capabilities = field(default_factory=Capabilities)
    _held: dict[tuple[str | None, str], asyncio.Event] = field(default_factory=dict)
    _meter: Meter = field(default_factory=Meter)

    @property
    def meter(self) -> Meter:
        return self._meter

    def of(self, account_id: str) -> Account:
        """The account; an empty one where there is none, because a walk only fails when it is begun."""
        return self.accounts.get(account_id, Account())

    def count(self) -> Counter[str | None]:
        return Counter(account_id for account_id, _ in self.calls)

    def hold(self, account_id: str, what: str, until: asyncio.Event) -> None:
        """Let this call of an account wait for something; `reached` says when it does."""
        self._held[account_id, what] = until

    async def _call(self, account_id: str | None, what: str) -> None:
        self.calls.append((account_id, what))
        self.before_call(len(self.calls))
        if (until := self._held.get((account_id, what))) is not None:
            self.reached.set()
            await until.wait()
        self._meter.add(account_id, calls=1, credits=1)
        if self.stuck_at == len(self.calls):
            self.reached.set()
            await asyncio.Event().wait()
        error = self.fault(account_id, what) or self._refusal(account_id, what)
        if error is not None:
            self._meter.add(account_id, errors=1)
            raise error

    def _refusal(self, account_id: str | None, what: str) -> Exception | None:
        if account_id is None:
            return None
        account = self.accounts.get(account_id)
        if account is None:
            return AccountNotFoundError("gone", endpoint=what, account_id=account_id, status=404)
        if not account.authenticated:
            return SessionExpiredError("logged out", endpoint=what, account_id=account_id, status=400)
        return None

    async def check_key(self) -> None:
        await self._call(None, "key")

    async def list_accounts(self) -> list[AccountRecord]:
        await self._call(None, "accounts")
        return [
            AccountRecord(account_id, None, None, None, account.authenticated)
            for account_id, account in self.accounts.items()
        ]

    async def _pages(
        self, account_id: str, what: str, list_now: Callable[[], Sequence[T]], cursor: str | None
    ) -> AsyncIterator[Page[T]]:
        start = int(cursor or 0)
        while True:
            await self._call(account_id, what)
            records = list_now()
            end = start + self.page_size
            last = end >= len(records)
            # As where the list shifts while it is read: the first of the next page is the last of this one too.
            shown = records[start : end + (1 if self.repeat_first_of_next_page else 0)]
            yield Page(tuple(shown), None if last else str(end))
            if last:
                return
            start = end

    def walk_fans(self, account_id: str, cursor: str | None = None) -> AsyncIterator[Page[FanRecord]]:
        return self._pages(account_id, "fans", lambda: self.of(account_id).fans, cursor)

    def walk_active(
        self, account_id: str, cursor: str | None = None, *, least_usd: int = 0
    ) -> AsyncIterator[Page[FanRecord]]:
        def active() -> list[FanRecord]:
            return [
                record
                for record in self.of(account_id).fans
                if record.subscribed and (record.total_cents or 0) >= least_usd * 100
            ]

        return self._pages(account_id, "active", active, cursor)

    def walk_messages(
        self, account_id: str, platform_fan_id: str, since_ms: int
    ) -> AsyncIterator[Page[MessageRecord]]:
        found = [m for m in self.of(account_id).messages.get(platform_fan_id, ()) if m.sent_at >= since_ms]
        found.sort(key=lambda message: -message.sent_at)
        return self._pages(account_id, "messages", lambda: found, None)

    def walk_latest(self, account_id: str, since_ms: int, until_ms: int) -> AsyncIterator[Page[FanRecord]]:
        found = [
            record
            for record in self.of(account_id).fans
            if any(
                at is not None and since_ms <= at <= until_ms
                for at in (record.subscribed_at, record.renewed_at)
            )
        ]
        return self._pages(account_id, "latest", lambda: found, None)

    def walk_transactions(
        self, account_id: str, since_ms: int, cursor: str | None = None
    ) -> AsyncIterator[Page[TransactionRecord]]:
        found = [r for r in self.of(account_id).payments if r.occurred_at >= since_ms]
        found.sort(key=lambda record: -record.occurred_at)
        return self._pages(account_id, "payments", lambda: found, cursor)

    def walk_chargebacks(
        self, account_id: str, since_ms: int, until_ms: int
    ) -> AsyncIterator[Page[TransactionRecord]]:
        found = [r for r in self.of(account_id).chargebacks if since_ms <= r.occurred_at <= until_ms]
        return self._pages(account_id, "chargebacks", lambda: found, None)

    async def get_fans(self, account_id: str, ids: Iterable[str]) -> list[FanRecord]:
        wanted = list(ids)
        for _ in range(0, len(wanted), 10):
            await self._call(account_id, "by id")
        known = {record.platform_fan_id: record for record in self.of(account_id).fans}
        return [known[fan_id] for fan_id in wanted if fan_id in known]

    async def aclose(self) -> None:
        """Nothing is open."""
