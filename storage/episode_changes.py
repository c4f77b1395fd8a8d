"""Writes what a scoring run decides: episodes, their events, and which cards are out of date by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select, update

from bot.domain.alerting import RENEWED
from bot.domain.models import AlertTier, CardKind, Change, Decision, Reason
from bot.domain.views import Owner
from storage import boards, followups
from storage.bulk import bulk_insert
from storage.cards import bump
from storage.episodes import EXPIRED_GROUP, encode_reasons
from storage.parts import in_parts
from storage.roster import Creator
from storage.routing import choose_owners
from storage.tables import cards, episode_events, episodes, fan_accounts
from storage.tx import Tx
from storage.work_columns import AWAKE, NO_OUTCOME

SCORE_MOVE = 5.0
"""A score move from what a card shows that is worth an edit."""


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
    """What holds for every change of one page of a run; `creator` as she was when it began."""

    run_id: int
    now_ms: int
    baseline: bool
    creator: Creator
    remind_ms: int = 0
    """How long after it wakes whoever has claimed it is reminded; 0: never."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """An episode as it is now, and the card it is on."""

    score: float
    shown_score: float | None
    top_reason: str | None
    reasons: str
    pace_cents: int | None
    total_cents: int | None
    closed_at: int | None
    claimed_by: int | None
    escalate_from_at: int | None
    snoozed_until: int | None
    card_id: int | None
    in_group: bool | None
    in_expired_group: bool | None
    """Both None: it is on no card."""
    placement: str | None
    ping_wanted: bool
    """Set where a run that has not ended, or was given up, has still to put it on a card."""


async def apply_changes(tx: Tx, run: RunContext, changes: Sequence[EpisodeChange]) -> int:
    """Write the decisions of one page with their events; how many changed a tier.

    Cards already holding one of these episodes and the creators' boards are bumped; new places are given by the
    end of the run (`list_unplaced`), because grouping needs the whole run.
    """
    known = await _load(tx, [c.episode_id for c in changes if c.episode_id is not None])
    owners = await _choose_owners(tx, run, changes)
    bumped: list[int] = []
    moved: set[int] = set()
    pinged: list[int] = []
    let_go: list[int] = []
    opened: list[tuple[object, ...]] = []
    events: list[tuple[object, ...]] = []
    for change in changes:
        old = known.get(change.episode_id) if change.episode_id is not None else None
        if change.decision.change in (Change.NONE, Change.INHIBITED):
            if old is not None and await _refresh(tx, change, old):
                moved.add(change.creator_id)
                if old.card_id is not None:
                    bumped.append(old.card_id)
            continue
        moved.add(change.creator_id)
        episode_id = change.episode_id
        if episode_id is None or old is None:
            episode_id = tx.ids.next()
            opened.append(_new_row(tx, run, change, episode_id, owners))
        else:
            await _update(tx, run, change, old, episode_id, owners)
        if old is not None and old.card_id is not None:
            bumped.append(old.card_id)
        if change.decision.change is Change.CLEARED and old is not None and old.claimed_by is not None:
            let_go.append(change.fan_account_id)
        if change.decision.ping and not run.baseline:
            pinged.append(change.fan_account_id)
        events.append(_event_row(tx, run, change, episode_id))
    if opened:
        await bulk_insert(tx, episodes, _NEW_COLUMNS, opened)
    if events:
        await bulk_insert(tx, episode_events, _EVENT_COLUMNS, events)
    for part in in_parts(pinged):
        await tx.execute(
            update(fan_accounts)
            .where(fan_accounts.c.agency_id == tx.agency_id, fan_accounts.c.id.in_(part))
            .values(last_pinged_at=run.now_ms)
        )
    await bump(tx, bumped)
    await followups.show_names(tx, let_go)
    for creator_id in sorted(moved):
        await boards.bump(tx, creator_id)
    return len(events)


async def _load(tx: Tx, episode_ids: list[int]) -> dict[int, _Stored]:
    found: dict[int, _Stored] = {}
    for part in in_parts(episode_ids):
        rows = await tx.all(
            select(
                episodes.c.id,
                episodes.c.score,
                episodes.c.shown_score,
                episodes.c.top_reason,
                episodes.c.reasons,
                episodes.c.pace_cents,
                episodes.c.total_cents,
                episodes.c.closed_at,
                episodes.c.claimed_by,
                episodes.c.escalate_from_at,
                episodes.c.snoozed_until,
                episodes.c.card_id,
                cards.c.kind == CardKind.GROUPED.value,
                and_(cards.c.kind == CardKind.GROUPED.value, cards.c.code == EXPIRED_GROUP),
                episodes.c.placement,
                episodes.c.ping_wanted,
            )
            .select_from(
                episodes.outerjoin(
                    cards, and_(cards.c.agency_id == episodes.c.agency_id, cards.c.id == episodes.c.card_id)
                )
            )
            .where(episodes.c.agency_id == tx.agency_id, episodes.c.id.in_(part))
        )
        found.update((row[0], _Stored(*row[1:])) for row in rows)
    return found


async def _refresh(tx: Tx, change: EpisodeChange, old: _Stored) -> bool:
    """Keep an open episode's figures current; True where the move is worth an edit of its card."""
    reasons = encode_reasons(change.reasons)
    fresh = (change.score, reasons, change.pace_cents, change.total_cents)
    if fresh == (old.score, old.reasons, old.pace_cents, old.total_cents):
        return False
    top = _top_reason(change)
    shown = old.shown_score if old.shown_score is not None else old.score
    worth_it = abs(change.score - shown) >= SCORE_MOVE or top != old.top_reason
    values: dict[str, object] = {
        "score": change.score,
        "reasons": reasons,
        "pace_cents": change.pace_cents,
        "total_cents": change.total_cents,
    }
    if worth_it:
        values |= {"score_before": shown, "shown_score": change.score, "top_reason": top}
    await tx.execute(
        update(episodes)
        .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == change.episode_id)
        .values(**values)
    )
    return worth_it


def _top_reason(change: EpisodeChange) -> str | None:
    return change.reasons[0].code if change.reasons else None


async def _choose_owners(
    tx: Tx, run: RunContext, changes: Sequence[EpisodeChange]
) -> dict[int, Owner | None]:
    """Who gets the action items of a page: what brings the most money is given out first."""
    given_out = [
        change
        for change in changes
        if change.decision.tier is AlertTier.ACTION
        and change.decision.change not in (Change.NONE, Change.INHIBITED)
    ]
    given_out.sort(key=lambda change: (-(change.pace_cents or 0) * change.score, change.fan_account_id))
    return await choose_owners(tx, run.creator, [change.fan_account_id for change in given_out])


def _decided(
    run: RunContext, change: EpisodeChange, old: _Stored | None, owners: Mapping[int, Owner | None]
) -> dict[str, object]:
    """What a decision sets on an episode, new or old."""
    decision = change.decision
    owner = owners.get(change.fan_account_id)
    # A mention that a run has counted and not sent.
    owed = old is not None and old.closed_at is None and old.ping_wanted and decision.tier is AlertTier.ACTION
    values: dict[str, object] = {
        "tier": decision.tier.value if decision.tier else None,
        "score": change.score,
        "shown_score": change.score,
        "reasons": encode_reasons(change.reasons),
        "top_reason": _top_reason(change),
        "pace_cents": change.pace_cents,
        "total_cents": change.total_cents,
        "currency": change.currency,
        "changed_run_id": run.run_id,
        "ping_wanted": (decision.ping or owed) and not run.baseline,
        "placement": _placement(run, change, old),
        "expired": decision.change is Change.EXPIRED,
    }
    if decision.reason == RENEWED:
        # It was an action item before: whoever has it keeps it, and its clock runs on.
        return values
    if run.baseline and old is not None and old.closed_at is None:
        # Thresholds that are moved, and moved back, call nobody at once, and take from nobody what they have to do.
        if decision.change is Change.LOWERED:
            return values
        if decision.change is Change.RAISED and old.escalate_from_at is not None:
            return values | {"escalate_from_at": max(old.escalate_from_at, run.now_ms)}
    if decision.change in (Change.OPENED, Change.RAISED, Change.WOKEN, Change.EXPIRED):
        # Its clock runs from the news on, where nobody has it and somebody is to be called.
        claimed = old is not None and old.closed_at is None and old.claimed_by is not None
        waits = decision.tier is AlertTier.ACTION and not claimed and not run.baseline
        values |= {"escalate_from_at": run.now_ms if waits else None, "escalation_stage": 0}
    elif decision.change in (Change.LOWERED, Change.CLEARED):
        values |= {"escalate_from_at": None, "ping_state": None, "ping_due_at": None}
    if decision.change is not Change.LOWERED and decision.change is not Change.CLEARED:
        # A flag is nobody's yet; what was an action item stays with whoever had it.
        values |= {
            "owner_kind": owner.kind if owner else None,
            "owner_id": owner.discord_id if owner else None,
        }
    return values


def _placement(run: RunContext, change: EpisodeChange, old: _Stored | None) -> str | None:
    wanted = _wanted_placement(change, old)
    # What a baseline opens its own card counts; but no list goes on holding what does not belong in it.
    stays = run.baseline and (old is None or not old.in_group or wanted == "expired")
    return None if stays else wanted


def _wanted_placement(change: EpisodeChange, old: _Stored | None) -> str | None:
    decision = change.decision
    on_card = old is not None and old.card_id is not None
    if decision.change is Change.EXPIRED:
        return "expired"
    if decision.tier is AlertTier.ACTION and decision.change in (Change.OPENED, Change.RAISED, Change.WOKEN):
        return "action"
    if decision.tier is AlertTier.AT_RISK and old is not None and old.in_expired_group:
        # Subscribed again, so it is no longer one of the subscriptions that ended.
        return "flag"
    if decision.change is Change.LOWERED and not on_card and old is not None and old.placement is not None:
        return "flag"
    if decision.change is Change.OPENED:
        # Reopened within the window: the row goes back to where it was, silently.
        return None if decision.reopened and on_card else "flag"
    return None


_NEW_COLUMNS = (
    "agency_id",
    "id",
    "creator_id",
    "fan_account_id",
    "opened_at",
    "opened_run_id",
    "baseline",
    "tier",
    "score",
    "shown_score",
    "reasons",
    "top_reason",
    "pace_cents",
    "total_cents",
    "currency",
    "changed_run_id",
    "ping_wanted",
    "placement",
    "expired",
    "owner_kind",
    "owner_id",
    "escalate_from_at",
    "escalation_stage",
)


def _new_row(
    tx: Tx, run: RunContext, change: EpisodeChange, episode_id: int, owners: Mapping[int, Owner | None]
) -> tuple[object, ...]:
    decided = _decided(run, change, None, owners)
    return (
        tx.agency_id,
        episode_id,
        change.creator_id,
        change.fan_account_id,
        run.now_ms,
        run.run_id,
        run.baseline,
        *(decided[name] for name in _NEW_COLUMNS[7:]),
    )


async def _update(
    tx: Tx,
    run: RunContext,
    change: EpisodeChange,
    old: _Stored,
    episode_id: int,
    owners: Mapping[int, Owner | None],
) -> None:
    values = _decided(run, change, old, owners)
    if change.decision.change in (Change.WOKEN, Change.EXPIRED, Change.CLEARED):
        values |= AWAKE
    if (
        change.decision.change in (Change.WOKEN, Change.EXPIRED)
        and old.claimed_by is not None
        and old.snoozed_until is not None
        and run.remind_ms > 0
    ):
        # A snooze stops the reminder; what ends it early begins it anew.
        values["remind_at"] = run.now_ms + run.remind_ms
    if old.closed_at is not None:
        values |= AWAKE | NO_OUTCOME | {"remind_at": None}
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
        values["score_before"] = old.shown_score if old.shown_score is not None else old.score
    if change.decision.change is Change.CLEARED:
        values |= {"closed_at": run.now_ms, "remind_at": None}
    await tx.execute(
        update(episodes)
        .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == episode_id)
        .values(**values)
    )


_EVENT_COLUMNS = (
    "agency_id",
    "id",
    "episode_id",
    "creator_id",
    "fan_account_id",
    "change",
    "tier_before",
    "tier_after",
    "score",
    "run_id",
    "code",
    "at",
)


def _event_row(tx: Tx, run: RunContext, change: EpisodeChange, episode_id: int) -> tuple[object, ...]:
    tier = change.decision.tier
    return (
        tx.agency_id,
        tx.ids.next(),
        episode_id,
        change.creator_id,
        change.fan_account_id,
        change.decision.change.value,
        change.tier_before.value if change.tier_before else None,
        tier.value if tier else None,
        change.score,
        run.run_id,
        "baseline" if run.baseline else change.decision.reason,
        run.now_ms,
    )
