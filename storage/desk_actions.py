"""What people did at the desk, with how things were before, so that it can be undone for ten minutes.

An action on episodes keeps their *work columns* as they were and as they became; `storage.undoing` puts them back. Rows
that belong to an action (outcomes, contacts, ticks, feedback) carry its id and are marked undone with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from sqlalchemy import Table, and_, insert, or_, select, update

from storage import boards
from storage.cards import bump
from storage.contacts import take_back
from storage.followups import show_names
from storage.ids import first_id_at
from storage.parts import in_parts
from storage.tables import (
    alert_feedback,
    contacts,
    desk_actions,
    episodes,
    fan_holds,
    followups,
    notes,
    outcomes,
    playbook_ticks,
)
from storage.tx import Tx

WORK_COLUMNS = (
    "tier",
    "closed_at",
    "claimed_by",
    "claimed_at",
    "owner_kind",
    "owner_id",
    "snoozed_until",
    "snoozed_by",
    "snooze_score",
    "snooze_shift",
    "snooze_reason",
    "outcome",
    "rests_until",
    "rest_score",
    "rest_tier",
    "escalate_from_at",
    "escalation_stage",
    "remind_at",
    "ping_state",
    "ping_due_at",
)
"""What a person's action may change of an episode, timers included; what a run changes besides is left as it is."""
_WITH_ACTION = (outcomes, contacts, playbook_ticks, alert_feedback)

Work = dict[str, Any]
"""The work columns of one episode."""
TargetKind = Literal[
    "episode",
    "winback",
    "spread",
    "note",
    "setting",
    "followup",
    "mute",
    "hold",
    "quiet",
    "shift",
    "playbook",
    "tick",
]
_OF_FANS: dict[TargetKind, Table] = {"note": notes, "followup": followups, "hold": fan_holds}
"""What a fan has whose alert an undo is asked of."""


@dataclass(frozen=True, slots=True)
class DeskAction:
    """Something somebody did. `wall_at`: machine time, by which the ten minutes count."""

    id: int
    actor_id: int
    action: str
    target_kind: TargetKind
    target_id: int | None
    creator_id: int | None
    count: int
    at: int
    wall_at: int
    undone_at: int | None


async def snapshot(tx: Tx, episode_ids: Iterable[int]) -> dict[int, Work]:
    """The work columns of these episodes as they are now; unknown ids are left out."""
    found: dict[int, Work] = {}
    columns = [episodes.c[name] for name in WORK_COLUMNS]
    for part in in_parts(sorted(set(episode_ids))):
        rows = await tx.all(
            select(episodes.c.id, *columns).where(
                episodes.c.agency_id == tx.agency_id, episodes.c.id.in_(part)
            )
        )
        for row in rows:
            work = dict(zip(WORK_COLUMNS, row[1:], strict=True))
            work["snooze_shift"] = bool(work["snooze_shift"])
            found[row[0]] = work
    return found


async def record(
    tx: Tx,
    actor_id: int,
    action: str,
    target_kind: TargetKind,
    target_id: int | None,
    creator_id: int | None,
    now_ms: int,
    wall_ms: int,
    *,
    before: Mapping[int, Work] | None = None,
    after: Mapping[int, Work] | None = None,
    count: int | None = None,
    action_id: int | None = None,
) -> int:
    """Keep what was done; its id. Call it after the change: `before` is the snapshot that was taken ahead of it.

    Of what is no episode `before` may hold anything that its own undo needs, read back with `read_before`.

    `after`: how things other than episodes became, by id. `count`: how many things it was; None: as many as `before` has.
    `action_id`: an id taken beforehand (`tx.ids.next()`), so that outcomes, contacts and ticks could carry it.
    """
    old = dict(before or {})
    new = await snapshot(tx, old) if after is None else dict(after)
    given = action_id if action_id is not None else tx.ids.next()
    await tx.execute(
        insert(desk_actions).values(
            agency_id=tx.agency_id,
            id=given,
            actor_id=actor_id,
            action=action,
            target_kind=target_kind,
            target_id=target_id,
            creator_id=creator_id,
            count=max(1, len(old)) if count is None else count,
            before=_encode(old),
            after=_encode(new),
            at=now_ms,
            wall_at=wall_ms,
        )
    )
    return given


async def find(tx: Tx, action_id: int) -> DeskAction | None:
    """None: there is no such action."""
    row = await tx.first(
        select(desk_actions).where(desk_actions.c.agency_id == tx.agency_id, desk_actions.c.id == action_id)
    )
    return None if row is None else _to_action(row)


async def read_before(tx: Tx, action_id: int) -> dict[int, Work]:
    """What was kept with an action as `before`; empty where nothing was."""
    text = await tx.scalar(
        select(desk_actions.c.before).where(
            desk_actions.c.agency_id == tx.agency_id, desk_actions.c.id == action_id
        )
    )
    return {} if text is None else _decode(text)


async def list_recent(tx: Tx, actor_id: int, since_wall_ms: int, limit: int) -> list[DeskAction]:
    """What somebody did since then and has not undone, the latest first."""
    rows = await tx.all(
        select(desk_actions)
        .where(
            desk_actions.c.agency_id == tx.agency_id,
            desk_actions.c.actor_id == actor_id,
            desk_actions.c.wall_at >= since_wall_ms,
            desk_actions.c.undone_at.is_(None),
        )
        .order_by(desk_actions.c.wall_at.desc(), desk_actions.c.id.desc())
        .limit(limit)
    )
    return [_to_action(row) for row in rows]


async def list_by(tx: Tx, actor_id: int, creator_id: int, *, from_id: int) -> list[DeskAction]:
    """What somebody did for one creator from an action on and has not undone, in order."""
    rows = await tx.all(
        select(desk_actions)
        .where(
            desk_actions.c.agency_id == tx.agency_id,
            desk_actions.c.actor_id == actor_id,
            desk_actions.c.creator_id == creator_id,
            desk_actions.c.id >= from_id,
            desk_actions.c.undone_at.is_(None),
        )
        .order_by(desk_actions.c.id)
    )
    return [_to_action(row) for row in rows]


async def list_since(
    tx: Tx,
    target_kind: TargetKind,
    target_ids: Collection[int],
    *,
    after_id: int | None = None,
) -> list[DeskAction]:
    """What was done to these and is not undone, the latest first; among it whatever was done to many at once."""
    where = [
        desk_actions.c.agency_id == tx.agency_id,
        desk_actions.c.target_kind == target_kind,
        # One that changed many says which in `before` alone.
        or_(desk_actions.c.target_id.in_(sorted(target_ids)), desk_actions.c.count > 1),
        desk_actions.c.undone_at.is_(None),
    ]
    if after_id is not None:
        where.append(desk_actions.c.id > after_id)
    rows = await tx.all(select(desk_actions).where(*where).order_by(desk_actions.c.id.desc()))
    return [_to_action(row) for row in rows]


async def list_about(tx: Tx, episode_id: int, since_wall_ms: int) -> list[DeskAction]:
    """What was done to an episode, its ticks, and its fan's notes, follow-ups and holds, undone or not, the latest first.

    Among it is whatever was done to many episodes at once, those of others too.
    """
    fan_id = (
        select(episodes.c.fan_account_id)
        .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == episode_id)
        .scalar_subquery()
    )
    ticks = select(playbook_ticks.c.id).where(
        playbook_ticks.c.agency_id == tx.agency_id, playbook_ticks.c.episode_id == episode_id
    )
    kind, target = desk_actions.c.target_kind, desk_actions.c.target_id
    about = [
        and_(kind == "episode", or_(target == episode_id, desk_actions.c.count > 1)),
        and_(kind == "tick", target.in_(ticks)),
    ]
    for name, table in _OF_FANS.items():
        of_fan = select(table.c.id).where(table.c.agency_id == tx.agency_id, table.c.fan_account_id == fan_id)
        about.append(and_(kind == name, target.in_(of_fan)))
    rows = await tx.all(
        select(desk_actions)
        .where(
            desk_actions.c.agency_id == tx.agency_id,
            # Ids rise with the machine's time: the key narrows it down to the last minutes.
            desk_actions.c.id >= first_id_at(since_wall_ms),
            desk_actions.c.wall_at >= since_wall_ms,
            or_(*about),
        )
        .order_by(desk_actions.c.id.desc())
    )
    return [_to_action(row) for row in rows]


async def find_latest(
    tx: Tx, target_kind: TargetKind, target_id: int, actions: Collection[str]
) -> DeskAction | None:
    """The last of these that was done to one thing and is not undone; None: there is none."""
    row = await tx.first(
        select(desk_actions)
        .where(
            desk_actions.c.agency_id == tx.agency_id,
            desk_actions.c.target_kind == target_kind,
            desk_actions.c.target_id == target_id,
            desk_actions.c.action.in_(sorted(actions)),
            desk_actions.c.undone_at.is_(None),
        )
        .order_by(desk_actions.c.wall_at.desc(), desk_actions.c.id.desc())
        .limit(1)
    )
    return None if row is None else _to_action(row)


async def load_change(tx: Tx, action_id: int) -> tuple[dict[int, Work], dict[int, Work]]:
    """How things were before an action and after it, by id; nothing for an action that kept nothing."""
    row = await tx.first(
        select(desk_actions.c.before, desk_actions.c.after).where(
            desk_actions.c.agency_id == tx.agency_id, desk_actions.c.id == action_id
        )
    )
    return ({}, {}) if row is None else (_decode(row.before), _decode(row.after))


async def has_rows(tx: Tx, action_id: int) -> bool:
    """Whether anything is on record (an outcome, a contact, ...) that goes with the action."""
    for table in _WITH_ACTION:
        found = await tx.scalar(
            select(table.c.id)
            .where(
                table.c.agency_id == tx.agency_id,
                table.c.action_id == action_id,
                table.c.undone_at.is_(None),
            )
            .limit(1)
        )
        if found is not None:
            return True
    return False


async def show(tx: Tx, episode_ids: Sequence[int]) -> None:
    """The cards of these episodes and the boards of their creators are to be rendered again."""
    shown: set[int] = set()
    creators: set[int] = set()
    fan_ids: set[int] = set()
    for part in in_parts(episode_ids):
        rows = await tx.all(
            select(episodes.c.card_id, episodes.c.creator_id, episodes.c.fan_account_id).where(
                episodes.c.agency_id == tx.agency_id, episodes.c.id.in_(part)
            )
        )
        shown.update(row.card_id for row in rows if row.card_id is not None)
        creators.update(row.creator_id for row in rows)
        fan_ids.update(row.fan_account_id for row in rows)
    await bump(tx, shown)
    await show_names(tx, fan_ids)
    for creator_id in sorted(creators):
        await boards.bump(tx, creator_id)


async def mark_undone(tx: Tx, action_id: int, user_id: int, now_ms: int) -> bool:
    """The action is undone, and with it what it had written. False: it had been already."""
    result = await tx.execute(
        update(desk_actions)
        .where(
            desk_actions.c.agency_id == tx.agency_id,
            desk_actions.c.id == action_id,
            desk_actions.c.undone_at.is_(None),
        )
        .values(undone_at=now_ms, undone_by=user_id)
    )
    if not result.rowcount:
        return False
    await take_back(tx, action_id, now_ms)
    for table in _WITH_ACTION:
        await tx.execute(
            update(table)
            .where(
                table.c.agency_id == tx.agency_id,
                table.c.action_id == action_id,
                table.c.undone_at.is_(None),
            )
            .values(undone_at=now_ms)
        )
    return True


def _encode(works: Mapping[int, Work]) -> str:
    return msgspec.json.encode({str(key): work for key, work in works.items()}).decode()


def _decode(text: str) -> dict[int, Work]:
    return {int(key): work for key, work in msgspec.json.decode(text, type=dict[str, Work]).items()}


def _to_action(row: Any) -> DeskAction:
    return DeskAction(
        row.id,
        row.actor_id,
        row.action,
        row.target_kind,
        row.target_id,
        row.creator_id,
        row.count,
        row.at,
        row.wall_at,
        row.undone_at,
    )
