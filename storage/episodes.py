"""Episodes: at most one open per fan account, its tier, its owner, and the events that made it what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
from sqlalchemy import and_, case, func, or_, select, update

from bot.domain.desk import PingState
from bot.domain.models import AlertTier, CardKind, Change, Reason
from bot.domain.views import Owner
from storage.parts import in_parts, to_owner
from storage.tables import cards, episode_events, episodes
from storage.tx import Tx

EXPIRED_GROUP = "expired"
"""The code of a grouped card that lists the subscriptions seen ending in one run."""


_reasons_encoder = msgspec.json.Encoder()
_reasons_decoder = msgspec.json.Decoder(list[tuple[str, float, float | None]])


def encode_reasons(reasons: Sequence[Reason]) -> str:
    return _reasons_encoder.encode([(r.code, r.points, r.value) for r in reasons]).decode()


def decode_reasons(text: str | None) -> tuple[Reason, ...]:
    if not text:
        return ()
    return tuple(Reason(code, points, value) for code, points, value in _reasons_decoder.decode(text))


@dataclass(frozen=True, slots=True)
class Unplaced:
    """An episode that changed in this run and is to be put on a card (`placement` says why)."""

    episode_id: int
    fan_account_id: int
    placement: Literal["flag", "action", "expired"]
    score: float
    pace_cents: int | None
    total_cents: int | None
    ping: bool
    claimed_by: int | None
    owner: Owner | None
    card_id: int | None
    card_kind: CardKind | None


async def list_unplaced(tx: Tx, run_id: int) -> list[Unplaced]:
    """The episodes of a run that are to be put on a card, in order of their id."""
    rows = await tx.all(
        select(
            episodes.c.id,
            episodes.c.fan_account_id,
            episodes.c.placement,
            episodes.c.score,
            episodes.c.pace_cents,
            episodes.c.total_cents,
            episodes.c.ping_wanted,
            episodes.c.claimed_by,
            episodes.c.owner_kind,
            episodes.c.owner_id,
            episodes.c.card_id,
            cards.c.kind.label("card_kind"),
        )
        .select_from(
            episodes.outerjoin(
                cards, and_(cards.c.agency_id == episodes.c.agency_id, cards.c.id == episodes.c.card_id)
            )
        )
        .where(
            episodes.c.agency_id == tx.agency_id,
            episodes.c.changed_run_id == run_id,
            episodes.c.placement.is_not(None),
        )
        .order_by(episodes.c.id)
    )
    return [
        Unplaced(
            episode_id=row.id,
            fan_account_id=row.fan_account_id,
            placement=row.placement,
            score=row.score,
            pace_cents=row.pace_cents,
            total_cents=row.total_cents,
            ping=row.ping_wanted,
            claimed_by=row.claimed_by,
            owner=to_owner(row.owner_kind, row.owner_id),
            card_id=row.card_id,
            card_kind=CardKind(row.card_kind) if row.card_kind else None,
        )
        for row in rows
    ]


async def adopt_unplaced(tx: Tx, creator_id: int, run_id: int, now_ms: int) -> None:
    """What a run that was given up has left without a card is placed by this one; nobody was told, so it waits from now."""
    await tx.execute(
        update(episodes)
        .where(
            episodes.c.agency_id == tx.agency_id,
            episodes.c.creator_id == creator_id,
            episodes.c.closed_at.is_(None),
            episodes.c.placement.is_not(None),
        )
        .values(
            changed_run_id=run_id,
            escalate_from_at=case((episodes.c.escalate_from_at.is_not(None), now_ms)),
        )
    )


async def put_on_card(tx: Tx, card_id: int, episode_ids: Sequence[int]) -> None:
    """Point the episodes at their card and take them off the run's list."""
    for part in in_parts(episode_ids):
        await tx.execute(
            update(episodes)
            .where(
                episodes.c.agency_id == tx.agency_id,
                episodes.c.id.in_(part),
            )
            .values(card_id=card_id, placement=None, ping_wanted=False)
        )


async def leave_mention(tx: Tx, episode_ids: Sequence[int], state: PingState, due_at: int | None) -> None:
    """Keep that somebody was to be mentioned and was not: `held` until `due_at`, or for the next `digest`."""
    for part in in_parts(episode_ids):
        await tx.execute(
            update(episodes)
            .where(episodes.c.agency_id == tx.agency_id, episodes.c.id.in_(part))
            .values(ping_state=state, ping_due_at=due_at)
        )


async def put_off(tx: Tx, episode_ids: Sequence[int], until_at: int) -> None:
    """Nobody can be called about these before then: what waits for a claim waits from that instant on."""
    for part in in_parts(episode_ids):
        await tx.execute(
            update(episodes)
            .where(
                episodes.c.agency_id == tx.agency_id,
                episodes.c.id.in_(part),
                episodes.c.escalate_from_at.is_not(None),
            )
            .values(escalate_from_at=until_at)
        )


async def count_open(tx: Tx, creator_id: int) -> tuple[int, int]:
    """(at-risk, action): the open episodes of one creator."""
    rows = await tx.all(
        select(episodes.c.tier, func.count().label("n"))
        .where(
            episodes.c.agency_id == tx.agency_id,
            episodes.c.creator_id == creator_id,
            episodes.c.closed_at.is_(None),
        )
        .group_by(episodes.c.tier)
    )
    by_tier = {row.tier: row.n for row in rows}
    return by_tier.get(AlertTier.AT_RISK.value, 0), by_tier.get(AlertTier.ACTION.value, 0)


async def count_moved(tx: Tx, run_id: int) -> tuple[int, int]:
    """(opened, closed): the episodes that one scoring run opened, reopened ones too, and those that it closed."""
    row = await tx.first(
        select(
            func.count()
            .filter(episodes.c.closed_at.is_(None), episodes.c.opened_run_id == run_id)
            .label("opened"),
            func.count().filter(episodes.c.closed_at.is_not(None)).label("closed"),
        ).where(episodes.c.agency_id == tx.agency_id, episodes.c.changed_run_id == run_id)
    )
    return (int(row.opened), int(row.closed)) if row is not None else (0, 0)


async def count_alerts(tx: Tx) -> tuple[int, int]:
    """(alerts, action items) that were ever raised, baselines left out.

    An alert is an episode opened; an action item is one opened at, raised to or expired into the action tier.
    """
    opened = episode_events.c.change == Change.OPENED.value
    became_action = and_(
        episode_events.c.tier_after == AlertTier.ACTION.value,
        or_(
            episode_events.c.tier_before.is_(None),
            episode_events.c.tier_before != AlertTier.ACTION.value,
        ),
    )
    fresh = or_(
        opened, and_(episode_events.c.change == Change.EXPIRED.value, episode_events.c.tier_before.is_(None))
    )
    row = await tx.first(
        select(
            func.count().filter(fresh).label("alerts"),
            func.count().filter(became_action).label("actions"),
        ).where(
            episode_events.c.agency_id == tx.agency_id,
            or_(episode_events.c.code.is_(None), episode_events.c.code != "baseline"),
        )
    )
    return (int(row.alerts), int(row.actions)) if row is not None else (0, 0)
