"""Which creators are due, how each one's data is fetched and scored, and what becomes of it when that fails.

A *poll* is hourly, a *night* daily, a *walk* monthly: see `bot.jobs.fetching.fetcher`. Pages of one creator follow each
other; creators run side by side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import structlog

from bot.clock import Clock
from bot.domain.calm import is_stale
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR, AccountRecord
from bot.fanapi.errors import (
    AccountNotFoundError,
    CreditsExhaustedError,
    FanApiError,
    KeyRefusedError,
    PermissionDeniedError,
    SessionExpiredError,
)
from bot.fanapi.protocol import FanApi
from bot.jobs.fetching.budget import Allowance, Budget, BudgetReachedError, poll_share
from bot.jobs.fetching.connections import Connections
from bot.jobs.fetching.fetcher import NIGHT_FANS, PHASES, Fetcher, make_plan
from bot.jobs.fetching.spending import noting
from bot.jobs.notices import OF_WHOLE_API, Notices, Trouble
from bot.jobs.scoring import Scoring
from storage import fetch_lists, fetching, mentions, roster, runs
from storage.engine import AgencyStore, Tx
from storage.roster import Creator
from storage.runs import SyncKind, SyncRun

log = structlog.get_logger(__name__)

SIDE_BY_SIDE = 4
"""Creators fetched at the same time; the key's token bucket bounds the requests themselves."""
GIVE_UP_RUN_MS = MS_PER_DAY
"""An unfinished run older than this is closed: its cursor points into a list that has moved on."""
MONTH_MS = 30 * MS_PER_DAY
MAKE_UP_EVERY_MS = 3 * MS_PER_HOUR
"""How soon after a night another one may make up for webhooks: where they go on missing, polls must go on as well."""
FIRST_RETRY_MS = 5 * 60 * 1_000
_BY_REACH: tuple[SyncKind, ...] = ("poll", "night", "walk")


@dataclass(frozen=True, slots=True)
class _Failure:
    """How a creator's sync ended badly; `whole_api`: the kind of trouble that every creator would have."""

    creator: Creator
    trouble: Trouble
    whole_api: bool


@dataclass(frozen=True, slots=True)
class _Held:
    """Until when a budget holds a creator back; `credits_per_day` is her own number, None: the agency's."""

    until: int
    credits_per_day: int | None


_Outcome = _Failure | Literal["done", "not_asked"]
"""not_asked: nothing was asked of the data API for her, so this says nothing about it."""


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
        budget: Budget | None = None,
        poll_every_ms: int = MS_PER_HOUR,
        history_ms: int = 120 * MS_PER_DAY,
        on_scored: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._api = api
        self._scoring = scoring
        self._notices = notices
        self._clock = clock
        self._budget = budget or Budget(store)
        self._connections = Connections(store, api)
        self._fetcher = Fetcher(store, api, clock)
        self._poll_every_ms = poll_every_ms
        self._history_ms = history_ms
        self._on_scored = on_scored
        self._held: dict[int, _Held] = {}

    async def run_due(self, now_ms: int) -> dict[str, int]:
        """Sync every creator whose time has come; how many were tried."""
        async with self._store.read() as tx:
            creators = await roster.list_creators(tx)
        due = [c for c in creators if self._is_due(c, now_ms)]
        if not due:
            return {}
        try:
            accounts = await self._connections.of(due, now_ms)
        except FanApiError as error:
            await self._fail_all(due, error, now_ms)
            return {"sync": len(due)}
        gate = asyncio.Semaphore(SIDE_BY_SIDE)

        async def one(creator: Creator) -> _Outcome:
            async with gate:
                try:
                    # The others' pages may have taken long.
                    present = await self._as_now(creator)
                    if present is None:
                        return "not_asked"
                    return await self._sync_creator(present, accounts, now_ms)
                except Exception:
                    # A mistake of the program about one creator; the others' syncs must not be left to themselves.
                    log.exception("sync_broke", creator_id=creator.id)
                    await self._postpone(creator, now_ms)
                    late = creator.is_watched and is_stale(
                        creator.synced_at, creator.failed_polls + 1, now_ms
                    )
                    return _Failure(creator, "stale", whole_api=False) if late else "done"

        outcomes = await asyncio.gather(*(one(creator) for creator in due))
        failures = [f for f in outcomes if isinstance(f, _Failure)]
        # Who failed before is due at other times than the rest: alone she says nothing about the whole API.
        others = [c for c in creators if c.is_watched and c not in due]
        others_fine = any(c.synced_at is not None and not c.failed_polls for c in others)
        tried = len(outcomes) - outcomes.count("not_asked")
        if tried:
            await self._tell(failures, tried, now_ms, others_fine=others_fine)
        return {"sync": len(due)}

    def _is_due(self, creator: Creator, now_ms: int) -> bool:
        """Paused: never. Retired: once a day, for the record, if she was ever watched."""
        if creator.paused_reason is not None:
            return False
        if creator.retired_at is not None:
            return creator.synced_at is not None and creator.next_walk_at <= now_ms
        if min(creator.next_poll_at, creator.next_walk_at) <= now_ms:
            return True
        # What webhooks have missed is not waited for, unless her look is put off.
        held = self._held.get(creator.id)
        is_held = held is not None and held.until > now_ms and held.credits_per_day == creator.credits_per_day
        put_off = creator.failed_polls > 0 or is_held
        return creator.synced_at is not None and _makes_up(creator, now_ms) and not put_off

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
            elif is_stale(failure.creator.synced_at, failure.creator.failed_polls + 1, now_ms):
                await self._notices.creator_failed(failure.creator, "stale", now_ms)

    async def _fail_all(self, due: list[Creator], error: FanApiError, now_ms: int) -> None:
        log.warning("api_failed", error=type(error).__name__)
        for creator in due:
            await self._postpone(creator, now_ms)
        if any(creator.is_watched for creator in due):
            await self._notices.api_failed(_trouble(error), now_ms)

    async def _sync_creator(
        self, creator: Creator, accounts: Mapping[str, AccountRecord] | None, now_ms: int
    ) -> _Outcome:
        account = None if accounts is None else accounts.get(creator.account_id)
        if accounts is not None and (account is None or account.authenticated is False):
            trouble: Trouble = "account_missing" if account is None else "session_expired"
            return await self._failed(creator, trouble, now_ms)
        kind = _kind(creator, now_ms)
        # All fans have to be seen, however many they are: what limits a day is what is left out of it.
        left = None if kind == "walk" else await self._budget.left(creator, now_ms)
        if left is not None and left <= 0:
            await self._hold(creator, now_ms)
            return "not_asked"
        run = await self._open(creator, kind, now_ms)
        allowed = None if run.kind == "walk" else left
        share = 0 if allowed is None else await self._share(creator, allowed, now_ms)
        try:
            async with noting(
                self._store,
                self._api,
                creator.id,
                run.kind,
                now_ms=self._clock.now_ms,
                sync_run_id=run.run_id,
            ) as used:
                await self._fetcher.fetch(creator, run, Allowance(allowed, used, share))
            present = await self._as_now(creator)
            if present is None:
                # Paused meanwhile: what was fetched waits, and her alerts with it.
                return "done"
            if present.is_watched:
                await self._scoring.run(present, run.run_id, self._clock.now_ms())
        except BudgetReachedError:
            await self._hold(creator, now_ms)
            return "done"
        except FanApiError as error:
            if await self._as_now(creator) is None:
                # Paused or reconnected meanwhile: that the old account fails is no news of hers.
                return "done"
            code = type(error).__name__
            log.warning("sync_failed", creator_id=creator.id, error=code)
            await self._store.write(lambda tx: runs.note_failure(tx, run.run_id, code))
            return await self._failed(creator, _trouble(error), now_ms)
        await self._finish(creator, run)
        if present.is_watched:
            over = kind == "walk" or await self._budget.left(creator, now_ms) > 0
            await self._notices.creator_recovered(creator, now_ms, within_budget=over)
            if self._on_scored is not None:
                # Her cards need not wait for the other creators' pages.
                await self._on_scored()
        return "done"

    async def _share(self, creator: Creator, left: float, now_ms: int) -> int:
        """What a poll of hers may spend on fans by id; what a pull that is still due today costs is left alone."""
        ends = await self._budget.day_ends_at(now_ms)
        reserved = self._api.capabilities.pull_credits if creator.next_walk_at < ends else 0
        return poll_share(left, reserved, -(-(ends - now_ms) // self._poll_every_ms))

    async def _failed(self, creator: Creator, trouble: Trouble, now_ms: int) -> _Outcome:
        await self._postpone(creator, now_ms)
        if not creator.is_watched:
            # A retired creator's account may be gone any day, and nobody waits for it.
            return "not_asked"
        return _Failure(creator, trouble, whole_api=trouble in OF_WHOLE_API)

    async def _finish(self, creator: Creator, run: SyncRun) -> None:
        """`creator`: as she was before this sync; where her data was too old to call anybody about, that is over."""
        started = run.started_at
        full = run.kind == "walk"
        # A list that shrinks under her first walk may hide a fan nobody knows yet: the second one is the next night's.
        first = creator.next_full_walk_at == 0
        next_full = started + (MS_PER_DAY if first else MONTH_MS)

        async def finish(tx: Tx) -> None:
            now = self._clock.now_ms()
            await runs.finish_sync(tx, run.run_id, now)
            await fetching.mark_synced(
                tx,
                creator.id,
                next_poll_at=started + self._poll_every_ms,
                next_walk_at=None if run.kind == "poll" else started + MS_PER_DAY,
                next_full_walk_at=next_full if full else None,
                gap_since_at=run.plan.gap_since_at,
            )
            if is_stale(creator.synced_at, creator.failed_polls, now):
                await mentions.release_held(tx, now, creator_id=creator.id)

        await self._store.write(finish)

    async def _hold(self, creator: Creator, now_ms: int) -> None:
        """Her day's credits are used up: nothing more before midnight, which is no failure and said once."""
        until = await self._budget.day_ends_at(now_ms)
        if not await self._store.write(lambda tx: fetching.mark_held(tx, creator, until)):
            return
        self._held[creator.id] = _Held(until, creator.credits_per_day)
        if creator.is_watched:
            await self._notices.budget_reached(creator, now_ms)

    async def _as_now(self, creator: Creator) -> Creator | None:
        """The creator with her present settings; None: she is not to be fetched from this account any more."""
        async with self._store.read() as tx:
            found = await roster.get_creator(tx, creator.id)
        same = found is not None and found.paused_reason is None and found.account_id == creator.account_id
        return found if same else None

    async def _open(self, creator: Creator, kind: SyncKind, now_ms: int) -> SyncRun:
        """The sync to go on with, or a new one where there is none, or one that is too old or reads too little."""
        everybody = kind != "night"
        if kind == "night":
            async with self._store.read() as tx:
                payers = await fetch_lists.count_payers(tx, creator.id)
            everybody = await self._budget.holds_all(creator, payers, now_ms)

        async def open_run(tx: Tx) -> SyncRun:
            found = await runs.find_open_sync(tx, creator.id)
            if found is not None and now_ms - found.started_at <= GIVE_UP_RUN_MS:
                since, known = creator.reconcile_since_at, found.plan.gap_since_at
                # One that has grown no older than what is read is filled, or stays for the next.
                fills = since is None or (known is not None and found.plan.payments_since_at <= since)
                if (fills or kind == "poll") and _BY_REACH.index(found.kind) >= _BY_REACH.index(kind):
                    return found
            paid = await fetch_lists.costs_money(tx, creator.id)
            least_usd, round_at = 1, None
            if not everybody:
                least_usd = await fetch_lists.least_of_the_richest(tx, creator.id, NIGHT_FANS)
                round_at = await runs.last_round_at(tx, creator.id)
            plan = make_plan(
                creator,
                kind,
                now_ms,
                history_ms=self._history_ms,
                costs_money=paid,
                least_usd=least_usd,
                round_at=round_at,
            )
            return await runs.open_sync(tx, creator.id, kind, now_ms, PHASES[0], plan)

        return await self._store.write(open_run)

    async def _postpone(self, creator: Creator, now_ms: int) -> None:
        wait_ms = MS_PER_DAY
        if creator.is_watched:
            wait_ms = min(FIRST_RETRY_MS * 2 ** min(creator.failed_polls, 10), self._poll_every_ms)
        await self._store.write(lambda tx: fetching.mark_failed(tx, creator.id, now_ms + wait_ms))


def _kind(creator: Creator, now_ms: int) -> SyncKind:
    if creator.next_walk_at <= now_ms:
        return "walk" if creator.next_full_walk_at <= now_ms else "night"
    return "night" if _makes_up(creator, now_ms) else "poll"


def _makes_up(creator: Creator, now_ms: int) -> bool:
    """Whether it is time to make up for webhooks that are known to be missing."""
    last_night = creator.next_walk_at - MS_PER_DAY
    return creator.reconcile_since_at is not None and now_ms >= last_night + MAKE_UP_EVERY_MS


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
