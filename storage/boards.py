"""Boards: one live card per creator, asked for anew by whatever changes her open work."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from sqlalchemy import and_, func, or_, select, update

from bot.domain.models import CardKind
from bot.domain.shifts import next_start
from bot.domain.views import AlertRow, BoardCard, OnNow, OpenTotals
from storage import shifts
from storage.cards import CardPayload, NewCard, create_card, repost
from storage.tables import cards, creators, episodes, winbacks
from storage.tx import Tx

TOP = 8
"""Open episodes that a board shows."""


@dataclass(frozen=True, slots=True)
class BoardState:
    """A creator's board and how far it has been brought by time. `as_of` and `synced_at` in agency time."""

    creator_id: int
    channel_id: int
    """The creator's."""
    card_id: int | None
    """None: she has no board yet."""
    as_of: int
    synced_at: int | None
    """When the creator's data was last fetched."""
    is_over: bool
    """The creator has retired, or the board hangs in a channel that is no longer hers."""
    anew_at: int = 0
    """When it was made, or last posted anew because somebody came on; 0: not known."""


async def bump(tx: Tx, creator_id: int) -> None:
    """Something of this creator's open work has changed: her board is to be rendered again, if she has one."""
    await tx.execute(
        update(cards)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.creator_id == creator_id,
            cards.c.kind == CardKind.BOARD.value,
            cards.c.closed_at.is_(None),
        )
        .values(wanted_version=cards.c.wanted_version + 1)
    )


async def list_states(tx: Tx) -> list[BoardState]:
    """Of every creator whose baseline is done or who has a board already, by id."""
    # From the creators on: there are few of them, while closed cards only ever become more.
    board = and_(
        cards.c.agency_id == creators.c.agency_id,
        cards.c.creator_id == creators.c.id,
        cards.c.kind == CardKind.BOARD.value,
        cards.c.closed_at.is_(None),
    )
    rows = await tx.all(
        select(
            creators.c.id,
            creators.c.channel_id,
            cards.c.id,
            cards.c.payload,
            creators.c.synced_at,
            or_(creators.c.retired_at.is_not(None), creators.c.channel_id != cards.c.channel_id),
        )
        .select_from(creators.outerjoin(cards, board))
        .where(
            creators.c.agency_id == tx.agency_id,
            # Another baseline may be due, and of who is paused or retired it never comes: her board goes on.
            or_(creators.c.baseline_done_at.is_not(None), cards.c.id.is_not(None)),
        )
        .order_by(creators.c.id)
    )
    states: list[BoardState] = []
    for creator_id, channel_id, card_id, payload, synced_at, is_over in rows:
        kept = msgspec.json.decode(payload or "{}", type=CardPayload)
        states.append(
            BoardState(creator_id, channel_id, card_id, kept.as_of, synced_at, bool(is_over), kept.anew_at)
        )
    return states


async def create_missing(tx: Tx, now_ms: int) -> int:
    """Give every creator who should have a board and has none one; how many there were."""
    missing = [state for state in await list_states(tx) if state.card_id is None and not state.is_over]
    for state in missing:
        card = NewCard(
            CardKind.BOARD, state.creator_id, state.channel_id, CardPayload(as_of=now_ms, anew_at=now_ms)
        )
        await create_card(tx, card, now_ms)
    return len(missing)


async def close(tx: Tx, card_id: int, now_ms: int) -> None:
    """The board is over: its message says so, and its creator may get another."""
    await tx.execute(
        update(cards)
        .where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
        .values(closed_at=now_ms, wanted_version=cards.c.wanted_version + 1)
    )


async def last_due(tx: Tx, creator_ids: list[int], now_ms: int) -> dict[int, int]:
    """Creator id -> when the latest of her open winbacks became overdue; those without one are left out."""
    rows = await tx.all(
        select(winbacks.c.creator_id, func.max(winbacks.c.due_at))
        .where(
            winbacks.c.agency_id == tx.agency_id,
            winbacks.c.creator_id.in_(creator_ids),
            winbacks.c.state == "open",
            winbacks.c.due_at <= now_ms,
        )
        .group_by(winbacks.c.creator_id)
    )
    return {row[0]: row[1] for row in rows}


async def move_on(tx: Tx, state: BoardState, as_of: int, *, anew_at: int | None) -> bool:
    """Show a board as of a later instant; `anew_at` set: in a new, silent message. False: it has moved on meanwhile."""
    shown_anew_at = state.anew_at if anew_at is None else anew_at
    result = await tx.execute(
        update(cards)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.id == state.card_id,
            cards.c.payload == _payload(state.as_of, state.anew_at),
        )
        .values(payload=_payload(as_of, shown_anew_at), wanted_version=cards.c.wanted_version + 1)
    )
    if result.rowcount and anew_at is not None and state.card_id is not None:
        await repost(tx, state.card_id, None, ping=False, scored_wall_at=None)
    return bool(result.rowcount)


def _payload(as_of: int, anew_at: int) -> str:
    return msgspec.json.encode(CardPayload(as_of=as_of, anew_at=anew_at)).decode()


async def load_board(
    tx: Tx,
    card_id: int,
    creator_id: int,
    as_of: int,
    rows: tuple[AlertRow, ...],
    on_now: tuple[OnNow, ...],
    *,
    is_over: bool,
) -> BoardCard | None:
    """The board of a creator with these rows and people; None where there is no such creator."""
    creator = await tx.first(
        select(creators.c.name, creators.c.synced_at).where(
            creators.c.agency_id == tx.agency_id, creators.c.id == creator_id
        )
    )
    if creator is None:
        return None
    planned = (await shifts.list_planned(tx, creator_id)).get(creator_id, ())
    winbacks_open, winbacks_overdue = await _count_winbacks(tx, creator_id, as_of)
    return BoardCard(
        card_id=card_id,
        creator_name=creator.name,
        rows=rows,
        totals=await sum_open(tx, [creator_id]),
        has_shifts=bool(planned),
        on_shift=on_now,
        next_shift=next_start(planned, as_of),
        winbacks_open=winbacks_open,
        winbacks_overdue=winbacks_overdue,
        synced_at=creator.synced_at,
        is_over=is_over,
    )


async def sum_open(tx: Tx, creator_ids: list[int]) -> OpenTotals:
    """What is open for these creators in all."""
    rows = await tx.all(
        select(
            episodes.c.currency,
            func.count().label("n"),
            func.count(episodes.c.pace_cents).label("known"),
            func.sum(episodes.c.pace_cents).label("pace"),
        )
        .where(
            episodes.c.agency_id == tx.agency_id,
            episodes.c.creator_id.in_(creator_ids),
            episodes.c.closed_at.is_(None),
        )
        .group_by(episodes.c.currency)
        .order_by(episodes.c.currency)
    )
    known = tuple((row.currency, int(row.pace)) for row in rows if row.known)
    return OpenTotals(sum(row.n for row in rows), known)


async def _count_winbacks(tx: Tx, creator_id: int, as_of: int) -> tuple[int, int]:
    row = await tx.first(
        select(
            func.count().label("n"),
            func.count().filter(winbacks.c.due_at <= as_of).label("overdue"),
        ).where(
            winbacks.c.agency_id == tx.agency_id,
            winbacks.c.creator_id == creator_id,
            winbacks.c.state == "open",
        )
    )
    return (int(row.n), int(row.overdue)) if row is not None else (0, 0)
