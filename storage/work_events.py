"""The events of an episode that people and the time make, beside those of scoring runs."""

from __future__ import annotations

from typing import Literal, Protocol

from sqlalchemy import insert, select

from bot.domain.models import AlertTier
from storage.tables import episode_events
from storage.tx import Tx


class Worked(Protocol):
    """An episode as somebody has read it who does something to it."""

    @property
    def episode_id(self) -> int: ...
    @property
    def creator_id(self) -> int: ...
    @property
    def fan_account_id(self) -> int: ...
    @property
    def tier(self) -> AlertTier | None: ...
    @property
    def score(self) -> float: ...


async def last_timer(tx: Tx, episode_id: int, opened_at: int) -> Literal["reminded", "snooze_over"] | None:
    """What the time has done to an episode where nobody has done anything to it since; None: nothing.

    What was before it opened, or opened again, is of another alert.
    """
    last = await tx.first(
        select(episode_events.c.change, episode_events.c.code)
        .where(
            episode_events.c.agency_id == tx.agency_id,
            episode_events.c.episode_id == episode_id,
            episode_events.c.run_id.is_(None),
            episode_events.c.at >= opened_at,
        )
        .order_by(episode_events.c.at.desc(), episode_events.c.id.desc())
        .limit(1)
    )
    if last is None:
        return None
    if last.change == "reminded":
        return "reminded"
    return "snooze_over" if (last.change, last.code) == ("woken", "snooze_over") else None


async def append(
    tx: Tx, of: Worked, change: str, now_ms: int, *, code: str | None, actor_id: int | None
) -> None:
    """Write down what was done to an episode. `actor_id` None: the time has done it."""
    tier = of.tier.value if of.tier is not None else None
    await tx.execute(
        insert(episode_events).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            episode_id=of.episode_id,
            creator_id=of.creator_id,
            fan_account_id=of.fan_account_id,
            change=change,
            tier_before=tier,
            tier_after=tier,
            score=of.score,
            run_id=None,
            actor_id=actor_id,
            code=code,
            at=now_ms,
        )
    )
