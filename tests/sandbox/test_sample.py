"""The sample agency: its pages, its determinism, that life goes on, and the first of the planted cast.

The figures are in test_sample_figures.py, the rest of the cast in test_cast.py.
"""

from __future__ import annotations

from collections import Counter

import pytest

from bot.sandbox.agency.model import Creator
from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.times import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, parse, to_rfc3339


@pytest.fixture(scope="module")
def agency() -> SampleAgency:
    return SampleAgency(seed=7)


def fingerprint(agency: SampleAgency) -> list[object]:
    return [
        (
            creator.name,
            [
                (fan.id, fan.username, fan.subscribed, fan.last_seen_at, dict(fan.spent))
                for fan in creator.fans
            ],
            [(payment.id, payment.at) for payment in creator.payments],
            [(chargeback.number, chargeback.at) for chargeback in creator.chargebacks],
        )
        for creator in agency.creators
    ]


def test_its_four_pages(agency: SampleAgency) -> None:
    assert to_rfc3339(agency.start_at) == "2026-03-02T08:00:00Z"
    assert [(creator.price_cents, len(creator.fans)) for creator in agency.creators] == [
        (999, 620),
        (2_499, 240),
        (0, 900),
        (999, 240),
    ]
    newest = agency.creators[3]
    assert min(fan.began_at for fan in newest.fans) >= agency.start_at - 40 * MS_PER_DAY


def test_traps_sit_on_the_free_page_only(agency: SampleAgency) -> None:
    for creator in agency.creators:
        nameless = sum(fan.username is None for fan in creator.fans)
        undetailed = sum(not fan.detailed for fan in creator.fans)
        assert (nameless > 0, undetailed > 0) == (creator.price_cents == 0, creator.price_cents == 0)


def test_the_same_seed_gives_the_same_lives_whatever_the_steps() -> None:
    by_day, at_once, other = SampleAgency(seed=3), SampleAgency(seed=3), SampleAgency(seed=4)
    end = by_day.start_at + 20 * MS_PER_DAY
    for now in range(by_day.start_at, end + 1, MS_PER_DAY):
        by_day.advance(now)
    at_once.advance(end)
    assert fingerprint(by_day) == fingerprint(at_once)
    assert fingerprint(SampleAgency(seed=3)) != fingerprint(other)


def test_life_goes_on_after_the_start() -> None:
    agency = SampleAgency(seed=7)

    def counts(creator: Creator) -> Counter[str]:
        made = Counter(payment.type for payment in creator.payments)
        return made + Counter(
            fans=len(creator.fans),
            expired=sum(not fan.subscribed for fan in creator.fans),
            periods=sum(len(fan.periods) for fan in creator.fans),
        )

    before = counts(agency.creators[0])
    agency.advance(agency.start_at + 14 * MS_PER_DAY)
    grown = counts(agency.creators[0]) - before
    assert {"subscribes", "chat_messages", "fans", "expired", "periods"} <= set(grown)


def test_somebody_leaves_with_three_days_left_half_an_hour_after_the_start() -> None:
    agency = SampleAgency(seed=7)
    vip = agency.creators[1]
    fan = next(fan for fan in vip.fans if fan.username == "quentin_hale")
    period = fan.period
    assert period is not None
    agency.advance(agency.start_at + 30 * MS_PER_MINUTE - 1)
    assert (fan.subscribed, period.cancelled_at) == (True, None)
    agency.advance(agency.start_at + MS_PER_HOUR)
    assert period.cancelled_at == parse("2026-03-02T08:30:00Z")
    assert fan.subscribed
    assert period.ends_at - agency.start_at == 3 * MS_PER_DAY + MS_PER_HOUR
    own = [payment for payment in vip.payments if payment.fan is fan]
    now = agency.start_at + MS_PER_HOUR
    recent = sum(p.amount_cents for p in own if now - 30 * MS_PER_DAY < p.at <= now)
    prior = sum(p.amount_cents for p in own if now - 60 * MS_PER_DAY < p.at <= now - 30 * MS_PER_DAY)
    assert fan.last_activity_at is not None
    assert (now - fan.last_activity_at) // MS_PER_DAY == 7
    assert 0 < recent < prior / 2
    agency.advance(agency.start_at + 4 * MS_PER_DAY)
    assert not fan.subscribed
