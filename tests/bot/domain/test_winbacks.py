from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.models import MS_PER_DAY, AlertTier
from bot.domain.my_work import Claim, Task, by_urgency
from bot.domain.views import FanLabel
from bot.domain.winbacks import (
    Candidate,
    CandidateFacts,
    Helper,
    Rhythm,
    Winback,
    WinbackKind,
    WinbackState,
    came_back_at,
    deal,
    kind_of,
    most_of_the_money,
    quiet_after_ms,
)

NOW = 1_772_438_400_000
FAN = FanLabel("1", "ann", None, None)
QUIET = CandidateFacts(
    expired=False,
    subscribed=True,
    silent_since_at=NOW - 7 * MS_PER_DAY,
    total_cents=5_000,
    can_receive_messages=None,
    is_blocked=None,
    is_restricted=None,
    is_performer=None,
    deleted=False,
)
EXPIRED = replace(QUIET, expired=True, subscribed=False, silent_since_at=None)


def candidate(number: int, creator_id: int = 7) -> Candidate:
    return Candidate(number, creator_id, "Ava", FAN, WinbackKind.EXPIRED, 100, 100, None, None)


@pytest.mark.parametrize(
    ("rhythm", "days"),
    [
        (None, 7),
        (Rhythm(1, 100, 100), 7),
        (Rhythm(2, 100, 101), 7),
        (Rhythm(3, 100, 107), 7),
        (Rhythm(3, 100, 110), 10),
        (Rhythm(2, 100, 160), 120),
    ],
)
def test_quiet_is_twice_the_own_gap_and_a_week_at_least(rhythm: Rhythm | None, days: int) -> None:
    assert quiet_after_ms(rhythm) == days * MS_PER_DAY


def test_a_fan_is_quiet_from_the_day_on_that_his_rhythm_says() -> None:
    assert kind_of(QUIET, None, 5_000, NOW) is WinbackKind.QUIET
    assert kind_of(QUIET, None, 5_000, NOW - 1) is None
    assert kind_of(QUIET, Rhythm(3, 100, 110), 5_000, NOW) is None
    assert kind_of(QUIET, Rhythm(3, 100, 110), 5_000, NOW + 3 * MS_PER_DAY) is WinbackKind.QUIET
    assert kind_of(QUIET, None, 5_001, NOW) is None
    assert kind_of(QUIET, None, None, NOW) is None
    assert kind_of(replace(QUIET, silent_since_at=None), None, 1, NOW) is None
    assert kind_of(replace(QUIET, subscribed=False), None, 1, NOW) is None


def test_an_expired_fan_is_one_at_once_whatever_he_spent() -> None:
    assert kind_of(EXPIRED, Rhythm(2, 100, 200), 10**9, NOW) is WinbackKind.EXPIRED
    assert kind_of(replace(EXPIRED, total_cents=1), None, None, NOW) is WinbackKind.EXPIRED
    for nothing in (None, 0, -500):
        assert kind_of(replace(EXPIRED, total_cents=nothing), None, 1, NOW) is None


@pytest.mark.parametrize(
    "flags",
    [
        {"is_blocked": True},
        {"is_restricted": True},
        {"is_performer": True},
        {"can_receive_messages": False},
        {"deleted": True},
    ],
)
def test_who_cannot_be_reached_is_no_candidate(flags: dict[str, bool]) -> None:
    assert kind_of(replace(QUIET, **flags), None, 1, NOW) is None
    assert kind_of(replace(EXPIRED, **flags), None, 1, NOW) is None


@pytest.mark.parametrize(
    ("paces", "expected"),
    [
        ([], (0, 0.0)),
        ([None, None], (0, 0.0)),
        ([0, -5], (0, 0.0)),
        ([100], (1, 1.0)),
        ([600, *[10] * 40], (10, 0.69)),
        ([10] * 100, (60, 0.6)),
        ([*[10] * 100, None], (60, 0.6)),
    ],
)
def test_the_first_hold_most_of_the_money(paces: list[int | None], expected: tuple[int, float]) -> None:
    assert most_of_the_money(paces) == expected


class TestDealing:
    def test_the_least_loaded_is_served_first_then_everybody_in_turn(self) -> None:
        helpers = [Helper(1, frozenset({7}), 2), Helper(2, frozenset({7}), 0), Helper(3, frozenset({7}), 1)]
        dealt = deal([candidate(number) for number in range(7)], helpers, 10, 100)
        assert [user_id for _, user_id in dealt] == [2, 3, 2, 1, 3, 2, 1]

    def test_nobody_gets_a_fan_of_a_creator_he_does_not_see(self) -> None:
        helpers = [Helper(1, frozenset({7}), 0), Helper(2, frozenset({8}), 0)]
        mixed = [candidate(1, 7), candidate(2, 7), candidate(3, 8), candidate(4, 9)]
        assert [(one.fan_account_id, user) for one, user in deal(mixed, helpers, 10, 100)] == [
            (1, 1),
            (2, 1),
            (3, 2),
        ]

    def test_a_full_person_passes_the_candidate_on_or_leaves_it(self) -> None:
        helpers = [Helper(1, frozenset({7}), 0, open_here=1), Helper(2, frozenset({8}), 0)]
        mixed = [candidate(1, 7), candidate(2, 7), candidate(3, 8)]
        assert [(one.fan_account_id, user) for one, user in deal(mixed, helpers, 2, 100)] == [(1, 1), (3, 2)]
        assert deal(mixed, helpers, 1, 100) == [(candidate(3, 8), 2)]

    @given(
        st.lists(st.integers(1, 3), max_size=30),
        st.lists(
            st.builds(
                Helper,
                st.integers(1, 99),
                st.frozensets(st.integers(1, 3)),
                st.integers(0, 9),
                st.integers(0, 3),
            ),
            max_size=6,
            unique_by=lambda helper: helper.user_id,
        ),
        st.integers(1, 5),
        st.integers(0, 20),
    )
    def test_whatever_comes_caps_and_access_hold(
        self, creators: list[int], helpers: list[Helper], per_person: int, top: int
    ) -> None:
        dealt = deal([candidate(n, creator) for n, creator in enumerate(creators)], helpers, per_person, top)
        assert len(dealt) <= top
        assert len({one.fan_account_id for one, _ in dealt}) == len(dealt)
        for helper in helpers:
            own = [one for one, user_id in dealt if user_id == helper.user_id]
            assert len(own) <= max(0, per_person - helper.open_here)
            assert {one.creator_id for one in own} <= helper.creator_ids


def test_coming_back_is_what_happens_after_the_hand_out() -> None:
    at = came_back_at
    assert at(WinbackKind.EXPIRED, NOW, NOW + 5, None) == NOW + 5
    assert at(WinbackKind.EXPIRED, NOW, NOW, NOW) is None
    assert at(WinbackKind.EXPIRED, NOW, NOW + 5, NOW + 3) == NOW + 3
    assert at(WinbackKind.QUIET, NOW, NOW + 5, None) is None
    assert at(WinbackKind.QUIET, NOW, None, NOW + 1) == NOW + 1


def claim(number: int, tier: AlertTier, pace_cents: int | None) -> Task:
    made = Claim(number, 7, "Ava", 1, FAN, tier, False, 70.0, pace_cents, 100, "USD", NOW, None, None)
    return Task(made, pace_cents)


def asked(number: int, due_at: int | None, pace_cents: int | None) -> Task:
    made = Winback(
        id=number,
        creator_id=7,
        creator_name="Ava",
        fan_account_id=1,
        fan=FAN,
        kind=WinbackKind.QUIET,
        state=WinbackState.OPEN,
        assignee_id=1,
        first_assignee_id=1,
        assigned_by=2,
        assigned_at=NOW,
        due_at=due_at,
        note=None,
        spread_id=None,
        refill_of=None,
        outcome=None,
        outcome_note=None,
        done_at=None,
        done_by=None,
        created_at=NOW,
        total_cents=100 * number,
        back_at=None,
    )
    return Task(made, pace_cents)


def test_work_comes_by_urgency_and_then_by_money() -> None:
    in_order = [
        asked(1, NOW - 1, 500),
        asked(2, NOW, 400),
        claim(3, AlertTier.ACTION, 900),
        asked(4, NOW + MS_PER_DAY, 800),
        claim(5, AlertTier.ACTION, None),
        claim(6, AlertTier.AT_RISK, 5_000),
        asked(7, NOW + MS_PER_DAY + 1, 10),
        asked(8, None, 9_000),
        asked(10, None, None),
        asked(9, None, None),
    ]
    assert by_urgency(list(reversed(in_order)), NOW) == in_order
