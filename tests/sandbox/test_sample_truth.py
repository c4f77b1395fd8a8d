"""What the agency itself knows of its fans' subscriptions, against what their periods say."""

from __future__ import annotations

from collections import defaultdict

import pytest

from bot.sandbox.agency.model import Fan
from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.agency.truth import Event
from bot.sandbox.times import MS_PER_DAY, parse

Story = list[tuple[Event, int]]


def told(agency: SampleAgency) -> dict[tuple[str, int], Story]:
    """The events of each fan, in their order."""
    stories: dict[tuple[str, int], Story] = defaultdict(list)
    for happened in agency.subscription_truth():
        stories[happened.account_id, happened.fan_id].append((happened.event, happened.at))
    return stories


def story_of(agency: SampleAgency, username: str) -> Story:
    creator, fan = next(
        (creator, fan) for creator in agency.creators for fan in creator.fans if fan.username == username
    )
    return told(agency)[creator.account_id, fan.id]


def lived(fan: Fan, now: int) -> Story:
    """The story the periods tell; a switching on again leaves no trace in them."""
    events: Story = []
    for number, period in enumerate(fan.periods):
        before = fan.periods[number - 1] if number else None
        if before is None:
            events.append(("trial_started" if period.trial else "subscribed", period.starts_at))
        elif before.ends_at < period.starts_at:
            events.append(("resubscribed", period.starts_at))
        else:
            events.append(("trial_converted" if before.trial else "rebilled", period.starts_at))
        if period.cancelled_at is not None:
            events.append(("cancelled", period.cancelled_at))
            if period.ends_at <= now:
                events.append(("expired", period.ends_at))
    return events


@pytest.mark.parametrize("seed", [1, 7])
def test_the_truth_is_what_the_periods_tell(seed: int) -> None:
    agency = SampleAgency(seed=seed)
    now = agency.start_at + 35 * MS_PER_DAY
    agency.advance(now)
    stories = told(agency)
    for creator in agency.creators:
        for fan in creator.fans:
            assert stories.pop((creator.account_id, fan.id)) == lived(fan, now)
    assert stories == {}
    codes = {happened.event for happened in agency.subscription_truth()}
    assert codes == {
        *("subscribed", "rebilled", "cancelled", "expired", "resubscribed", "trial_started"),
        "trial_converted",
    }


def test_the_truth_comes_in_time_order_and_holds_nothing_of_the_future() -> None:
    agency = SampleAgency(seed=7)
    moments = [happened.at for happened in agency.subscription_truth()]
    assert moments == sorted(moments)
    assert moments[-1] <= agency.start_at
    agency.advance(agency.start_at + MS_PER_DAY)
    assert [happened.at for happened in agency.subscription_truth()][: len(moments)] == moments


def test_the_planted_resubscriber() -> None:
    agency = SampleAgency(seed=7)
    agency.advance(agency.start_at + MS_PER_DAY)
    assert story_of(agency, "felix_arden") == [
        ("subscribed", parse("2025-12-02T15:20:00Z")),
        ("rebilled", parse("2026-01-01T15:20:00Z")),
        ("rebilled", parse("2026-01-31T15:20:00Z")),
        ("cancelled", parse("2026-02-24T11:00:00Z")),
        ("expired", parse("2026-03-02T15:20:00Z")),
        ("resubscribed", parse("2026-03-02T22:40:00Z")),
    ]


def test_cancelled_and_switched_on_again_are_both_kept() -> None:
    agency = SampleAgency(seed=7, effect=1.0)
    start = agency.start_at
    creator, fan = next(
        (creator, fan)
        for creator in agency.creators
        for fan in creator.fans
        if (period := fan.period) is not None
        and period.cancelled_at is not None
        and period.ends_at > start + 2 * MS_PER_DAY
        and fan.username is not None
        and fan.username[-1].isdecimal()
    )
    period = fan.periods[-1]
    cancelled_at = period.cancelled_at
    assert cancelled_at is not None
    agency.contact(creator.account_id, fan.id, start + MS_PER_DAY)
    agency.advance(period.ends_at)
    assert told(agency)[creator.account_id, fan.id][-3:] == [
        ("cancelled", cancelled_at),
        ("switched_on", start + MS_PER_DAY),
        ("rebilled", period.ends_at),
    ]
    assert period.cancelled_at is None, "the page itself shows nothing of it any more"
