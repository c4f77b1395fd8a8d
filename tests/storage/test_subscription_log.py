from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select

from bot.domain.models import MS_PER_HOUR, EventSource, SubscriptionEvent
from storage import subscription_log
from storage.subscription_log import NewEvent
from storage.tables import fan_accounts, subscription_events
from tests.storage.conftest import DAY, NOW, Agency

E, S = SubscriptionEvent, EventSource
MINUTE = 60_000


async def _accounts(agency: Agency, count: int) -> list[int]:
    """Accounts without any event of their own."""

    async def write(tx: Any) -> list[int]:
        ids = [tx.ids.next() for _ in range(count)]
        values = [
            {
                "agency_id": tx.agency_id,
                "id": one,
                "creator_id": agency.ava,
                "platform_fan_id": str(one),
                "first_seen_at": NOW,
                "first_sight_pending": True,
                "expiry_pending": False,
                "paid": False,
                "updated_at": NOW,
            }
            for one in ids
        ]
        await tx.execute(insert(fan_accounts).values(values))
        return ids

    return await agency.store.write(write)


async def _append(agency: Agency, *events: NewEvent) -> int:
    return await agency.store.write(
        lambda tx: subscription_log.append_events(tx, agency.ava, events, NOW + 1)
    )


@pytest.mark.parametrize("count", [2, 130])
async def test_the_same_events_are_written_once(agency: Agency, count: int) -> None:
    ids = await _accounts(agency, count)
    events = [NewEvent(one, E.SUBSCRIBED, NOW + one % 7, S.PERIOD) for one in ids]
    assert await _append(agency, *events, events[0]) == count
    assert await _append(agency, *events) == 0
    async with agency.store.read() as tx:
        of = subscription_events.c
        rows = await tx.all(select(subscription_events).where(of.agency_id == tx.agency_id))
        assert sorted((row.fan_account_id, row.occurred_at) for row in rows) == sorted(
            (event.fan_account_id, event.occurred_at) for event in events
        )
        assert {(row.recorded_at, row.source, row.creator_id) for row in rows} == {
            (NOW + 1, "period", agency.ava)
        }


@pytest.mark.parametrize(
    ("first", "second", "written"),
    [
        # What a webhook and a period tell of one beginning, in either order and by whatever name.
        ((E.REBILLED, 0, S.WEBHOOK), (E.REBILLED, 9 * MINUTE, S.PERIOD), 0),
        ((E.REBILLED, 9 * MINUTE, S.PERIOD), (E.REBILLED, 0, S.WEBHOOK), 0),
        ((E.SUBSCRIBED, 0, S.WEBHOOK), (E.TRIAL_STARTED, MINUTE, S.PERIOD), 0),
        ((E.REBILLED, 0, S.PERIOD), (E.REBILLED, 2 * MS_PER_HOUR, S.PERIOD), 1),
        # A look without periods has no better time than its own.
        ((E.RESUBSCRIBED, 20 * MS_PER_HOUR, S.DIFFERENCE), (E.RESUBSCRIBED, 0, S.PERIOD), 0),
        ((E.EXPIRED, 0, S.PERIOD), (E.EXPIRED, 15 * MINUTE, S.WEBHOOK), 0),
        ((E.EXPIRED, 20 * MS_PER_HOUR, S.DIFFERENCE), (E.EXPIRED, 0, S.WEBHOOK), 0),
        ((E.EXPIRED, 0, S.PERIOD), (E.EXPIRED, 7 * DAY, S.PERIOD), 1),
        # An expiry and a beginning at the same instant are two things.
        ((E.EXPIRED, 0, S.PERIOD), (E.RESUBSCRIBED, 0, S.PERIOD), 1),
        # A look that knew no date was late; the period has it.
        ((E.CANCELLED, 9 * DAY, S.DIFFERENCE), (E.CANCELLED, 0, S.PERIOD), 0),
        ((E.CANCELLED, 0, S.PERIOD), (E.CANCELLED, 9 * DAY, S.PERIOD), 1),
        ((E.CANCELLED, 0, S.DIFFERENCE), (E.CANCELLED, 9 * DAY, S.DIFFERENCE), 1),
    ],
)
async def test_what_counts_as_the_same_event(agency: Agency, first: Any, second: Any, written: int) -> None:
    one, other = await _accounts(agency, 2)
    events = [NewEvent(one, event, NOW + at, source) for event, at, source in (first, second)]
    assert await _append(agency, events[0]) == 1
    assert await _append(agency, events[1]) == written
    # Another fan's events are his own.
    assert await _append(agency, NewEvent(other, first[0], NOW + first[1], first[2])) == 1


async def test_a_winback_is_sent_once(agency: Agency) -> None:
    (one,) = await _accounts(agency, 1)
    sent = [
        NewEvent(one, E.WIN_BACK_SENT, NOW + at * DAY, S.CONTACT, winback)
        for at, winback in ((0, 5), (90, 5), (1, 6))
    ]
    assert [await _append(agency, event) for event in sent] == [1, 0, 1]


async def test_a_fans_events_come_latest_first(agency: Agency) -> None:
    (one,) = await _accounts(agency, 1)
    line = [NewEvent(one, E.REBILLED, NOW + month * 30 * DAY, S.PERIOD) for month in range(5)]
    await _append(agency, *line)
    async with agency.store.read() as tx:
        assert await subscription_log.read_of_fan(tx, one, 3) == line[:1:-1]
