"""What is on record of one fan's ways; every query is bounded."""

from __future__ import annotations

from sqlalchemy import func, literal_column, select

from bot.domain.behaviour import Evidence, Written
from bot.domain.models import TransactionKind
from storage.subscription_log import read_of_fan
from storage.tables import creators, fan_accounts, messages, subscriptions, transactions
from storage.tx import Tx
from storage.zones import read_zone_name

LATEST = 300
"""How many messages, payments and events are read of each."""

_c, _f, _m, _p, _t = creators.c, fan_accounts.c, messages.c, subscriptions.c, transactions.c


async def read_evidence(tx: Tx, creator_id: int, fan_account_id: int) -> Evidence:
    """Of a fan of this creator; of nobody, where there is no such fan."""
    fan = await tx.first(
        select(_f.messages_from_at, _f.messages_until_at).where(
            _f.agency_id == tx.agency_id, _f.creator_id == creator_id, _f.id == fan_account_id
        )
    )
    since, until = (None, None) if fan is None else (fan.messages_from_at, fan.messages_until_at)
    talk = () if since is None or until is None else await _talk(tx, creator_id, fan_account_id, since, until)
    mine = (
        _t.agency_id == tx.agency_id,
        # The sum keeps SQLite from reading all of the creator's payments for those of one fan.
        _t.creator_id + literal_column("0") == creator_id,
        _t.fan_account_id == fan_account_id,
    )
    times = await tx.all(
        select(_t.occurred_at)
        .where(*mine, _t.counted, _t.amount_cents > 0, _t.kind != TransactionKind.SUBSCRIPTION.value)
        .order_by(_t.occurred_at.desc())
        .limit(LATEST)
    )
    sums = await tx.all(
        select(_t.kind, func.sum(_t.amount_cents).label("cents")).where(*mine, _t.counted).group_by(_t.kind)
    )
    events = await read_of_fan(tx, fan_account_id, LATEST)
    return Evidence(
        # The agency's, so that the hours of several creators' fans can be compared.
        zone=await read_zone_name(tx, None),
        messages=talk,
        messages_from_at=since,
        messages_until_at=until,
        chats_readable=await tx.scalar(
            select(_c.chats_readable).where(_c.agency_id == tx.agency_id, _c.id == creator_id)
        ),
        purchase_times=tuple(row.occurred_at for row in times),
        cents_by_kind={TransactionKind(row.kind): int(row.cents) for row in sums},
        events=tuple((event.event, event.occurred_at) for event in events),
        trial=await tx.scalar(
            select(_p.trial)
            .where(_p.agency_id == tx.agency_id, _p.fan_account_id == fan_account_id)
            .order_by(_p.starts_at.desc())
            .limit(1)
        ),
    )


async def _talk(tx: Tx, creator_id: int, fan_account_id: int, since: int, until: int) -> tuple[Written, ...]:
    rows = await tx.all(
        select(_m.sent_at, _m.from_fan, _m.is_mass)
        .where(
            _m.agency_id == tx.agency_id,
            _m.creator_id == creator_id,
            _m.fan_account_id == fan_account_id,
            _m.sent_at.between(since, until),
        )
        .order_by(_m.sent_at.desc(), _m.id.desc())
        .limit(LATEST)
    )
    return tuple(Written(row.sent_at, row.from_fan, row.is_mass) for row in reversed(rows))
