"""Runs: what was fetched and scored, when, and how far an interrupted one had come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec
from sqlalchemy import insert, select, update

from bot.domain.models import CreatorMaxima
from storage.tables import score_runs, sync_runs
from storage.tx import Tx

SyncKind = Literal["poll", "night", "walk"]
"""poll: what has changed since the last look. night: everybody who matters. walk: every fan there is."""


class SyncPlan(msgspec.Struct, frozen=True):
    """What a sync reads, settled when it is opened, so that one that goes on later reads the same.

    `latest_since_at` None: new and renewed subscriptions are not asked for. `gap_since_at`: since when webhooks were
    missing when it was opened; None: none were. `least_usd`: a night goes through the subscribed fans who have spent so
    many whole dollars; 1: through everybody who has paid.
    """

    payments_since_at: int
    latest_since_at: int | None
    gap_since_at: int | None
    least_usd: int = 1


@dataclass(frozen=True, slots=True)
class SyncRun:
    """`phase` and `cursor` say where to go on; `due_at` and `started_at` are agency time."""

    run_id: int
    creator_id: int
    kind: SyncKind
    started_at: int
    phase: str
    cursor: str | None
    plan: SyncPlan


@dataclass(frozen=True, slots=True)
class ScoreRun:
    """One scoring of one creator, frozen at `now_at`. `after_fan_id`: the last fan account that is done."""

    run_id: int
    creator_id: int
    sync_run_id: int | None
    now_at: int
    maxima: CreatorMaxima
    baseline: bool
    after_fan_id: int | None
    finished_at: int | None


async def find_open_sync(tx: Tx, creator_id: int) -> SyncRun | None:
    """The creator's unfinished sync, the newest first; None: the last one ended, or says not what it was to read."""
    rows = await tx.all(
        select(
            sync_runs.c.id,
            sync_runs.c.creator_id,
            sync_runs.c.kind,
            sync_runs.c.started_at,
            sync_runs.c.phase,
            sync_runs.c.cursor,
            sync_runs.c.stats,
        ).where(
            sync_runs.c.agency_id == tx.agency_id,
            sync_runs.c.creator_id == creator_id,
            sync_runs.c.finished_at.is_(None),
            sync_runs.c.stats.is_not(None),
        )
    )
    if not rows:
        return None
    # There is hardly ever more than one. In order of the id SQLite would look for it through all runs there ever were.
    row = max(rows, key=lambda found: found.id)
    plan = msgspec.json.decode(row.stats, type=SyncPlan)
    return SyncRun(row.id, row.creator_id, row.kind, row.started_at, row.phase, row.cursor, plan)


async def open_sync(
    tx: Tx, creator_id: int, kind: SyncKind, now_ms: int, phase: str, plan: SyncPlan
) -> SyncRun:
    """A new sync; whatever lay unfinished is given up."""
    await tx.execute(
        update(sync_runs)
        .where(
            sync_runs.c.agency_id == tx.agency_id,
            sync_runs.c.creator_id == creator_id,
            sync_runs.c.finished_at.is_(None),
        )
        .values(finished_at=now_ms, status="given_up", error=None)
    )
    run_id = tx.ids.next()
    await tx.execute(
        insert(sync_runs).values(
            agency_id=tx.agency_id,
            id=run_id,
            creator_id=creator_id,
            kind=kind,
            due_at=now_ms,
            started_at=now_ms,
            status="running",
            phase=phase,
            stats=msgspec.json.encode(plan).decode(),
            calls=0,
            credits=0.0,
        )
    )
    return SyncRun(run_id, creator_id, kind, now_ms, phase, None, plan)


async def last_round_at(tx: Tx, creator_id: int) -> int | None:
    """When the last finished run began that went through everybody who has paid; None: none of the last ten nights did."""
    r = sync_runs.c
    rows = await tx.all(
        select(r.started_at, r.kind, r.stats)
        .where(
            r.agency_id == tx.agency_id,
            r.creator_id == creator_id,
            r.status == "done",
            r.kind != "poll",
            r.stats.is_not(None),
        )
        .order_by(r.id.desc())
        .limit(10)
    )
    for row in rows:
        if row.kind == "walk" or msgspec.json.decode(row.stats, type=SyncPlan).least_usd <= 1:
            return int(row.started_at)
    return None


async def mark_sync(tx: Tx, run_id: int, phase: str, cursor: str | None) -> None:
    """Keep how far the sync has come, in the same transaction as what it wrote."""
    await tx.execute(
        update(sync_runs)
        .where(sync_runs.c.agency_id == tx.agency_id, sync_runs.c.id == run_id)
        .values(phase=phase, cursor=cursor)
    )


async def finish_sync(tx: Tx, run_id: int, now_ms: int) -> None:
    """Close the sync: it has ended well."""
    await tx.execute(
        update(sync_runs)
        .where(sync_runs.c.agency_id == tx.agency_id, sync_runs.c.id == run_id)
        .values(finished_at=now_ms, status="done", error=None)
    )


async def note_usage(tx: Tx, run_id: int, *, calls: int, credits_used: float) -> None:
    """Add to what the sync has used so far."""
    await tx.execute(
        update(sync_runs)
        .where(sync_runs.c.agency_id == tx.agency_id, sync_runs.c.id == run_id)
        .values(calls=sync_runs.c.calls + calls, credits=sync_runs.c.credits + credits_used)
    )


async def note_failure(tx: Tx, run_id: int, error: str) -> None:
    """The sync stopped and stays open, to be gone on with at the next try. `error` is a code, never an answer's text."""
    await tx.execute(
        update(sync_runs)
        .where(sync_runs.c.agency_id == tx.agency_id, sync_runs.c.id == run_id)
        .values(status="failed", error=error)
    )


async def find_score_run(tx: Tx, creator_id: int, sync_run_id: int | None) -> ScoreRun | None:
    """The scoring that belongs to a sync, finished or not; without a sync, the unfinished one."""
    where = [score_runs.c.agency_id == tx.agency_id, score_runs.c.creator_id == creator_id]
    if sync_run_id is None:
        where += [score_runs.c.sync_run_id.is_(None), score_runs.c.finished_at.is_(None)]
    else:
        # Ids rise with time: without the second bound all runs there ever were would be read, where this one is not yet.
        where += [score_runs.c.sync_run_id == sync_run_id, score_runs.c.id > sync_run_id]
    row = await tx.first(select(score_runs).where(*where).order_by(score_runs.c.id.desc()).limit(1))
    if row is None:
        return None
    return ScoreRun(
        run_id=row.id,
        creator_id=row.creator_id,
        sync_run_id=row.sync_run_id,
        now_at=row.now_at,
        maxima=CreatorMaxima(row.max_total_cents, row.max_30d_cents),
        baseline=row.baseline,
        after_fan_id=row.after_fan_id,
        finished_at=row.finished_at,
    )


async def open_score_run(
    tx: Tx,
    creator_id: int,
    sync_run_id: int | None,
    *,
    model: str,
    model_version: int,
    now_ms: int,
    maxima: CreatorMaxima,
    baseline: bool,
) -> ScoreRun:
    run_id = tx.ids.next()
    await tx.execute(
        insert(score_runs).values(
            agency_id=tx.agency_id,
            id=run_id,
            creator_id=creator_id,
            sync_run_id=sync_run_id,
            model=model,
            model_version=model_version,
            now_at=now_ms,
            max_total_cents=maxima.total_cents,
            max_30d_cents=maxima.spend_30d_cents,
            baseline=baseline,
            started_at=now_ms,
        )
    )
    return ScoreRun(run_id, creator_id, sync_run_id, now_ms, maxima, baseline, None, None)


async def last_maxima(tx: Tx, creator_id: int, model: str, model_version: int) -> CreatorMaxima | None:
    """The maxima of the creator's last finished run; None: there is none, or it was another model's."""
    r = score_runs.c
    row = await tx.first(
        select(r.max_total_cents, r.max_30d_cents, r.model, r.model_version)
        .where(r.agency_id == tx.agency_id, r.creator_id == creator_id, r.finished_at.is_not(None))
        .order_by(r.id.desc())
        .limit(1)
    )
    if row is None or (row.model, row.model_version) != (model, model_version):
        return None
    return CreatorMaxima(row.max_total_cents, row.max_30d_cents)


async def add_finished_run(tx: Tx, run: ScoreRun, *, model: str, model_version: int) -> None:
    """A run of some fans alone, begun and finished in one transaction: there is never one to go on with."""
    await tx.execute(
        insert(score_runs).values(
            agency_id=tx.agency_id,
            id=run.run_id,
            creator_id=run.creator_id,
            sync_run_id=None,
            model=model,
            model_version=model_version,
            now_at=run.now_at,
            max_total_cents=run.maxima.total_cents,
            max_30d_cents=run.maxima.spend_30d_cents,
            baseline=False,
            started_at=run.now_at,
            finished_at=run.now_at,
        )
    )


async def mark_scored(tx: Tx, run_id: int, after_fan_id: int) -> None:
    """Keep the last fan account that is done, in the same transaction as its scores."""
    await tx.execute(
        update(score_runs)
        .where(score_runs.c.agency_id == tx.agency_id, score_runs.c.id == run_id)
        .values(after_fan_id=after_fan_id)
    )


async def finish_score_run(tx: Tx, run_id: int, now_ms: int) -> None:
    await tx.execute(
        update(score_runs)
        .where(score_runs.c.agency_id == tx.agency_id, score_runs.c.id == run_id)
        .values(finished_at=now_ms)
    )
