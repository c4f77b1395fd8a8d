"""Where cards hang, and what becomes of them where that channel is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select, update

from bot.domain.models import CardKind
from storage import roster
from storage.cards import CardPayload, NewCard, open_notice, resolve_notices
from storage.tables import cards, creators, episodes
from storage.tx import Tx

GONE: Final = "channel_gone"
CLOSED: Final = "channel_closed"
TROUBLES: Final = (GONE, CLOSED)
"""The codes of the notices about a creator's channel. They hang in the agency's notice channel: hers cannot hold them."""


async def creator_in(tx: Tx, channel_id: int) -> int | None:
    """Whose channel it is; None: nobody's who is still worked for."""
    found = await tx.scalar(
        select(creators.c.id).where(
            creators.c.agency_id == tx.agency_id,
            creators.c.channel_id == channel_id,
            creators.c.retired_at.is_(None),
        )
    )
    return None if found is None else int(found)


async def rehome(tx: Tx, channel_id: int, now_ms: int, *, unseen_only: bool = False) -> int:
    """Move the cards of a channel that is gone to where they belong by now; how many there were.

    Nothing moves whose channel is still the right one: it waits. Messages posted there are lost with it, so what is open
    is posted anew, silently; a card that nobody has seen yet still calls whom it was to call. What is over, and what was
    shown once and asks for nothing, is given up. `unseen_only`: the channel is there, only what never got into it moves.
    """
    rows = await tx.all(
        select(
            cards.c.id,
            cards.c.kind,
            cards.c.code,
            cards.c.creator_id,
            cards.c.closed_at,
            cards.c.first_sent_wall_at,
            creators.c.channel_id,
            cards.c.state,
        )
        .select_from(
            cards.outerjoin(
                creators,
                (creators.c.agency_id == cards.c.agency_id) & (creators.c.id == cards.c.creator_id),
            )
        )
        .where(cards.c.agency_id == tx.agency_id, cards.c.channel_id == channel_id, cards.c.state != "gone")
    )
    notices = await roster.notice_channel_id(tx)
    worked_on = await _worked_on(tx, channel_id)
    moved = 0
    for card_id, kind, code, creator_id, closed_at, first_sent, of_creator, state in rows:
        home = notices if creator_id is None or code in TROUBLES else of_creator
        if home is None or home == channel_id:
            continue
        if unseen_only and (first_sent is not None or state == "sending"):
            continue
        moved += 1
        if _is_wanted(CardKind(kind), card_id in worked_on, closed_at, first_sent):
            await _move(tx, card_id, home)
        else:
            await _give_up(tx, card_id, now_ms if closed_at is None else closed_at)
    return moved


def _is_wanted(kind: CardKind, worked_on: bool, closed_at: int | None, first_sent: int | None) -> bool:
    if kind in (CardKind.ALERT, CardKind.GROUPED):
        return worked_on
    if kind is CardKind.BOARD or closed_at is not None:
        # Whoever looks after boards makes another one in the new channel.
        return False
    return kind in (CardKind.NOTICE, CardKind.HANDOVER) or first_sent is None


async def _worked_on(tx: Tx, channel_id: int) -> set[int]:
    """The cards of the channel with an open episode."""
    rows = await tx.all(
        select(episodes.c.card_id)
        .select_from(
            episodes.join(
                cards, (cards.c.agency_id == episodes.c.agency_id) & (cards.c.id == episodes.c.card_id)
            )
        )
        .where(
            episodes.c.agency_id == tx.agency_id,
            cards.c.channel_id == channel_id,
            episodes.c.closed_at.is_(None),
        )
        .distinct()
    )
    return {row.card_id for row in rows}


async def _move(tx: Tx, card_id: int, home: int) -> None:
    await tx.execute(
        update(cards)
        .where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
        .values(
            channel_id=home,
            state="idle",
            blocked_until=None,
            blocked_reason=None,
            message_id=None,
            retire_ids=None,
            rendered_hash=None,
            incarnation=cards.c.incarnation + 1,
            wanted_version=cards.c.wanted_version + 1,
            sent_version=0,
        )
    )


async def _give_up(tx: Tx, card_id: int, closed_at: int) -> None:
    await tx.execute(
        update(cards)
        .where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
        .values(state="gone", closed_at=closed_at)
    )


async def tell(tx: Tx, channel_id: int, code: str, permissions: Sequence[str], now_ms: int) -> bool:
    """Open the notice that a creator's channel is gone or closed, unless it is open. False: nothing was opened."""
    creator_id = await creator_in(tx, channel_id)
    home = await roster.notice_channel_id(tx)
    if creator_id is None or home is None or home == channel_id:
        return False
    # Gone is worse than closed, and says it all.
    await resolve_notices(tx, [one for one in TROUBLES if one != code], creator_id, now_ms)
    payload = CardPayload(permissions=tuple(permissions))
    return await open_notice(tx, NewCard(CardKind.NOTICE, creator_id, home, payload, code=code), now_ms)


async def over(tx: Tx, creator_id: int, now_ms: int) -> int:
    """The creator's channel takes cards again, or she has another; how many notices there were."""
    return await resolve_notices(tx, TROUBLES, creator_id, now_ms)


async def troubled_channels(tx: Tx) -> dict[int, int]:
    """Channel id -> creator id, of the creators with an open notice about their channel."""
    rows = await tx.all(
        select(creators.c.channel_id, creators.c.id)
        .select_from(
            creators.join(
                cards, (cards.c.agency_id == creators.c.agency_id) & (cards.c.creator_id == creators.c.id)
            )
        )
        .where(
            creators.c.agency_id == tx.agency_id,
            cards.c.kind == CardKind.NOTICE.value,
            cards.c.code.in_(TROUBLES),
            cards.c.closed_at.is_(None),
        )
    )
    return {row.channel_id: row.id for row in rows}


async def is_gone(tx: Tx, creator_id: int) -> bool:
    """Whether her channel is known to be gone."""
    found = await tx.scalar(
        select(func.count()).where(
            cards.c.agency_id == tx.agency_id,
            cards.c.creator_id == creator_id,
            cards.c.kind == CardKind.NOTICE.value,
            cards.c.code == GONE,
            cards.c.closed_at.is_(None),
        )
    )
    return bool(found)
