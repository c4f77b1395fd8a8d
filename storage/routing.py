"""What decides who gets an action item: who is on, how much each has open, who worked the fan last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import func, select

from bot.domain.models import AccessTier
from bot.domain.routing import Team, choose_all
from bot.domain.spells import CHANGE_OF
from bot.domain.views import Owner
from storage import on_shift, roster
from storage.parts import in_parts
from storage.roster import Creator
from storage.tables import episode_events, episodes
from storage.tx import Tx

_e, _v = episodes.c, episode_events.c

_Worked = tuple[int, str, int]
"""Of which episode, what was done, and by whom."""
_WORK_OF = CHANGE_OF | {"snooze": "snoozed", "wake": "woken"}
"""The actions that work an alert -> the event each of them writes."""


async def load_team(tx: Tx, creator: Creator) -> Team:
    """Whom her action items can go to now."""
    present = [one.user_id for one in (await on_shift.list_on(tx, creator.id)).get(creator.id, ())]
    known = await roster.list_members(tx) if present else {}
    # Work is the chatters' first; a lead who is on gets it where no chatter is.
    chatters = [
        user_id for user_id in present if known.get(user_id, AccessTier.CHATTER) <= AccessTier.CHATTER
    ]
    on = tuple(chatters or present)
    role_id = None
    if not on and creator.default_chatter_id is None and not creator.lead_ids:
        tiers = await roster.list_role_tiers(tx)
        lowest = sorted(tiers.items(), key=lambda pair: (pair[1], pair[0]))
        role_id = lowest[0][0] if lowest else None
    return Team(on, creator.default_chatter_id, creator.lead_ids, role_id, await _loads(tx, on))


async def choose_owners(tx: Tx, creator: Creator, fan_account_ids: Sequence[int]) -> dict[int, Owner | None]:
    """Fan account id -> who gets the action item about the fan; those given first are given out first."""
    if not fan_account_ids:
        return {}
    team = await load_team(tx, creator)
    last = await last_workers(tx, fan_account_ids) if team.on_shift else {}
    return choose_all(team, fan_account_ids, last)


async def last_workers(tx: Tx, fan_account_ids: Sequence[int]) -> dict[int, int]:
    """Fan account id -> who did something about the fan's alerts last; those nobody has worked are left out.

    What was taken back is no work, nor is taking it back.
    """
    worked: dict[int, list[_Worked]] = defaultdict(list)
    for part in in_parts(fan_account_ids):
        rows = await tx.all(
            select(_v.fan_account_id, _v.episode_id, _v.actor_id, _v.change, _v.code)
            .where(_v.agency_id == tx.agency_id, _v.fan_account_id.in_(part), _v.actor_id.is_not(None))
            .order_by(_v.at, _v.id)
        )
        for row in rows:
            if row.change == "undone":
                _drop_last(worked[row.fan_account_id], row.episode_id, _WORK_OF.get(row.code))
                continue
            # Whoever gives work out does not work it: the code is who got it.
            user_id = int(row.code) if row.change == "assigned" else row.actor_id
            worked[row.fan_account_id].append((row.episode_id, row.change, user_id))
    return {fan_account_id: steps[-1][2] for fan_account_id, steps in worked.items() if steps}


def _drop_last(steps: list[_Worked], episode_id: int, change: str | None) -> None:
    """Take out the latest such change of an episode, if there is any."""
    for index in range(len(steps) - 1, -1, -1):
        if steps[index][:2] == (episode_id, change):
            del steps[index]
            return


async def _loads(tx: Tx, user_ids: Sequence[int]) -> dict[int, int]:
    """User id -> what they have claimed, and the action items given to them that nobody has claimed."""
    loads: dict[int, int] = {}
    if not user_ids:
        return loads
    mine = func.coalesce(_e.claimed_by, _e.owner_id)
    rows = await tx.all(
        select(mine.label("user_id"), func.count().label("n"))
        .where(_e.agency_id == tx.agency_id, _e.closed_at.is_(None), mine.in_(list(user_ids)))
        .group_by(mine)
    )
    return {row.user_id: row.n for row in rows}
