"""Winbacks: who is asked to win back which fan until when, and what came of it. One open one per fan account."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, update

from bot.domain.desk import Outcome
from bot.domain.models import EventSource, SubscriptionEvent
from bot.domain.winbacks import ListState, Winback, WinbackKind, WinbackState, came_back_at
from storage import boards
from storage.bulk import bulk_insert
from storage.parts import LABEL, to_label
from storage.subscription_log import NewEvent, append_events
from storage.tables import creators, episodes, fan_accounts, winbacks
from storage.tx import Tx

LONGEST_LIST = 500
"""The most of one person's open winbacks that are read at once."""

_w, _f, _c, _e = winbacks.c, fan_accounts.c, creators.c, episodes.c
_COLUMNS = (
    "agency_id",
    "id",
    "creator_id",
    "fan_account_id",
    "kind",
    "state",
    "assignee_id",
    "first_assignee_id",
    "assigned_by",
    "assigned_at",
    "due_at",
    "note",
    "spread_id",
    "refill_of",
    "created_at",
)


@dataclass(frozen=True, slots=True)
class NewWinback:
    """What a winback is made of; the instants are agency time."""

    creator_id: int
    fan_account_id: int
    kind: WinbackKind
    assignee_id: int
    assigned_by: int
    due_at: int | None
    note: str | None = None
    spread_id: int | None = None
    refill_of: int | None = None


async def add(tx: Tx, made: Sequence[NewWinback], now_ms: int) -> list[int]:
    """Write new open winbacks; their ids in the same order. Raises IntegrityError where a fan has an open one."""
    rows = [
        (
            tx.agency_id,
            tx.ids.next(),
            one.creator_id,
            one.fan_account_id,
            one.kind.value,
            WinbackState.OPEN.value,
            one.assignee_id,
            one.assignee_id,
            one.assigned_by,
            now_ms,
            one.due_at,
            one.note,
            one.spread_id,
            one.refill_of,
            now_ms,
        )
        for one in made
    ]
    await bulk_insert(tx, winbacks, _COLUMNS, rows)
    for creator_id in sorted({one.creator_id for one in made}):
        await boards.bump(tx, creator_id)
    return [row[1] for row in rows]


async def find(tx: Tx, winback_id: int) -> Winback | None:
    return await _first(tx, _w.id == winback_id)


async def find_open_of_fan(tx: Tx, fan_account_id: int) -> Winback | None:
    return await _first(tx, _w.fan_account_id == fan_account_id, _w.state == WinbackState.OPEN.value)


async def find_latest_of_fan(tx: Tx, fan_account_id: int) -> Winback | None:
    """The fan's open winback or else the one that was made last; withdrawn ones do not count."""
    open_one = await find_open_of_fan(tx, fan_account_id)
    if open_one is not None:
        return open_one
    return await _first(tx, _w.fan_account_id == fan_account_id, _w.state == WinbackState.DONE.value)


async def list_open_of_user(
    tx: Tx, user_id: int, creator_ids: Collection[int], limit: int = LONGEST_LIST
) -> list[Winback]:
    """What a person has to do for these creators, what is due first at the top."""
    query = _query(tx).where(
        _w.assignee_id == user_id,
        _w.state == WinbackState.OPEN.value,
        _w.creator_id.in_(sorted(creator_ids)),
    )
    return [_to_winback(row) for row in await tx.all(query.order_by(*_DUE_FIRST).limit(limit))]


async def list_open_of_spread(tx: Tx, spread_id: int) -> list[Winback]:
    """In the order in which they were handed out."""
    query = _query(tx).where(_w.spread_id == spread_id, _w.state == WinbackState.OPEN.value)
    return [_to_winback(row) for row in await tx.all(query.order_by(_w.id))]


async def find_open_refill(tx: Tx, winback_id: int) -> Winback | None:
    """The open winback that was handed out because this one was closed."""
    return await _first(tx, _w.refill_of == winback_id, _w.state == WinbackState.OPEN.value)


async def list_page(
    tx: Tx,
    creator_ids: Collection[int],
    user_id: int | None,
    state: ListState,
    now_ms: int,
    *,
    offset: int,
    limit: int,
) -> tuple[list[Winback], int]:
    """One page and how many there are in all. `user_id` None: everybody's. Done ones come latest first."""
    where = [_w.agency_id == tx.agency_id, _w.creator_id.in_(sorted(creator_ids))]
    if user_id is not None:
        where.append(_w.assignee_id == user_id)
    order: tuple[Any, ...] = _DUE_FIRST
    if state == "done":
        where.append(_w.state == WinbackState.DONE.value)
        order = (_w.done_at.desc(), _w.id.desc())
    else:
        where.append(_w.state == WinbackState.OPEN.value)
    if state == "overdue":
        where.append(_w.due_at <= now_ms)
    total = int(await tx.scalar(select(func.count()).where(*where)) or 0)
    rows = await tx.all(_query(tx).where(*where).order_by(*order).offset(offset).limit(limit))
    return [_to_winback(row) for row in rows], total


async def read_loads(tx: Tx, user_ids: Collection[int]) -> dict[int, int]:
    """User id -> open winbacks and claimed open episodes; who has none is left out."""
    ids = sorted(user_ids)
    loads: dict[int, int] = {}
    for query in (
        select(_w.assignee_id, func.count())
        .where(_w.agency_id == tx.agency_id, _w.assignee_id.in_(ids), _w.state == WinbackState.OPEN.value)
        .group_by(_w.assignee_id),
        select(_e.claimed_by, func.count())
        .where(_e.agency_id == tx.agency_id, _e.claimed_by.in_(ids), _e.closed_at.is_(None))
        .group_by(_e.claimed_by),
    ):
        for user_id, count in await tx.all(query):
            loads[user_id] = loads.get(user_id, 0) + int(count)
    return loads


async def hand_over(
    tx: Tx, winback_id: int, assignee_id: int, by: int, now_ms: int, *, due_at: int | None, note: str | None
) -> None:
    """Somebody else has it from now on. A due time or note that is None stays as it was."""
    values: dict[str, Any] = {"assignee_id": assignee_id, "assigned_by": by, "assigned_at": now_ms}
    await _set(tx, winback_id, **values, **_given(due_at, note))


async def set_terms(tx: Tx, winback_id: int, *, due_at: int | None, note: str | None) -> None:
    """Another due time or note; None leaves what there was."""
    if given := _given(due_at, note):
        await _set(tx, winback_id, **given)


async def close(tx: Tx, winback_id: int, outcome: Outcome, note: str | None, by: int, now_ms: int) -> None:
    """Done. Whoever has an outcome has written to the fan: that is on record, once for each winback."""
    await _set(
        tx,
        winback_id,
        state=WinbackState.DONE.value,
        outcome=outcome.value,
        outcome_note=note,
        done_at=now_ms,
        done_by=by,
    )
    row = await tx.first(
        select(_w.creator_id, _w.fan_account_id).where(_w.agency_id == tx.agency_id, _w.id == winback_id)
    )
    # A false alarm is found out without writing to the fan.
    if row is not None and outcome is not Outcome.FALSE_ALARM:
        sent = NewEvent(
            row.fan_account_id, SubscriptionEvent.WIN_BACK_SENT, now_ms, EventSource.CONTACT, winback_id
        )
        await append_events(tx, row.creator_id, [sent], now_ms)


async def reopen(tx: Tx, winback_id: int) -> None:
    await _set(
        tx,
        winback_id,
        state=WinbackState.OPEN.value,
        outcome=None,
        outcome_note=None,
        done_at=None,
        done_by=None,
    )


async def put_back(tx: Tx, winback_id: int, terms: Mapping[str, Any]) -> None:
    """Who has it by whom until when, and the note, as they were before somebody changed them."""
    names = ("assignee_id", "assigned_by", "assigned_at", "due_at", "note")
    await _set(tx, winback_id, **{name: terms[name] for name in names})


async def withdraw(tx: Tx, winback_ids: Sequence[int]) -> None:
    """Take open winbacks back as if nobody had been asked."""
    for winback_id in winback_ids:
        await _set(tx, winback_id, state=WinbackState.WITHDRAWN.value)


def _given(due_at: int | None, note: str | None) -> dict[str, Any]:
    return {key: value for key, value in (("due_at", due_at), ("note", note)) if value is not None}


async def _set(tx: Tx, winback_id: int, **values: Any) -> None:
    await tx.execute(
        update(winbacks).where(_w.agency_id == tx.agency_id, _w.id == winback_id).values(**values)
    )
    # Boards count what is open and what is overdue.
    creator_id = await tx.scalar(
        select(_w.creator_id).where(_w.agency_id == tx.agency_id, _w.id == winback_id)
    )
    if creator_id is not None:
        await boards.bump(tx, creator_id)


_DUE_FIRST: tuple[Any, ...] = (_w.due_at.is_(None), _w.due_at, func.coalesce(_f.total_cents, 0).desc(), _w.id)


async def _first(tx: Tx, *where: ColumnElement[bool]) -> Winback | None:
    row = await tx.first(_query(tx).where(*where).order_by(_w.created_at.desc(), _w.id.desc()).limit(1))
    return None if row is None else _to_winback(row)


def _query(tx: Tx) -> Select[Any]:
    return (
        select(
            winbacks,
            _c.name.label("creator_name"),
            *LABEL,
            _f.total_cents,
            _f.subscribed,
            _f.subscribed_at,
            _f.renewed_at,
            _f.expired_now,
            _f.last_purchase_at,
        )
        .select_from(
            winbacks.join(fan_accounts, and_(_f.agency_id == _w.agency_id, _f.id == _w.fan_account_id)).join(
                creators, and_(_c.agency_id == _w.agency_id, _c.id == _w.creator_id)
            )
        )
        .where(_w.agency_id == tx.agency_id)
    )


def _to_winback(row: Any) -> Winback:
    kind = WinbackKind(row.kind)
    back = row.subscribed and not row.expired_now
    subscribed_at = max((at for at in (row.subscribed_at, row.renewed_at) if at is not None), default=None)
    return Winback(
        id=row.id,
        creator_id=row.creator_id,
        creator_name=row.creator_name,
        fan_account_id=row.fan_account_id,
        fan=to_label(row),
        kind=kind,
        state=WinbackState(row.state),
        assignee_id=row.assignee_id,
        first_assignee_id=row.first_assignee_id,
        assigned_by=row.assigned_by,
        assigned_at=row.assigned_at,
        due_at=row.due_at,
        note=row.note,
        spread_id=row.spread_id,
        refill_of=row.refill_of,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        outcome_note=row.outcome_note,
        done_at=row.done_at,
        done_by=row.done_by,
        created_at=row.created_at,
        total_cents=row.total_cents,
        back_at=came_back_at(kind, row.assigned_at, subscribed_at if back else None, row.last_purchase_at),
    )
