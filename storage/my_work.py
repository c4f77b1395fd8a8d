"""The claims of one person."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, select

from bot.domain.models import AlertTier
from bot.domain.my_work import Claim
from storage.parts import LABEL, to_label
from storage.tables import cards, creators, episodes, fan_accounts
from storage.tx import Tx

MOST_CLAIMS = 500
"""Nobody works on more at once; the oldest are left out."""

_e, _f, _c, _k = episodes.c, fan_accounts.c, creators.c, cards.c


async def list_claims(tx: Tx, user_id: int, creator_ids: Collection[int]) -> list[Claim]:
    """The person's open claims for these creators, the newest first."""
    if not creator_ids:
        return []
    rows = await tx.all(
        select(
            _e.id,
            _e.creator_id,
            _c.name.label("creator_name"),
            _e.fan_account_id,
            *LABEL,
            _e.tier,
            _e.expired,
            _e.score,
            _e.pace_cents,
            _e.total_cents,
            _e.currency,
            _e.claimed_at,
            _k.channel_id,
            _k.message_id,
        )
        .select_from(
            episodes.join(fan_accounts, and_(_f.agency_id == _e.agency_id, _f.id == _e.fan_account_id))
            .join(creators, and_(_c.agency_id == _e.agency_id, _c.id == _e.creator_id))
            .outerjoin(cards, and_(_k.agency_id == _e.agency_id, _k.id == _e.card_id))
        )
        .where(
            _e.agency_id == tx.agency_id,
            _e.creator_id.in_(sorted(creator_ids)),
            _e.claimed_by == user_id,
            _e.closed_at.is_(None),
        )
        .order_by(_e.claimed_at.desc(), _e.id.desc())
        .limit(MOST_CLAIMS)
    )
    return [
        Claim(
            row.id,
            row.creator_id,
            row.creator_name,
            row.fan_account_id,
            to_label(row),
            AlertTier(row.tier) if row.tier else None,
            bool(row.expired),
            row.score,
            row.pace_cents,
            row.total_cents,
            row.currency,
            row.claimed_at,
            row.channel_id,
            row.message_id,
        )
        for row in rows
    ]
