"""Taking an action back as /undo does, without asking who may."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from storage import desk_actions, undoing
from storage.tables import creators
from storage.tx import Tx
from storage.undoing import Left


async def restore(
    tx: Tx, action_id: int, *, user_id: int | None = None, now_ms: int | None = None
) -> tuple[list[int], list[Left]]:
    """(restored, left) of an action on episodes, for somebody who sees every creator; it counts as undone.

    `user_id` None: by whoever did it; `now_ms` None: in the moment in which it was done.
    """
    action: Any = await desk_actions.find(tx, action_id)
    rows = await tx.all(select(creators.c.id).where(creators.c.agency_id == tx.agency_id))
    everybody = frozenset(row.id for row in rows)
    by = action.actor_id if user_id is None else user_id
    at = action.at if now_ms is None else now_ms
    restored = await undoing.restore_episodes(tx, action, by, everybody, at)
    await desk_actions.mark_undone(tx, action_id, by, at)
    return restored
