"""The read-only views on both engines: known rows in, the figures a spreadsheet shows out."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import create_async_engine

from bot.domain.daily import DayFigures, Money, day_span
from bot.domain.models import EventSource, SubscriptionEvent, TransactionKind
from bot.domain.winbacks import WinbackKind
from storage import creator_daily, fans, fetching, transactions, winbacks
from storage.engine import Storage, Tx
from storage.tables import episodes, fan_accounts, messages, subscription_events
from storage.views import VIEWS
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan, payment

Row = dict[str, Any]
DOCS = Path(__file__).parents[2] / "docs" / "reports.md"


async def _select(url: str, query: str) -> list[Row]:
    """As somebody outside asks: over a connection of its own."""
    plain = url.replace("sqlite://", "sqlite+aiosqlite://").replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(plain)
    try:
        async with engine.connect() as conn:
            return [dict(row) for row in (await conn.execute(text(query))).mappings()]
    finally:
        await engine.dispose()


async def _fan(agency: Agency, **values: Any) -> int:
    async def write(tx: Tx) -> int:
        await fans.apply_fan_page(tx, agency.ava, [fan("7", **values)], NOW, 1)
        await fetching.mark_fresh(tx, agency.ava, NOW)
        return (await fans.ids_by_platform(tx, agency.ava, ["7"]))["7"]

    return await agency.store.write(write)


@pytest.mark.parametrize("view", VIEWS)
def test_every_column_of_a_view_is_documented(view: str) -> None:
    _, found, after = DOCS.read_text(encoding="utf-8").partition(f"### `{view}`")
    section, _, _ = after.partition("\n### ")
    assert found
    assert {column for column in VIEWS[view] if f"`{column}`" not in section} == set()


async def test_a_fan_is_one_row_with_what_was_spent_and_when(database_url: str, agency: Agency) -> None:
    await _fan(
        agency,
        username="ann",
        total_cents=123_456,
        tips_cents=2_050,
        messages_cents=None,
        last_seen_at=NOW - 3 * DAY,
        expires_at=NOW + 2 * DAY,
        rebill_off=True,
    )

    async def pay(tx: Tx) -> None:
        records = [
            payment("a", "7", amount_cents=1_050, occurred_at=NOW - 3 * DAY),
            payment("b", "7", amount_cents=2_000, occurred_at=NOW - 30 * DAY),
            payment("c", "7", amount_cents=9_900, status="failed", occurred_at=NOW - DAY),
        ]
        await transactions.apply_transactions(tx, agency.ava, records, NOW)

    await agency.store.write(pay)
    (row,) = await _select(database_url, "SELECT * FROM v_fans")
    assert set(row) == VIEWS["v_fans"]
    assert (row["agency_id"], row["creator"], row["fan_id"], row["username"]) == (
        agency.store.agency_id,
        "Ava",
        "7",
        "ann",
    )
    spent = [row[name] for name in ("total_spend", "spend_30d", "spend_prior_30d", "spend_tips")]
    assert [float(value) for value in spent] == [1_234.56, 10.50, 20.00, 20.50]
    assert (row["spend_ppv"], row["messages_30d"], row["ppv_open_rate"], row["churn_risk"]) == (None,) * 4
    assert (row["status"], row["expires_at"]) == ("expiring_soon", "2026-03-04 08:00:00")
    assert (row["last_active_at"], row["days_since_active"]) == ("2026-02-27 08:00:00", 3)
    assert (row["as_of"], row["currency"]) == ("2026-03-02 08:00:00", "USD")


async def test_what_a_fan_wrote_and_opened_is_counted_where_all_messages_are_known(
    database_url: str, agency: Agency
) -> None:
    fan_id = await _fan(agency)

    async def write(tx: Tx) -> None:
        own = {
            "agency_id": tx.agency_id,
            "creator_id": agency.ava,
            "fan_account_id": fan_id,
            "updated_at": NOW,
        }
        for number, (from_fan, at, price, unlocked) in enumerate(
            [
                (True, NOW - DAY, None, None),
                (True, NOW - 31 * DAY, None, None),
                (False, NOW - DAY, 2_000, True),
                (False, NOW - 2 * DAY, 2_000, False),
                (False, NOW - 3 * DAY, 2_000, None),
            ]
        ):
            row = {
                "id": tx.ids.next(),
                "platform_message_id": str(number),
                "from_fan": from_fan,
                "sent_at": at,
            }
            await tx.execute(insert(messages).values(**own, **row, price_cents=price, unlocked=unlocked))

    await agency.store.write(write)
    query = "SELECT messages_30d, ppv_open_rate FROM v_fans"
    (row,) = await _select(database_url, query)
    assert (row["messages_30d"], float(row["ppv_open_rate"])) == (None, 0.5)

    async def span(tx: Tx) -> None:
        await tx.execute(
            update(fan_accounts)
            .where(fan_accounts.c.agency_id == tx.agency_id)
            .values(messages_from_at=NOW - 40 * DAY, messages_until_at=NOW)
        )

    await agency.store.write(span)
    (row,) = await _select(database_url, query)
    assert row["messages_30d"] == 1


async def test_money_subscriptions_and_work_are_rows_of_their_own(database_url: str, agency: Agency) -> None:
    fan_id = await _fan(agency)

    async def write(tx: Tx) -> None:
        back = payment(
            "back", "7", kind=TransactionKind.CHARGEBACK, amount_cents=-1_999, net_cents=None, currency="EUR"
        )
        nobody = payment("x", None)
        await transactions.apply_transactions(tx, agency.ava, [back, nobody], NOW)
        own = {"agency_id": tx.agency_id, "creator_id": agency.ava, "fan_account_id": fan_id}
        event = {"event": SubscriptionEvent.EXPIRED.value, "source": EventSource.DIFFERENCE.value}
        times = {"occurred_at": NOW - DAY, "recorded_at": NOW}
        await tx.execute(insert(subscription_events).values(**own, **event, **times, id=1))
        scores = {"tier": "action", "score": 91.5, "reasons": "[]", "pace_cents": 41_000, "currency": "USD"}
        runs = {"opened_at": NOW, "opened_run_id": 1, "changed_run_id": 1, "claimed_by": 301}
        await tx.execute(insert(episodes).values(**own, **scores, **runs, id=5))
        made = winbacks.NewWinback(agency.ava, fan_id, WinbackKind.QUIET, 302, 301, NOW + DAY)
        await winbacks.add(tx, [made], NOW)

    await agency.store.write(write)
    rows = {
        row["platform_transaction_id"]: row
        for row in await _select(database_url, "SELECT * FROM v_transactions")
    }
    assert set(rows["back"]) == VIEWS["v_transactions"]
    assert (float(rows["back"]["amount"]), rows["back"]["net"], rows["back"]["currency"]) == (
        -19.99,
        None,
        "EUR",
    )
    assert (rows["back"]["kind"], rows["back"]["fan_id"]) == ("chargeback", "7")
    assert (rows["x"]["fan_id"], float(rows["x"]["amount"])) == (None, 10.0)
    assert rows["x"]["occurred_at"] == "2026-03-01 08:00:00"

    (event,) = await _select(database_url, "SELECT * FROM v_subscription_events WHERE event = 'expired'")
    assert set(event) == VIEWS["v_subscription_events"]
    assert (event["event"], event["username"], event["occurred_at"]) == (
        "expired",
        "user7",
        "2026-03-01 08:00:00",
    )

    work = await _select(database_url, "SELECT * FROM v_open_work ORDER BY work")
    assert set(work[0]) == VIEWS["v_open_work"]
    assert [(w["work"], w["state"], w["assignee_id"], w["due_at"]) for w in work] == [
        ("alert", "action", "301", None),
        ("winback", "quiet", "302", "2026-03-03 08:00:00"),
    ]
    assert (float(work[0]["spend_a_month"]), work[0]["score"]) == (410.0, 91.5)


async def test_a_day_has_its_revenue_and_what_that_is_by_active_fan(
    database_url: str, agency: Agency
) -> None:
    money = Money(
        "USD", subscriptions_cents=5_000, tips_cents=6_000, chargebacks_cents=-1_000, net_cents=None
    )
    days = [
        DayFigures(day_span(date(2026, 3, 1), "Europe/Paris"), money, 8, 1, 2, 3, 4, 5),
        DayFigures(day_span(date(2026, 3, 2), "Europe/Paris"), Money("USD"), None, 0, 0, None, None, 0),
    ]
    await agency.store.write(lambda tx: creator_daily.put(tx, agency.ava, days, NOW))
    first, second = await _select(database_url, "SELECT * FROM v_creator_daily ORDER BY day")
    assert set(first) == VIEWS["v_creator_daily"]
    assert (first["creator"], first["day"], first["starts_at"]) == (
        "Ava",
        "2026-03-01",
        "2026-02-28 23:00:00",
    )
    assert [float(first[name]) for name in ("revenue", "chargebacks", "arpu")] == [100.0, -10.0, 12.5]
    assert (first["net"], second["arpu"], second["active_fans"]) == (None, None, None)


async def test_whoever_reads_beside_the_bot_cannot_write(tmp_path: Path) -> None:
    """The way docs/operating.md tells for a file: a second, read-only connection."""
    path = tmp_path / "fanwatch.db"
    async with await Storage.open(f"sqlite:///{path}"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as outside:
            assert outside.execute("SELECT COUNT(*) FROM v_fans").fetchone() == (0,)
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                outside.execute("DELETE FROM fan_accounts")
