"""Reads what the card of a hand-over shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, Table, and_, select

from bot.domain.desk import CLAIM_LAPSE_MS
from bot.domain.naming import hides_all, name_mode, public_label
from bot.domain.views import AlertRow, HandoverCard, HandoverNote
from storage.handovers import Handover
from storage.parts import LABEL, to_label
from storage.tables import creators, fan_accounts, fan_holds, followups
from storage.tx import Tx


async def build(
    tx: Tx, left: Handover, card_id: int, creator_name: str, rows: Mapping[int, AlertRow]
) -> HandoverCard:
    """The card as it stands. `rows`: the episodes of its claims and snoozes, by id."""
    claims = [rows[one] for one in left.claims if one in rows]
    still = [row for row in claims if row.closed_at is None and row.claimed_by == left.user_id]
    others = Counter(
        row.claimed_by
        for row in claims
        if row.closed_at is None and row.claimed_by not in (None, left.user_id)
    )
    snoozed = [rows[one] for one in left.snoozes if one in rows]
    asleep = [row for row in snoozed if row.snooze is not None]
    return HandoverCard(
        card_id=card_id,
        creator_name=creator_name,
        user_id=left.user_id,
        at=left.ended_at,
        lapses_at=left.ended_at + CLAIM_LAPSE_MS,
        rows=tuple(sorted(still, key=lambda row: (-(row.pace_cents or 0) * row.score, row.episode_id))),
        taken=tuple((user_id, n) for user_id, n in sorted(others.items(), key=repr) if user_id is not None),
        closed=sum(row.closed_at is not None for row in claims),
        lapsed=sum(row.closed_at is None and row.claimed_by is None for row in claims),
        snoozes=tuple(sorted(asleep, key=lambda row: row.snooze.until_at if row.snooze else 0)),
        followups=await _notes(tx, followups, left.followups),
        holds=await _notes(tx, fan_holds, left.holds),
        next_user_id=left.next_user_id,
        is_over=left.closed_at is not None,
    )


async def _notes(tx: Tx, table: Table, ids: Sequence[int]) -> tuple[HandoverNote, ...]:
    """Follow-ups that are still open, or holds that have not been ended, in order of when they are due or end."""
    if not ids:
        return ()
    found: list[HandoverNote] = []
    is_hold = table is fan_holds
    for row in await tx.all(_query(tx, table, ids)):
        mode = name_mode(row.name_mode)
        fan = public_label(to_label(row), mode, row.fan_account_id, claimed=False)
        # What people write of a fan says who it is: it is as hidden as the name.
        text = "" if hides_all(mode, claimed=False) else (row.reason if is_hold else row.what)
        at = row.until_at if is_hold else row.due_at
        found.append(HandoverNote(fan, text, at, row.created_by if is_hold else row.assignee_id))
    return tuple(sorted(found, key=lambda note: (note.at is None, note.at or 0)))


def _query(tx: Tx, table: Table, ids: Sequence[int]) -> Select[Any]:
    t = table.c
    current = t.ended_at.is_(None) if table is fan_holds else t.state == "open"
    return (
        select(table, *LABEL, creators.c.name_mode)
        .select_from(
            table.join(
                fan_accounts,
                and_(fan_accounts.c.agency_id == t.agency_id, fan_accounts.c.id == t.fan_account_id),
            ).join(creators, and_(creators.c.agency_id == t.agency_id, creators.c.id == t.creator_id))
        )
        .where(t.agency_id == tx.agency_id, t.id.in_(list(ids)), current)
    )
