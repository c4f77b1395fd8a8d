"""Fans who left or fell silent, as the tests of winbacks keep them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain.models import FanRecord, TransactionRecord
from storage import fans, transactions
from storage.engine import Tx
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan

BEN, ANA = 301, 302


def gone(number: int, **values: Any) -> FanRecord:
    """A fan who has paid and whose subscription has ended."""
    over: dict[str, Any] = {"subscribed": False, "expires_at": NOW - 5 * DAY, "total_cents": 10_000 - number}
    return fan(str(number), **(over | values))


def silent(number: int, **values: Any) -> FanRecord:
    """A subscribed fan not seen for ten days."""
    return fan(str(number), **({"last_seen_at": NOW - 10 * DAY, "total_cents": 50_000} | values))


async def keep(
    agency: Agency,
    records: Sequence[FanRecord],
    paid: Sequence[TransactionRecord] = (),
    *,
    creator_id: int | None = None,
) -> dict[str, int]:
    """Platform fan id -> fan account id."""
    owner = creator_id or agency.ava

    async def write(tx: Tx) -> dict[str, int]:
        await fans.apply_fan_page(tx, owner, records, NOW, 1)
        await transactions.apply_transactions(tx, owner, paid, NOW)
        return await fans.ids_by_platform(tx, owner, [record.platform_fan_id for record in records])

    return await agency.store.write(write)
