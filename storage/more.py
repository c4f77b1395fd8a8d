"""One open episode for the private menu about it, with every input of its score."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, select

from bot.domain.more import EpisodeMenu, Why
from storage import fan_search, outcomes
from storage.card_views import rows_query, to_row
from storage.tables import creators, episodes, fan_accounts, scores
from storage.tx import Tx

_c, _f, _s = creators.c, fan_accounts.c, scores.c


async def load_menu(
    tx: Tx, creator_ids: Collection[int], episode_id: int, viewer_id: int
) -> EpisodeMenu | None:
    """An episode of one of these creators, a closed one too; None where there is none or it is somebody else's."""
    row = await tx.first(rows_query(tx).where(episodes.c.id == episode_id))
    if row is None or row.creator_id not in creator_ids:
        return None
    name = await tx.scalar(select(_c.name).where(_c.agency_id == tx.agency_id, _c.id == row.creator_id))
    useless = await outcomes.calls_useless(tx, row.id, viewer_id, row.opened_at)
    return EpisodeMenu(row.creator_id, name or "", to_row(row), useless)


async def load_why(tx: Tx, creator_ids: Collection[int], episode_id: int, now_ms: int) -> Why | None:
    """What the score of an episode is made of; None where there is none or it is somebody else's."""
    row = await tx.first(rows_query(tx).where(episodes.c.id == episode_id))
    if row is None:
        return None
    profile = await fan_search.get_profile(tx, creator_ids, row.fan_account_id, now_ms)
    if profile is None:
        return None
    ages = await tx.first(
        select(_c.payments_synced_at, _f.messages_until_at, _s.model_version)
        .select_from(
            fan_accounts.join(creators, and_(_c.agency_id == _f.agency_id, _c.id == _f.creator_id)).outerjoin(
                scores, and_(_s.agency_id == _f.agency_id, _s.fan_account_id == _f.id)
            )
        )
        .where(_f.agency_id == tx.agency_id, _f.id == row.fan_account_id)
    )
    payments_at, messages_at, version = (None, None, None) if ages is None else tuple(ages)
    return Why(profile.creator_name, to_row(row), profile, payments_at, messages_at, version)
