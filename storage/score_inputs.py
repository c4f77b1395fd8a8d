"""What is read of a few fans, where a page of `storage.scores` would be too many."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, func, select

from bot.domain.models import MS_PER_DAY
from storage.parts import in_parts
from storage.scores import ScoreInput, read_score_page
from storage.tables import fan_accounts, transactions
from storage.tx import Tx

PACE_MS = 90 * MS_PER_DAY

_f, _t = fan_accounts.c, transactions.c


async def read_score_inputs(
    tx: Tx, creator_id: int, fan_account_ids: Sequence[int], now_ms: int, *, payments_known: bool = True
) -> list[ScoreInput]:
    """These fans of a creator as they stand at `now_ms`, by account id; those of others are left out."""
    found: list[ScoreInput] = []
    for fan_id in sorted(set(fan_account_ids)):
        page = await read_score_page(tx, creator_id, fan_id - 1, 1, now_ms, payments_known=payments_known)
        found += [fan for fan in page if fan.facts.fan_account_id == fan_id]
    return found


async def read_paces(tx: Tx, fan_account_ids: Sequence[int]) -> dict[int, int]:
    """Fan account id -> net spend of the 90 days up to the last purchase, per 30 days, in cents.

    Zero where more was taken back than paid. Who has no purchase on record is left out: the pace is unknown.
    """
    found: dict[int, int] = {}
    for part in in_parts(fan_account_ids):
        rows = await tx.all(
            select(_f.id, func.sum(_t.amount_cents))
            .select_from(
                fan_accounts.join(
                    transactions, and_(_t.agency_id == _f.agency_id, _t.fan_account_id == _f.id)
                )
            )
            .where(
                _f.agency_id == tx.agency_id,
                _f.id.in_(part),
                _f.last_purchase_at.is_not(None),
                _t.occurred_at > _f.last_purchase_at - PACE_MS,
                _t.occurred_at <= _f.last_purchase_at,
                _t.counted,
            )
            .group_by(_f.id)
        )
        found.update((row[0], max(0, round(int(row[1]) / 3))) for row in rows)
    return found
