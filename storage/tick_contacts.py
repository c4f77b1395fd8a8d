"""The contacts that ticks of playbooks tell of: all that one person ticks for a fan within some hours is one contact.

It is that of the first of these ticks that still counts.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, select

from storage import contacts as ledger
from storage.playbooks import EpisodeWork, Tick
from storage.tables import contacts, episodes, playbook_ticks
from storage.tx import Tx

_c, _e, _t = contacts.c, episodes.c, playbook_ticks.c


async def count(tx: Tx, work: EpisodeWork, tick: Tick, span_ms: int) -> None:
    """A tick that was just made, or that was brought back, tells of a contact, alone or with those around it."""
    found = await tx.first(
        _of(tx, work.fan_account_id, tick.ticked_by)
        .where(_c.at >= tick.ticked_at - span_ms, _c.at <= tick.ticked_at + span_ms)
        .order_by(_c.at, _c.id)
        .limit(1)
    )
    if found is None:
        await ledger.add(
            tx,
            work.creator_id,
            work.fan_account_id,
            tick.ticked_by,
            "playbook",
            tick.ticked_at,
            tick.action_id,
        )
    elif found.at > tick.ticked_at:
        await ledger.move(tx, found.id, tick.action_id, tick.ticked_at)


async def take_back(tx: Tx, work: EpisodeWork, tick: Tick, span_ms: int, now_ms: int) -> None:
    """A tick was taken back: its contact is that of the next one around it; without such a one it counts no more."""
    if tick.action_id is None:
        return
    found = await tx.first(
        _of(tx, work.fan_account_id, tick.ticked_by).where(_c.action_id == tick.action_id).limit(1)
    )
    if found is None:
        return
    heir = await tx.first(
        select(_t.action_id, _t.ticked_at)
        .select_from(
            playbook_ticks.join(episodes, and_(_e.agency_id == _t.agency_id, _e.id == _t.episode_id))
        )
        .where(
            _t.agency_id == tx.agency_id,
            _e.fan_account_id == work.fan_account_id,
            _t.ticked_by == tick.ticked_by,
            _t.undone_at.is_(None),
            _t.id != tick.id,
            _t.ticked_at >= found.at,
            _t.ticked_at <= found.at + span_ms,
        )
        .order_by(_t.ticked_at, _t.id)
        .limit(1)
    )
    if heir is None:
        await ledger.take_back(tx, tick.action_id, now_ms)
    else:
        await ledger.move(tx, found.id, heir.action_id, heir.ticked_at)


def _of(tx: Tx, fan_account_id: int, user_id: int) -> Select[Any]:
    return select(_c.id, _c.at).where(
        _c.agency_id == tx.agency_id,
        _c.fan_account_id == fan_account_id,
        _c.user_id == user_id,
        _c.source == "playbook",
        _c.undone_at.is_(None),
    )
