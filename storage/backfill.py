"""What a backfill asks the database: what it will cost, how far it has come, how far back payments are known."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update

from bot.domain.models import MS_PER_DAY
from storage.imports import ImportRun, open_run
from storage.tables import creators, fan_accounts, import_runs, transactions
from storage.tx import Tx

KIND = "backfill"
_f = fan_accounts.c


async def find_open(tx: Tx, creator_id: int) -> ImportRun | None:
    """The backfill of her payments that was left off; None: none was."""
    r = import_runs.c
    row = await tx.first(
        select(*(r[field.name] for field in fields(ImportRun)))
        .where(
            r.agency_id == tx.agency_id,
            r.creator_id == creator_id,
            r.kind == KIND,
            r.finished_at.is_(None),
        )
        .order_by(r.id.desc())
        .limit(1)
    )
    return None if row is None else ImportRun(*row)


async def open_backfill(tx: Tx, creator_id: int, now_ms: int) -> ImportRun:
    # There is no file to tell one from another by.
    mark = str(tx.ids.next())
    return await open_run(tx, creator_id, KIND, mark, rows=0, rows_rejected=0, now_ms=now_ms)


async def payments_per_day(tx: Tx, creator_id: int, now_ms: int) -> float | None:
    """Over the time of which she has payments here; None: she has none."""
    t = transactions.c
    row = await tx.first(
        select(func.count(), func.min(t.occurred_at)).where(
            t.agency_id == tx.agency_id, t.creator_id == creator_id
        )
    )
    if row is None or not row[0]:
        return None
    return int(row[0]) / max(1.0, (now_ms - int(row[1])) / MS_PER_DAY)


def _wanting(tx: Tx, creator_id: int, since_ms: int) -> ColumnElement[bool]:
    return and_(
        _f.agency_id == tx.agency_id,
        _f.creator_id == creator_id,
        or_(_f.paid, _f.total_cents > 0),
        or_(_f.messages_from_at.is_(None), _f.messages_from_at > since_ms),
    )


async def count_without_messages(tx: Tx, creator_id: int, since_ms: int) -> int:
    """How many fans with money there are whose messages are not all known since then."""
    return int(
        await tx.scalar(
            select(func.count()).select_from(fan_accounts).where(_wanting(tx, creator_id, since_ms))
        )
    )


async def next_without_messages(
    tx: Tx, creator_id: int, since_ms: int, after_id: int, limit: int
) -> list[tuple[int, str]]:
    """(fan account id, platform fan id) of some of these fans, by id, behind `after_id`."""
    rows = await tx.all(
        select(_f.id, _f.platform_fan_id)
        .where(_wanting(tx, creator_id, since_ms), _f.id > after_id)
        .order_by(_f.id)
        .limit(limit)
    )
    return [(row.id, row.platform_fan_id) for row in rows]


async def mark_payments_from(tx: Tx, creator_id: int, since_ms: int) -> None:
    """All payments since then are known, or since before that already."""
    known = creators.c.payments_from_at
    await tx.execute(
        update(creators)
        .where(creators.c.agency_id == tx.agency_id, creators.c.id == creator_id)
        .values(payments_from_at=case((known < since_ms, known), else_=since_ms))
    )
