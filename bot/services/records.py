"""What every service does alike: put on record what a viewer did, and say for how long it can be taken back."""

from __future__ import annotations

from bot.domain.models import MS_PER_S, AccessTier, Viewer
from storage import audit, roster
from storage.engine import Tx
from storage.ids import machine_ms

UNDO_MS = 600 * MS_PER_S
"""How long what somebody did can be taken back by a button."""


async def append(
    tx: Tx,
    viewer: Viewer,
    action: str,
    kind: str,
    target_id: int | None,
    creator_id: int | None,
    now_ms: int,
) -> None:
    """Put on record what a viewer did. `now_ms`: agency time; the machine's is read here."""
    await audit.append(tx, viewer.user_id, action, kind, target_id, creator_id, now_ms, machine_ms())


async def may_undo(tx: Tx, viewer: Viewer, actor_id: int, at_least: AccessTier) -> bool:
    """Whether the viewer did it, or stands above whoever did; who is in no roster counts as `at_least`."""
    if viewer.user_id == actor_id:
        return True
    actor = (await roster.list_members(tx)).get(actor_id, at_least)
    return viewer.tier > max(actor, at_least)
