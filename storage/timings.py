"""How long things took, from the machine times that rows carry."""

from __future__ import annotations

from sqlalchemy import select

from storage.tables import cards
from storage.tx import Tx


async def score_to_card_ms(tx: Tx) -> list[int]:
    """Machine milliseconds from the scoring that asked for a message to the message, for each card's first one."""
    rows = await tx.all(
        select(cards.c.scored_wall_at, cards.c.first_sent_wall_at).where(
            cards.c.agency_id == tx.agency_id,
            cards.c.scored_wall_at.is_not(None),
            cards.c.first_sent_wall_at.is_not(None),
            cards.c.first_sent_wall_at >= cards.c.scored_wall_at,
        )
    )
    return [row.first_sent_wall_at - row.scored_wall_at for row in rows]
