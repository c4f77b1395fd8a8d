"""Movements of money, kept once each by the platform's id, and what they say about a fan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, bindparam, case, func, select, update

from bot.domain.models import TransactionKind, TransactionRecord
from storage.bulk import bulk_insert
from storage.fans import ensure_fans
from storage.parts import in_parts
from storage.tables import fan_accounts, transactions
from storage.tx import Tx

VOID_STATUSES = frozenset({"failed", "cancelled", "canceled", "refunded", "error"})
"""Statuses of payments that did not happen: kept, but counted nowhere."""

_COLUMNS = (
    "agency_id",
    "id",
    "creator_id",
    "platform_transaction_id",
    "fan_account_id",
    "kind",
    "amount_cents",
    "net_cents",
    "currency",
    "status",
    "counted",
    "occurred_at",
)


@dataclass(frozen=True, slots=True)
class TransactionResult:
    """How many records were new and how many were here already."""

    new: int
    known: int


def counts(record: TransactionRecord) -> bool:
    """Whether a record is money. A chargeback always is: its status is that of the payment it takes back."""
    return (
        record.kind is TransactionKind.CHARGEBACK
        or record.status is None
        or record.status.lower() not in VOID_STATUSES
    )


async def known_ids(tx: Tx, creator_id: int, platform_ids: Sequence[str]) -> dict[str, bool]:
    """Those of these transactions that are here already, and whether it is known whose they are."""
    stored = await _stored(tx, creator_id, platform_ids)
    return {key: row.fan_account_id is not None for key, row in stored.items()}


async def apply_transactions(
    tx: Tx, creator_id: int, records: Sequence[TransactionRecord], now_ms: int
) -> TransactionResult:
    """Keep what is new. A fan never seen before gets an account of her own: money loses nobody.

    A record whose status has changed (a payment that failed after all) is brought up to date, and one of which it was
    not known whose it is gets its fan.
    """
    unique = {r.platform_transaction_id: r for r in records}
    stored = await _stored(tx, creator_id, list(unique))
    fresh = [r for key, r in unique.items() if key not in stored]
    named = [unique[key] for key, row in stored.items() if row.fan_account_id is None]
    fans = await ensure_fans(
        tx,
        creator_id,
        {r.platform_fan_id: r.username for r in (*fresh, *named) if r.platform_fan_id is not None},
        now_ms,
    )
    rows = [
        (
            tx.agency_id,
            tx.ids.next(),
            creator_id,
            r.platform_transaction_id,
            None if r.platform_fan_id is None else fans[r.platform_fan_id],
            r.kind.value,
            r.amount_cents,
            r.net_cents,
            r.currency,
            r.status,
            counts(r),
            r.occurred_at,
        )
        for r in fresh
    ]
    await bulk_insert(tx, transactions, _COLUMNS, rows)
    touched = {fan for fan in (row[4] for row in rows) if isinstance(fan, int)}
    touched |= await _name(
        tx, creator_id, {r.platform_transaction_id: r.platform_fan_id for r in named}, fans
    )
    moved = await _update_statuses(tx, creator_id, unique, stored)
    await _refresh_fans(tx, sorted(touched | moved), moved)
    return TransactionResult(len(fresh), len(unique) - len(fresh))


async def _stored(tx: Tx, creator_id: int, ids: Sequence[str]) -> dict[str, Any]:
    """By the platform's id, the status and the fan of those that are here."""
    t = transactions.c
    found: dict[str, Any] = {}
    for part in in_parts(ids):
        rows = await tx.all(
            select(t.platform_transaction_id, t.status, t.fan_account_id).where(
                t.agency_id == tx.agency_id, t.creator_id == creator_id, t.platform_transaction_id.in_(part)
            )
        )
        found.update((row.platform_transaction_id, row) for row in rows)
    return found


async def _name(tx: Tx, creator_id: int, whose: dict[str, str | None], fans: dict[str, int]) -> set[int]:
    """Give payments their fans; who they are."""
    touched: set[int] = set()
    for key, platform_fan_id in whose.items():
        if platform_fan_id is None:
            continue
        await tx.execute(
            update(transactions)
            .where(
                transactions.c.agency_id == tx.agency_id,
                transactions.c.creator_id == creator_id,
                transactions.c.platform_transaction_id == key,
            )
            .values(fan_account_id=fans[platform_fan_id])
        )
        touched.add(fans[platform_fan_id])
    return touched


async def _update_statuses(
    tx: Tx, creator_id: int, unique: dict[str, TransactionRecord], stored: dict[str, Any]
) -> set[int]:
    touched: set[int] = set()
    for key, row in stored.items():
        if unique[key].status == row.status:
            continue
        where = (
            transactions.c.agency_id == tx.agency_id,
            transactions.c.creator_id == creator_id,
            transactions.c.platform_transaction_id == key,
        )
        await tx.execute(
            update(transactions).where(*where).values(status=unique[key].status, counted=counts(unique[key]))
        )
        fan_id = await tx.scalar(select(transactions.c.fan_account_id).where(*where))
        if fan_id is not None:
            touched.add(int(fan_id))
    return touched


async def _refresh_fans(tx: Tx, fan_ids: Sequence[int], moved: set[int]) -> None:
    """Derive purchase count, last purchase and last activity of these fans from their transactions.

    A purchase is money paid; a chargeback is none. A subscription payment is a purchase but no activity: a rebill
    happens while the fan sleeps. Those `moved` had a payment that counts no more, or does again: who has no other one
    has paid only if his lifetime sum says so.
    """
    t = transactions.c
    paid = t.counted & (t.amount_cents > 0) & (t.kind != TransactionKind.CHARGEBACK.value)
    active = paid & (t.kind != TransactionKind.SUBSCRIPTION.value)
    found: list[dict[str, int | None]] = []
    for part in in_parts(fan_ids):
        rows = await tx.all(
            select(
                t.fan_account_id,
                func.sum(case((paid, 1), else_=0)).label("purchases"),
                func.max(case((paid, t.occurred_at))).label("last_purchase_at"),
                func.max(case((active, t.occurred_at))).label("last_active_at"),
            )
            .where(
                t.agency_id == tx.agency_id,
                t.fan_account_id.in_(part),
            )
            .group_by(t.fan_account_id)
        )
        found += [
            {
                "fan_id": row.fan_account_id,
                "purchases": int(row.purchases),
                "moved": int(row.fan_account_id in moved),
                "purchase_at": row.last_purchase_at,
                "active_at": row.last_active_at,
            }
            for row in rows
        ]
    if not found:
        return
    f = fan_accounts.c
    purchases, active_at = bindparam("purchases", type_=BigInteger), bindparam("active_at", type_=BigInteger)
    statement = (
        update(fan_accounts)
        .where(f.agency_id == tx.agency_id, f.id == bindparam("fan_id", type_=BigInteger))
        .values(
            purchase_count=purchases,
            last_purchase_at=bindparam("purchase_at", type_=BigInteger),
            paid=case(
                (purchases > 0, True),
                (bindparam("moved", type_=BigInteger) > 0, func.coalesce(f.total_cents, 0) > 0),
                else_=f.paid,
            ),
            last_active_at=case(
                (active_at.is_(None), f.last_active_at),
                (f.last_active_at > active_at, f.last_active_at),
                else_=active_at,
            ),
        )
    )
    # One call of the driver for all of them: a file of payments touches a thousand fans at a time.
    await tx.conn.execute(statement, found)
