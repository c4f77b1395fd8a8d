"""Reads what a card shows: its row, its episodes as they stand now, and the names on them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import msgspec
from sqlalchemy import Select, and_, func, select

from bot.domain.desk import Ledger, PingState, Snooze
from bot.domain.models import AlertTier, CardKind
from bot.domain.naming import hides_all, name_mode, public_label
from bot.domain.thresholds import policy_of
from bot.domain.views import (
    AlertCard,
    AlertRow,
    BaselineCard,
    CardView,
    GroupedCard,
    NoticeCard,
    OnNow,
)
from storage import (
    boards,
    card_known,
    contacts,
    digest_cards,
    followups,
    handover_views,
    handovers,
    holds,
    notes,
    on_shift,
    outcomes,
    playbooks,
    work_events,
)
from storage.cards import FOLLOWUP, CardPayload
from storage.episodes import decode_reasons
from storage.parts import LABEL, in_parts, to_label, to_owner
from storage.tables import cards, creators, episodes, fan_accounts, fan_holds
from storage.tx import Tx


def rows_query(tx: Tx) -> Select[Any]:
    """The episodes with what a row shows of their fans; narrow it down and read it with `to_row`."""
    return (
        select(
            episodes,
            *LABEL,
            fan_accounts.c.subscribed,
            fan_accounts.c.expired_now,
            fan_accounts.c.expires_at,
            fan_accounts.c.rebill_off,
            creators.c.name_mode,
            creators.c.chat_url,
            fan_holds.c.id.label("hold_id"),
        )
        .select_from(
            episodes.join(
                fan_accounts,
                and_(
                    fan_accounts.c.agency_id == episodes.c.agency_id,
                    fan_accounts.c.id == episodes.c.fan_account_id,
                ),
            )
            .join(
                creators,
                and_(
                    creators.c.agency_id == episodes.c.agency_id,
                    creators.c.id == episodes.c.creator_id,
                ),
            )
            # At most one of a fan is on.
            .outerjoin(
                fan_holds,
                and_(
                    fan_holds.c.agency_id == episodes.c.agency_id,
                    fan_holds.c.fan_account_id == episodes.c.fan_account_id,
                    fan_holds.c.ended_at.is_(None),
                ),
            )
        )
        .where(episodes.c.agency_id == tx.agency_id)
    )


def to_row(row: Any) -> AlertRow:
    label = to_label(row)
    claimed = row.claimed_by is not None
    return AlertRow(
        episode_id=row.id,
        fan_account_id=row.fan_account_id,
        fan=public_label(label, name_mode(row.name_mode), row.fan_account_id, claimed=claimed),
        tier=AlertTier(row.tier) if row.tier and row.closed_at is None else None,
        expired=row.expired,
        score=row.score,
        score_before=row.score_before,
        reasons=decode_reasons(row.reasons),
        pace_cents=row.pace_cents,
        total_cents=row.total_cents,
        currency=row.currency,
        status="expired" if row.expired else _status(row),
        expires_at=row.expires_at,
        rebill_off=row.rebill_off,
        owner=to_owner(row.owner_kind, row.owner_id),
        claimed_by=row.claimed_by,
        claimed_at=row.claimed_at,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        chat_url=row.chat_url,
        snooze=_snooze(row, claimed=claimed),
        escalation_stage=row.escalation_stage,
        ping_state=cast("PingState | None", row.ping_state),
        on_hold=row.hold_id is not None,
    )


def _snooze(row: Any, *, claimed: bool) -> Snooze | None:
    if row.snoozed_until is None or row.snoozed_by is None or row.closed_at is not None:
        return None
    # What people write of a fan says who it is: it is as hidden as the name.
    hidden = hides_all(name_mode(row.name_mode), claimed=claimed)
    reason = None if hidden else row.snooze_reason
    return Snooze(row.snoozed_until, row.snoozed_by, bool(row.snooze_shift), reason)


def _status(row: Any) -> str | None:
    if row.expired_now:
        return "expired"
    if row.subscribed:
        return "expiring_soon" if row.rebill_off else "active"
    return None


def by_money(row: AlertRow) -> tuple[float, int]:
    """Sort key: most money at risk first (score / 100 x pace; unknown pace counts by lifetime spend), then the oldest."""
    money = row.pace_cents if row.pace_cents is not None else 0
    return (-money * row.score / 100, row.episode_id)


async def load_top_rows(tx: Tx, creator_id: int, limit: int) -> list[AlertRow]:
    """A creator's open episodes, most money first, with the scores their cards were last moved for.

    What moves by less than that moves neither a row nor the order, so a board stays as it is.
    """
    shown = func.coalesce(episodes.c.shown_score, episodes.c.score)
    rows = await tx.all(
        rows_query(tx)
        .where(episodes.c.creator_id == creator_id, episodes.c.closed_at.is_(None))
        .order_by((func.coalesce(episodes.c.pace_cents, 0) * shown).desc(), episodes.c.id)
        .limit(limit)
    )
    return [
        replace(
            to_row(row),
            score=row.shown_score if row.shown_score is not None else row.score,
            score_before=None,
        )
        for row in rows
    ]


async def load_rows(tx: Tx, card_id: int) -> list[AlertRow]:
    """The open episodes on a card, most money first."""
    rows = await tx.all(rows_query(tx).where(episodes.c.card_id == card_id, episodes.c.closed_at.is_(None)))
    return sorted((to_row(row) for row in rows), key=by_money)


async def load_baseline_rows(tx: Tx, creator_id: int) -> list[AlertRow]:
    """The open episodes of a creator that a baseline opened and no card of their own shows yet, most money first."""
    rows = await tx.all(
        rows_query(tx).where(
            episodes.c.creator_id == creator_id,
            episodes.c.baseline,
            episodes.c.card_id.is_(None),
            episodes.c.closed_at.is_(None),
        )
    )
    return sorted((to_row(row) for row in rows), key=by_money)


async def load_rows_by_id(tx: Tx, episode_ids: list[int]) -> dict[int, AlertRow]:
    """Episodes as they stand now, open or closed, by id."""
    found: dict[int, AlertRow] = {}
    for part in in_parts(sorted(set(episode_ids))):
        rows = await tx.all(rows_query(tx).where(episodes.c.id.in_(part)))
        found.update((row.id, to_row(row)) for row in rows)
    return found


async def load_view(tx: Tx, card_id: int) -> CardView | None:
    """What the card shows now; None where there is no such card."""
    card = await tx.first(
        select(
            cards.c.id,
            cards.c.kind,
            cards.c.code,
            cards.c.payload,
            cards.c.created_at,
            cards.c.closed_at,
            cards.c.creator_id,
            cards.c.mention_kind,
            cards.c.mention_id,
        ).where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
    )
    if card is None:
        return None
    payload = msgspec.json.decode(card.payload or "{}", type=CardPayload)
    name, synced_at = await _creator(tx, card.creator_id)
    kind = CardKind(card.kind)
    if kind is CardKind.ALERT:
        return await _alert(tx, card_id, payload, name or "", synced_at)
    if kind is CardKind.GROUPED:
        rows = tuple(await load_rows(tx, card_id))
        called = to_owner(card.mention_kind, card.mention_id)
        return GroupedCard(
            card_id, name or "", payload.expired, rows, payload.started_with, synced_at, called
        )
    if kind is CardKind.BASELINE:
        policy = policy_of(payload.fire_above, payload.action_above)
        return BaselineCard(
            card_id,
            name or "",
            payload.at_risk,
            payload.action,
            payload.cleared,
            payload.fans,
            card.created_at,
            fire_above=policy.fire_above,
            action_above=policy.action_above,
            cause=cast("Any", card.code),
            opened=payload.opened,
            revertible=payload.setting_change_id is not None and payload.reverted_by is None,
            reverted_by=payload.reverted_by,
        )
    if kind is CardKind.BOARD:
        top = tuple(await load_top_rows(tx, card.creator_id, boards.TOP))
        on = (await on_shift.list_on(tx, card.creator_id)).get(card.creator_id, ())
        on_now = tuple(OnNow(one.user_id, one.until_at, one.seen_at is not None) for one in on)
        over = card.closed_at is not None
        return await boards.load_board(tx, card_id, card.creator_id, payload.as_of, top, on_now, is_over=over)
    if kind is CardKind.DIGEST:
        return await digest_cards.load_card(tx, card_id, card.creator_id, card.code or "")
    if kind is CardKind.HANDOVER:
        left = await handovers.load(tx, card_id)
        if left is None:
            return None
        rows_of = await load_rows_by_id(tx, [*left.claims, *left.snoozes])
        return await handover_views.build(tx, left, card_id, name or "", rows_of)
    if card.code == FOLLOWUP:
        return await followups.load_card(tx, card_id, payload.followup_id)
    assert kind is CardKind.NOTICE  # noqa: S101 - there is no other
    return NoticeCard(
        card_id,
        cast("Any", card.code),
        name,
        card.created_at,
        payload.data_at,
        card.closed_at,
        payload.permissions,
        asked_by=card.mention_id,
    )


async def _creator(tx: Tx, creator_id: int | None) -> tuple[str | None, int | None]:
    if creator_id is None:
        return None, None
    row = await tx.first(
        select(creators.c.name, creators.c.synced_at).where(
            creators.c.agency_id == tx.agency_id, creators.c.id == creator_id
        )
    )
    return (None, None) if row is None else (row.name, row.synced_at)


async def _alert(
    tx: Tx, card_id: int, payload: CardPayload, creator_name: str, synced_at: int | None
) -> AlertCard | None:
    row = await tx.first(rows_query(tx).where(episodes.c.id == payload.episode_id))
    if row is None:
        return None
    shown = to_row(row)
    # The fan's row has moved to a grouped card: this one is over, whatever becomes of the episode.
    moved = row.card_id != card_id
    # What people write of a fan says who it is: it is as hidden as the name.
    hidden = hides_all(name_mode(row.name_mode), claimed=row.claimed_by is not None)
    hold = await holds.find_on(tx, row.fan_account_id) if row.hold_id is not None else None
    if hold is not None and hidden:
        hold = replace(hold, reason="")
    fan_id = row.fan_account_id
    if row.closed_at is not None:
        closing = None
        if row.outcome is not None:
            closing = await outcomes.last_closing(tx, fan_id, episode_id=row.id)
        return AlertCard(card_id, creator_name, replace(shown, closing=closing), synced_at, moved=moved)
    known = await card_known.ask(tx, fan_id, row.id)
    last = await outcomes.last_closing(tx, fan_id) if known.outcomes else None
    if known.ticks:
        playbook = await playbooks.load_view(tx, row.id)
    else:
        playbook = await playbooks.view_for(tx, shown.reasons, expired=shown.expired)
    return AlertCard(
        card_id,
        creator_name,
        shown,
        synced_at,
        moved=moved,
        note=await notes.newest(tx, fan_id) if known.notes and not hidden else None,
        hold=hold,
        ledger=await _ledger(tx, fan_id, synced_at) if known.contacts else None,
        playbook=playbook,
        followup=await followups.find_next(tx, fan_id) if known.followups and not hidden else None,
        last=last.without_note() if last is not None and hidden else last,
        mood=await outcomes.last_closing(tx, fan_id, with_mood=True) if last is not None else None,
        timer=await work_events.last_timer(tx, row.id, row.opened_at) if known.work else None,
    )


async def _ledger(tx: Tx, fan_account_id: int, synced_at: int | None) -> Ledger | None:
    """As of the last fetch or the last contact, whichever is later: it comes out the same however often it is rendered."""
    last_at = await contacts.last_at(tx, fan_account_id)
    if last_at is None:
        return None
    return await contacts.load_ledger(tx, fan_account_id, max(last_at, synced_at or 0))


async def creator_of_card(tx: Tx, card_id: int) -> int | None:
    """Whose card it is; None for a card of the whole agency, and for no card."""
    found = await tx.scalar(
        select(cards.c.creator_id).where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
    )
    return None if found is None else int(found)


async def card_of_fan(tx: Tx, fan_account_id: int) -> int | None:
    """The card that shows the fan's open episode; None where nothing is open or no card shows it yet."""
    found = await tx.scalar(
        select(episodes.c.card_id).where(
            episodes.c.agency_id == tx.agency_id,
            episodes.c.fan_account_id == fan_account_id,
            episodes.c.closed_at.is_(None),
        )
    )
    return None if found is None else int(found)


async def is_claimed(tx: Tx, fan_account_id: int) -> bool:
    """Whether somebody has claimed the fan's open episode."""
    found = await tx.scalar(
        select(episodes.c.claimed_by).where(
            episodes.c.agency_id == tx.agency_id,
            episodes.c.fan_account_id == fan_account_id,
            episodes.c.closed_at.is_(None),
        )
    )
    return found is not None


async def fan_of_episode(tx: Tx, episode_id: int) -> int | None:
    """The fan account an episode is about; None where there is no such episode."""
    found = await tx.scalar(
        select(episodes.c.fan_account_id).where(
            episodes.c.agency_id == tx.agency_id, episodes.c.id == episode_id
        )
    )
    return None if found is None else int(found)


async def fan_of_card(tx: Tx, card_id: int) -> int | None:
    """The fan account a card of one fan is about; None for every other card, and for no card."""
    view = await load_view(tx, card_id)
    return view.row.fan_account_id if isinstance(view, AlertCard) else None


async def creator_of_episode(tx: Tx, episode_id: int) -> tuple[int, int | None] | None:
    """(creator id, card id) of an episode; None where there is none."""
    row = await tx.first(
        select(episodes.c.creator_id, episodes.c.card_id).where(
            episodes.c.agency_id == tx.agency_id, episodes.c.id == episode_id
        )
    )
    return None if row is None else (row.creator_id, row.card_id)
