"""What a page of fans leaves behind besides the fans: periods, events, changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from bot.domain.desk import Outcome
from bot.domain.models import FanRecord, PeriodRecord
from bot.domain.winbacks import WinbackKind
from storage import fans, winbacks
from storage.tables import fan_accounts, fan_events, subscription_events, subscriptions
from storage.winbacks import NewWinback
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan, period

MONTH = 30 * DAY


async def _apply(agency: Agency, records: Sequence[FanRecord], now: int = NOW, run: int = 1) -> None:
    await agency.store.write(lambda tx: fans.apply_fan_page(tx, agency.ava, records, now, run))


async def _rows(agency: Agency, of: Any) -> list[Any]:
    async with agency.store.read() as tx:
        return list(await tx.all(select(of).where(of.c.agency_id == tx.agency_id).order_by(of.c.id)))


async def _events(agency: Agency) -> list[tuple[str, int, str]]:
    return [(row.event, row.occurred_at, row.source) for row in await _rows(agency, subscription_events)]


async def _changes(agency: Agency) -> list[tuple[str, int | None, int]]:
    return [(row.kind, row.value, row.occurred_at) for row in await _rows(agency, fan_events)]


def _history(started_at: int, **values: Any) -> dict[str, Any]:
    """Two periods with a month between them, the second of which runs."""
    first = period(started_at, ends_at=started_at + MONTH, cancelled_at=started_at + 20 * DAY)
    second = period(started_at + 2 * MONTH, current=True)
    return {
        "periods": (second, first),
        "subscribed_at": second.starts_at,
        "expires_at": second.ends_at,
        "rebill_off": False,
    } | values


@pytest.mark.parametrize("count", [1, 70])
async def test_a_first_import_writes_the_whole_history_once(agency: Agency, count: int) -> None:
    start = NOW - 2 * MONTH - DAY
    records = [fan(str(number), **_history(start)) for number in range(count)]
    await _apply(agency, records)
    told = [
        ("subscribed", start, "period"),
        ("cancelled", start + 20 * DAY, "period"),
        ("expired", start + MONTH, "period"),
        ("resubscribed", start + 2 * MONTH, "period"),
    ]
    assert sorted(await _events(agency)) == sorted(told * count)
    assert len(await _rows(agency, subscriptions)) == 2 * count
    before = [await _rows(agency, table) for table in (subscriptions, subscription_events)]
    await _apply(agency, [fan(str(n), **_history(start, last_seen_at=NOW)) for n in range(count)], NOW + DAY)
    assert [await _rows(agency, table) for table in (subscriptions, subscription_events)] == before
    assert await _changes(agency) == []


async def test_a_renewal_adds_one_period_and_one_event(agency: Agency) -> None:
    first = period(NOW - 29 * DAY, current=True)
    await _apply(
        agency, [fan("1", subscribed_at=first.starts_at, expires_at=first.ends_at, periods=(first,))]
    )
    second = period(NOW + DAY, current=True, price_cents=1_299)
    # The API has forgotten the first one.
    later = fan(
        "1", subscribed_at=first.starts_at, expires_at=second.ends_at, periods=(second,), price_cents=1_299
    )
    await _apply(agency, [later], NOW + 2 * DAY)
    assert await _events(agency) == [
        ("subscribed", first.starts_at, "period"),
        ("rebilled", second.starts_at, "period"),
    ]
    assert [row.starts_at for row in await _rows(agency, subscriptions)] == [
        first.starts_at,
        second.starts_at,
    ]
    assert await _changes(agency) == [("price_changed", 1_299, NOW + 2 * DAY)]


async def test_a_cancelling_stays_known_until_it_is_taken_back(agency: Agency) -> None:
    def look(at: int, cancelled_at: int | None, rebill_off: bool | None) -> FanRecord:
        now = period(NOW - DAY, current=True, cancelled_at=cancelled_at)
        return fan("1", expires_at=now.ends_at, rebill_off=rebill_off, periods=(now,), last_seen_at=at)

    kept: list[int | None] = []
    for at, cancelled_at, off in (
        (NOW, NOW - 5, True),
        (NOW + 10, None, None),
        (NOW + 20, None, False),
        (NOW + 2 * DAY, NOW + DAY, True),
    ):
        await _apply(agency, [look(at, cancelled_at, off)], at)
        kept += [row.cancelled_at for row in await _rows(agency, subscriptions)]
    assert kept == [NOW - 5, NOW - 5, None, NOW + DAY]
    cancelled = [at for event, at, _ in await _events(agency) if event == "cancelled"]
    assert cancelled == [NOW - 5, NOW + DAY]
    assert [kind for kind, _, _ in await _changes(agency)] == ["rebill_off"]


async def test_an_expiry_without_periods_is_seen_by_difference(agency: Agency) -> None:
    await _apply(agency, [fan("1", expires_at=NOW + DAY)])
    gone = fan("1", subscribed=False, expired_now=True, expires_at=NOW + DAY, can_receive_messages=False)
    for at in (NOW + 2 * DAY, NOW + 3 * DAY):
        await _apply(agency, [gone], at)
    assert (await _events(agency))[1:] == [("expired", NOW + DAY, "difference")]
    assert await _changes(agency) == [("messages_off", None, NOW + 2 * DAY)]


async def test_a_vendor_without_payments_has_its_totals_on_record(agency: Agency) -> None:
    for at, total, reported in (
        (NOW, 500, None),
        (NOW + 1, 700, None),
        (NOW + 2, 900, 200),
        (NOW + 3, 950, 250),
    ):
        await _apply(agency, [fan("1", total_cents=total, reported_30d_cents=reported)], at)
    assert await _changes(agency) == [("total_changed", 900, NOW + 2), ("total_changed", 950, NOW + 3)]


async def test_a_name_is_gone_once_even_where_nothing_else_changed(agency: Agency) -> None:
    await _apply(agency, [fan("1"), fan("2")])
    for at in (NOW + 1, NOW + 2):
        await _apply(agency, [fan("1", username=None, name=None), fan("2")], at)
    assert await _changes(agency) == [("name_gone", None, NOW + 1)]
    assert {row.username for row in await _rows(agency, fan_accounts)} == {"user1", "user2"}


@pytest.mark.parametrize(
    ("outcome", "sent"),
    [(Outcome.KEPT, 1), (Outcome.WAITING, 1), (Outcome.LOST, 1), (Outcome.FALSE_ALARM, 0)],
)
async def test_a_winback_with_an_outcome_was_sent(agency: Agency, outcome: Outcome, sent: int) -> None:
    await _apply(agency, [fan("1", subscribed_at=None)])
    fan_id = (await _rows(agency, fan_accounts))[0].id
    made = NewWinback(agency.ava, fan_id, WinbackKind.QUIET, 1, 2, None)
    (winback_id,) = await agency.store.write(lambda tx: winbacks.add(tx, [made], NOW))
    for at in (NOW + 5, NOW + 9):
        await agency.store.write(lambda tx, at=at: winbacks.close(tx, winback_id, outcome, None, 1, at))
        await agency.store.write(lambda tx: winbacks.reopen(tx, winback_id))
    found = [(row.event, row.occurred_at, row.winback_id) for row in await _rows(agency, subscription_events)]
    assert found == [("win_back_sent", NOW + 5, winback_id)] * sent


async def test_another_creators_fan_of_that_id_has_a_story_of_her_own(agency: Agency) -> None:
    now: PeriodRecord = period(NOW - DAY)
    record = fan("1", subscribed_at=now.starts_at, periods=(now,))
    for creator_id in (agency.ava, agency.bea):
        await agency.store.write(lambda tx, c=creator_id: fans.apply_fan_page(tx, c, [record], NOW, 1))
    rows = await _rows(agency, subscription_events)
    assert [row.creator_id for row in rows] == [agency.ava, agency.bea]
    assert len({row.fan_account_id for row in rows}) == 2
