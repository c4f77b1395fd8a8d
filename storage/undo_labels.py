"""Whom the actions at the desk were about, for showing them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select

from bot.domain.views import FanLabel
from storage import desk_actions, playbooks
from storage.card_views import rows_query, to_row
from storage.desk_actions import DeskAction
from storage.parts import LABEL, in_parts, to_label
from storage.tables import (
    creators,
    episodes,
    fan_accounts,
    fan_holds,
    followups,
    mutes,
    notes,
    winbacks,
)
from storage.tx import Tx

_ABOUT_A_FAN = {
    "winback": winbacks,
    "note": notes,
    "followup": followups,
    "mute": mutes,
    "hold": fan_holds,
}


@dataclass(frozen=True, slots=True)
class About:
    """`creator_name` None: no single creator that may be shown; `fan` None: no fan, or many."""

    creator_name: str | None
    fan: FanLabel | None


async def read_about(tx: Tx, actions: Sequence[DeskAction], creator_ids: Collection[int]) -> dict[int, About]:
    """Action id -> whom it was about, as far as these creators go."""
    names = await _creator_names(tx, creator_ids)
    found: dict[int, About] = {}
    for one in actions:
        fan = await _fan_of(tx, one, creator_ids)
        found[one.id] = About(None if one.creator_id is None else names.get(one.creator_id), fan)
    return found


async def read_fans(tx: Tx, episode_ids: Sequence[int], creator_ids: Collection[int]) -> dict[int, FanLabel]:
    """Episode id -> its fan, as hidden as on a card; those of other creators are left out."""
    found: dict[int, FanLabel] = {}
    for part in in_parts(episode_ids):
        mine = (episodes.c.id.in_(part), episodes.c.creator_id.in_(sorted(creator_ids)))
        rows = await tx.all(rows_query(tx).where(*mine))
        found |= {row.id: to_row(row).fan for row in rows}
    return found


async def _creator_names(tx: Tx, creator_ids: Collection[int]) -> dict[int, str]:
    rows = await tx.all(
        select(creators.c.id, creators.c.name).where(
            creators.c.agency_id == tx.agency_id, creators.c.id.in_(sorted(creator_ids))
        )
    )
    return {row.id: row.name for row in rows}


async def _fan_of(tx: Tx, action: DeskAction, creator_ids: Collection[int]) -> FanLabel | None:
    if action.count > 1:
        return None
    if action.target_kind == "episode":
        episode_id = action.target_id
        if episode_id is None:
            # One of many that were chosen. With a target `before` may also hold what a claim woke.
            before, _ = await desk_actions.load_change(tx, action.id)
            episode_id = next(iter(before), None)
        if episode_id is None:
            return None
        return (await read_fans(tx, [episode_id], creator_ids)).get(episode_id)
    if action.target_kind == "tick":
        tick = None if action.target_id is None else await playbooks.find_tick(tx, action.target_id)
        return (
            None
            if tick is None
            else (await read_fans(tx, [tick.episode_id], creator_ids)).get(tick.episode_id)
        )
    table = _ABOUT_A_FAN.get(action.target_kind)
    if table is None or action.target_id is None:
        return None
    row = await tx.first(
        select(*LABEL)
        .select_from(
            table.join(
                fan_accounts,
                and_(
                    fan_accounts.c.agency_id == table.c.agency_id,
                    fan_accounts.c.id == table.c.fan_account_id,
                ),
            )
        )
        .where(
            table.c.agency_id == tx.agency_id,
            table.c.id == action.target_id,
            table.c.creator_id.in_(sorted(creator_ids)),
        )
    )
    return None if row is None else to_label(row)
