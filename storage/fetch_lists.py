"""Whom a sync asks the data API for by id, and who has been seen in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, exists, func, or_, select, update

from bot.domain.models import MS_PER_DAY
from storage.parts import in_parts
from storage.tables import episodes, fan_accounts, sync_runs, transactions, winbacks
from storage.tx import Tx

ENDED_LOOK_MS = 3 * MS_PER_DAY
"""How long a poll asks again about a period that has ended while the API goes on saying "subscribed"."""
SWITCH_LOOK_MS = 3 * MS_PER_DAY
"""How long before its end a poll looks whether a period will go on."""
LAST_COMERS = 20
CENTS = 100

_f = fan_accounts.c


@dataclass(frozen=True, slots=True)
class PollList:
    """Platform ids of fans a poll should look at again, the most urgent first in each list.

    `ended`: payers whose period has ended and who were subscribed still when last seen. `ending`: payers whose period
    ends next and who have not switched rebill off. `ended_unpaid`: as `ended`, of those who never paid.
    """

    ended: tuple[str, ...]
    ending: tuple[str, ...]
    ended_unpaid: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FanToLookAt:
    """A fan to be looked at once more before somebody is told of them."""

    fan_account_id: int
    platform_fan_id: str
    seen: bool
    """Whether the fan has been seen since the sync in hand began."""
    messages_until_at: int | None


def _mine(tx: Tx, creator_id: int) -> tuple[ColumnElement[bool], ...]:
    return (_f.agency_id == tx.agency_id, _f.creator_id == creator_id)


async def poll_list(tx: Tx, creator_id: int, now_ms: int, limit: int) -> PollList:
    """Whom a poll should look at again; at most `limit` of those who end next, and of those who never paid."""
    ended = (*_mine(tx, creator_id), _f.subscribed, _f.expires_at > now_ms - ENDED_LOOK_MS)
    paid = await tx.all(
        select(_f.platform_fan_id)
        .where(*ended, _f.expires_at <= now_ms, _f.paid)
        .order_by(_f.expires_at, _f.id)
    )
    unpaid = await tx.all(
        select(_f.platform_fan_id)
        .where(*ended, _f.expires_at <= now_ms, ~_f.paid)
        .order_by(_f.expires_at, _f.id)
        .limit(limit)
    )
    ending = await tx.all(
        select(_f.platform_fan_id)
        .where(
            *_mine(tx, creator_id),
            _f.subscribed,
            _f.paid,
            _f.expires_at > now_ms,
            _f.expires_at <= now_ms + SWITCH_LOOK_MS,
            or_(_f.rebill_off.is_(None), ~_f.rebill_off),
        )
        .order_by(_f.expires_at, _f.id)
        .limit(limit)
    )
    return PollList(*(tuple(row.platform_fan_id for row in rows) for rows in (paid, ending, unpaid)))


async def payers_since(tx: Tx, creator_id: int, since_ms: int) -> list[str]:
    """Platform ids of the fans with a payment since then, however it came to be known."""
    t = transactions.c
    rows = await tx.all(
        select(_f.platform_fan_id)
        .select_from(
            fan_accounts.join(transactions, (t.agency_id == _f.agency_id) & (t.fan_account_id == _f.id))
        )
        # Not by the fan's creator as well: SQLite would go through all of her fans.
        .where(t.agency_id == tx.agency_id, t.creator_id == creator_id, t.occurred_at > since_ms)
        .distinct()
        .order_by(_f.platform_fan_id)
    )
    return [row.platform_fan_id for row in rows]


async def costs_money(tx: Tx, creator_id: int) -> bool:
    """Whether subscribing to her costs money, going by those who came last: then a payment tells of most of them."""
    rows = await tx.all(
        select(_f.price_cents).where(*_mine(tx, creator_id)).order_by(_f.id.desc()).limit(LAST_COMERS)
    )
    return len([row for row in rows if row.price_cents]) * 2 > len(rows)


async def count_payers(tx: Tx, creator_id: int) -> int:
    """How many of her subscribed fans have spent a dollar or more."""
    found = await tx.scalar(
        select(func.count()).where(*_mine(tx, creator_id), _f.subscribed, _f.total_cents >= CENTS)
    )
    return int(found or 0)


async def least_of_the_richest(tx: Tx, creator_id: int, number: int) -> int:
    """So many whole dollars have at most `number` of the subscribed fans spent; 1 where no more than these have paid."""
    row = await tx.first(
        select(_f.total_cents)
        .where(*_mine(tx, creator_id), _f.subscribed, _f.total_cents >= CENTS)
        .order_by(_f.total_cents.desc(), _f.id)
        .offset(number)
        .limit(1)
    )
    return 1 if row is None else row.total_cents // CENTS + 1


async def mark_seen(tx: Tx, creator_id: int, platform_ids: Iterable[str], run_id: int) -> None:
    """This sync has seen these fans, whether anything of theirs has changed or not."""
    for part in in_parts(sorted(set(platform_ids))):
        await tx.execute(
            update(fan_accounts)
            .where(*_mine(tx, creator_id), _f.platform_fan_id.in_(part))
            .values(seen_run_id=run_id)
        )


def _unseen(run_id: int) -> ColumnElement[bool]:
    # Ids rise with time: whom a webhook has told of since the run began is as good as seen.
    return or_(_f.seen_run_id.is_(None), _f.seen_run_id < run_id)


async def unseen(tx: Tx, creator_id: int, platform_ids: Iterable[str], run_id: int) -> list[str]:
    """Which of these fans this sync has not seen."""
    found: list[str] = []
    for part in in_parts(sorted(set(platform_ids))):
        rows = await tx.all(
            select(_f.platform_fan_id).where(
                *_mine(tx, creator_id), _unseen(run_id), _f.platform_fan_id.in_(part)
            )
        )
        found += (row.platform_fan_id for row in rows)
    return found


async def vanished(tx: Tx, creator_id: int, run_id: int, limit: int, least_usd: int = 1) -> list[str]:
    """Platform ids of payers who are subscribed as far as we know, or of whom a payment alone is known, and whom this
    sync has not seen; those seen last come first. `least_usd` above 1: those who have spent less were not to be seen.
    """
    payers = _f.subscribed & _f.paid
    if least_usd > 1:
        payers &= _f.total_cents >= least_usd * CENTS
    rows = await tx.all(
        select(_f.platform_fan_id)
        .where(*_mine(tx, creator_id), _unseen(run_id), or_(_f.row_hash.is_(None), payers))
        .order_by(_f.seen_run_id.desc().nulls_last(), _f.updated_at.desc(), _f.id)
        .limit(limit)
    )
    return [row.platform_fan_id for row in rows]


def _worked_on(tx: Tx) -> ColumnElement[bool]:
    e, w = episodes.c, winbacks.c
    open_episode = exists().where(
        e.agency_id == tx.agency_id, e.fan_account_id == _f.id, e.closed_at.is_(None)
    )
    open_winback = exists().where(w.agency_id == tx.agency_id, w.fan_account_id == _f.id, w.state == "open")
    return or_(open_episode, open_winback)


async def dear_list(tx: Tx, creator_id: int, now_ms: int, limit: int) -> list[str]:
    """Platform ids of the `limit` fans a poll should look at where each costs a credit.

    First the payers whose period has ended since they were last seen, the soonest first; then those of a period that
    ended lately or ends soon, and those somebody works on, each in turn: not seen for longest first.
    """
    r = sync_runs.c
    seen_at = (
        select(r.started_at).where(r.agency_id == tx.agency_id, r.id == _f.seen_run_id).scalar_subquery()
    )
    paying = and_(_f.subscribed, _f.paid)
    ended = and_(paying, _f.expires_at > now_ms - ENDED_LOOK_MS, _f.expires_at <= now_ms)
    ending = and_(
        paying,
        _f.expires_at > now_ms,
        _f.expires_at <= now_ms + SWITCH_LOOK_MS,
        or_(_f.rebill_off.is_(None), ~_f.rebill_off),
    )
    news = and_(ended, or_(seen_at.is_(None), seen_at < _f.expires_at))
    rows = await tx.all(
        select(_f.platform_fan_id)
        .where(*_mine(tx, creator_id), or_(ended, ending, _worked_on(tx)))
        .order_by(
            case((news, 0), else_=1),
            case((news, _f.expires_at)),
            _f.seen_run_id.nulls_first(),
            _f.id,
        )
        .limit(limit)
    )
    return [row.platform_fan_id for row in rows]


async def worked_on(tx: Tx, creator_id: int, run_id: int, limit: int) -> list[str]:
    """Platform ids of the fans with an open episode or winback whom this sync has not seen; those not seen for longest
    come first, so that everybody has a turn.
    """
    rows = await tx.all(
        select(_f.platform_fan_id)
        .where(*_mine(tx, creator_id), _unseen(run_id), _worked_on(tx))
        .order_by(_f.seen_run_id.nulls_first(), _f.id)
        .limit(limit)
    )
    return [row.platform_fan_id for row in rows]


async def to_look_at(
    tx: Tx, creator_id: int, fan_account_ids: Sequence[int], sync_run_id: int | None
) -> list[FanToLookAt]:
    """These fans, most money first."""
    found: list[Row[*tuple[Any, ...]]] = []
    for part in in_parts(fan_account_ids):
        found += await tx.all(
            select(_f.id, _f.platform_fan_id, _f.seen_run_id, _f.messages_until_at, _f.total_cents).where(
                *_mine(tx, creator_id), _f.id.in_(part)
            )
        )
    found.sort(key=lambda row: (-(row.total_cents or 0), row.id))
    return [
        FanToLookAt(
            row.id,
            row.platform_fan_id,
            sync_run_id is not None and row.seen_run_id is not None and row.seen_run_id >= sync_run_id,
            row.messages_until_at,
        )
        for row in found
    ]
