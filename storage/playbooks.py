"""Playbooks as leads have written them, and which of their steps people have ticked for an episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, and_, insert, select, update

from bot.domain.desk import PlaybookStep, PlaybookView
from bot.domain.models import Reason
from bot.domain.playbooks import BUILT_IN, Playbook, reason_for
from storage.episodes import decode_reasons
from storage.tables import episodes, playbook_ticks, playbooks
from storage.tx import Tx

_p, _t, _e = playbooks.c, playbook_ticks.c, episodes.c


@dataclass(frozen=True, slots=True)
class EpisodeWork:
    """What an episode is about, and whether it is still worked on."""

    creator_id: int
    fan_account_id: int
    card_id: int | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick, also one that was taken back."""

    id: int
    episode_id: int
    creator_id: int
    reason: str
    version: int
    step: int
    ticked_by: int
    ticked_at: int
    action_id: int | None
    undone_at: int | None


async def read(tx: Tx, reason: str, version: int | None = None) -> Playbook | None:
    """The steps for a reason in one version, None for the newest; None: there is no such playbook or version."""
    if reason not in BUILT_IN:
        return None
    query = select(_p.version, _p.steps, _p.edited_by, _p.edited_at).where(
        _p.agency_id == tx.agency_id, _p.reason == reason
    )
    if version is not None:
        query = query.where(_p.version == version)
    row = await tx.first(query.order_by(_p.version.desc()).limit(1))
    if row is not None:
        steps = tuple(msgspec.json.decode(row.steps, type=list[str]))
        return Playbook(reason, row.version, steps, row.edited_by, row.edited_at)
    return Playbook(reason, 0, BUILT_IN[reason]) if not version else None


async def add_version(
    tx: Tx, reason: str, version: int, steps: tuple[str, ...], user_id: int, now_ms: int
) -> None:
    """Write the next version; those before it stay."""
    await tx.execute(
        insert(playbooks).values(
            agency_id=tx.agency_id,
            reason=reason,
            version=version,
            steps=msgspec.json.encode(steps).decode(),
            edited_by=user_id,
            edited_at=now_ms,
        )
    )


async def find_work(tx: Tx, episode_id: int) -> EpisodeWork | None:
    """None: there is no such episode."""
    row = await tx.first(
        select(_e.creator_id, _e.fan_account_id, _e.card_id, _e.closed_at).where(
            _e.agency_id == tx.agency_id, _e.id == episode_id
        )
    )
    if row is None:
        return None
    return EpisodeWork(row.creator_id, row.fan_account_id, row.card_id, row.closed_at is None)


async def load_view(tx: Tx, episode_id: int) -> PlaybookView | None:
    """The playbook of an episode with its ticks; None: there is no such episode.

    From the first tick on it is the version that was ticked, for the reason of then: an edit, or another reason coming
    to the top, does not lose what was done. An alert that was opened again begins anew; what was ticked before stays
    on record.
    """
    row = await tx.first(
        select(_e.reasons, _e.expired, _e.opened_at).where(_e.agency_id == tx.agency_id, _e.id == episode_id)
    )
    if row is None:
        return None
    ticks = await _ticks(tx, episode_id, row.opened_at)
    return await view_for(tx, decode_reasons(row.reasons), expired=bool(row.expired), ticks=ticks)


async def _ticks(tx: Tx, episode_id: int, opened_at: int) -> Sequence[Row[Any]]:
    return await tx.all(
        select(_t.reason, _t.version, _t.step, _t.ticked_by, _t.ticked_at)
        .where(
            _t.agency_id == tx.agency_id,
            _t.episode_id == episode_id,
            _t.undone_at.is_(None),
            _t.ticked_at >= opened_at,
        )
        .order_by(_t.ticked_at, _t.id)
    )


async def view_for(
    tx: Tx, reasons: tuple[Reason, ...], *, expired: bool, ticks: Sequence[Row[Any]] = ()
) -> PlaybookView | None:
    """The playbook for an episode of which the reasons are at hand; None: there is none for them."""
    found = await read(tx, ticks[0].reason, ticks[0].version) if ticks else None
    if found is None:
        found = await read(tx, reason_for(reasons, expired=expired))
    if found is None:
        return None
    done = {tick.step: tick for tick in ticks if (tick.reason, tick.version) == (found.reason, found.version)}
    steps = tuple(
        PlaybookStep(text, done[number].ticked_by, done[number].ticked_at)
        if number in done
        else PlaybookStep(text, None, None)
        for number, text in enumerate(found.steps)
    )
    return PlaybookView(found.reason, found.version, steps)


async def add_tick(
    tx: Tx,
    work: EpisodeWork,
    episode_id: int,
    shown: PlaybookView,
    step: int,
    user_id: int,
    now_ms: int,
    action_id: int,
) -> int:
    """Tick a step (from 0) of the playbook as it was shown; the tick's id."""
    tick_id = tx.ids.next()
    await tx.execute(
        insert(playbook_ticks).values(
            agency_id=tx.agency_id,
            id=tick_id,
            creator_id=work.creator_id,
            episode_id=episode_id,
            reason=shown.reason,
            version=shown.version,
            step=step,
            ticked_by=user_id,
            ticked_at=now_ms,
            action_id=action_id,
        )
    )
    return tick_id


async def find_tick(tx: Tx, tick_id: int) -> Tick | None:
    """None: there is no such tick."""
    row = await tx.first(
        select(
            _t.id,
            _t.episode_id,
            _t.creator_id,
            _t.reason,
            _t.version,
            _t.step,
            _t.ticked_by,
            _t.ticked_at,
            _t.action_id,
            _t.undone_at,
        ).where(_t.agency_id == tx.agency_id, _t.id == tick_id)
    )
    return None if row is None else Tick(*row)


async def find_live_tick(tx: Tx, episode_id: int, reason: str, version: int, step: int) -> int | None:
    """The id of the tick that a step has now; None: it has none, or one from before the alert was opened again."""
    found = await tx.scalar(
        select(_t.id)
        .select_from(
            playbook_ticks.join(episodes, and_(_e.agency_id == _t.agency_id, _e.id == _t.episode_id))
        )
        .where(
            _t.agency_id == tx.agency_id,
            _t.episode_id == episode_id,
            _t.reason == reason,
            _t.version == version,
            _t.step == step,
            _t.undone_at.is_(None),
            _t.ticked_at >= _e.opened_at,
        )
    )
    return None if found is None else int(found)


async def set_undone(tx: Tx, tick_id: int, at_ms: int | None) -> None:
    """Take a tick back, or (None) let it count again."""
    await tx.execute(
        update(playbook_ticks).where(_t.agency_id == tx.agency_id, _t.id == tick_id).values(undone_at=at_ms)
    )
