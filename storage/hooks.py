"""What to begin a talk with a fan with: the last purchase, what was noted since, what the fan was promised."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, func, select

from bot.domain.followups import FollowupState
from bot.domain.models import TransactionKind
from bot.domain.winbacks import Hook
from storage.tables import fan_accounts, followups, notes, transactions
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
    promised = await _read_promises(tx, fan_account_ids)
    hooks: dict[int, Hook] = {}
    for fan_id in fan_account_ids:
        cents, at = purchases.get(fan_id, (None, None))
        text, noted_at = said.get(fan_id, (None, None))
        if noted_at is not None and at is not None and noted_at < at:
            text = None
        hooks[fan_id] = Hook(cents, at, text, *promised.get(fan_id, (None, None)))
    return hooks


async def _read_promises(tx: Tx, fan_account_ids: Sequence[int]) -> dict[int, tuple[str, int]]:
    """Fan account id -> (what, due when) of the open promise that is due first."""
    rows = await tx.all(
        select(followups.c.fan_account_id, followups.c.what, followups.c.due_at)
        .where(
            followups.c.agency_id == tx.agency_id,
            followups.c.fan_account_id.in_(fan_account_ids),
            followups.c.state == FollowupState.OPEN.value,
            followups.c.promise,
        )
        .order_by(followups.c.due_at.desc(), followups.c.id.desc())
    )
    return {row.fan_account_id: (row.what, row.due_at) for row in rows}
