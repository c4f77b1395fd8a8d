"""Every mention of a person or role goes through here: may it be sent now, and if so, it is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select, update

from bot.domain.calm import OFF_SHIFT_MS, is_most_money, is_stale, quiet_until, within_budget
from bot.domain.desk import MS_PER_MINUTE, NUDGE_LIMIT, DeskRules, NotCalled
from bot.domain.models import AlertTier
from bot.domain.views import Owner
from storage import contacts, holds, mutes, quiet_hours
from storage.tables import cards, creators, episodes, followups, handovers, mentions, shift_sessions
from storage.tx import Tx

Reason = Literal["action", "woken", "escalated", "reminder", "followup", "handover", "held", "drill"]

ASK_AGAIN_MS = 60 * MS_PER_MINUTE
"""When a mention is tried again that waits for something without a known end."""
_OF_ALERTS: frozenset[Reason] = frozenset({"action", "woken", "escalated", "held"})
"""Those that a mute keeps back: what people have taken on themselves goes on."""
_OF_WHAT_IS_KNOWN: frozenset[Reason] = frozenset({"woken", "escalated", "held"})
"""Those about what was fetched some time ago; a run's own news is as fresh as what it was made of."""

_m, _e, _s, _c = mentions.c, episodes.c, shift_sessions.c, creators.c
_u, _h, _k = followups.c, handovers.c, cards.c


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a mention: it is sent; it is held and asked for again at `until_at`; or it is left to the digest.

    `nobody_until`: up to when nobody at all is called, whoever it is; None: it is held for this person alone. `why`: what
    kept it back; verdicts are equal whatever it was.
    """

    state: Literal["send", "held", "digest"]
    until_at: int | None = None
    nobody_until: int | None = None
    why: NotCalled | None = field(default=None, compare=False)


def ask_again_at(verdict: Verdict, now_ms: int) -> int | None:
    """When a mention is asked for again that no digest names; None: it is sent.

    After a minute at the earliest, so that an instant that has passed keeps nobody busy.
    """
    if verdict.state == "send":
        return None
    return max(verdict.until_at or now_ms + ASK_AGAIN_MS, now_ms + MS_PER_MINUTE)


async def call(
    tx: Tx,
    rules: DeskRules,
    who: Owner,
    *,
    creator_id: int,
    fan_account_id: int | None,
    reason: Reason,
    now_ms: int,
) -> Verdict:
    """May `who` be mentioned in her channel now? Where it may, this counts as one mention: send it.

    `fan_account_id` None: it is about no fan, or about several.
    """
    verdict = await _kept_back(tx, creator_id, fan_account_id, reason, now_ms)
    if verdict is None:
        verdict = await _measured(tx, rules, who, creator_id, fan_account_id, now_ms)
    if verdict is not None:
        return verdict
    await _count(tx, who, creator_id, fan_account_id, reason, now_ms)
    return Verdict("send")


async def call_drill(tx: Tx, who: Owner, creator_id: int, now_ms: int) -> None:
    """A drill always mentions who asked for it, and counts for nothing."""
    await _count(tx, who, creator_id, None, "drill", now_ms)


async def take_back(tx: Tx, who: Owner, fan_account_id: int) -> None:
    """The last mention of somebody about a fan was never sent: it counts for nothing."""
    last = await tx.scalar(
        select(func.max(_m.id)).where(
            _m.agency_id == tx.agency_id,
            _m.kind == who.kind,
            _m.discord_id == who.discord_id,
            _m.fan_account_id == fan_account_id,
        )
    )
    if last is not None:
        await tx.execute(delete(mentions).where(_m.agency_id == tx.agency_id, _m.id == last))


async def _count(
    tx: Tx, who: Owner, creator_id: int, fan_account_id: int | None, reason: Reason, now_ms: int
) -> None:
    await tx.execute(
        insert(mentions).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            creator_id=creator_id,
            fan_account_id=fan_account_id,
            kind=who.kind,
            discord_id=who.discord_id,
            reason=reason,
            at=now_ms,
        )
    )


async def _kept_back(
    tx: Tx, creator_id: int, fan_account_id: int | None, reason: Reason, now_ms: int
) -> Verdict | None:
    """What has been said of the fan or the creator: a hold, a mute, data too old, enough contacts. None: nothing."""
    if fan_account_id is not None:
        hold = await holds.find_on(tx, fan_account_id)
        if hold is not None and (hold.until_at is None or hold.until_at > now_ms):
            return _held_for_all(hold.until_at or now_ms + ASK_AGAIN_MS, "hold")
    if reason in _OF_ALERTS:
        whole, fans = await mutes.load_inhibited(tx, creator_id, now_ms)
        if whole or fan_account_id in fans:
            return _held_for_all(now_ms + ASK_AGAIN_MS, "mute")
    if reason in _OF_WHAT_IS_KNOWN and await _is_stale(tx, creator_id, now_ms):
        return _held_for_all(now_ms + ASK_AGAIN_MS, "stale")
    if fan_account_id is not None:
        ledger = await contacts.load_ledger(tx, fan_account_id, now_ms)
        if ledger.nudges >= NUDGE_LIMIT:
            return Verdict("digest", why="contacts")
    return None


def _held_for_all(until_at: int, why: NotCalled) -> Verdict:
    return Verdict("held", until_at, until_at, why)


async def _measured(
    tx: Tx, rules: DeskRules, who: Owner, creator_id: int, fan_account_id: int | None, now_ms: int
) -> Verdict | None:
    """Quiet hours and the budget of whom it would call. None: neither speaks against it."""
    person = who.discord_id if who.kind == "user" else None
    until = quiet_until(await quiet_hours.hours_of(tx, creator_id, person), now_ms)
    if until is not None:
        channel_until = quiet_until(await quiet_hours.hours_of(tx, creator_id, None), now_ms)
        return Verdict("held", until, channel_until, "quiet")
    used = await count_since(tx, who, await _counts_from(tx, person, now_ms))
    if within_budget(rules.alert_budget, used, most_money=False):
        return None
    # A card of several fans, or of none, is measured by no fan's money: it may use the budget to its end.
    most = fan_account_id is None or await _has_most_money(tx, creator_id, fan_account_id)
    return (
        None if within_budget(rules.alert_budget, used, most_money=most) else Verdict("digest", why="budget")
    )


async def count_since(tx: Tx, who: Owner, since_ms: int) -> int:
    """How many mentions they have had since then, drills left out."""
    found = await tx.scalar(
        select(func.count()).where(
            _m.agency_id == tx.agency_id,
            _m.discord_id == who.discord_id,
            _m.kind == who.kind,
            _m.at >= since_ms,
            _m.reason != "drill",
        )
    )
    return int(found or 0)


async def release_held(
    tx: Tx,
    now_ms: int,
    *,
    creator_id: int | None = None,
    fan_account_id: int | None = None,
    user_id: int | None = None,
) -> None:
    """What kept mentions back is over or other: those held of a fan, of a creator or for a person are asked for again now.

    So are claims' reminders that were held, and those of follow-ups and hand-overs that called nobody. What waits for a
    claim, and could not be called about, waits from now on.
    """
    which: list[ColumnElement[bool]] = []
    reminders: list[ColumnElement[bool]] = []
    left: list[ColumnElement[bool]] = []
    if creator_id is not None:
        which.append(_e.creator_id == creator_id)
        reminders.append(_u.creator_id == creator_id)
        left.append(_h.creator_id == creator_id)
    if fan_account_id is not None:
        which.append(_e.fan_account_id == fan_account_id)
        reminders.append(_u.fan_account_id == fan_account_id)
    if user_id is not None:
        which.append(or_(_e.claimed_by == user_id, _e.owner_id == user_id))
        reminders.append(or_(_u.assignee_id == user_id, _is_for(_u.agency_id, _u.card_id, user_id)))
        left.append(_is_for(_h.agency_id, _h.card_id, user_id))
    assert which  # noqa: S101 - never all of an agency's
    await tx.execute(
        update(episodes)
        .where(_e.agency_id == tx.agency_id, _e.ping_state == "held", _e.closed_at.is_(None), *which)
        .values(ping_due_at=now_ms)
    )
    await tx.execute(
        update(followups)
        .where(_u.agency_id == tx.agency_id, _u.state == "open", _u.ping_due_at.is_not(None), *reminders)
        .values(ping_due_at=now_ms)
    )
    # A hand-over is about no fan.
    if fan_account_id is None:
        await tx.execute(
            update(handovers)
            .where(_h.agency_id == tx.agency_id, _h.closed_at.is_(None), _h.ping_due_at.is_not(None), *left)
            .values(ping_due_at=now_ms)
        )
    await tx.execute(
        update(episodes)
        .where(
            _e.agency_id == tx.agency_id,
            _e.remind_at > now_ms,
            _e.remind_at == _e.remind_held_until,
            _e.closed_at.is_(None),
            *which,
        )
        .values(remind_at=now_ms)
    )
    # Only what nobody could be called about waits from an instant to come.
    await tx.execute(
        update(episodes)
        .where(_e.agency_id == tx.agency_id, _e.escalate_from_at > now_ms, _e.closed_at.is_(None), *which)
        .values(escalate_from_at=now_ms)
    )


def _is_for(agency_id: ColumnElement[int], card_id: ColumnElement[int], user_id: int) -> ColumnElement[bool]:
    """Whether a card names a person as the one it is for."""
    return exists().where(
        _k.agency_id == agency_id,
        _k.id == card_id,
        _k.mention_kind == "user",
        _k.mention_id == user_id,
    )


async def _counts_from(tx: Tx, user_id: int | None, now_ms: int) -> int:
    """Since when mentions count: the beginning of the earliest session that is open, at most a day ago."""
    began = None
    if user_id is not None:
        began = await tx.scalar(
            select(func.min(_s.started_at)).where(
                _s.agency_id == tx.agency_id, _s.user_id == user_id, _s.ended_at.is_(None)
            )
        )
    # Who is planned around the clock has one session for weeks.
    return max(began or 0, now_ms - OFF_SHIFT_MS)


async def _has_most_money(tx: Tx, creator_id: int, fan_account_id: int) -> bool:
    rows = await tx.all(
        select(_e.fan_account_id, _e.pace_cents, _e.score).where(
            _e.agency_id == tx.agency_id,
            _e.creator_id == creator_id,
            _e.closed_at.is_(None),
            _e.tier == AlertTier.ACTION.value,
        )
    )
    money = {row.fan_account_id: (row.pace_cents or 0) * row.score / 100 for row in rows}
    return is_most_money(money.get(fan_account_id, 0.0), list(money.values()))


async def _is_stale(tx: Tx, creator_id: int, now_ms: int) -> bool:
    row = await tx.first(
        select(_c.synced_at, _c.failed_polls).where(_c.agency_id == tx.agency_id, _c.id == creator_id)
    )
    return row is not None and is_stale(row.synced_at, row.failed_polls, now_ms)
