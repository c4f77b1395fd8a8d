"""What to begin a talk with a fan with: the last purchase, and what was noted since."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, func, select

from bot.domain.models import TransactionKind
from bot.domain.winbacks import Hook
from storage.tables import fan_accounts, notes, transactions
from storage.tx import Tx

_f, _t = fan_accounts.c, transactions.c


async def read_hooks(tx: Tx, fan_account_ids: Sequence[int]) -> dict[int, Hook]:
    """Fan account id -> hook, for the rows of one page; the newest note only where it is later than the purchase."""
    if not fan_account_ids:
        return {}
    purchases = {
        row[0]: (int(row[1]), int(row[2]))
        for row in await tx.all(
            select(_f.id, func.sum(_t.amount_cents), func.max(_t.occurred_at))
            .select_from(
                fan_accounts.join(
                    transactions,
                    and_(
                        _t.agency_id == _f.agency_id,
                        _t.fan_account_id == _f.id,
                        _t.occurred_at == _f.last_purchase_at,
                    ),
                )
            )
            .where(
                _f.agency_id == tx.agency_id,
                _f.id.in_(fan_account_ids),
                _t.counted,
                _t.amount_cents > 0,
                _t.kind != TransactionKind.CHARGEBACK.value,
            )
            .group_by(_f.id)
        )
    }
    newest = notes.alias("newest")
    said = {
        row.fan_account_id: (row.text, row.created_at)
        for row in await tx.all(
            select(notes.c.fan_account_id, notes.c.text, notes.c.created_at).where(
                notes.c.agency_id == tx.agency_id,
                notes.c.fan_account_id.in_(fan_account_ids),
                notes.c.deleted_at.is_(None),
                notes.c.id
                == select(newest.c.id)
                .where(
                    newest.c.agency_id == notes.c.agency_id,
                    newest.c.fan_account_id == notes.c.fan_account_id,
                    newest.c.deleted_at.is_(None),
                )
                .order_by(newest.c.created_at.desc(), newest.c.id.desc())
                .limit(1)
                .correlate(notes)
                .scalar_subquery(),
            )
        )
    }
    hooks: dict[int, Hook] = {}
    for fan_id in fan_account_ids:
        cents, at = purchases.get(fan_id, (None, None))
        text, noted_at = said.get(fan_id, (None, None))
        if noted_at is not None and at is not None and noted_at < at:
            text = None
        hooks[fan_id] = Hook(cents, at, text)
    return hooks
