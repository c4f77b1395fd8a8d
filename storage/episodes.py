"""Episodes: at most one open per fan account, its tier, its owner, and the events that made it what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
from sqlalchemy import and_, func, insert, or_, select, update

from bot.domain.models import AlertTier, CardKind, Change, Decision, Reason
from bot.domain.views import Owner
from storage.cards import bump
from storage.parts import in_parts, to_owner
from storage.tables import cards, episode_events, episodes, fan_accounts
from storage.tx import Tx

EXPIRED_GROUP = "expired"
"""The code of a grouped card that lists the subscriptions seen ending in one run."""

SCORE_MOVE = 5.0
"""A score move from what a card shows that is worth an edit."""

_reasons_encoder = msgspec.json.Encoder()
_reasons_decoder = msgspec.json.Decoder(list[tuple[str, float, float | None]])


def encode_reasons(reasons: Sequence[Reason]) -> str:
    return _reasons_encoder.encode([(r.code, r.points, r.value) for r in reasons]).decode()


def decode_reasons(text: str | None) -> tuple[Reason, ...]:
    if not text:
        return ()
    return tuple(Reason(code, points, value) for code, points, value in _reasons_decoder.decode(text))


@dataclass(frozen=True, slots=True)
class EpisodeChange:
    """What one scoring run found for one fan with an episode, new, open or to be reopened."""

    episode_id: int | None
    """None: there is none yet."""
    creator_id: int
    fan_account_id: int
    decision: Decision
    tier_before: AlertTier | None
    score: float
    reasons: tuple[Reason, ...]
    pace_cents: int | None
    total_cents: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class RunContext:
    """What holds for every change of one page of a run. `owner`: who gets its action items."""

    run_id: int
    now_ms: int
    baseline: bool
    owner: Owner | None


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


@dataclass(frozen=True, slots=True)
class _Place:
    """The card an episode is on."""

    card_id: int
    in_expired_group: bool


def _placement(change: EpisodeChange, place: _Place | None) -> str | None:
    decision = change.decision
    if decision.change is Change.EXPIRED:
        return "expired"
    if decision.tier is AlertTier.ACTION and decision.change in (Change.OPENED, Change.RAISED):
        return "action"
    if decision.tier is AlertTier.AT_RISK and place is not None and place.in_expired_group:
        # Subscribed again, so it is no longer one of the subscriptions that ended.
        return "flag"
    if decision.change is Change.OPENED:
        # Reopened within the window: the row goes back to where it was, silently.
        return None if decision.reopened and place is not None else "flag"
    return None


async def apply_changes(tx: Tx, run: RunContext, changes: Sequence[EpisodeChange]) -> int:
    """Write the decisions of one page with their events; how many changed a tier.

    Cards already holding one of these episodes are bumped; new places are given by the end of the run
    (`list_unplaced`), because grouping needs the whole run.
    """
    if not changes:
        return 0
    known = await _cards_of(tx, [c.episode_id for c in changes if c.episode_id is not None])
    bumped: list[int] = []
    events: list[dict[str, object]] = []
    pinged: list[int] = []
    for change in changes:
        place = known.get(change.episode_id) if change.episode_id is not None else None
        if change.decision.change in (Change.NONE, Change.INHIBITED):
            if await _refresh(tx, run, change) and place is not None:
                bumped.append(place.card_id)
            continue
        episode_id = await _write(tx, run, change, place)
        if place is not None:
            bumped.append(place.card_id)
        if change.decision.ping and not run.baseline:
            pinged.append(change.fan_account_id)
        events.append(_event(tx, run, change, episode_id))
    for rows in in_parts(events, 200):
        await tx.execute(insert(episode_events).values(rows))
    for part in in_parts(pinged):
        await tx.execute(
            update(fan_accounts)
            .where(
                fan_accounts.c.agency_id == tx.agency_id,
                fan_accounts.c.id.in_(part),
            )
            .values(last_pinged_at=run.now_ms)
        )
    await bump(tx, bumped)
    return len(events)


async def _cards_of(tx: Tx, episode_ids: list[int]) -> dict[int, _Place]:
    found: dict[int, _Place] = {}
    for part in in_parts(episode_ids):
        rows = await tx.all(
            select(episodes.c.id, episodes.c.card_id, cards.c.kind, cards.c.code)
            .select_from(
                episodes.join(
                    cards, and_(cards.c.agency_id == episodes.c.agency_id, cards.c.id == episodes.c.card_id)
                )
            )
            .where(
                episodes.c.agency_id == tx.agency_id,
                episodes.c.id.in_(part),
            )
        )
        found.update(
            (row.id, _Place(row.card_id, row.kind == CardKind.GROUPED.value and row.code == EXPIRED_GROUP))
            for row in rows
        )
    return found


def _event(tx: Tx, run: RunContext, change: EpisodeChange, episode_id: int) -> dict[str, object]:
    tier = change.decision.tier
    return {
        "agency_id": tx.agency_id,
        "id": tx.ids.next(),
        "episode_id": episode_id,
        "creator_id": change.creator_id,
        "fan_account_id": change.fan_account_id,
        "change": change.decision.change.value,
        "tier_before": change.tier_before.value if change.tier_before else None,
        "tier_after": tier.value if tier else None,
        "score": change.score,
        "run_id": run.run_id,
        "actor_id": None,
        "code": "baseline" if run.baseline else change.decision.reason,
        "at": run.now_ms,
    }


async def _refresh(tx: Tx, run: RunContext, change: EpisodeChange) -> bool:
    """Keep an open episode's figures current; True where the move is worth an edit of its card."""
    if change.episode_id is None:
        return False
    where = (episodes.c.agency_id == tx.agency_id, episodes.c.id == change.episode_id)
    row = await tx.first(
        select(
            episodes.c.score,
            episodes.c.shown_score,
            episodes.c.top_reason,
            episodes.c.reasons,
            episodes.c.pace_cents,
            episodes.c.total_cents,
        ).where(*where)
    )
    if row is None:
        return False
    reasons = encode_reasons(change.reasons)
    top = change.reasons[0].code if change.reasons else None
    if (row.score, row.reasons, row.pace_cents, row.total_cents) == (
        change.score,
        reasons,
        change.pace_cents,
        change.total_cents,
    ):
        return False
    shown = row.shown_score if row.shown_score is not None else row.score
    worth_it = bool(abs(change.score - shown) >= SCORE_MOVE or top != row.top_reason)
    values: dict[str, object] = {
        "score": change.score,
        "reasons": reasons,
        "pace_cents": change.pace_cents,
        "total_cents": change.total_cents,
    }
    if worth_it:
        values |= {"score_before": shown, "shown_score": change.score, "top_reason": top}
    await tx.execute(update(episodes).where(*where).values(**values))
    return worth_it


async def _write(tx: Tx, run: RunContext, change: EpisodeChange, place: _Place | None) -> int:
    decision = change.decision
    values: dict[str, object] = {
        "tier": decision.tier.value if decision.tier else None,
        "score": change.score,
        "shown_score": change.score,
        "reasons": encode_reasons(change.reasons),
        "top_reason": change.reasons[0].code if change.reasons else None,
        "pace_cents": change.pace_cents,
        "total_cents": change.total_cents,
        "currency": change.currency,
        "changed_run_id": run.run_id,
        "ping_wanted": decision.ping and not run.baseline,
        "placement": None if run.baseline else _placement(change, place),
    }
    if decision.change is Change.EXPIRED:
        values["expired"] = True
    elif decision.change in (Change.OPENED, Change.LOWERED, Change.CLEARED):
        values["expired"] = False
    if decision.tier is AlertTier.ACTION and decision.change is not Change.LOWERED:
        values |= {
            "owner_kind": run.owner.kind if run.owner else None,
            "owner_id": run.owner.discord_id if run.owner else None,
        }
    if change.episode_id is None:
        episode_id = tx.ids.next()
        await tx.execute(
            insert(episodes).values(
                agency_id=tx.agency_id,
                id=episode_id,
                creator_id=change.creator_id,
                fan_account_id=change.fan_account_id,
                opened_at=run.now_ms,
                opened_run_id=run.run_id,
                baseline=run.baseline,
                **{"expired": False, **values},
            )
        )
        return episode_id
    where = (episodes.c.agency_id == tx.agency_id, episodes.c.id == change.episode_id)
    if decision.change is Change.OPENED:
        values |= {
            "opened_at": run.now_ms,
            "opened_run_id": run.run_id,
            "closed_at": None,
            "claimed_by": None,
            "claimed_at": None,
            "baseline": run.baseline,
            "score_before": None,
        }
    else:
        values["score_before"] = func.coalesce(episodes.c.shown_score, episodes.c.score)
        if decision.change is Change.CLEARED:
            values["closed_at"] = run.now_ms
    await tx.execute(update(episodes).where(*where).values(**values))
    return change.episode_id


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
