"""Since when action items wait for a claim: kept before people stop the clock, and put back when they undo it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, update

from storage.desk_actions import Work
from storage.tables import episodes
from storage.tx import Tx

_e = episodes.c


async def load(tx: Tx, creator_id: int | None, fan_account_id: int | None = None) -> dict[int, Work]:
    """Episode id -> its clock and stage, of what waits of a fan, or (None) of any of the creator; no creator: of none."""
    if creator_id is None:
        return {}
    of_fan = [] if fan_account_id is None else [_e.fan_account_id == fan_account_id]
    rows = await tx.all(
        select(_e.id, _e.escalate_from_at, _e.escalation_stage).where(
            _e.agency_id == tx.agency_id,
            _e.creator_id == creator_id,
            _e.closed_at.is_(None),
            _e.escalate_from_at.is_not(None),
            *of_fan,
        )
    )
    return {row.id: {"from_at": row.escalate_from_at, "stage": row.escalation_stage} for row in rows}


async def put_back(tx: Tx, kept: Mapping[int, Work]) -> None:
    """Of what waits still, and has gone to nobody else since."""
    for episode_id, clock in kept.items():
        await tx.execute(
            update(episodes)
            .where(
                _e.agency_id == tx.agency_id,
                _e.id == episode_id,
                _e.closed_at.is_(None),
                _e.escalate_from_at.is_not(None),
                _e.escalation_stage == clock["stage"],
            )
            .values(escalate_from_at=clock["from_at"])
        )
