"""What is set for one creator, and how a setting is changed so that it can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import and_, delete, func, insert, or_, select, update

from bot.domain.models import AlertTier, CardKind
from storage import card_homes
from storage.cards import FOLLOWUP, bump
from storage.roster import Creator
from storage.settings import WAITING_FOR_SETUP
from storage.tables import (
    cards,
    creator_accounts,
    creator_leads,
    creators,
    episodes,
    followups,
    setting_changes,
    sync_runs,
)
from storage.tx import Tx

Value = str | int | float | None

_RESHOWN = frozenset({"name_mode", "chat_url"})
"""What the cards already posted show."""
_THRESHOLDS = frozenset({"fire_above", "action_above"})
_LOOKED_THROUGH = 50
"""Newest changes of a creator among which the one that moved her thresholds is looked for."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """The columns of a creator that were changed, as they were and as they became."""

    change_id: int
    creator_id: int
    before: Mapping[str, Value]
    after: Mapping[str, Value]
    undone: bool


@dataclass(frozen=True, slots=True)
class AccountOwner:
    """Whom an account belongs to, or did before she was reconnected under another one."""

    creator_id: int
    name: str
    connected: bool


async def change(tx: Tx, creator: Creator, values: Mapping[str, Value], by: int, now_ms: int) -> int:
    """Set these columns of a creator and keep what they were; the id of the change.

    New thresholds are due at once and silently: what crosses them by being moved is no news about a fan. Until her first
    import there is nothing to look at again. Another budget counts at once too: what waits for the end of a day is due.
    Another channel is as in `move`.
    """
    before = {name: getattr(creator, name) for name in values}
    extra: dict[str, Any] = {}
    if _THRESHOLDS & values.keys() and creator.baseline_done_at is not None:
        extra = {"baseline_done_at": None, "baseline_cause": "thresholds", "next_poll_at": now_ms}
    if "credits_per_day" in values and not creator.failed_polls:
        extra |= _released(creator, now_ms)
    await _set(tx, creator.id, **values, **extra)
    channel_id = values.get("channel_id")
    if isinstance(channel_id, int):
        await move(tx, creator, channel_id, now_ms)
    if _RESHOWN & values.keys():
        await bump(tx, await _open_cards(tx, creator.id))
    change_id = tx.ids.next()
    await tx.execute(
        insert(setting_changes).values(
            agency_id=tx.agency_id,
            id=change_id,
            creator_id=creator.id,
            changed_by=by,
            before=msgspec.json.encode(before).decode(),
            after=msgspec.json.encode(dict(values)).decode(),
            changed_at=now_ms,
        )
    )
    return change_id


def _released(creator: Creator, now_ms: int) -> dict[str, int]:
    """When her next looks are due under another budget; one that was held with her polls is due with them."""
    due = {"next_poll_at": min(creator.next_poll_at, now_ms)}
    if creator.next_walk_at == creator.next_poll_at:
        due["next_walk_at"] = due["next_poll_at"]
    return due


async def find_change(tx: Tx, change_id: int) -> SettingChange | None:
    row = await tx.first(
        select(setting_changes).where(
            setting_changes.c.agency_id == tx.agency_id, setting_changes.c.id == change_id
        )
    )
    if row is None:
        return None
    return SettingChange(
        row.id,
        row.creator_id,
        msgspec.json.decode(row.before, type=dict[str, Value]),
        msgspec.json.decode(row.after, type=dict[str, Value]),
        row.undone_at is not None,
    )


async def threshold_change(tx: Tx, creator: Creator) -> int | None:
    """The change that gave a creator the thresholds she has here; None: it was taken back, or is too long ago."""
    rows = await tx.all(
        select(setting_changes.c.id, setting_changes.c.after, setting_changes.c.undone_at)
        .where(setting_changes.c.agency_id == tx.agency_id, setting_changes.c.creator_id == creator.id)
        .order_by(setting_changes.c.id.desc())
        .limit(_LOOKED_THROUGH)
    )
    for row in rows:
        after = msgspec.json.decode(row.after, type=dict[str, Value])
        if _THRESHOLDS & after.keys():
            holds = all(
                getattr(creator, name) == value for name, value in after.items() if name in _THRESHOLDS
            )
            return int(row.id) if holds and row.undone_at is None else None
    return None


async def mark_undone(tx: Tx, change_id: int, now_ms: int) -> None:
    await tx.execute(
        update(setting_changes)
        .where(setting_changes.c.agency_id == tx.agency_id, setting_changes.c.id == change_id)
        .values(undone_at=now_ms)
    )


async def retire(tx: Tx, creator_id: int, now_ms: int) -> None:
    await _set(tx, creator_id, retired_at=now_ms)


async def resume(tx: Tx, creator: Creator, now_ms: int) -> None:
    """Watch her again. After a retirement what has happened meanwhile comes as a silent baseline.

    Who had been waiting for the set-up goes on waiting.
    """
    extra: dict[str, Any] = {}
    if creator.retired_at is not None and creator.baseline_done_at is not None:
        extra = {"baseline_done_at": None, "baseline_cause": "resumed"}
    await _set(
        tx,
        creator.id,
        paused_reason=WAITING_FOR_SETUP if creator.paused_reason == WAITING_FOR_SETUP else None,
        retired_at=None,
        failed_polls=0,
        next_poll_at=now_ms,
        **extra,
    )


async def look_again(tx: Tx, creator_id: int, now_ms: int) -> None:
    """Her history has been filled in by hand: what crosses a threshold by that comes as a silent baseline, at once.

    Until her first import there is nothing to look at again.
    """
    await tx.execute(
        update(creators)
        .where(
            creators.c.agency_id == tx.agency_id,
            creators.c.id == creator_id,
            creators.c.baseline_done_at.is_not(None),
        )
        .values(baseline_done_at=None, baseline_cause="import", next_poll_at=now_ms)
    )


async def reconnect(tx: Tx, creator: Creator, account_id: str, now_ms: int) -> None:
    """The same creator under another account; one she had before may come back.

    A fetch that was interrupted is given up: its cursor points into the old account's list.
    """
    await tx.execute(
        update(creator_accounts)
        .where(
            creator_accounts.c.agency_id == tx.agency_id,
            creator_accounts.c.creator_id == creator.id,
            creator_accounts.c.disconnected_at.is_(None),
        )
        .values(disconnected_at=now_ms)
    )
    again = await tx.execute(
        update(creator_accounts)
        .where(
            creator_accounts.c.agency_id == tx.agency_id,
            creator_accounts.c.creator_id == creator.id,
            creator_accounts.c.account_id == account_id,
        )
        .values(connected_at=now_ms, disconnected_at=None)
    )
    if again.rowcount == 0:
        await tx.execute(
            insert(creator_accounts).values(
                agency_id=tx.agency_id,
                id=tx.ids.next(),
                creator_id=creator.id,
                account_id=account_id,
                connected_at=now_ms,
            )
        )
    await tx.execute(
        update(sync_runs)
        .where(
            sync_runs.c.agency_id == tx.agency_id,
            sync_runs.c.creator_id == creator.id,
            sync_runs.c.finished_at.is_(None),
        )
        .values(finished_at=now_ms, status="given_up")
    )
    extra: dict[str, Any] = {}
    if creator.baseline_done_at is not None:
        extra = {"baseline_done_at": None, "baseline_cause": "reconnected"}
    if creator.next_full_walk_at:
        extra["next_full_walk_at"] = now_ms
    await _set(tx, creator.id, failed_polls=0, next_poll_at=now_ms, next_walk_at=now_ms, **extra)


async def move(tx: Tx, creator: Creator, channel_id: int, now_ms: int) -> None:
    """Her new cards go to another channel; those posted stay where they are, unless that channel is gone.

    What could not be posted in the old one is posted in the new one.
    """
    gone = await card_homes.is_gone(tx, creator.id)
    await _set(tx, creator.id, channel_id=channel_id)
    await card_homes.rehome(tx, creator.channel_id, now_ms, unseen_only=not gone)
    await card_homes.over(tx, creator.id, now_ms)


async def set_default_chatter(tx: Tx, creator_id: int, user_id: int | None) -> None:
    await _set(tx, creator_id, default_chatter_id=user_id)


async def set_lead(tx: Tx, creator_id: int, user_id: int | None) -> None:
    """Her one lead; None: nobody."""
    await tx.execute(
        delete(creator_leads).where(
            creator_leads.c.agency_id == tx.agency_id, creator_leads.c.creator_id == creator_id
        )
    )
    if user_id is not None:
        await tx.execute(
            insert(creator_leads).values(agency_id=tx.agency_id, creator_id=creator_id, user_id=user_id)
        )


async def account_owners(tx: Tx) -> dict[str, AccountOwner]:
    """Account id -> whose it is or was."""
    rows = await tx.all(
        select(
            creator_accounts.c.account_id,
            creators.c.id,
            creators.c.name,
            creator_accounts.c.disconnected_at,
        )
        .select_from(
            creator_accounts.join(
                creators,
                and_(
                    creators.c.agency_id == creator_accounts.c.agency_id,
                    creators.c.id == creator_accounts.c.creator_id,
                ),
            )
        )
        .where(creator_accounts.c.agency_id == tx.agency_id)
    )
    return {row[0]: AccountOwner(row[1], row[2], row[3] is None) for row in rows}


async def open_work(tx: Tx) -> dict[int, tuple[int, int]]:
    """Creator id -> (open alerts, those of them that are action items); creators without are left out."""
    rows = await tx.all(
        select(
            episodes.c.creator_id,
            func.count(),
            func.count().filter(episodes.c.tier == AlertTier.ACTION.value),
        )
        .where(episodes.c.agency_id == tx.agency_id, episodes.c.closed_at.is_(None))
        .group_by(episodes.c.creator_id)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


async def open_troubles(tx: Tx) -> dict[int | None, str]:
    """Creator id (None: the whole data API) -> the code of its open notice about data; who has none is left out."""
    rows = await tx.all(
        select(cards.c.creator_id, cards.c.code)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.kind == CardKind.NOTICE.value,
            cards.c.code.not_in(card_homes.TROUBLES),
            # A drill is none.
            cards.c.code != "drill",
            cards.c.code != FOLLOWUP,
            cards.c.closed_at.is_(None),
        )
        .order_by(cards.c.id)
    )
    return {row.creator_id: row.code for row in rows}


async def _open_cards(tx: Tx, creator_id: int) -> list[int]:
    """The cards on which a name stands that somebody may still work on, the board among them."""
    rows = await tx.all(
        select(episodes.c.card_id)
        .where(
            episodes.c.agency_id == tx.agency_id,
            episodes.c.creator_id == creator_id,
            episodes.c.closed_at.is_(None),
            episodes.c.card_id.is_not(None),
        )
        .distinct()
    )
    boards = await tx.all(
        select(cards.c.id).where(
            cards.c.agency_id == tx.agency_id,
            cards.c.creator_id == creator_id,
            or_(cards.c.kind == CardKind.BOARD.value, cards.c.kind == CardKind.HANDOVER.value),
            cards.c.closed_at.is_(None),
        )
    )
    reminders = await tx.all(
        select(followups.c.card_id).where(
            followups.c.agency_id == tx.agency_id,
            followups.c.creator_id == creator_id,
            followups.c.state == "open",
            followups.c.card_id.is_not(None),
        )
    )
    return [row[0] for row in (*rows, *boards, *reminders)]


async def _set(tx: Tx, creator_id: int, **values: Any) -> None:
    await tx.execute(
        update(creators)
        .where(creators.c.agency_id == tx.agency_id, creators.c.id == creator_id)
        .values(**values)
    )
