"""The replayed history: tiny files worked out by hand, and a second reading of the definitions."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.sandbox.agency.history import HistoryAgency, HistoryError, Row, read_rows
from bot.sandbox.agency.model import Creator, Fan
from bot.sandbox.times import MS_PER_DAY, MS_PER_S, parse, to_rfc3339

DAY = MS_PER_DAY
T0 = parse("2024-01-01T00:00:00Z")


def rows(*events: tuple[float, int], fan: int = 7, creator: str = "creator-1") -> list[Row]:
    """Rows of one fan, given as (day, cents)."""
    return [
        Row(number, creator, fan, T0 + int(day * DAY), cents)
        for number, (day, cents) in enumerate(events, start=1)
    ]


def agency(made: list[Row]) -> HistoryAgency:
    return HistoryAgency(sorted(made, key=lambda row: row.at))


def later(agency_: HistoryAgency, day: float) -> Fan:
    agency_.advance(T0 + int(day * DAY))
    return agency_.creators[0].by_id[7]


def test_it_starts_after_two_thirds_of_the_span_at_midnight(tmp_path: Path) -> None:
    file = tmp_path / "h.csv"
    file.write_text(
        "creator,fan,at,amount_cents\n"
        "creator-1,1,2024-01-01T10:00:00Z,100\n"
        "creator-2,2,2024-03-31T22:00:00Z,200\n"
    )
    assert to_rfc3339(HistoryAgency(read_rows(file)).start_at) == "2024-03-01T00:00:00Z"
    # 90.5 days; two thirds of them after the first row is 2024-03-01T18:00Z.


def test_the_start_of_the_floored_day() -> None:
    made = agency(rows((0.5, 100), (90.5, 100)))
    assert to_rfc3339(made.start_at) == "2024-03-01T00:00:00Z"
    assert made.start_at == T0 + 60 * DAY


def test_names_and_accounts(tmp_path: Path) -> None:
    file = tmp_path / "h.csv"
    file.write_text("creator,fan,at,amount_cents\ncreator-1,17850,2024-01-01T00:00:00Z,100\n")
    creator = HistoryAgency(read_rows(file)).creators[0]
    fan = creator.fans[0]
    assert (creator.name, creator.account_id) == ("creator-1", "acct_creator-1")
    assert (fan.id, fan.username) == (17850, "fan_17850")


def test_rebill_goes_off_seven_days_before_the_end_where_nothing_was_bought() -> None:
    made = agency(rows((0, 100), (0.5, 100)))  # starts on day 0
    assert later(made, 22.99).period is not None
    fan = later(made, 23)
    assert fan.period is not None
    assert fan.period.cancelled_at is None, "the purchase on day 0.5 counts"

    alone = agency(rows((0, 100)))
    fan = later(alone, 22.999)
    assert fan.period is not None
    assert fan.period.cancelled_at is None
    fan = later(alone, 23)
    assert fan.period is not None
    assert fan.period.cancelled_at == T0 + 23 * DAY
    assert fan.subscribed
    fan = later(alone, 29.999)
    assert fan.subscribed
    fan = later(alone, 30)
    assert not fan.subscribed
    assert fan.period is not None
    assert fan.period.ends_at == T0 + 30 * DAY
    assert fan.period.cancelled_at == T0 + 23 * DAY


def test_several_rows_in_the_opening_second_do_not_count_as_a_purchase_since() -> None:
    made = agency(rows((0, 100), (0, 250), (0, 300)))
    fan = later(made, 25)
    assert fan.period is not None
    assert fan.period.cancelled_at == T0 + 23 * DAY
    assert fan.total_cents == 650
    assert len({payment.id for payment in made.creators[0].payments}) == 3
    assert len({payment.key for payment in made.creators[0].payments}) == 3


def test_a_purchase_in_the_last_week_clears_rebill_off_and_the_next_period_follows() -> None:
    made = agency(rows((0, 100), (25, 200), (200, 1)))
    made_at = made.start_at
    assert made_at == T0 + 133 * DAY  # history before it is served already
    periods = later(made, 133).periods
    assert [(p.starts_at - T0) // DAY for p in periods] == [0, 30]
    assert periods[0].cancelled_at is None
    assert periods[1].cancelled_at == T0 + 53 * DAY
    assert not later(made, 133).subscribed


def test_a_purchase_at_the_very_end_of_a_cancelled_period_opens_the_next() -> None:
    made = agency(rows((0, 100), (30, 100), (30.5, 100)))
    assert [(p.starts_at - T0) // DAY for p in later(made, 31).periods] == [0, 30]
    assert later(made, 31).subscribed
    assert later(made, 31).subscribed_since == T0 + 30 * DAY
    fan = later(made, 60)
    assert [(p.starts_at - T0) // DAY for p in fan.periods] == [0, 30, 60], "day 30.5 kept it alive"


def test_a_purchase_after_expiry_subscribes_for_thirty_days() -> None:
    made = agency(rows((0, 100), (41, 300)))
    assert not later(made, 40).subscribed
    fan = later(made, 41)
    assert fan.subscribed
    assert fan.period is not None
    assert (fan.period.starts_at, fan.period.ends_at) == (T0 + 41 * DAY, T0 + 71 * DAY)
    assert fan.last_activity_at == fan.last_seen_at == T0 + 41 * DAY
    assert not later(made, 71).subscribed


def test_refunds_count_against_lifetime_and_are_no_activity_and_no_transaction() -> None:
    made = agency(rows((0, -500), (1, 1_000), (2, -250), (3, -900)))
    fan = later(made, 2)
    assert (fan.began_at, fan.total_cents) == (T0 + DAY, 750)
    fan = later(made, 3)
    assert fan.total_cents == -150
    assert fan.last_activity_at == T0 + DAY
    creator = made.creators[0]
    assert [payment.amount_cents for payment in creator.payments] == [1_000]
    assert [(c.at, c.payment.amount_cents) for c in creator.chargebacks] == [
        (T0 + 2 * DAY, 250),
        (T0 + 3 * DAY, 900),
    ]


def test_a_fan_of_refunds_only_is_never_known() -> None:
    made = agency([*rows((0, -500), (4, -10)), *rows((5, 10), fan=8)])
    made.advance(T0 + 400 * DAY)
    assert set(made.creators[0].by_id) == {8}
    assert made.creators[0].chargebacks == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("creator,fan,at\n", "no column amount_cents"),
        ("creator,fan,at,amount_cents\n", "no rows"),
        ("creator,fan,at,amount_cents\nc,x,2024-01-01T00:00:00Z,1\n", "row 1"),
        ("creator,fan,at,amount_cents\nc,1,yesterday,1\n", "row 1"),
        ("creator,fan,at,amount_cents\nc,1,2024-01-01T00:00:00Z\n", "row 1"),
    ],
)
def test_a_file_that_is_no_history_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "h.csv"
    file.write_text(text)
    with pytest.raises(HistoryError, match=words):
        read_rows(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="absent"):
        read_rows(tmp_path / "absent.csv")


@dataclass(frozen=True)
class Truth:
    """A fan at T, read off the definitions without simulating."""

    subscribed: bool
    starts_at: int
    ends_at: int
    rebill_off: bool
    total_cents: int
    last_at: int


def truth(events: list[tuple[int, int]], now: int) -> Truth | None:
    """`events`: (at, cents) in file order."""
    first = next((index for index, (_, cents) in enumerate(events) if cents > 0), None)
    if first is None or events[first][0] > now:
        return None
    known = [(at, cents) for at, cents in events[first:] if at <= now]
    bought = [at for at, cents in known if cents > 0]
    start = bought[0]
    while True:
        end = start + 30 * DAY
        last_moment = min(now, end)
        kept = any(start < at <= last_moment for at in bought)
        off = last_moment >= end - 7 * DAY and not kept
        if now < end:
            subscribed = True
        elif not off:
            start = end
            continue
        else:
            back = [at for at in bought if at >= end]
            if back:
                start = back[0]
                continue
            subscribed = False
        total = sum(cents for _, cents in known)
        return Truth(subscribed, start, end, off, total, bought[-1])


def check(creator: Creator, events: dict[int, list[tuple[int, int]]], now: int) -> None:
    for fan_id, own in events.items():
        expected = truth(own, now)
        fan = creator.by_id.get(fan_id)
        assert (fan is None) == (expected is None)
        if fan is None or expected is None:
            continue
        period = fan.period
        assert period is not None
        assert fan.last_activity_at is not None
        seen = Truth(
            fan.subscribed,
            period.starts_at,
            period.ends_at,
            period.cancelled_at is not None,
            fan.total_cents,
            fan.last_activity_at,
        )
        assert seen == expected, f"fan {fan_id} at {to_rfc3339(now)}: {own}"


@pytest.mark.parametrize("seed", range(20))
def test_the_replay_agrees_with_the_definitions_at_every_moment(seed: int) -> None:
    rng = random.Random(seed)
    made: list[Row] = []
    events: dict[int, list[tuple[int, int]]] = {}
    for number in range(1, 121):
        fan = rng.randrange(1, 13)
        # Whole, half and quarter days, so that purchases meet boundaries exactly.
        at = T0 + rng.randrange(0, 600) * DAY // 4 + rng.choice((0, 0, 0, MS_PER_S, -MS_PER_S))
        made.append(Row(number, "creator-1", fan, at, rng.choice((100, 250, 999, 5_000, -100, -999))))
    made.sort(key=lambda row: row.at)
    for row in made:
        events.setdefault(row.fan, []).append((row.at, row.amount_cents))
    replay = HistoryAgency(made)
    now = replay.start_at
    while now < T0 + 200 * DAY:
        replay.advance(now)
        check(replay.creators[0], events, now)
        now += rng.choice((DAY // 4, DAY, 3 * DAY, 1, 977 * MS_PER_S))


def test_the_size_of_a_jump_changes_nothing() -> None:
    rng = random.Random(1)
    made = sorted(
        (
            Row(number, f"creator-{rng.randrange(2)}", rng.randrange(30), T0 + rng.randrange(200) * DAY, 100)
            for number in range(300)
        ),
        key=lambda row: row.at,
    )
    at_once, slowly = HistoryAgency(made), HistoryAgency(made)
    end = T0 + 240 * DAY
    at_once.advance(end)
    for now in range(slowly.start_at, end + 1, DAY // 3):
        slowly.advance(now)
    slowly.advance(end)

    def summary(replay: HistoryAgency) -> list[object]:
        return [
            (fan.id, fan.subscribed, fan.total_cents, [(p.starts_at, p.cancelled_at) for p in fan.periods])
            for creator in replay.creators
            for fan in creator.fans
        ]

    assert summary(at_once) == summary(slowly)
