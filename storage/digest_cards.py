"""What a digest's card shows: its figures as they were kept, with the names its fans have now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from bot.domain.digests import Figures
from bot.domain.models import CardKind
from bot.domain.naming import name_mode, public_label
from bot.domain.views import DigestCard, DigestPart, FanLabel
from storage.digests import OF_AGENCY, decode
from storage.parts import LABEL, to_label
from storage.tables import (
    cards,
    creators,
    digests,
    fan_accounts,
)
from storage.tx import Tx

_d, _f = digests.c, fan_accounts.c


@dataclass(frozen=True, slots=True)
class StoredDigest:
    """A digest as it was kept. `creator_id` None: the agency's."""

    creator_id: int | None
    day: str
    figures: Figures


async def find_by_card(tx: Tx, card_id: int) -> StoredDigest | None:
    """The digest a card shows; None where it shows none."""
    row = await tx.first(
        select(cards.c.creator_id, cards.c.code).where(
            cards.c.agency_id == tx.agency_id,
            cards.c.id == card_id,
            cards.c.kind == CardKind.DIGEST.value,
        )
    )
    return None if row is None else await _find(tx, row.creator_id, row.code)


async def _find(tx: Tx, creator_id: int | None, day: str) -> StoredDigest | None:
    found = await tx.scalar(
        select(_d.figures).where(
            _d.agency_id == tx.agency_id, _d.creator_id == (creator_id or OF_AGENCY), _d.day == day
        )
    )
    return None if found is None else StoredDigest(creator_id, day, decode(found))


async def load_card(tx: Tx, card_id: int, creator_id: int | None, day: str) -> DigestCard | None:
    """The card as it is shown. Whoever is hidden in public stays so, also once claimed: a digest does not change."""
    found = await _find(tx, creator_id, day)
    if found is None:
        return None
    figures = found.figures
    of_creators = [part.creator_id for part in figures.parts] if creator_id is None else [creator_id]
    named = await _creators(tx, of_creators)
    fans: dict[int, FanLabel] = {}
    if creator_id is not None:
        wanted = [one.fan_account_id for one in figures.endings]
        wanted += [figures.oldest.fan_account_id] if figures.oldest is not None else []
        fans = await _fans(tx, wanted, named[creator_id][1] if creator_id in named else None)
    return DigestCard(
        card_id=card_id,
        creator_name=named[creator_id][0] if creator_id in named else None,
        day=found.day,
        figures=figures,
        fans=fans,
        parts=tuple(
            DigestPart(named[part.creator_id][0], part.figures)
            for part in figures.parts
            if part.creator_id in named
        ),
    )


async def _creators(tx: Tx, creator_ids: Collection[int]) -> dict[int, tuple[str, str | None]]:
    """Creator id -> (name, how her fans are called in public)."""
    rows = await tx.all(
        select(creators.c.id, creators.c.name, creators.c.name_mode).where(
            creators.c.agency_id == tx.agency_id, creators.c.id.in_(sorted(creator_ids))
        )
    )
    return {row.id: (row.name, row.name_mode) for row in rows}


async def _fans(tx: Tx, fan_account_ids: Collection[int], mode: str | None) -> dict[int, FanLabel]:
    rows = await tx.all(
        select(_f.id, *LABEL).where(_f.agency_id == tx.agency_id, _f.id.in_(sorted(fan_account_ids)))
    )
    return {row.id: public_label(to_label(row), name_mode(mode), row.id, claimed=False) for row in rows}
