"""The sample agency: its pages, its people in numbers, its determinism, and the first of the planted cast."""

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


def test_money_is_held_by_few_and_some_of_it_comes_back(agency: SampleAgency) -> None:
    totals = sorted(
        (fan.total_cents for creator in agency.creators for fan in creator.fans if fan.total_cents > 0),
        reverse=True,
    )

    def share(part: float) -> float:
        return sum(totals[: int(len(totals) * part)]) / sum(totals)

    assert share(0.01) == pytest.approx(0.36, abs=0.12)
    assert share(0.05) == pytest.approx(0.56, abs=0.12)
    assert share(0.20) == pytest.approx(0.80, abs=0.12)
    assert 1 - share(0.5) == pytest.approx(0.06, abs=0.12)
    payments = sum(len(creator.payments) for creator in agency.creators)
    refunds = sum(len(creator.chargebacks) for creator in agency.creators)
    assert refunds / payments == pytest.approx(0.015, abs=0.008)


def test_payers_of_the_free_page_and_unknown_last_seen(agency: SampleAgency) -> None:
    free = agency.creators[2]
    buyers = {payment.fan.id for payment in free.payments}
    assert 0.02 <= len(buyers) / len(free.fans) <= 0.07
    fans = [fan for creator in agency.creators for fan in creator.fans]
    unknown = sum(fan.last_seen_at is None for fan in fans)
    assert unknown / len(fans) == pytest.approx(0.15, abs=0.04)


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


def test_few_periods_end_before_the_one_who_leaves() -> None:
    """A poll that refreshes the ten fans whose periods end soonest, besides those who paid, reaches him."""
    agency = SampleAgency(seed=7)
    vip = agency.creators[1]
    ending = sorted(
        (fan.periods[-1].ends_at, fan.username)
        for fan in vip.fans
        if fan.subscribed and fan.periods[-1].cancelled_at is None
    )
    assert "quentin_hale" in [username for _, username in ending[:10]]
