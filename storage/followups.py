"""Follow-ups: what is to be done for which fan by when, by whom, and whether anybody was reminded of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, insert, or_, select, update

from bot.domain.desk import NextFollowup
from bot.domain.followups import Followup, FollowupState
from bot.domain.naming import hides_all, name_mode, public_label
from bot.domain.views import FollowupCard
from storage.cards import bump
from storage.parts import LABEL, in_parts, to_label
from storage.tables import creators, episodes, fan_accounts, fan_holds, followups
from storage.tx import Tx

LONGEST_LIST = 500
"""The most of one person's open follow-ups that are read at once, and the most reminders that one look sends."""

_u, _f, _c, _h = followups.c, fan_accounts.c, creators.c, fan_holds.c


@dataclass(frozen=True, slots=True)
class NewFollowup:
    """What a follow-up is made of; instants are agency time. `request`: the command or form it came from."""

    creator_id: int
    fan_account_id: int
    what: str
    due_at: int
    assignee_id: int | None
    promise: bool
    created_by: int
    request: str


@dataclass(frozen=True, slots=True)
class DueReminder:
    """A follow-up whose reminder has not gone out yet although its time has come, or has gone out and called nobody.

    `owed_card_id`: the card that went out and whose mention is due now; None: there is to be a card first.
    """

    id: int
    creator_id: int
    fan_account_id: int
    channel_id: int
    due_at: int
    assignee_id: int | None
    owed_card_id: int | None


async def add(tx: Tx, new: NewFollowup, now_ms: int) -> int:
    """Its id. Raises IntegrityError where the request has made one already."""
    followup_id = tx.ids.next()
    await tx.execute(
        insert(followups).values(
            agency_id=tx.agency_id,
            id=followup_id,
            creator_id=new.creator_id,
            fan_account_id=new.fan_account_id,
            what=new.what,
            due_at=new.due_at,
            assignee_id=new.assignee_id,
            promise=new.promise,
            state=FollowupState.OPEN.value,
            created_by=new.created_by,
            created_at=now_ms,
            request=new.request,
        )
    )
    return followup_id


async def find(tx: Tx, followup_id: int) -> Followup | None:
    return await _first(tx, _u.id == followup_id)


async def find_by_request(tx: Tx, request: str) -> Followup | None:
    """The follow-up that a command or form has made; None: it has made none."""
    return await _first(tx, _u.request == request)


async def find_next(tx: Tx, fan_account_id: int) -> NextFollowup | None:
    """The fan's open follow-up that is due first."""
    row = await tx.first(
        select(_u.id, _u.what, _u.due_at, _u.assignee_id, _u.promise)
        .where(
            _u.agency_id == tx.agency_id,
            _u.fan_account_id == fan_account_id,
            _u.state == FollowupState.OPEN.value,
        )
        .order_by(_u.due_at, _u.id)
        .limit(1)
    )
    return None if row is None else NextFollowup(row.id, row.what, row.due_at, row.assignee_id, row.promise)


async def list_open_of_user(
    tx: Tx, user_id: int, creator_ids: Collection[int], limit: int = LONGEST_LIST
) -> list[Followup]:
    """What a person has to do for these creators, what is due first at the top."""
    return (await list_page(tx, creator_ids, user_id, offset=0, limit=limit))[0]


async def list_page(
    tx: Tx, creator_ids: Collection[int], user_id: int | None, *, offset: int, limit: int
) -> tuple[list[Followup], int]:
    """Some of the open ones, what is due first at the top, and how many there are in all. `user_id` None: everybody's."""
    where = [
        _u.agency_id == tx.agency_id,
        _u.creator_id.in_(sorted(creator_ids)),
        _u.state == FollowupState.OPEN.value,
    ]
    if user_id is not None:
        where.append(_u.assignee_id == user_id)
    total = int(await tx.scalar(select(func.count()).where(*where)) or 0)
    rows = await tx.all(_query(tx).where(*where).order_by(_u.due_at, _u.id).offset(offset).limit(limit))
    return [_to_followup(row) for row in rows], total


async def change(tx: Tx, followup_id: int, **values: Any) -> None:
    """Set columns of a follow-up."""
    await tx.execute(
        update(followups).where(_u.agency_id == tx.agency_id, _u.id == followup_id).values(**values)
    )


async def read_columns(tx: Tx, followup_id: int, names: Collection[str]) -> dict[str, Any] | None:
    """These columns as they are now; None: there is no such follow-up."""
    wanted = sorted(names)
    row = await tx.first(
        select(*(_u[name] for name in wanted)).where(_u.agency_id == tx.agency_id, _u.id == followup_id)
    )
    return None if row is None else dict(zip(wanted, row, strict=True))


def _held(at: Any) -> ColumnElement[bool]:
    """Whether the fan of a follow-up is not to be contacted at that instant: milliseconds, or a column of them."""
    return exists().where(
        _h.agency_id == _u.agency_id,
        _h.fan_account_id == _u.fan_account_id,
        _h.ended_at.is_(None),
        or_(_h.until_at.is_(None), _h.until_at > at),
    )


async def list_due(tx: Tx, now_ms: int) -> list[DueReminder]:
    """Whose reminders have not gone out although they are due, or have called nobody so far, the longest due first.

    A fan on hold is not to be contacted, so the reminder waits until that ends; the card of a promise is posted all the
    same, and its mention waits. Who works for a retired creator sees her fans no more.
    """
    is_new, awake = _u.reminded_at.is_(None), ~_held(now_ms)
    rows = await tx.all(
        select(
            _u.id,
            _u.creator_id,
            _u.fan_account_id,
            _c.channel_id,
            _u.due_at,
            _u.assignee_id,
            case((is_new, None), else_=_u.card_id),
        )
        .select_from(followups.join(creators, and_(_c.agency_id == _u.agency_id, _c.id == _u.creator_id)))
        .where(
            _u.agency_id == tx.agency_id,
            _u.state == FollowupState.OPEN.value,
            _u.due_at <= now_ms,
            _c.retired_at.is_(None),
            or_(and_(is_new, or_(_u.promise, awake)), and_(~is_new, _u.ping_due_at <= now_ms, awake)),
        )
        .order_by(_u.due_at, _u.id)
        .limit(LONGEST_LIST)
    )
    return [DueReminder(*row) for row in rows]


async def show_names(tx: Tx, fan_account_ids: Collection[int]) -> None:
    """A claim of these fans has come or gone: the reminders of their open follow-ups name them as openly as it allows."""
    for part in in_parts(sorted(set(fan_account_ids))):
        rows = await tx.all(
            select(_u.card_id).where(
                _u.agency_id == tx.agency_id,
                _u.fan_account_id.in_(part),
                _u.state == FollowupState.OPEN.value,
                _u.card_id.is_not(None),
            )
        )
        await bump(tx, [row.card_id for row in rows])


async def load_card(tx: Tx, card_id: int, followup_id: int | None) -> FollowupCard | None:
    """What the reminder's card shows; None where the follow-up is gone."""
    row = await tx.first(
        select(
            followups,
            _c.name.label("creator_name"),
            _c.name_mode,
            *LABEL,
            # As of when it was due, so that a card looks the same whenever it is rendered.
            _held(_u.due_at).label("on_hold"),
            episodes.c.claimed_by,
        )
        .select_from(
            _joined().outerjoin(
                episodes,
                and_(
                    episodes.c.agency_id == _u.agency_id,
                    episodes.c.fan_account_id == _u.fan_account_id,
                    episodes.c.closed_at.is_(None),
                ),
            )
        )
        .where(_u.agency_id == tx.agency_id, _u.id == followup_id)
    )
    if row is None:
        return None
    mode, claimed = name_mode(row.name_mode), row.claimed_by is not None
    return FollowupCard(
        card_id=card_id,
        creator_name=row.creator_name,
        followup_id=row.id,
        fan=public_label(to_label(row), mode, row.fan_account_id, claimed=claimed),
        # What people write of a fan says who it is: it is as hidden as the name.
        what=None if hides_all(mode, claimed=claimed) else row.what,
        due_at=row.due_at,
        assignee_id=row.assignee_id,
        promise=row.promise,
        state=row.state,
        put_off=row.reminded_at is None or row.card_id != card_id,
        on_hold=bool(row.on_hold),
        done_by=row.done_by,
        done_at=row.done_at,
    )


def _joined() -> Any:
    return followups.join(fan_accounts, and_(_f.agency_id == _u.agency_id, _f.id == _u.fan_account_id)).join(
        creators, and_(_c.agency_id == _u.agency_id, _c.id == _u.creator_id)
    )


async def _first(tx: Tx, *where: ColumnElement[bool]) -> Followup | None:
    row = await tx.first(_query(tx).where(*where).limit(1))
    return None if row is None else _to_followup(row)


def _query(tx: Tx) -> Select[Any]:
    return (
        select(followups, _c.name.label("creator_name"), *LABEL, _f.total_cents)
        .select_from(_joined())
        .where(_u.agency_id == tx.agency_id)
    )


def _to_followup(row: Any) -> Followup:
    return Followup(
        id=row.id,
        creator_id=row.creator_id,
        creator_name=row.creator_name,
        fan_account_id=row.fan_account_id,
        fan=to_label(row),
        what=row.what,
        due_at=row.due_at,
        assignee_id=row.assignee_id,
        promise=row.promise,
        state=FollowupState(row.state),
        created_by=row.created_by,
        created_at=row.created_at,
        reminded_at=row.reminded_at,
        card_id=row.card_id,
        done_note=row.done_note,
        done_by=row.done_by,
        done_at=row.done_at,
        total_cents=row.total_cents,
    )
