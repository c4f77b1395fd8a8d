"""What the time alone moves at the desk: snoozes that end, items nobody claims, reminders, mentions that were held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, update

from bot.domain.desk import DeskRules
from bot.domain.escalation import LEAD, MANAGER, Ladder, Span, Step
from bot.domain.models import AccessTier, AlertTier
from bot.domain.views import Owner
from storage import on_shift, roster, work_events
from storage.parts import in_parts, to_owner
from storage.tables import cards, creators, episodes, fan_accounts, fan_holds, shift_sessions
from storage.tx import Tx

_c, _e, _k, _h, _s = creators.c, episodes.c, cards.c, fan_holds.c, shift_sessions.c

Timer = Literal["woken", "escalated", "reminder", "held"]


@dataclass(frozen=True, slots=True)
class Due:
    """An episode one of whose timers has run out. Of `escalated` only the time on shift can tell whether it has."""

    timer: Timer
    episode_id: int
    creator_id: int
    fan_account_id: int
    card_id: int | None
    tier: AlertTier
    score: float
    money: float
    """Cents a month at risk, by which the first are done first."""
    owner: Owner | None
    claimed_by: int | None
    stage: int
    waits_from: int | None
    on_hold: bool
    """The fan is not to be contacted: nobody is called."""
    pinging: bool
    """The card has a mention that has not been sent yet: another one would take its place."""


async def list_due(tx: Tx, now_ms: int, rules: DeskRules) -> list[Due]:
    """Everything whose time may have come, most money first.

    Of what waits for a claim only what would be due had somebody been on shift all along, and for whose creator anybody
    was: what was found in a night that nobody works is not read each second until the morning. An episode is in it
    twice where it waits for a claim and has a mention that was held.
    """
    due: list[Due] = []
    for timer, condition in _conditions(now_ms, rules).items():
        rows = await tx.all(_query(tx).where(condition, _e.closed_at.is_(None)))
        due += [_to_due(timer, row) for row in rows]
    return sorted(due, key=lambda one: (-one.money, one.episode_id))


def _conditions(now_ms: int, rules: DeskRules) -> dict[Timer, ColumnElement[bool]]:
    """Each is read by an index of its own."""
    awake = _e.snoozed_until.is_(None)
    # What its run has yet to put on a card is left to that; what a baseline has opened stands on none.
    placed = _e.placement.is_(None)
    waits = and_(awake, _e.claimed_by.is_(None), _e.tier == AlertTier.ACTION.value, placed)
    anybody_was_on = exists().where(
        _s.agency_id == _e.agency_id,
        _s.creator_id == _e.creator_id,
        _s.started_at < now_ms,
        or_(_s.ended_at.is_(None), _s.ended_at > _e.escalate_from_at),
    )
    next_stage_is_due = or_(
        _e.escalation_stage < LEAD, _e.escalate_from_at <= now_ms - rules.escalate_manager_ms
    )
    return {
        "woken": _e.snoozed_until <= now_ms,
        "escalated": and_(
            _e.escalate_from_at <= now_ms - rules.escalate_lead_ms,
            _e.escalation_stage < MANAGER,
            next_stage_is_due,
            anybody_was_on,
            waits,
        ),
        # Of what somebody has, too: it was given to them, or has become worse, while they were not to be called.
        "held": and_(
            _e.ping_state == "held",
            _e.ping_due_at <= now_ms,
            awake,
            placed,
            or_(_e.claimed_by.is_not(None), _e.tier == AlertTier.ACTION.value),
        ),
        "reminder": and_(_e.remind_at <= now_ms, _e.claimed_by.is_not(None), awake),
    }


def _query(tx: Tx) -> Select[Any]:
    # Up to when it has been ended, and the clock begun anew, although its time may be over by moments.
    on_hold = exists().where(
        _h.agency_id == _e.agency_id,
        _h.fan_account_id == _e.fan_account_id,
        _h.ended_at.is_(None),
    )
    # What is left open of a creator who has retired calls nobody.
    working = select(_c.id).where(_c.agency_id == tx.agency_id, _c.retired_at.is_(None))
    return (
        select(
            _e.id,
            _e.creator_id,
            _e.fan_account_id,
            _e.card_id,
            _e.tier,
            _e.score,
            _e.pace_cents,
            _e.owner_kind,
            _e.owner_id,
            _e.claimed_by,
            _e.escalation_stage,
            _e.escalate_from_at,
            on_hold.label("on_hold"),
            _k.ping_wanted,
        )
        .select_from(episodes.outerjoin(cards, and_(_k.agency_id == _e.agency_id, _k.id == _e.card_id)))
        .where(_e.agency_id == tx.agency_id, _e.tier.is_not(None), _e.creator_id.in_(working))
    )


def _to_due(timer: Timer, row: Any) -> Due:
    return Due(
        timer=timer,
        episode_id=row.id,
        creator_id=row.creator_id,
        fan_account_id=row.fan_account_id,
        card_id=row.card_id,
        tier=AlertTier(row.tier),
        score=row.score,
        money=(row.pace_cents or 0) * row.score / 100,
        owner=to_owner(row.owner_kind, row.owner_id),
        claimed_by=row.claimed_by,
        stage=row.escalation_stage,
        waits_from=row.escalate_from_at,
        on_hold=bool(row.on_hold),
        pinging=bool(row.ping_wanted),
    )


async def list_spans(
    tx: Tx, creator_ids: Collection[int], since_ms: int, now_ms: int
) -> dict[int, list[Span]]:
    """Creator id -> when anybody was on for her since then, up to now; those for whom nobody was are left out."""
    found: dict[int, list[Span]] = defaultdict(list)
    for part in in_parts(sorted(set(creator_ids))):
        query = select(_s.creator_id, _s.started_at, _s.until_at, _s.ended_at).where(
            _s.agency_id == tx.agency_id, _s.creator_id.in_(part), _s.started_at < now_ms
        )
        # Asked in two, each reads by an index only what it needs.
        rows = [
            row
            for when in (_s.ended_at.is_(None), _s.ended_at > since_ms)
            for row in await tx.all(query.where(when))
        ]
        for row in rows:
            # One whose end nobody has written down yet lasted no longer than it was to.
            end = row.ended_at if row.ended_at is not None else min(row.until_at, now_ms)
            found[row.creator_id].append((row.started_at, end))
    return dict(found)


async def load_ladder(tx: Tx, creator_id: int) -> Ladder:
    """Who stands above the chatters of a creator now."""
    leads = (await roster.list_leads(tx)).get(creator_id, frozenset())
    on = {one.user_id for one in (await on_shift.list_on(tx, creator_id)).get(creator_id, ())}
    managers = [user for user, tier in (await roster.list_members(tx)).items() if tier is AccessTier.MANAGER]
    tiers = await roster.list_role_tiers(tx)
    roles = sorted(role for role, tier in tiers.items() if tier is AccessTier.MANAGER)
    return Ladder(
        sorted(leads, key=lambda user: (user not in on, user)),
        sorted(managers, key=lambda user: (user not in on, user)),
        roles[0] if roles else None,
    )


async def escalate(tx: Tx, of: Due, step: Step, now_ms: int) -> None:
    """Take an item to its next stage; a mention that was held for its former owner is not owed any more.

    Where the stage calls nobody the owner stays, and so does what they are owed.
    """
    values: dict[str, object] = {"escalation_stage": step.stage}
    if step.to is not None:
        values |= {"owner_kind": step.to.kind, "owner_id": step.to.discord_id}
        values |= {"ping_state": None, "ping_due_at": None}
    await _set(tx, of, values)
    code = "manager" if step.stage == MANAGER else "lead"
    await work_events.append(tx, of, "escalated", now_ms, code=code, actor_id=None)


async def end_reminder(tx: Tx, of: Due, again_at: int | None, now_ms: int) -> None:
    """Whoever has claimed it has been reminded, or (`again_at`) is to be then: quiet hours hold it."""
    await _set(tx, of, {"remind_at": again_at, "remind_held_until": again_at})
    if again_at is None:
        await work_events.append(tx, of, "reminded", now_ms, code=None, actor_id=None)


async def drop_held(tx: Tx, of: Due) -> None:
    """The mention that was held has been sent."""
    await _set(tx, of, {"ping_state": None, "ping_due_at": None})


async def note_pinged(tx: Tx, fan_account_id: int, now_ms: int) -> None:
    """A run does not call anybody about this fan once more within its ping floor."""
    await tx.execute(
        update(fan_accounts)
        .where(fan_accounts.c.agency_id == tx.agency_id, fan_accounts.c.id == fan_account_id)
        .values(last_pinged_at=now_ms)
    )


async def _set(tx: Tx, of: Due, values: dict[str, object]) -> None:
    await tx.execute(
        update(episodes).where(_e.agency_id == tx.agency_id, _e.id == of.episode_id).values(**values)
    )
