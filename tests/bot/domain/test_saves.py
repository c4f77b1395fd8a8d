"""What came back after contact: credit that adds up, effects that are found, and none where none is."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.saves import (
    LEAST_CASES,
    LEAST_CLAIM_MS,
    Case,
    Comparable,
    Share,
    by_creator,
    carry,
    drawn_range,
    estimate,
    middle,
    shares_of,
    split,
)

ANA, BEN, LEA = 1, 2, 3
AVA, BEA = 11, 12
HOUR = 3_600_000


def case(number: int = 1, **changes: object) -> Case:
    known = Case(number, 75.0, False, "USD", 10_000, 9_000, 7_200, (Share(ANA, 2),), AVA)
    return replace(known, **changes)  # type: ignore[arg-type]


def left_alone(**changes: object) -> Comparable:
    return replace(Comparable(75.0, False, "USD", 10_000, 5_000), **changes)  # type: ignore[arg-type]


MANY = [case(n) for n in range(LEAST_CASES)]
OTHERS = [left_alone() for _ in range(40)]


def agency(
    seed: int, *, lift: float = 0.0, n: int = 60, others: int = 150
) -> tuple[list[Case], list[Comparable]]:
    """Fans who pay a part of their pace that falls with the score; those in cases pay `lift` of it more."""
    random = Random(seed)

    def fan() -> tuple[float, bool, int, int]:
        score, expired = random.uniform(60, 100), random.random() < 0.2
        pace = int(random.lognormvariate(9, 0.8))
        part = max(0.0, 1 - (score - 60) / 50) * (0.5 if expired else 1.0) * random.choice([0, 0.5, 1, 2])
        return score, expired, pace, int(pace * part)

    cases = []
    for number in range(n):
        score, expired, pace, paid = fan()
        received = paid + int(lift * pace)
        cases.append(Case(number, score, expired, "USD", pace, received, None, (Share(ANA, 2),), AVA))
    comparables = []
    for _ in range(others):
        score, expired, pace, paid = fan()
        comparables.append(Comparable(score, expired, "USD", pace, paid))
    return cases, comparables


# Credit


SHARES = st.lists(st.integers(1, 50), min_size=1, max_size=12, unique=True).flatmap(
    lambda users: st.tuples(*(st.builds(Share, st.just(user), st.sampled_from([1, 2])) for user in users))
)


@given(st.integers(-(10**9), 10**9), SHARES)
def test_shares_add_up_to_the_cent(cents: int, shares: tuple[Share, ...]) -> None:
    parts = split(cents, shares)
    assert sum(parts.values()) == cents
    assert set(parts) == {share.user_id for share in shares}
    total = sum(share.weight for share in shares)
    for share in shares:
        assert abs(parts[share.user_id] - cents * share.weight / total) < 1


@given(st.lists(SHARES, min_size=1, max_size=8), st.integers(-50_000, 50_000))
@settings(max_examples=30, deadline=None)
def test_everybodys_part_adds_up_to_the_whole(all_shares: list[tuple[Share, ...]], received: int) -> None:
    cases = [case(n, received_cents=received + n, shares=shares) for n, shares in enumerate(all_shares)]
    carried = carry(cases, OTHERS)
    assert sum((one.cases for one in carried), Fraction()) == len(cases)
    assert sum(one.received_cents for one in carried) == sum(one.received_cents or 0 for one in cases)


@pytest.mark.parametrize(
    ("contacts", "claims", "expected"),
    [
        ([ANA], [], {ANA: 2}),
        ([ANA, ANA], [(ANA, 0, HOUR)], {ANA: 2}),
        ([ANA], [(BEN, 0, LEAST_CLAIM_MS)], {ANA: 2, BEN: 1}),
        ([ANA], [(BEN, 0, LEAST_CLAIM_MS - 1)], {ANA: 2}),
        ([ANA], [(BEN, 0, LEAST_CLAIM_MS // 2), (BEN, HOUR, HOUR + LEAST_CLAIM_MS // 2)], {ANA: 2, BEN: 1}),
        ([LEA, ANA], [(BEN, 0, HOUR)], {ANA: 2, BEN: 1, LEA: 2}),
        ([], [(BEN, 5, 1)], {}),
    ],
)
def test_writing_weighs_twice_a_claim_and_a_short_claim_nothing(
    contacts: list[int], claims: list[tuple[int, int, int]], expected: dict[int, int]
) -> None:
    assert {share.user_id: share.weight for share in shares_of(contacts, claims)} == expected


def test_the_rank_goes_by_the_difference_and_who_has_few_cases_has_none() -> None:
    cases = [case(n, received_cents=6_000, shares=(Share(ANA, 2),)) for n in range(30)]
    cases += [case(100 + n, received_cents=9_000, shares=(Share(BEN, 2), Share(LEA, 1))) for n in range(30)]
    carried = {one.user_id: one for one in carry(cases, OTHERS)}
    # Two thirds of 30 cases are 20, one third is ten.
    assert [(one.user_id, one.rank, one.cases) for one in carry(cases, OTHERS)] == [
        (BEN, 1, Fraction(20)),
        (ANA, 2, Fraction(30)),
        (LEA, None, Fraction(10)),
    ]
    # A cent of each case may fall to one or the other.
    assert carried[BEN].difference_cents == pytest.approx(30 * 4_000 * 2 / 3, abs=30)
    assert carried[ANA].difference_cents == 30 * 1_000


def test_who_has_the_same_difference_shares_a_place_and_the_next_one_is_left_out() -> None:
    cases = [
        case(100 * who + n, received_cents=received, shares=(Share(who, 2),))
        for who, received in ((BEN, 6_000), (ANA, 6_000), (LEA, 5_000))
        for n in range(30)
    ]
    assert [(one.user_id, one.rank) for one in carry(cases, OTHERS)] == [
        (min(ANA, BEN), 1),
        (max(ANA, BEN), 1),
        (LEA, 3),
    ]


def test_without_comparable_fans_nobody_has_a_rank() -> None:
    (ana,) = carry(MANY, OTHERS[: LEAST_CASES - 1])
    assert (ana.rank, ana.expected_cents, ana.difference_cents) == (None, None, None)
    assert ana.received_cents == 9_000 * LEAST_CASES


def test_net_is_shared_as_what_was_received_and_unknown_where_one_case_has_none() -> None:
    both = (Share(ANA, 2), Share(BEN, 1))
    known = [case(n, received_cents=900, net_cents=720, shares=both) for n in range(3)]
    unknown = case(9, received_cents=900, net_cents=None, shares=(Share(BEN, 1),))
    told = {one.user_id: (one.received_cents, one.net_cents) for one in carry([*known, unknown], OTHERS)}
    assert told == {ANA: (1_800, 1_440), BEN: (1_800, None)}


# By creator


def test_every_creator_has_her_part_of_the_whole_most_difference_first() -> None:
    bea = [case(100 + n, creator_id=BEA, received_cents=9_500) for n in range(25)]
    few = [
        case(200 + n, creator_id=13, net_cents=None, received_cents=50_000) for n in range(LEAST_CASES - 1)
    ]
    running = case(300, creator_id=14, received_cents=None)
    whole = [*MANY, *bea, *few, running]
    found = by_creator(whole, OTHERS)
    (told,) = estimate(whole, OTHERS)
    assert [(one.creator_id, one.cases, one.net_cents, one.difference_cents) for one in found] == [
        (BEA, 25, 25 * 7_200, 25 * 4_500),
        (AVA, 20, 20 * 7_200, 20 * 4_000),
        (13, 19, None, None),
    ]
    assert sum(one.received_cents for one in found) == told.received_cents
    assert {one.difference_cents for one in by_creator(whole, OTHERS[:19])} == {None}


# The comparison


def test_no_case_gives_nothing() -> None:
    assert estimate([], OTHERS) == []
    assert carry([], OTHERS) == []


def test_fewer_than_twenty_cases_or_comparable_fans_give_no_difference() -> None:
    for cases, others in ((MANY[1:], OTHERS), (MANY, OTHERS[: LEAST_CASES - 1])):
        (one,) = estimate(cases, others)
        assert (one.expected_cents, one.difference_cents, one.low_cents, one.high_cents) == (None,) * 4
        assert one.received_cents == 9_000 * len(cases)


def test_cases_that_run_on_or_have_no_pace_are_counted_apart() -> None:
    running = [case(100 + n, received_cents=None, net_cents=None) for n in range(3)]
    unknown = [case(200 + n, pace_cents=None) for n in range(2)]
    (one,) = estimate([*MANY, *running, *unknown], OTHERS)
    assert (one.cases, one.running, one.unknown, one.comparable) == (LEAST_CASES, 3, 2, 40)
    assert one.received_cents == 9_000 * LEAST_CASES
    assert one.net_cents == 7_200 * LEAST_CASES
    (other,) = estimate([*MANY[1:], case(0, net_cents=None)], OTHERS)
    assert other.net_cents is None


def test_what_is_expected_is_what_comparable_fans_paid() -> None:
    # Who is expired pays nothing, others half of their pace; the fewer there are the more the whole agency counts.
    others = [left_alone() for _ in range(60)]
    others += [left_alone(expired=True, received_cents=0) for _ in range(60)]
    (one,) = estimate([case(n, expired=True) for n in range(30)], others)
    whole = 0.25
    assert one.expected_cents == 30 * round(10_000 * (0 * 60 + whole * 20) / 80)


def test_money_of_two_currencies_is_never_added_up() -> None:
    euros = [case(500 + n, currency="EUR") for n in range(25)]
    found = estimate([*MANY, *euros], OTHERS)
    assert [(one.currency, one.cases, one.comparable) for one in found] == [("EUR", 25, 0), ("USD", 20, 40)]
    assert found[0].difference_cents is None
    assert found[1].difference_cents == 20 * 4_000
    assert {(one.currency, one.received_cents) for one in carry([*MANY, *euros], OTHERS)} == {
        ("EUR", 225_000),
        ("USD", 180_000),
    }


@given(st.randoms(use_true_random=False), st.integers(0, 50))
@settings(max_examples=5, deadline=None)
def test_the_order_in_which_cases_are_read_does_not_matter(random: Random, seed: int) -> None:
    cases, others = agency(seed, n=25, others=30)
    shuffled, others_shuffled = cases[:], others[:]
    random.shuffle(shuffled)
    random.shuffle(others_shuffled)
    assert estimate(shuffled, others_shuffled) == estimate(cases, others)
    assert carry(shuffled, others_shuffled) == carry(cases, others)


def test_what_is_told_as_the_difference_is_what_came_beyond_what_was_expected() -> None:
    cases, others = agency(3, lift=-0.4, n=22, others=25)
    (one,) = estimate(cases, others)
    assert one.difference_cents == one.received_cents - (one.expected_cents or 0)


def test_more_cases_and_comparable_fans_make_the_range_of_a_case_narrower() -> None:
    def width(n: int) -> float:
        drawn = [drawn_range(*agency(seed, n=n, others=3 * n)) for seed in range(6)]
        return sum(high - low for low, high in drawn) / n

    # Four times as many halve it.
    assert width(120) / width(30) == pytest.approx(0.5, abs=0.15)


def test_an_effect_that_is_there_is_found() -> None:
    for seed in range(8):
        cases, others = agency(seed, lift=0.7)
        low, high = drawn_range(cases, others)
        added = 0.7 * sum(each.pace_cents or 0 for each in cases)
        assert 0 < low <= added <= high, seed


def test_where_there_is_no_effect_nine_in_ten_ranges_hold_zero() -> None:
    held = 0
    for seed in range(60):
        cases, others = agency(seed)
        low, high = drawn_range(cases, others)
        held += low <= 0 <= high
        if seed % 10 == 0:
            (one,) = estimate(cases, others)
            assert low <= (one.difference_cents or 0) <= high, seed
            assert (one.low_cents, one.high_cents) == (math.floor(low), math.ceil(high))
    assert 50 <= held <= 58


def test_the_middle_of_nothing_is_unknown() -> None:
    assert middle([]) is None
    assert middle([4.0, 1.0, 9.0]) == 4.0
