"""What came of an alert: the outcome a person closed it with, contacts with the fan, and what people thought of it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, insert, select, update

from bot.domain.desk import Closing, Done, Mood, Moods, Outcome, rest_after
from storage import claims, contacts, desk_actions
from storage.claims import Work
from storage.tables import alert_feedback, outcomes
from storage.tables import contacts as contact_table
from storage.tx import Tx
from storage.work_columns import AWAKE

_o, _k, _b = outcomes.c, contact_table.c, alert_feedback.c


async def close(tx: Tx, work: Work, done: Done, user_id: int, now_ms: int, action_id: int) -> None:
    """Close an open episode with an outcome; unless it was a false alarm, the fan has been in contact with somebody."""
    rest = rest_after(done.outcome, work.score, work.tier, now_ms)
    await claims.set_work(
        tx,
        work.id,
        tier=None,
        closed_at=now_ms,
        outcome=done.outcome.value,
        rests_until=rest.until_at,
        rest_score=rest.score,
        rest_tier=rest.tier.value if rest.tier else None,
        escalate_from_at=None,
        remind_at=None,
        ping_state=None,
        ping_due_at=None,
        # A run that is about to put it on a card finds nothing to put.
        placement=None,
        ping_wanted=False,
        **AWAKE,
    )
    await tx.execute(
        insert(outcomes).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            creator_id=work.creator_id,
            fan_account_id=work.fan_account_id,
            episode_id=work.id,
            outcome=done.outcome.value,
            mood=done.mood.value if done.mood else None,
            note=done.note,
            closed_by=user_id,
            closed_at=now_ms,
            tier=work.tier.value if work.tier else None,
            score=work.score,
            pace_cents=work.pace_cents,
            currency=work.currency,
            claimed_at=work.claimed_at,
            form_id=done.form_id,
            action_id=action_id,
        )
    )
    if done.outcome is not Outcome.FALSE_ALARM:
        await contacts.add(tx, work.creator_id, work.fan_account_id, user_id, "outcome", now_ms, action_id)
    await claims.append_work_event(tx, work, "done", user_id, now_ms, code=done.outcome.value)
    await claims.show(tx, work)


async def is_known_form(tx: Tx, fan_account_id: int, user_id: int, form_id: str) -> bool:
    """Whether this person's form has closed an episode of the fan, undone since or not."""
    found = await tx.scalar(
        select(_o.id)
        .where(
            _o.agency_id == tx.agency_id,
            _o.fan_account_id == fan_account_id,
            _o.closed_by == user_id,
            _o.form_id == form_id,
        )
        .limit(1)
    )
    return found is not None


async def last_closing(
    tx: Tx, fan_account_id: int, *, episode_id: int | None = None, with_mood: bool = False
) -> Closing | None:
    """How a person last closed an episode of the fan, or that one; `with_mood`: of those that say one. None: nobody has."""
    query = select(_o.outcome, _o.mood, _o.closed_by, _o.closed_at, _o.note).where(
        _o.agency_id == tx.agency_id, _o.fan_account_id == fan_account_id, _o.undone_at.is_(None)
    )
    if episode_id is not None:
        query = query.where(_o.episode_id == episode_id)
    if with_mood:
        query = query.where(_o.mood.is_not(None))
    row = await tx.first(query.order_by(_o.closed_at.desc(), _o.id.desc()).limit(1))
    if row is None:
        return None
    mood = Mood(row.mood) if row.mood else None
    return Closing(Outcome(row.outcome), mood, row.closed_by, row.closed_at, row.note)


async def count_moods(tx: Tx, fan_account_id: int) -> Moods:
    """What was said of the fan's mood, in all outcomes that were not taken back."""
    row = await tx.first(
        select(func.count(), func.count().filter(_o.mood == Mood.WARM.value)).where(
            _o.agency_id == tx.agency_id,
            _o.fan_account_id == fan_account_id,
            _o.undone_at.is_(None),
            _o.mood.is_not(None),
        )
    )
    return Moods(0, 0) if row is None else Moods(int(row[0]), int(row[1]))


async def last_contact_at(tx: Tx, fan_account_id: int, user_id: int, since_ms: int) -> int | None:
    """When this person was last in touch with the fan, no longer ago than that; None: not since."""
    found = await tx.scalar(
        select(_k.at)
        .where(
            _k.agency_id == tx.agency_id,
            _k.fan_account_id == fan_account_id,
            _k.user_id == user_id,
            _k.at >= since_ms,
            _k.undone_at.is_(None),
        )
        .order_by(_k.at.desc())
        .limit(1)
    )
    return None if found is None else int(found)


async def calls_useless(tx: Tx, episode_id: int, user_id: int, since_ms: int) -> bool:
    """Whether this person has said since then that the alert was not useful."""
    found = await tx.scalar(select(_b.id).where(*_said(tx, episode_id, user_id), _b.at >= since_ms).limit(1))
    return found is not None


async def add_feedback(tx: Tx, work: Work, user_id: int, now_ms: int, action_id: int) -> None:
    """Keep that somebody found the alert not useful."""
    await tx.execute(
        insert(alert_feedback).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            creator_id=work.creator_id,
            fan_account_id=work.fan_account_id,
            episode_id=work.id,
            user_id=user_id,
            useful=False,
            at=now_ms,
            action_id=action_id,
        )
    )


async def withdraw_feedback(tx: Tx, episode_id: int, user_id: int, now_ms: int) -> bool:
    """Take it back that the alert was not useful, which leaves nothing to undo. False: this person does not say so."""
    rows = await tx.all(select(_b.action_id).where(*_said(tx, episode_id, user_id)))
    for row in rows:
        if row.action_id is not None:
            await desk_actions.mark_undone(tx, row.action_id, user_id, now_ms)
    # What belongs to no action, or to one that was undone before, is left.
    await tx.execute(update(alert_feedback).where(*_said(tx, episode_id, user_id)).values(undone_at=now_ms))
    return bool(rows)


def _said(tx: Tx, episode_id: int, user_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        _b.agency_id == tx.agency_id,
        _b.episode_id == episode_id,
        _b.user_id == user_id,
        _b.useful.is_(False),
        _b.undone_at.is_(None),
    )
