"""What every service does alike: put on record what a viewer did, and say for how long it can be taken back."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.models import MS_PER_S, AccessTier, Viewer
from storage import audit, claims, desk_actions, roster
from storage.claims import Work
from storage.desk_actions import DeskAction, TargetKind
from storage.engine import Tx
from storage.ids import machine_ms

UNDO_MS = 600 * MS_PER_S
"""How long what somebody did can be taken back, by the machine's clock: the ten minutes are people's."""


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


async def keep(
    tx: Tx,
    viewer: Viewer,
    action: str,
    kind: TargetKind,
    target_id: int | None,
    creator_id: int | None,
    now_ms: int,
    *,
    before: Mapping[int, desk_actions.Work] | None = None,
    after: Mapping[int, desk_actions.Work] | None = None,
    count: int | None = None,
    action_id: int | None = None,
) -> int:
    """Put on record what a viewer did, so that it can be taken back; the action's id.

    `before`, `after`, `count` and `action_id` are those of `desk_actions.record`.
    """
    given = await desk_actions.record(
        tx,
        viewer.user_id,
        action,
        kind,
        target_id,
        creator_id,
        now_ms,
        machine_ms(),
        before=before,
        after=after,
        count=count,
        action_id=action_id,
    )
    await append(tx, viewer, action, kind, target_id, creator_id, now_ms)
    return given


async def find_work(tx: Tx, viewer: Viewer, episode_id: int) -> Work | None:
    """None: there is no such episode, or it is not for this viewer."""
    work = await claims.find_work(tx, episode_id)
    return work if work is not None and work.creator_id in viewer.creator_ids else None


def too_late(action: DeskAction | None, wall_ms: int) -> bool:
    """Whether the ten minutes are over. None: nothing is on record, so it was done before there was a record."""
    return action is None or wall_ms - action.wall_at > UNDO_MS


async def may_undo(tx: Tx, viewer: Viewer, actor_id: int, at_least: AccessTier) -> bool:
    """Whether the viewer did it, or stands above whoever did; who is in no roster counts as `at_least`."""
    if viewer.user_id == actor_id:
        return True
    actor = (await roster.list_members(tx)).get(actor_id, at_least)
    return viewer.tier > max(actor, at_least)
