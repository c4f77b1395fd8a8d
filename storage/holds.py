"""Holds: whom nobody is to contact for a while. At most one at a time for each fan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, select, update

from bot.domain.desk import Hold
from bot.domain.views import FanLabel
from storage import boards
from storage.cards import bump
from storage.parts import LABEL, to_label
from storage.tables import episodes, fan_accounts, fan_holds
from storage.tx import Tx

_h, _e = fan_holds.c, episodes.c


@dataclass(frozen=True, slots=True)
class FanHold:
    """A hold with whom it is about."""

    id: int
    creator_id: int
    fan_account_id: int
    fan: FanLabel
    hold: Hold
    created_at: int
    ended_at: int | None


async def find_on(tx: Tx, fan_account_id: int) -> Hold | None:
    """The hold that is on for a fan; None: none is. One whose time is over is ended by a job within moments."""
    found = await find_open(tx, fan_account_id)
    return None if found is None else found.hold


async def find_open(tx: Tx, fan_account_id: int) -> FanHold | None:
    """As `find_on`, with its id."""
    found = await _load(tx, and_(_h.fan_account_id == fan_account_id, _h.ended_at.is_(None)))
    return found[0] if found else None


async def find(tx: Tx, hold_id: int) -> FanHold | None:
    """Ended ones too; None: there is no such hold."""
    found = await _load(tx, _h.id == hold_id)
    return found[0] if found else None


async def list_open(tx: Tx, creator_ids: list[int]) -> list[FanHold]:
    """Whom not to contact of these creators, the oldest first."""
    return await _load(tx, and_(_h.creator_id.in_(creator_ids), _h.ended_at.is_(None)))


async def list_over(tx: Tx, now_ms: int) -> list[FanHold]:
    """Those whose time is over and that are still marked as on."""
    return await _load(tx, and_(_h.ended_at.is_(None), _h.until_at <= now_ms))


async def set_hold(
    tx: Tx, creator_id: int, fan_account_id: int, until_at: int | None, reason: str, user_id: int, now_ms: int
) -> int:
    """Nobody is to contact the fan; the id. A hold that is on already is ended for the new one."""
    before = await find_open(tx, fan_account_id)
    if before is not None:
        await end(tx, before, user_id, now_ms)
    hold_id = tx.ids.next()
    await tx.execute(
        insert(fan_holds).values(
            agency_id=tx.agency_id,
            id=hold_id,
            creator_id=creator_id,
            fan_account_id=fan_account_id,
            until_at=until_at,
            reason=reason,
            created_by=user_id,
            created_at=now_ms,
        )
    )
    await show(tx, creator_id, fan_account_id)
    return hold_id


async def end(tx: Tx, hold: FanHold, user_id: int | None, at_ms: int) -> bool:
    """False: it had ended. `user_id` None: its time was over."""
    result = await tx.execute(
        update(fan_holds)
        .where(_h.agency_id == tx.agency_id, _h.id == hold.id, _h.ended_at.is_(None))
        .values(ended_at=at_ms, ended_by=user_id)
    )
    if result.rowcount:
        # Nobody could claim it meanwhile, nor be called: what waits for a claim waits from now on.
        await tx.execute(
            update(episodes)
            .where(
                _e.agency_id == tx.agency_id,
                _e.fan_account_id == hold.fan_account_id,
                _e.closed_at.is_(None),
                _e.escalate_from_at.is_not(None),
            )
            .values(escalate_from_at=at_ms)
        )
    await show(tx, hold.creator_id, hold.fan_account_id)
    return bool(result.rowcount)


async def reopen(tx: Tx, hold: FanHold) -> bool:
    """It goes on as if nobody had ended it. False: the fan has another one by now."""
    if await find_open(tx, hold.fan_account_id) is not None:
        return False
    await tx.execute(
        update(fan_holds)
        .where(_h.agency_id == tx.agency_id, _h.id == hold.id)
        .values(ended_at=None, ended_by=None)
    )
    await show(tx, hold.creator_id, hold.fan_account_id)
    return True


async def find_replaced(tx: Tx, hold: FanHold) -> FanHold | None:
    """The hold that was ended for this one; None: there was none."""
    found = await _load(
        tx,
        and_(
            _h.fan_account_id == hold.fan_account_id,
            _h.ended_at == hold.created_at,
            _h.ended_by == hold.hold.by,
            _h.id < hold.id,
        ),
    )
    return found[-1] if found else None


async def show(tx: Tx, creator_id: int, fan_account_id: int) -> None:
    """The fan's card and the creator's board are to be rendered again."""
    rows = await tx.all(
        select(_e.card_id).where(
            _e.agency_id == tx.agency_id,
            _e.fan_account_id == fan_account_id,
            _e.closed_at.is_(None),
            _e.card_id.is_not(None),
        )
    )
    await bump(tx, [row.card_id for row in rows])
    await boards.bump(tx, creator_id)


async def _load(tx: Tx, which: ColumnElement[bool]) -> list[FanHold]:
    rows = await tx.all(
        select(fan_holds, *LABEL)
        .select_from(
            fan_holds.join(
                fan_accounts,
                and_(fan_accounts.c.agency_id == _h.agency_id, fan_accounts.c.id == _h.fan_account_id),
            )
        )
        .where(_h.agency_id == tx.agency_id, which)
        .order_by(_h.id)
    )
    return [_to_hold(row) for row in rows]


def _to_hold(row: Any) -> FanHold:
    hold = Hold(row.until_at, row.reason, row.created_by)
    return FanHold(
        row.id, row.creator_id, row.fan_account_id, to_label(row), hold, row.created_at, row.ended_at
    )
