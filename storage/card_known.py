"""What there is at all to say of a fan and an episode beyond its row: asked in one query, as for most there is little."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select

from bot.domain.followups import FollowupState
from storage import contacts
from storage.tables import episode_events, followups, notes, outcomes, playbook_ticks
from storage.tx import Tx


@dataclass(frozen=True, slots=True)
class Known:
    """Whether there is any: of the fan, or (`ticks`, `work`) of the episode. What was taken back counts too."""

    notes: bool
    contacts: bool
    outcomes: bool
    followups: bool
    ticks: bool
    work: bool


async def ask(tx: Tx, fan_account_id: int, episode_id: int) -> Known:
    """What to read further, and what need not be read."""
    of_fan = (
        exists().where(table.c.agency_id == tx.agency_id, table.c.fan_account_id == fan_account_id, *more)
        for table, more in (
            (notes, ()),
            (outcomes, ()),
            (followups, (followups.c.state == FollowupState.OPEN.value,)),
        )
    )
    of_episode = (
        exists().where(table.c.agency_id == tx.agency_id, table.c.episode_id == episode_id, *more)
        for table, more in ((playbook_ticks, ()), (episode_events, (episode_events.c.run_id.is_(None),)))
    )
    note, closing, todo = of_fan
    row = await tx.first(select(note, contacts.any_of_person(tx, fan_account_id), closing, todo, *of_episode))
    assert row is not None  # noqa: S101 - there is always one
    return Known(*map(bool, row))
