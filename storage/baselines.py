"""Baseline cards of new thresholds: which change they are about, and that it was taken back."""

from __future__ import annotations

import msgspec
from sqlalchemy import select, update

from bot.domain.models import CardKind
from storage.cards import CardPayload
from storage.tables import cards
from storage.tx import Tx


async def find_change(tx: Tx, card_id: int) -> tuple[int, int | None] | None:
    """(creator id, id of the change of thresholds) of a baseline card; None: there is no such card.

    Without a change nothing can be reverted: a first import, a reconnection.
    """
    row = await tx.first(
        select(cards.c.creator_id, cards.c.payload).where(
            cards.c.agency_id == tx.agency_id,
            cards.c.id == card_id,
            cards.c.kind == CardKind.BASELINE.value,
        )
    )
    if row is None or row.creator_id is None:
        return None
    return row.creator_id, _payload(row.payload).setting_change_id


async def mark_reverted(tx: Tx, creator_id: int, change_id: int, by: int) -> None:
    """The change was taken back: its card says by whom, and offers it no more."""
    rows = await tx.all(
        select(cards.c.id, cards.c.payload).where(
            cards.c.agency_id == tx.agency_id,
            cards.c.creator_id == creator_id,
            cards.c.kind == CardKind.BASELINE.value,
        )
    )
    for row in rows:
        payload = _payload(row.payload)
        if payload.setting_change_id != change_id:
            continue
        reverted = msgspec.structs.replace(payload, reverted_by=by)
        await tx.execute(
            update(cards)
            .where(cards.c.agency_id == tx.agency_id, cards.c.id == row.id)
            .values(payload=msgspec.json.encode(reverted).decode(), wanted_version=cards.c.wanted_version + 1)
        )


def _payload(text: str | None) -> CardPayload:
    return msgspec.json.decode(text or "{}", type=CardPayload)
