"""Mutes: nothing new is said of a fan, or of all fans of a creator, until a time or until somebody ends it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, insert, or_, select, update

from bot.domain.views import FanLabel
from storage.parts import LABEL, to_label
from storage.tables import fan_accounts, fan_holds, mutes
from storage.tx import Tx

_m, _h = mutes.c, fan_holds.c


@dataclass(frozen=True, slots=True)
class Mute:
    """`fan` None: all fans of the creator. `until_at` None: until somebody ends it. `reason` is hostile text."""

    id: int
    creator_id: int
    fan_account_id: int | None
    fan: FanLabel | None
    until_at: int | None
    reason: str
    created_by: int
    created_at: int
    ended_at: int | None


async def load_inhibited(tx: Tx, creator_id: int, now_ms: int) -> tuple[bool, frozenset[int]]:
    """(whether the whole creator is muted, the fan accounts of hers that are muted or not to be contacted)."""
    muted = await tx.all(
        select(_m.fan_account_id).where(
            _m.agency_id == tx.agency_id,
            _m.creator_id == creator_id,
            _m.ended_at.is_(None),
            or_(_m.until_at.is_(None), _m.until_at > now_ms),
        )
    )
    held = await tx.all(
        select(_h.fan_account_id).where(
            _h.agency_id == tx.agency_id,
            _h.creator_id == creator_id,
            _h.ended_at.is_(None),
            or_(_h.until_at.is_(None), _h.until_at > now_ms),
        )
    )
    fans = {row.fan_account_id for row in (*muted, *held)}
    return None in fans, frozenset(fans - {None})


async def set_mute(
    tx: Tx,
    creator_id: int,
    fan_account_id: int | None,
    until_at: int | None,
    reason: str,
    user_id: int,
    now_ms: int,
) -> int:
    """Mute a fan or (None) a creator; the id. A mute that is on already is ended for the new one."""
    before = await find_open(tx, creator_id, fan_account_id)
    if before is not None:
        await end(tx, before.id, user_id, now_ms)
    mute_id = tx.ids.next()
    await tx.execute(
        insert(mutes).values(
            agency_id=tx.agency_id,
            id=mute_id,
            creator_id=creator_id,
            fan_account_id=fan_account_id,
            until_at=until_at,
            reason=reason,
            created_by=user_id,
            created_at=now_ms,
        )
    )
    return mute_id


async def find(tx: Tx, mute_id: int) -> Mute | None:
    """Ended ones too; None: there is no such mute."""
    found = await _load(tx, _m.id == mute_id)
    return found[0] if found else None


async def find_open(tx: Tx, creator_id: int, fan_account_id: int | None) -> Mute | None:
    """The mute of a fan, or (None) of a creator as a whole, that is on; None: none is."""
    fan = _m.fan_account_id.is_(None) if fan_account_id is None else _m.fan_account_id == fan_account_id
    found = await _load(tx, and_(_m.creator_id == creator_id, fan, _m.ended_at.is_(None)))
    return found[-1] if found else None


async def list_open(tx: Tx, creator_ids: list[int]) -> list[Mute]:
    """What is muted of these creators, the oldest first."""
    return await _load(tx, and_(_m.creator_id.in_(creator_ids), _m.ended_at.is_(None)))


async def end(tx: Tx, mute_id: int, user_id: int | None, at_ms: int) -> bool:
    """False: it had ended. `user_id` None: its time was over."""
    result = await tx.execute(
        update(mutes)
        .where(_m.agency_id == tx.agency_id, _m.id == mute_id, _m.ended_at.is_(None))
        .values(ended_at=at_ms, ended_by=user_id)
    )
    return bool(result.rowcount)


async def reopen(tx: Tx, mute_id: int) -> None:
    """It goes on as if nobody had ended it."""
    await tx.execute(
        update(mutes)
        .where(_m.agency_id == tx.agency_id, _m.id == mute_id)
        .values(ended_at=None, ended_by=None)
    )


async def find_replaced(tx: Tx, mute: Mute) -> int | None:
    """The mute that was ended for this one; None: there was none."""
    fan = _m.fan_account_id
    same = fan.is_(None) if mute.fan_account_id is None else fan == mute.fan_account_id
    found = await _load(
        tx,
        and_(
            _m.creator_id == mute.creator_id,
            same,
            _m.ended_at == mute.created_at,
            _m.ended_by == mute.created_by,
            _m.id < mute.id,
        ),
    )
    return found[-1].id if found else None


async def list_over(tx: Tx, now_ms: int) -> list[Mute]:
    """Those whose time is over and that are still marked as on."""
    return await _load(tx, and_(_m.ended_at.is_(None), _m.until_at <= now_ms))


async def _load(tx: Tx, which: ColumnElement[bool]) -> list[Mute]:
    rows = await tx.all(
        select(mutes, *LABEL)
        .select_from(
            mutes.outerjoin(
                fan_accounts,
                and_(fan_accounts.c.agency_id == _m.agency_id, fan_accounts.c.id == _m.fan_account_id),
            )
        )
        .where(_m.agency_id == tx.agency_id, which)
        .order_by(_m.id)
    )
    return [
        Mute(
            row.id,
            row.creator_id,
            row.fan_account_id,
            None if row.fan_account_id is None else to_label(row),
            row.until_at,
            row.reason,
            row.created_by,
            row.created_at,
            row.ended_at,
        )
        for row in rows
    ]
