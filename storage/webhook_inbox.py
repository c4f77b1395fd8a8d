"""What the vendor's webhooks told, from the moment it is taken in until it is applied, and what is known to be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import case, delete, func, insert, or_, select, update

from bot.domain.models import MS_PER_DAY, MS_PER_S
from storage.parts import in_parts
from storage.tables import creator_accounts, creators, webhook_inbox
from storage.tx import Tx

KEPT_MS = 7 * MS_PER_DAY
"""How long an event is remembered, so that one delivered again is known: the vendor keeps its own log as long."""
FORGET_AT_ONCE = 500
"""Rows deleted in one transaction."""
DOWN_MS = 60 * MS_PER_S
"""A shorter stop loses nothing: the vendor tries again."""
UNANNOUNCED_MS = 20 * 60 * MS_PER_S
"""How old news must be, when a poll finds it, for its webhook to count as lost: some come a quarter of an hour late."""
WORKING_MS = MS_PER_DAY
"""Where no webhook has come for so long, they are taken to be off."""

Received = Literal["stored", "ignored", "failed", "duplicate"]
Standing = Literal["watched", "retired", "paused"]
"""watched: facts are kept and scored. retired: kept. paused: not even that."""

_w = webhook_inbox.c


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A delivery as it came. `body` None: nothing of it is to be applied; `error` set: it could not be read."""

    event_key: str
    event: str
    account_id: str | None
    body: str | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that is to be applied. `tries`: how often that has been tried; `error`: the code of the last failure."""

    id: int
    event: str
    account_id: str | None
    creator_id: int
    body: str
    tries: int
    error: str | None
    received_at: int


async def receive(tx: Tx, event: NewEvent, now_ms: int, wall_ms: int) -> Received:
    """Keep an event once. Of an unknown or paused creator, or without use, it is kept as ignored, without its body."""
    known = await tx.scalar(
        select(_w.id).where(_w.agency_id == tx.agency_id, _w.event_key == event.event_key)
    )
    if known is not None:
        return "duplicate"
    creator_id, watched = await _find_creator(tx, event.account_id)
    state: Literal["pending", "ignored", "failed"] = "ignored"
    if event.error is not None:
        state = "failed"
    elif watched and event.body is not None:
        state = "pending"
    await tx.execute(
        insert(webhook_inbox).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            event_key=event.event_key,
            event=event.event,
            account_id=event.account_id,
            creator_id=creator_id,
            body=event.body if state == "pending" else None,
            state=state,
            error=event.error,
            tries=0,
            received_at=now_ms,
            received_wall_at=wall_ms,
            next_try_at=now_ms,
        )
    )
    if creator_id is not None:
        await _set_creator(tx, creator_id, webhook_at=now_ms)
        if event.error is not None or (event.body is not None and not watched):
            # What it said will be missing: from her data, or from what she comes back to after the pause.
            await note_gap(tx, creator_id, now_ms)
    return "stored" if state == "pending" else state


async def _find_creator(tx: Tx, account_id: str | None) -> tuple[int | None, bool]:
    """Whose account it is or was, and whether her facts are kept: not while she is paused."""
    if account_id is None:
        return None, False
    row = await tx.first(
        select(creators.c.id, creators.c.paused_reason)
        .select_from(
            creator_accounts.join(
                creators,
                (creators.c.agency_id == creator_accounts.c.agency_id)
                & (creators.c.id == creator_accounts.c.creator_id),
            )
        )
        .where(creator_accounts.c.agency_id == tx.agency_id, creator_accounts.c.account_id == account_id)
    )
    return (None, False) if row is None else (int(row.id), row.paused_reason is None)


async def list_due(tx: Tx, now_ms: int, limit: int) -> list[Waiting]:
    """The events whose time has come, in the order in which they came."""
    rows = await tx.all(
        select(_w.id, _w.event, _w.account_id, _w.creator_id, _w.body, _w.tries, _w.error, _w.received_at)
        .where(_w.agency_id == tx.agency_id, _w.state == "pending", _w.next_try_at <= now_ms)
        .order_by(_w.id)
        .limit(limit)
    )
    return [Waiting(*row) for row in rows]


async def read_standing(tx: Tx, creator_id: int) -> Standing:
    """What is done with a creator's events now."""
    row = await tx.first(
        select(creators.c.paused_reason, creators.c.retired_at).where(
            creators.c.agency_id == tx.agency_id, creators.c.id == creator_id
        )
    )
    if row is None or row.paused_reason is not None:
        return "paused"
    return "watched" if row.retired_at is None else "retired"


async def settle(
    tx: Tx,
    ids: Sequence[int],
    state: Literal["applied", "ignored", "failed"],
    now_ms: int,
    error: str | None = None,
) -> None:
    """These are done with: what they said is in the tables now, or never will be. Their bodies are forgotten."""
    for part in in_parts(ids):
        await tx.execute(
            update(webhook_inbox)
            .where(_w.agency_id == tx.agency_id, _w.id.in_(part))
            .values(state=state, body=None, error=error, applied_at=now_ms if state == "applied" else None)
        )


async def postpone(tx: Tx, row_id: int, tries: int, next_try_at: int, error: str) -> None:
    """Something is left to do for the event, which could not be done yet. `error` is a code."""
    await tx.execute(
        update(webhook_inbox)
        .where(_w.agency_id == tx.agency_id, _w.id == row_id)
        .values(tries=tries, next_try_at=next_try_at, error=error)
    )


async def forget_old(tx: Tx, now_ms: int) -> int:
    """Delete some of what is done with and older than KEPT_MS; how many. Less than FORGET_AT_ONCE: that was all."""
    old = await tx.all(
        select(_w.id)
        .where(_w.agency_id == tx.agency_id, _w.state != "pending", _w.received_at < now_ms - KEPT_MS)
        .order_by(_w.received_at)
        .limit(FORGET_AT_ONCE)
    )
    ids = [row.id for row in old]
    if ids:
        await tx.execute(delete(webhook_inbox).where(_w.agency_id == tx.agency_id, _w.id.in_(ids)))
    return len(ids)


async def count_pending(tx: Tx) -> int:
    """How many events are not applied yet."""
    return int(
        await tx.scalar(select(func.count()).where(_w.agency_id == tx.agency_id, _w.state == "pending")) or 0
    )


# --- what is missing ------------------------------------------------------------------------------------------------


async def note_gap(tx: Tx, creator_id: int, since_ms: int) -> None:
    """From then on webhooks of hers are known to be missing, until her data has been compared with the API's.

    A gap that is known already begins a millisecond earlier: a sync that is filling it sees that more is missing by now.
    """
    since = creators.c.reconcile_since_at
    await _set_creator(
        tx,
        creator_id,
        reconcile_since_at=case((or_(since.is_(None), since > since_ms), since_ms), else_=since - 1),
    )


async def note_gaps_at_start(tx: Tx, now_ms: int) -> int:
    """After a stop: every creator whose webhooks came before and may have been missed since; how many."""
    c = creators.c
    rows = await tx.all(
        select(c.id, c.webhook_at, c.synced_at).where(
            c.agency_id == tx.agency_id,
            c.webhook_at.is_not(None),
            c.paused_reason.is_(None),
            c.retired_at.is_(None),
        )
    )
    missed = 0
    for row in rows:
        since = max(row.webhook_at, row.synced_at or 0)
        if now_ms - since > DOWN_MS:
            await note_gap(tx, row.id, since)
            missed += 1
    return missed


async def note_unannounced(tx: Tx, creator_id: int, happened_at: Sequence[int], now_ms: int) -> bool:
    """For a poll: payments and renewals that only it has found, by their instants; whether a gap was noted.

    Where webhooks work for the creator one of them should have told. What is younger than UNANNOUNCED_MS may still come;
    where none has come for WORKING_MS they are off, and polls are all there is.
    """
    late = [at for at in happened_at if now_ms - at > UNANNOUNCED_MS]
    if not late:
        return False
    webhook_at = await tx.scalar(
        select(creators.c.webhook_at).where(creators.c.agency_id == tx.agency_id, creators.c.id == creator_id)
    )
    if webhook_at is None or now_ms - webhook_at > WORKING_MS:
        return False
    await note_gap(tx, creator_id, min(late))
    return True


async def poll_now(tx: Tx, creator_id: int, now_ms: int) -> None:
    """Her next poll is due at once."""
    at = creators.c.next_poll_at
    await _set_creator(tx, creator_id, next_poll_at=case((at > now_ms, now_ms), else_=at))


async def _set_creator(tx: Tx, creator_id: int, **values: object) -> None:
    await tx.execute(
        update(creators)
        .where(creators.c.agency_id == tx.agency_id, creators.c.id == creator_id)
        .values(**values)
    )
