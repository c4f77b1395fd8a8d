"""What messages say of a fan in scores and in a lookup, and when they say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bot.domain.behaviour import Written
from bot.domain.models import MessageRecord, SubscriptionEvent, TransactionKind
from storage import fan_behaviour, fan_search, fans, messages, transactions
from storage.scores import read_score_page
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan, message, payment, period

HOUR = DAY // 24
LONG = (NOW - 100 * DAY, NOW)


async def _fans(agency: Agency, *platform_ids: str, **values: Any) -> list[int]:
    records = [fan(one, **values) for one in platform_ids]
    await agency.store.write(lambda tx: fans.apply_fan_page(tx, agency.ava, records, NOW, 1))
    async with agency.store.read() as tx:
        found = await fans.ids_by_platform(tx, agency.ava, platform_ids)
    return [found[one] for one in platform_ids]


async def _talk(
    agency: Agency, fan_id: int, records: Sequence[MessageRecord], span: tuple[int | None, int | None] = LONG
) -> None:
    await agency.store.write(
        lambda tx: messages.apply_messages(
            tx, agency.ava, fan_id, records, now_ms=NOW, known_from_at=span[0], known_until_at=span[1]
        )
    )


async def _facts(agency: Agency, now: int = NOW) -> list[tuple[int | None, float | None]]:
    """In scores; a lookup says the same."""
    async with agency.store.read() as tx:
        page = await read_score_page(tx, agency.ava, None, 100, now)
        for row in page:
            profile = await fan_search.get_profile(tx, {agency.ava}, row.facts.fan_account_id, now)
            assert profile is not None
            assert (profile.messages_30d, profile.ppv_open_rate) == (
                row.facts.messages_30d,
                row.facts.ppv_open_rate,
            )
    return [(row.facts.messages_30d, row.facts.ppv_open_rate) for row in page]


def offer(name: str, days_ago: int, *, unlocked: bool | None, **values: Any) -> MessageRecord:
    priced = {"from_fan": False, "price_cents": 1_500, "unlocked": unlocked, "sent_at": NOW - days_ago * DAY}
    return message(name, **(priced | values))


async def test_messages_count_for_the_fans_whose_messages_are_known(agency: Agency) -> None:
    one, _, silent, other = await _fans(agency, "1", "2", "3", "4")
    await _talk(
        agency,
        one,
        [
            message("now", sent_at=NOW),
            message("day-29", sent_at=NOW - 30 * DAY + 1),
            message("day-30", sent_at=NOW - 30 * DAY),
            message("ours", sent_at=NOW - DAY, from_fan=False),
            offer("open", 5, unlocked=True),
            offer("shut", 80, unlocked=False),
            offer("unclear", 80, unlocked=None),
            offer("mass", 6, unlocked=True, is_mass=True),
            offer("long ago", 90, unlocked=True),
        ],
    )
    await _talk(agency, silent, [])
    await _talk(agency, other, [message("hook", sent_at=NOW - DAY)], (None, None))
    assert await _facts(agency) == [(2, 0.5), (None, None), (0, None), (None, None)]


@pytest.mark.parametrize(
    ("span", "known"),
    [
        ((NOW - 30 * DAY, NOW - 48 * HOUR), True),
        ((NOW - 30 * DAY + 1, NOW), False),
        ((NOW - 90 * DAY, NOW - 48 * HOUR - 1), False),
    ],
)
async def test_how_far_the_span_has_to_reach(agency: Agency, span: tuple[int, int], known: bool) -> None:
    (one,) = await _fans(agency, "1")
    await _talk(agency, one, [message("m", sent_at=NOW - 3 * DAY)], span)
    assert await _facts(agency) == [(1, None) if known else (None, None)]


async def test_an_offer_counts_within_the_span_and_while_it_stands(agency: Agency) -> None:
    (one,) = await _fans(agency, "1")
    offers = [
        offer("known", 10, unlocked=True),
        offer("before the span", 50, unlocked=False),
        offer("taken back", 9, unlocked=False),
        offer("opened first", 9, unlocked=True),
    ]
    await _talk(agency, one, offers, (NOW - 40 * DAY, NOW))
    for name in ("taken back", "opened first"):
        await agency.store.write(lambda tx, name=name: messages.mark_deleted(tx, agency.ava, name, NOW))
    assert await _facts(agency) == [(0, 1.0)]


async def test_what_the_vendor_counts_goes_first(agency: Agency) -> None:
    (one,) = await _fans(
        agency, "1", reported_messages_30d=77, reported_ppv_open_rate=0.25, reported_30d_cents=5
    )
    await _talk(agency, one, [message("m")])
    assert await _facts(agency) == [(77, 0.25)]
    async with agency.store.read() as tx:
        profile = await fan_search.get_profile(tx, {agency.ava}, one, NOW)
    assert profile is not None
    assert (profile.spend_30d_cents, profile.spend_prior_30d_cents) == (5, None)


async def test_what_is_on_record_of_a_fans_ways(agency: Agency) -> None:
    runs = period(NOW - 5 * DAY, trial=True, current=True, price_cents=0)
    one, other = await _fans(agency, "1", "2", subscribed_at=runs.starts_at, periods=(runs,))
    outside = message("outside", sent_at=NOW - 99 * DAY)
    await _talk(
        agency,
        one,
        [message("b", sent_at=NOW - 5), message("a", sent_at=NOW - 9, from_fan=False)],
        (NOW - DAY, NOW),
    )
    await _talk(agency, one, [outside], (None, None))
    paid = [
        payment("t1", "1", amount_cents=500, occurred_at=NOW - DAY),
        payment("t2", "1", amount_cents=700, kind=TransactionKind.MESSAGE, occurred_at=NOW - 2 * DAY),
        payment("t3", "1", amount_cents=900, kind=TransactionKind.SUBSCRIPTION),
        payment("t4", "1", amount_cents=950, status="failed"),
        payment("t5", "2", amount_cents=980),
    ]
    await agency.store.write(lambda tx: transactions.apply_transactions(tx, agency.ava, paid, NOW))
    async with agency.store.read() as tx:
        found = await fan_behaviour.read_evidence(tx, agency.ava, one)
        assert found.messages == (Written(NOW - 9, False, False), Written(NOW - 5, True, False))
        assert (found.messages_from_at, found.messages_until_at) == (NOW - DAY, NOW)
        assert found.purchase_times == (NOW - DAY, NOW - 2 * DAY)
        assert found.cents_by_kind == {
            TransactionKind.TIP: 500,
            TransactionKind.MESSAGE: 700,
            TransactionKind.SUBSCRIPTION: 900,
        }
        assert found.events == ((SubscriptionEvent.TRIAL_STARTED, runs.starts_at),)
        assert (found.zone, found.trial, found.chats_readable) == ("Europe/Paris", True, None)
        assert (await fan_behaviour.read_evidence(tx, agency.ava, other)).messages == ()
        assert (await fan_behaviour.read_evidence(tx, agency.bea, one)).cents_by_kind == {}
