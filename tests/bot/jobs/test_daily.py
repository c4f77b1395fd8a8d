"""The days of creators, on both engines: which are kept, from when they are final, and what moves them afterwards."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import insert

from bot.domain.daily import day_span
from bot.domain.desk import Outcome
from bot.domain.models import EventSource, SubscriptionEvent, TransactionKind
from bot.domain.winbacks import WinbackKind
from bot.jobs.daily import DailyJob
from storage import creator_daily, creator_settings, fetching, settings, transactions, winbacks
from storage.engine import Tx
from storage.tables import episode_events, episodes, subscription_events
from tests.bot.jobs.books import Books
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan, payment

HOUR = 3_600_000
TODAY = date(2026, 3, 2)
MIDNIGHT = day_span(TODAY, "Europe/Paris").starts_at
YESTERDAY = TODAY - timedelta(days=1)
"""NOW is 09:00 in Paris, the agency's zone."""


@pytest_asyncio.fixture
async def books(agency: Agency) -> Books:
    return Books(agency.store, agency.ava, DailyJob(agency.store))


async def test_every_kind_of_money_has_its_column_and_what_never_arrived_has_none(books: Books) -> None:
    at = MIDNIGHT - HOUR
    kinds = [kind for kind in TransactionKind if kind is not TransactionKind.CHARGEBACK]
    await books.pay(
        *(
            payment(
                kind.value, str(number), kind=kind, amount_cents=100 + number, net_cents=80, occurred_at=at
            )
            for number, kind in enumerate(kinds)
        ),
        payment("failed", "7", status="failed", amount_cents=5_000, occurred_at=at),
        payment(
            "back", "8", kind=TransactionKind.CHARGEBACK, amount_cents=-50, net_cents=-40, occurred_at=at
        ),
        payment("again", "0", amount_cents=1_000, net_cents=800, occurred_at=at),
        payment("foreign", "9", amount_cents=9_999, currency="EUR", occurred_at=at),
        payment("today", "0", amount_cents=7_777, occurred_at=MIDNIGHT),
    )
    await books.fresh(NOW)
    assert await books.job.run_due(NOW) == {"daily": 1}
    (day,) = (await books.days()).values()
    money = day.money
    assert day.span == day_span(YESTERDAY, "Europe/Paris")
    assert (money.currency, money.payments, money.payers) == ("USD", 7, 6)
    by_kind = {
        TransactionKind.SUBSCRIPTION: money.subscriptions_cents,
        TransactionKind.MESSAGE: money.messages_cents,
        TransactionKind.TIP: money.tips_cents - 1_000,
        TransactionKind.POST: money.posts_cents,
        TransactionKind.STREAM: money.streams_cents,
        TransactionKind.OTHER: money.other_cents,
    }
    assert by_kind == {kind: 100 + number for number, kind in enumerate(kinds)}
    assert (money.chargebacks_cents, money.net_cents) == (-50, 6 * 80 + 800 - 40)
    assert money.revenue_cents == sum(by_kind.values()) + 1_000 - 50


async def test_net_is_unknown_where_one_payment_does_not_tell_it(books: Books) -> None:
    await books.pay(
        payment("a", "1", occurred_at=MIDNIGHT - HOUR),
        payment("b", "1", net_cents=None, occurred_at=MIDNIGHT - HOUR),
    )
    await books.fresh(NOW)
    await books.job.run_due(NOW)
    (day,) = (await books.days()).values()
    assert (day.money.net_cents, day.money.gross_cents) == (None, 2_000)


async def test_a_day_is_kept_when_it_is_over_and_her_data_is_newer(books: Books) -> None:
    await books.pay(payment("a", "1", occurred_at=MIDNIGHT - 2 * DAY))
    await books.fresh(MIDNIGHT - 1)
    await books.job.run_due(NOW)
    assert set(await books.days()) == {"2026-02-28"}
    await books.fresh(MIDNIGHT)
    await books.job.run_due(NOW)
    assert set(await books.days()) == {"2026-02-28", "2026-03-01"}
    # Nothing is due before the next midnight.
    before = await books.computed_at()
    await books.fresh(NOW + HOUR)
    assert await books.job.run_due(NOW + HOUR) == {}
    assert await books.computed_at() == before


async def test_nothing_is_known_of_fans_before_they_were_first_seen_whole(books: Books) -> None:
    await books.pay(payment("a", "1", occurred_at=MIDNIGHT - 3 * DAY))
    await books.fans(
        fan("1"),
        fan("2", subscribed_at=MIDNIGHT - HOUR),
        fan("3", subscribed=False, expires_at=MIDNIGHT - HOUR),
        fan("4", subscribed=False, expired_now=True, expires_at=MIDNIGHT + HOUR),
        fan("5", subscribed_at=MIDNIGHT + HOUR),
    )
    await books.scored(MIDNIGHT - DAY + HOUR)
    await books.fresh(NOW)
    await books.job.run_due(NOW)
    days = await books.days()
    assert [one.active_fans for one in days.values()] == [None, None, 3]
    assert [one.at_risk for one in days.values()] == [None, None, 0]
    last = days["2026-03-01"]
    assert (last.new_fans, last.expired_fans) == (1, 1)


async def test_a_fan_who_came_back_later_was_away_that_day(books: Books) -> None:
    ids = await books.fans(fan("1"), fan("2"))
    await books.scored(MIDNIGHT - 5 * DAY)
    await books.pay(payment("a", "1", occurred_at=MIDNIGHT - HOUR))

    async def events(tx: Tx) -> None:
        for event, at in (
            (SubscriptionEvent.EXPIRED, MIDNIGHT - HOUR),
            (SubscriptionEvent.RESUBSCRIBED, MIDNIGHT + HOUR),
        ):
            await tx.execute(
                insert(subscription_events).values(
                    agency_id=tx.agency_id,
                    id=tx.ids.next(),
                    creator_id=books.ava,
                    fan_account_id=ids["1"],
                    event=event.value,
                    occurred_at=at,
                    recorded_at=at,
                    source=EventSource.DIFFERENCE.value,
                )
            )

    await books.store.write(events)
    await books.fresh(NOW)
    await books.job.run_due(NOW)
    (day,) = (await books.days()).values()
    assert (day.active_fans, day.expired_fans) == (1, 1)


async def test_open_work_and_what_was_done_are_those_of_the_days_end(books: Books) -> None:
    ids = await books.fans(fan("1"), fan("2"))
    await books.scored(MIDNIGHT - 5 * DAY)

    async def work(tx: Tx) -> None:
        own = {"agency_id": tx.agency_id, "creator_id": books.ava}
        for number in ("1", "2"):
            episode = {"id": int(number), "fan_account_id": ids[number], "score": 70.0, "reasons": "[]"}
            rest = {"currency": "USD", "opened_at": 1, "opened_run_id": 1, "changed_run_id": 1}
            await tx.execute(insert(episodes).values(**own, **episode, **rest, tier="at_risk"))
        story = [
            ("1", "opened", "at_risk", MIDNIGHT - 30 * HOUR),
            ("1", "raised", "action", MIDNIGHT - 2 * HOUR),
            ("2", "opened", "at_risk", MIDNIGHT - 30 * HOUR),
            ("2", "claimed", "at_risk", MIDNIGHT - 20 * HOUR),
            ("1", "cleared", None, MIDNIGHT + HOUR),
        ]
        for number, change, tier, at in story:
            row = {"id": tx.ids.next(), "episode_id": int(number), "fan_account_id": ids[number]}
            await tx.execute(
                insert(episode_events).values(**own, **row, change=change, tier_after=tier, at=at)
            )
        (winback,) = await winbacks.add(
            tx,
            [winbacks.NewWinback(books.ava, ids["1"], WinbackKind.QUIET, 301, 302, None)],
            MIDNIGHT - 3 * HOUR,
        )
        await winbacks.close(tx, winback, Outcome.KEPT, None, 301, MIDNIGHT - HOUR)

    await books.store.write(work)
    await books.pay(payment("a", "1", occurred_at=MIDNIGHT - 30 * HOUR))
    await books.fresh(NOW)
    await books.job.run_due(NOW)
    days = await books.days()
    assert [(d.at_risk, d.action_items, d.done) for d in days.values()] == [(2, 0, 0), (1, 1, 1)]


async def test_what_is_told_late_still_counts_on_its_day(books: Books) -> None:
    await books.pay(*(payment(f"p{n}", "1", occurred_at=MIDNIGHT - n * DAY - HOUR) for n in range(40)))
    await books.fresh(NOW)
    assert await books.job.run_due(NOW) == {"daily": 40}
    await books.pay(
        payment("late", "2", occurred_at=MIDNIGHT - 20 * DAY - HOUR),
        payment("p30", "1", status="refunded", occurred_at=MIDNIGHT - 30 * DAY - HOUR),
        payment(
            "back", "1", kind=TransactionKind.CHARGEBACK, amount_cents=-1_000, occurred_at=MIDNIGHT - HOUR
        ),
    )
    later = NOW + DAY
    await books.fresh(later)
    # The new day, and the three whose payments are others by now.
    assert await books.job.run_due(later) == {"daily": 4}
    days = await books.days()
    assert days[str(YESTERDAY - timedelta(days=20))].money.revenue_cents == 2_000
    assert days[str(YESTERDAY - timedelta(days=30))].money.revenue_cents == 0
    assert days[str(YESTERDAY)].money.revenue_cents == 0
    assert days[str(TODAY)].money.payments == 0


async def test_a_retired_creators_days_are_kept_and_files_still_reach_them(books: Books) -> None:
    await books.pay(payment("a", "1", occurred_at=MIDNIGHT - HOUR))
    await books.fresh(NOW)

    async def retire(tx: Tx) -> None:
        await creator_settings.retire(tx, books.ava, NOW)

    await books.store.write(retire)
    await books.job.run_due(NOW)
    await books.pay(payment("file", "1", occurred_at=MIDNIGHT - 40 * DAY))
    assert await books.job.run_due(NOW + DAY) == {"daily": 39}
    days = await books.days()
    assert len(days) == 40
    # After her last fetch nothing is known, so no day says that nothing came in.
    assert max(days) == "2026-03-01"


async def test_another_zone_has_other_days(books: Books) -> None:
    await books.pay(payment("a", "1", occurred_at=MIDNIGHT - HOUR), payment("b", "1", occurred_at=MIDNIGHT))
    await books.fresh(NOW)
    await books.job.run_due(NOW)
    await books.store.write(lambda tx: settings.set_timezone(tx, "Asia/Tokyo"))
    await books.job.run_due(NOW)
    # 23:00 in Paris is 07:00 of the next day in Tokyo, where that day is still running.
    assert await books.days() == {}
    await books.fresh(NOW + DAY)
    await books.job.run_due(NOW + DAY)
    (day,) = (await books.days()).values()
    assert day.span == day_span(TODAY, "Asia/Tokyo")
    assert day.money.revenue_cents == 2_000


async def test_a_day_of_a_clock_change_holds_its_own_hours(books: Books) -> None:
    span = day_span(date(2026, 3, 29), "Europe/Paris")
    edges = (span.starts_at - 1, span.starts_at, span.ends_at - 1, span.ends_at)
    await books.pay(
        *(payment(f"p{n}", "1", occurred_at=at, amount_cents=10**n) for n, at in enumerate(edges))
    )
    await books.fresh(span.ends_at + 2 * DAY)
    await books.job.run_due(span.ends_at + 2 * DAY)
    days = await books.days()
    revenue = [days[f"2026-03-{day}"].money.revenue_cents for day in (28, 29, 30)]
    assert revenue == [1, 110, 1_000]


async def test_no_zone_chosen_is_utc(books: Books) -> None:
    await books.store.write(lambda tx: settings.set_timezone(tx, ""))
    await books.pay(payment("a", "1", occurred_at=MIDNIGHT + HOUR - 1))
    await books.fresh(NOW)
    await books.job.run_due(NOW)
    (day,) = (await books.days()).values()
    assert day.span == day_span(YESTERDAY, "UTC")


async def test_who_was_active_long_ago_stays_as_it_was_seen_then(books: Books) -> None:
    await books.fans(fan("1"), fan("2"))
    await books.scored(MIDNIGHT - 2 * DAY)
    await books.pay(payment("a", "1", occurred_at=MIDNIGHT - HOUR))
    await books.fresh(NOW)
    await books.job.run_due(NOW)
    await books.fans(fan("2", subscribed_at=NOW + 9 * DAY))
    await books.pay(payment("late", "1", occurred_at=MIDNIGHT - HOUR))
    await books.fresh(NOW + 10 * DAY)
    await books.job.run_due(NOW + 10 * DAY)
    day = (await books.days())[str(YESTERDAY)]
    assert (day.active_fans, day.money.payments) == (2, 2)


async def test_one_creators_trouble_keeps_no_other_from_being_kept(
    agency: Agency, books: Books, monkeypatch: Any
) -> None:
    await books.pay(payment("a", "1", occurred_at=MIDNIGHT - HOUR))
    for creator in (agency.ava, agency.bea):
        await agency.store.write(lambda tx, creator=creator: fetching.mark_fresh(tx, creator, NOW))
    whole = creator_daily.read_known

    async def breaks(tx: Tx, creator_id: int) -> Any:
        if creator_id == agency.bea:
            raise ValueError("broken")
        return await whole(tx, creator_id)

    monkeypatch.setattr(creator_daily, "read_known", breaks)
    assert await books.job.run_due(NOW) == {"daily": 1}
    monkeypatch.undo()
    await agency.store.write(
        lambda tx: transactions.apply_transactions(
            tx, agency.bea, [payment("b", "1", occurred_at=MIDNIGHT - HOUR)], NOW
        )
    )
    assert await books.job.run_due(NOW + 1) == {}
    assert await books.job.run_due(NOW + HOUR) == {"daily": 1}
