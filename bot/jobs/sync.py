"""Fetches what changed at the data API, page by page, and has the creator scored.

A *walk* goes through every fan of a creator, once a day; a *poll* asks for what has changed since the last look. Each
page is one transaction together with the cursor behind it, so an interrupted run goes on where it stopped. Pages of one
creator follow each other; creators run side by side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

import structlog

from bot.clock import Clock
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR, AccountRecord, FanRecord, TransactionRecord
from bot.fanapi.errors import (
    AccountNotFoundError,
    CreditsExhaustedError,
    FanApiError,
    KeyRefusedError,
    PermissionDeniedError,
    SessionExpiredError,
)
from bot.fanapi.protocol import FanApi, Page, Usage
from bot.jobs.notices import OF_WHOLE_API, POLLS_BEFORE_NOTICE, Notices, Trouble
from bot.jobs.scoring import Scoring
from storage import fans, fetching, roster, runs, transactions
from storage.engine import AgencyStore, Tx
from storage.roster import Creator
from storage.runs import SyncKind, SyncRun

log = structlog.get_logger(__name__)

SIDE_BY_SIDE = 4
"""Creators fetched at the same time; the key's token bucket bounds the requests themselves."""
OVERLAP_MS = MS_PER_DAY
"""How far a fetch of payments reaches back behind the last complete one: some appear late."""
NEAREST_EXPIRIES = 10
"""Fans a poll refreshes besides those who changed: one call, for those whose period ends soonest."""
GIVE_UP_RUN_MS = MS_PER_DAY
"""An unfinished run older than this is closed: its cursor points into a list that has moved on."""
FIRST_RETRY_MS = 5 * 60 * 1_000


@dataclass(frozen=True, slots=True)
class _Failure:
    """How a creator's sync ended badly; `whole_api`: the kind of trouble that every creator would have."""

    creator: Creator
    trouble: Trouble
    whole_api: bool


class SyncJob:
    """The due syncs of one agency's creators."""

    def __init__(
        self,
        store: AgencyStore,
        api: FanApi,
        scoring: Scoring,
        notices: Notices,
        clock: Clock,
        *,
        poll_every_ms: int = MS_PER_HOUR,
        history_ms: int = 120 * MS_PER_DAY,
        on_scored: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._api = api
        self._scoring = scoring
        self._notices = notices
        self._clock = clock
        self._poll_every_ms = poll_every_ms
        self._history_ms = history_ms
        self._on_scored = on_scored

    async def run_due(self, now_ms: int) -> dict[str, int]:
        """Sync every creator whose time has come; how many were tried."""
        async with self._store.read() as tx:
            creators = await roster.list_creators(tx)
        creators = [c for c in creators if c.is_watched]
        due = [c for c in creators if min(c.next_poll_at, c.next_walk_at) <= now_ms]
        if not due:
            return {}
        try:
            accounts = {a.account_id: a for a in await self._api.list_accounts()}
        except FanApiError as error:
            await self._fail_all(due, error, now_ms)
            return {"sync": len(due)}
        if not self._api.capabilities.accounts:
            # Nobody lists them: each is taken as connected until its own answers say otherwise.
            accounts = {c.account_id: AccountRecord(c.account_id, None, None, None, None) for c in due}
        gate = asyncio.Semaphore(SIDE_BY_SIDE)

        async def one(creator: Creator) -> _Failure | None:
            async with gate:
                try:
                    # The others' pages may have taken long.
                    present = await self._as_now(creator)
                    if present is None:
                        return None
                    return await self._sync_creator(present, accounts.get(creator.account_id), now_ms)
                except Exception:
                    # A mistake of the program about one creator; the others' syncs must not be left to themselves.
                    log.exception("sync_broke", creator_id=creator.id)
                    await self._postpone(creator, now_ms)
                    late = creator.failed_polls + 1 >= POLLS_BEFORE_NOTICE
                    return _Failure(creator, "stale", whole_api=False) if late else None

        outcomes = await asyncio.gather(*(one(creator) for creator in due))
        failures = [f for f in outcomes if f is not None]
        # Who failed before is due at other times than the rest: alone she says nothing about the whole API.
        others_fine = any(c.synced_at is not None and not c.failed_polls for c in creators if c not in due)
        await self._tell(failures, len(outcomes), now_ms, others_fine=others_fine)
        return {"sync": len(due)}

    async def _tell(self, failures: list[_Failure], tried: int, now_ms: int, *, others_fine: bool) -> None:
        whole = [f for f in failures if f.whole_api]
        if len(whole) < tried:
            await self._notices.api_answered(now_ms)
        elif not others_fine or whole[0].trouble != "api_down":
            await self._notices.api_failed(whole[0].trouble, now_ms)
            return
        for failure in failures:
            if not failure.whole_api:
                await self._notices.creator_failed(failure.creator, failure.trouble, now_ms)
            elif failure.creator.failed_polls + 1 >= POLLS_BEFORE_NOTICE:
                await self._notices.creator_failed(failure.creator, "stale", now_ms)

    async def _fail_all(self, due: list[Creator], error: FanApiError, now_ms: int) -> None:
        log.warning("api_failed", error=type(error).__name__)
        for creator in due:
            await self._postpone(creator, now_ms)
        await self._notices.api_failed(_trouble(error), now_ms)

    async def _sync_creator(
        self, creator: Creator, account: AccountRecord | None, now_ms: int
    ) -> _Failure | None:
        bound = log.bind(creator_id=creator.id)
        if account is None or account.authenticated is False:
            trouble: Trouble = "account_missing" if account is None else "session_expired"
            await self._postpone(creator, now_ms)
            return _Failure(creator, trouble, whole_api=False)
        run: SyncRun | None = None
        before = replace(self._api.meter.of(creator.account_id))
        try:
            run = await self._open(creator, now_ms)
            await self._fetch(creator, run)
            present = await self._as_now(creator)
            if present is None:
                # Paused or retired meanwhile: what was fetched waits, and her alerts with it.
                held, used = run, self._used(creator, before)
                await self._store.write(
                    lambda tx: runs.note_usage(tx, held.run_id, calls=used.calls, credits_used=used.credits)
                )
                return None
            await self._scoring.run(present, run.run_id, self._clock.now_ms())
        except FanApiError as error:
            if await self._as_now(creator) is None:
                # Paused, retired or reconnected meanwhile: that the old account fails is no news of hers.
                return None
            code = type(error).__name__
            bound.warning("sync_failed", error=code)
            await self._postpone(creator, now_ms)
            if run is not None:
                failed, used = run, self._used(creator, before)
                await self._store.write(
                    lambda tx: runs.note_failure(
                        tx, failed.run_id, error=code, calls=used.calls, credits_used=used.credits
                    )
                )
            trouble = _trouble(error)
            return _Failure(creator, trouble, whole_api=trouble in OF_WHOLE_API)
        finished, used = run, self._used(creator, before)

        async def finish(tx: Tx) -> None:
            await runs.finish_sync(
                tx,
                finished.run_id,
                self._clock.now_ms(),
                status="done",
                error=None,
                calls=used.calls,
                credits_used=used.credits,
            )
            await fetching.mark_synced(
                tx,
                creator.id,
                next_poll_at=finished.started_at + self._poll_every_ms,
                next_walk_at=finished.started_at + MS_PER_DAY if finished.kind == "walk" else None,
            )

        await self._store.write(finish)
        await self._notices.creator_recovered(creator, now_ms)
        if self._on_scored is not None:
            # Her cards need not wait for the other creators' pages.
            await self._on_scored()
        return None

    async def _as_now(self, creator: Creator) -> Creator | None:
        """The creator with her present settings; None: she is not to be fetched from this account any more."""
        async with self._store.read() as tx:
            found = await roster.get_creator(tx, creator.id)
        same = found is not None and found.is_watched and found.account_id == creator.account_id
        return found if same else None

    def _used(self, creator: Creator, before: Usage) -> Usage:
        now = self._api.meter.of(creator.account_id)
        return Usage(now.calls - before.calls, now.credits - before.credits, now.errors - before.errors)

    async def _open(self, creator: Creator, now_ms: int) -> SyncRun:
        kind: SyncKind = "walk" if creator.next_walk_at <= now_ms else "poll"

        async def open_run(tx: Tx) -> SyncRun:
            found = await runs.find_open_sync(tx, creator.id)
            if found is not None:
                outdated = now_ms - found.started_at > GIVE_UP_RUN_MS
                if not outdated and (found.kind == "walk" or kind == "poll"):
                    return found
                await runs.finish_sync(
                    tx, found.run_id, now_ms, status="given_up", error=None, calls=0, credits_used=0.0
                )
            return await runs.open_sync(tx, creator.id, kind, now_ms, "fans")

        return await self._store.write(open_run)

    async def _fetch(self, creator: Creator, run: SyncRun) -> None:
        phase, cursor = run.phase, run.cursor
        if phase == "fans":
            if run.kind == "walk":
                await self._walk_fans(creator, run, cursor)
            else:
                await self._poll_changes(creator, run)
            phase, cursor = "transactions", None
        if run.kind == "walk":
            if phase == "transactions":
                await self._walk_transactions(creator, run, cursor)
                phase = "chargebacks"
            if phase == "chargebacks":
                await self._walk_chargebacks(creator, run)

    async def _walk_fans(self, creator: Creator, run: SyncRun, cursor: str | None) -> None:
        async for page in self._api.walk_fans(creator.account_id, cursor):

            async def write(tx: Tx, page: Page[FanRecord] = page) -> None:
                await fans.apply_fan_page(tx, creator.id, page.records, run.started_at, run.run_id)
                last = page.next_cursor is None
                await runs.mark_sync(tx, run.run_id, "transactions" if last else "fans", page.next_cursor)

            await self._store.write(write)

    def _payments_since(self, creator: Creator, run: SyncRun) -> int:
        if creator.payments_synced_at is None:
            return run.started_at - self._history_ms
        return creator.payments_synced_at - OVERLAP_MS

    async def _walk_transactions(self, creator: Creator, run: SyncRun, cursor: str | None) -> None:
        since = self._payments_since(creator, run)
        async for page in self._api.walk_transactions(creator.account_id, since, cursor):

            async def write(tx: Tx, page: Page[TransactionRecord] = page) -> None:
                await transactions.apply_transactions(tx, creator.id, page.records, run.started_at)
                last = page.next_cursor is None
                await runs.mark_sync(
                    tx, run.run_id, "chargebacks" if last else "transactions", page.next_cursor
                )

            await self._store.write(write)

    async def _walk_chargebacks(self, creator: Creator, run: SyncRun) -> None:
        since = self._payments_since(creator, run)
        until = self._clock.now_ms()
        async for page in self._api.walk_chargebacks(creator.account_id, since, until):
            records = page.records
            await self._store.write(
                partial(
                    transactions.apply_transactions,
                    creator_id=creator.id,
                    records=records,
                    now_ms=run.started_at,
                )
            )

        async def done(tx: Tx) -> None:
            await runs.mark_sync(tx, run.run_id, "score", None)
            if self._api.capabilities.payments:
                await fetching.mark_payments_synced(tx, creator.id, run.started_at)
            await fetching.mark_fresh(tx, creator.id, run.started_at)

        await self._store.write(done)

    async def _poll_changes(self, creator: Creator, run: SyncRun) -> None:
        """New payments, new and renewed subscriptions, and fresh figures of the fans they concern, in one transaction."""
        since = creator.synced_at if creator.synced_at is not None else run.started_at - MS_PER_DAY
        payments = await self._new_payments(creator, run)
        latest = [
            record
            async for page in self._api.walk_latest(
                creator.account_id, since - MS_PER_HOUR, self._clock.now_ms()
            )
            for record in page.records
        ]
        async with self._store.read() as tx:
            due = await fans.due_for_refresh(tx, creator.id, run.started_at, NEAREST_EXPIRIES)
        fresh = {record.platform_fan_id for record in latest}
        paying = [p.platform_fan_id for p in payments if p.platform_fan_id is not None]
        wanted = [fan_id for fan_id in dict.fromkeys([*paying, *due]) if fan_id not in fresh]
        refreshed = await self._api.get_fans(creator.account_id, wanted) if wanted else []

        async def write(tx: Tx) -> None:
            await fans.apply_fan_page(tx, creator.id, [*latest, *refreshed], run.started_at, run.run_id)
            await transactions.apply_transactions(tx, creator.id, payments, run.started_at)
            await runs.mark_sync(tx, run.run_id, "score", None)
            await fetching.mark_fresh(tx, creator.id, run.started_at)

        await self._store.write(write)

    async def _new_payments(self, creator: Creator, run: SyncRun) -> list[TransactionRecord]:
        """The payments we do not hold yet, newest first, up to the first page that holds none."""
        found: list[TransactionRecord] = []
        async for page in self._api.walk_transactions(
            creator.account_id, self._payments_since(creator, run), None
        ):
            async with self._store.read() as tx:
                known = await transactions.known_ids(
                    tx, creator.id, [r.platform_transaction_id for r in page.records]
                )
            fresh = [r for r in page.records if r.platform_transaction_id not in known]
            found.extend(fresh)
            if page.records and len(fresh) < len(page.records):
                break
        return found

    async def _postpone(self, creator: Creator, now_ms: int) -> None:
        wait_ms = min(FIRST_RETRY_MS * 2 ** min(creator.failed_polls, 10), self._poll_every_ms)
        await self._store.write(lambda tx: fetching.mark_failed(tx, creator.id, now_ms + wait_ms))


def _trouble(error: FanApiError) -> Trouble:
    if isinstance(error, KeyRefusedError | PermissionDeniedError):
        return "key_refused"
    if isinstance(error, CreditsExhaustedError):
        return "credits_exhausted"
    if isinstance(error, AccountNotFoundError):
        return "account_missing"
    if isinstance(error, SessionExpiredError):
        return "session_expired"
    return "api_down"
