"""What the rest of Fanwatch sees of a data API, whichever it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from bot.domain.models import AccountRecord, FanRecord, MessageRecord, TransactionRecord

T = TypeVar("T")
_counting: ContextVar[Usage | None] = ContextVar("counting", default=None)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a walk. `next_cursor` resumes after it, None: it was the last. An empty page may be
    followed by more.
    """

    records: tuple[T, ...]
    next_cursor: str | None


@dataclass(slots=True)
class Usage:
    """What one account has cost since the start, or one piece of work: requests sent, credits billed, requests without a
    usable answer.
    """

    calls: int = 0
    credits: int = 0
    errors: int = 0


@dataclass(slots=True)
class Meter:
    """Counts per account; None is what belongs to no account. `balance` is the last one the API told, None:
    never.
    """

    accounts: dict[str | None, Usage] = field(default_factory=dict)
    balance: int | None = None

    def of(self, account_id: str | None) -> Usage:
        """The counters of one account, which go on counting."""
        return self.accounts.setdefault(account_id, Usage())

    def add(self, account_id: str | None, *, calls: int = 0, credits: int = 0, errors: int = 0) -> None:
        """Count for the account, and for the piece of work that asks."""
        work = _counting.get()
        for usage in (self.of(account_id),) if work is None else (self.of(account_id), work):
            usage.calls += calls
            usage.credits += credits
            usage.errors += errors

    @contextmanager
    def counting(self) -> Iterator[Usage]:
        """Count by itself what is asked inside, also by tasks that are begun there, whoever else asks of the account."""
        work = Usage()
        token = _counting.set(work)
        try:
            yield work
        finally:
            _counting.reset(token)

    def total(self) -> Usage:
        """The sum over all accounts, as of now."""
        total = Usage()
        for usage in self.accounts.values():
            total.calls += usage.calls
            total.credits += usage.credits
            total.errors += usage.errors
        return total


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a vendor can be asked at all; what it cannot is skipped by a sync, and stays unknown.

    A method whose capability is missing yields nothing, without a call: `accounts` is `list_accounts`; `latest` is
    `walk_latest`; `payments` is `walk_transactions` and `walk_chargebacks`; `messages` is `walk_messages`. `all_fans`
    False: `walk_fans` and `walk_active` show some of them only, maybe the same, so that absence means nothing.
    `ids_a_credit`: how many fans of `get_fans` one credit buys. `pull_credits`: what a walk of all it shows costs at
    most, where that is known beforehand and does not grow with the fans; 0 otherwise.
    """

    accounts: bool = True
    all_fans: bool = True
    latest: bool = True
    payments: bool = True
    messages: bool = True
    ids_a_credit: int = 10
    pull_credits: int = 0


class FanApi(Protocol):
    """Reads a creator platform's data. Everything raises a FanApiError of `errors`; nothing writes.

    The pages of a walk follow each other, so a walk is not to be shared between tasks; walks of several
    accounts may run side by side. A fan may come twice in a walk, when the list shifts under it: write by
    id.
    """

    @property
    def meter(self) -> Meter: ...

    @property
    def capabilities(self) -> Capabilities: ...

    async def check_key(self) -> None:
        """Raise KeyRefusedError or PermissionDeniedError where the key is not taken."""
        ...

    async def list_accounts(self) -> list[AccountRecord]:
        """All connections of the key."""
        ...

    def walk_fans(self, account_id: str, cursor: str | None = None) -> AsyncIterator[Page[FanRecord]]:
        """Every fan there ever was, newest first, from `cursor` on."""
        ...

    def walk_active(
        self, account_id: str, cursor: str | None = None, *, least_usd: int = 0
    ) -> AsyncIterator[Page[FanRecord]]:
        """The fans who are subscribed now, newest first; of these, who has spent `least_usd` whole dollars or more."""
        ...

    def walk_latest(self, account_id: str, since_ms: int, until_ms: int) -> AsyncIterator[Page[FanRecord]]:
        """The fans who subscribed or renewed within the window, newest first."""
        ...

    def walk_transactions(
        self, account_id: str, since_ms: int, cursor: str | None = None
    ) -> AsyncIterator[Page[TransactionRecord]]:
        """Payments since then, newest first. Stop reading at the first known one."""
        ...

    def walk_chargebacks(
        self, account_id: str, since_ms: int, until_ms: int
    ) -> AsyncIterator[Page[TransactionRecord]]:
        """Payments taken back within the window: kind chargeback, amounts negative, at the time of the
        taking back.
        """
        ...

    def walk_messages(
        self, account_id: str, platform_fan_id: str, since_ms: int
    ) -> AsyncIterator[Page[MessageRecord]]:
        """The messages with one fan since then, newest first. PermissionDeniedError: the key may not read chats."""
        ...

    async def get_fans(self, account_id: str, ids: Iterable[str]) -> list[FanRecord]:
        """These fans as they are now, in the order asked; one whom the API does not know is left out."""
        ...

    async def aclose(self) -> None:
        """Close the connections. May be called twice."""
        ...
