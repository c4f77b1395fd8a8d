"""What each day of each creator brought in, computed from the facts and kept, so that a year is read in one go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, delete, func, or_, select

from bot.domain.daily import DayFigures, DaySpan, Money
from bot.domain.models import TransactionKind
from storage.bulk import bulk_upsert
from storage.parts import in_parts
from storage.tables import creator_daily, creators, score_runs, transactions
from storage.tx import Tx

_KEY = ("agency_id", "creator_id", "day")
_COLUMNS = tuple(column.name for column in creator_daily.columns)
_UPDATED = tuple(name for name in _COLUMNS if name not in _KEY)

_d, _t, _r = creator_daily.c, transactions.c, score_runs.c


@dataclass(frozen=True, slots=True)
class Known:
    """How far back there is anything to say of a creator. The instants are agency time.

    `since`: her first payment, or when she was added. `fans_since`: when her fans were first seen whole; None: never yet.
    """

    since: int
    fans_since: int | None


async def read_known(tx: Tx, creator_id: int) -> Known | None:
    """None: there is no such creator."""
    added = await tx.scalar(
        select(creators.c.created_at).where(creators.c.agency_id == tx.agency_id, creators.c.id == creator_id)
    )
    if added is None:
        return None
    first = await tx.scalar(
        select(func.min(_t.occurred_at)).where(
            _t.agency_id == tx.agency_id, _t.creator_id == creator_id, _t.counted
        )
    )
    # The first scoring follows the first walk of all fans; runs are never removed.
    scored = await tx.scalar(
        select(func.min(_r.finished_at)).where(_r.agency_id == tx.agency_id, _r.creator_id == creator_id)
    )
    return Known(min(added, first) if first is not None else added, scored)


async def list_spans(tx: Tx, creator_id: int) -> list[DaySpan]:
    """The days that are kept of her, oldest first."""
    rows = await tx.all(
        select(_d.day, _d.starts_at, _d.ends_at)
        .where(_d.agency_id == tx.agency_id, _d.creator_id == creator_id)
        .order_by(_d.day)
    )
    return [DaySpan(*row) for row in rows]


async def list_touched(tx: Tx, creator_id: int) -> set[str]:
    """The kept days whose payments are by now others than when they were computed, by count or sum."""
    kept = (
        _d.subscriptions_cents
        + _d.messages_cents
        + _d.tips_cents
        + _d.posts_cents
        + _d.streams_cents
        + _d.other_cents
        + _d.chargebacks_cents
    )
    same = and_(
        _t.agency_id == _d.agency_id,
        _t.creator_id == _d.creator_id,
        _t.currency == _d.currency,
        _t.counted,
        _t.occurred_at >= _d.starts_at,
        _t.occurred_at < _d.ends_at,
    )
    rows = await tx.all(
        select(_d.day)
        .select_from(creator_daily.outerjoin(transactions, same))
        .where(_d.agency_id == tx.agency_id, _d.creator_id == creator_id)
        .group_by(_d.agency_id, _d.creator_id, _d.day)
        .having(
            or_(
                func.count(_t.id).filter(_t.kind != TransactionKind.CHARGEBACK.value) != _d.payments,
                func.coalesce(func.sum(_t.amount_cents), 0) != kept,
            )
        )
    )
    return {row.day for row in rows}


async def put(tx: Tx, creator_id: int, figures: Sequence[DayFigures], now_ms: int) -> None:
    """Keep these days, or overwrite them."""
    rows = [
        (
            tx.agency_id,
            creator_id,
            one.span.day,
            one.span.starts_at,
            one.span.ends_at,
            one.money.currency,
            one.money.subscriptions_cents,
            one.money.messages_cents,
            one.money.tips_cents,
            one.money.posts_cents,
            one.money.streams_cents,
            one.money.other_cents,
            one.money.chargebacks_cents,
            one.money.net_cents,
            one.money.payments,
            one.money.payers,
            one.active_fans,
            one.new_fans,
            one.expired_fans,
            one.at_risk,
            one.action_items,
            one.done,
            now_ms,
        )
        for one in figures
    ]
    await bulk_upsert(tx, creator_daily, _COLUMNS, rows, conflict=_KEY, update=_UPDATED)


async def drop(tx: Tx, creator_id: int, days: Sequence[str]) -> None:
    """Forget days that no longer exist, as after a change of the zone."""
    for part in in_parts(days):
        await tx.execute(
            delete(creator_daily).where(
                _d.agency_id == tx.agency_id, _d.creator_id == creator_id, _d.day.in_(part)
            )
        )


async def list_days(
    tx: Tx, creator_ids: Collection[int], first: str, last: str
) -> dict[int, dict[str, DayFigures]]:
    """Creator id -> her kept days from `first` to `last` (YYYY-MM-DD, both included) by date."""
    found: defaultdict[int, dict[str, DayFigures]] = defaultdict(dict)
    rows = await tx.all(
        select(creator_daily).where(
            _d.agency_id == tx.agency_id,
            _d.creator_id.in_(sorted(creator_ids)),
            _d.day >= first,
            _d.day <= last,
        )
    )
    for row in rows:
        found[row.creator_id][row.day] = DayFigures(
            span=DaySpan(row.day, row.starts_at, row.ends_at),
            money=Money(
                row.currency,
                row.subscriptions_cents,
                row.messages_cents,
                row.tips_cents,
                row.posts_cents,
                row.streams_cents,
                row.other_cents,
                row.chargebacks_cents,
                row.net_cents,
                row.payments,
                row.payers,
            ),
            active_fans=row.active_fans,
            new_fans=row.new_fans,
            expired_fans=row.expired_fans,
            at_risk=row.at_risk,
            action_items=row.action_items,
            done=row.done,
        )
    return dict(found)


async def first_and_last(tx: Tx, creator_ids: Collection[int]) -> tuple[str, str] | None:
    """The first and the last day that is kept of any of these creators; None: there is none."""
    row = await tx.first(
        select(func.min(_d.day), func.max(_d.day)).where(
            _d.agency_id == tx.agency_id, _d.creator_id.in_(sorted(creator_ids))
        )
    )
    return None if row is None or row[0] is None else (row[0], row[1])
