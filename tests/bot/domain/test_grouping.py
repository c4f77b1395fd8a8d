"""Which changes of a run share a card, and who is a whale."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.grouping import PlannedCard, RunItem, group, is_whale, whale_threshold
from bot.domain.models import AlertTier, CardKind, Change


def flag(episode_id: int, money: int | None = 0, *, had_card: bool = False) -> RunItem:
    return RunItem(episode_id, AlertTier.AT_RISK, Change.OPENED, False, False, money, had_card)


def action(
    episode_id: int, money: int = 0, *, change: Change = Change.OPENED, had_card: bool = False
) -> RunItem:
    return RunItem(episode_id, AlertTier.ACTION, change, False, False, money, had_card)


def expiry(episode_id: int, money: int = 0, *, whale: bool = False, had_card: bool = False) -> RunItem:
    return RunItem(episode_id, AlertTier.ACTION, Change.EXPIRED, True, whale, money, had_card)


def test_five_flags_get_a_card_each_most_money_first() -> None:
    plan = group([flag(1), flag(2, 500), flag(3, None), flag(4, 500), flag(5, 9)])
    assert plan == tuple(PlannedCard(CardKind.ALERT, (number,)) for number in (2, 4, 5, 1, 3))


def test_six_flags_share_one_card() -> None:
    plan = group([flag(number, number) for number in range(6)])
    assert plan == (PlannedCard(CardKind.GROUPED, (5, 4, 3, 2, 1, 0)),)


def test_a_reopened_flag_keeps_its_card_and_does_not_count() -> None:
    plan = group([*(flag(number) for number in range(5)), flag(9, had_card=True)])
    assert len(plan) == 6
    assert plan[-1] == PlannedCard(CardKind.ALERT, (9,), reuse=True)


def test_action_items_are_never_inside_a_grouped_card() -> None:
    plan = group(
        [*(action(number, number) for number in range(8)), *(flag(10 + number) for number in range(8))]
    )
    assert plan[:8] == tuple(
        PlannedCard(CardKind.ALERT, (number,), mention=True) for number in reversed(range(8))
    )
    assert [card.kind for card in plan[8:]] == [CardKind.GROUPED]


def test_a_raised_flag_keeps_its_card_and_mentions() -> None:
    plan = group([action(1, change=Change.RAISED, had_card=True)])
    assert plan == (PlannedCard(CardKind.ALERT, (1,), mention=True, reuse=True),)


def test_a_single_expiry_is_a_grouped_card_without_a_mention() -> None:
    assert group([expiry(1)]) == (PlannedCard(CardKind.GROUPED, (1,), expired=True),)


def test_whales_expire_on_a_card_of_their_own_with_a_mention() -> None:
    plan = group([expiry(1, 5), expiry(2, 90_000, whale=True), expiry(3, 7, had_card=True)])
    assert plan == (
        PlannedCard(CardKind.ALERT, (2,), expired=True, mention=True),
        PlannedCard(CardKind.GROUPED, (3, 1), expired=True),
    )


def test_what_is_no_news_touches_the_card_there_is_and_makes_none() -> None:
    lowered = RunItem(1, AlertTier.AT_RISK, Change.LOWERED, False, False, 5, had_card=True)
    cleared = RunItem(2, None, Change.CLEARED, False, False, 5, had_card=False)
    assert group([lowered, cleared]) == (PlannedCard(CardKind.ALERT, (1,), reuse=True),)


def test_nothing_new_is_no_card() -> None:
    assert group([]) == ()


items = st.lists(
    st.builds(
        RunItem,
        episode_id=st.integers(0, 10**6),
        tier=st.sampled_from(AlertTier),
        change=st.sampled_from([Change.OPENED, Change.RAISED, Change.EXPIRED, Change.WOKEN]),
        expired=st.booleans(),
        whale=st.booleans(),
        money_cents=st.none() | st.integers(-100, 10**6),
        had_card=st.booleans(),
    ),
    max_size=20,
    unique_by=lambda item: item.episode_id,
)


@settings(deadline=None)
@given(items, st.randoms(use_true_random=False))
def test_every_episode_is_on_exactly_one_card_in_any_order(run: list[RunItem], random: Any) -> None:
    plan = group(run)
    placed = [episode_id for card in plan for episode_id in card.episode_ids]
    assert sorted(placed) == sorted(item.episode_id for item in run)
    shuffled = list(run)
    random.shuffle(shuffled)
    assert group(shuffled) == plan


@pytest.mark.parametrize(
    ("totals", "threshold"),
    [
        pytest.param([], None, id="nobody"),
        pytest.param([0, None, -5], None, id="nobody who paid"),
        pytest.param([7, 0, None], 7, id="the only payer"),
        pytest.param(range(1, 100), 99, id="99 payers have one whale"),
        pytest.param(range(1, 301), 298, id="300 payers have three"),
        pytest.param([50] * 10, 50, id="those who tie are all whales"),
    ],
)
def test_the_whale_threshold(totals: list[int | None], threshold: int | None) -> None:
    assert whale_threshold(totals) == threshold


def test_who_is_a_whale() -> None:
    assert is_whale(500, 500)
    assert not is_whale(499, 500)
    assert not is_whale(None, 500)
    assert not is_whale(500, None)


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(-1000, 10**9), max_size=300))
def test_somebody_is_a_whale_exactly_when_somebody_paid(totals: list[int | None]) -> None:
    threshold = whale_threshold(totals)
    anyone_paid = any(total is not None and total > 0 for total in totals)
    assert any(is_whale(total, threshold) for total in totals) == anyone_paid
