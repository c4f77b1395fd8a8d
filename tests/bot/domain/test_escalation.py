"""Escalations as pure values: whatever shifts are worked and whenever somebody looks, once, in order and in time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.desk import MS_PER_MINUTE, DeskRules
from bot.domain.escalation import LEAD, MANAGER, Ladder, Span, Step, next_step, on_shift_ms, stage_due
from bot.domain.views import Owner

RULES = DeskRules()
ANA, LEA, MAX, ROLE = 1, 2, 3, 9
FULL = Ladder((LEA,), (MAX,), ROLE)
AN_HOUR = RULES.escalate_manager_ms

instants = st.integers(0, 600)
spans = st.lists(
    st.tuples(instants, instants).map(lambda pair: (min(pair) * MS_PER_MINUTE, max(pair) * MS_PER_MINUTE)),
    max_size=8,
)


def by_the_minute(worked: list[Span], since: int, until: int) -> int:
    """The same by counting: the minutes in which anybody is on."""
    return sum(
        MS_PER_MINUTE
        for at in range(since, until, MS_PER_MINUTE)
        if any(start <= at < end for start, end in worked)
    )


@given(spans, instants, instants)
def test_time_on_shift_is_what_counting_gives(worked: list[Span], one: int, other: int) -> None:
    since, until = sorted((one * MS_PER_MINUTE, other * MS_PER_MINUTE))
    assert on_shift_ms(worked, since, until) == by_the_minute(worked, since, until)


@given(spans, instants, st.lists(instants, max_size=30))
def test_each_stage_comes_once_never_early_and_never_late(
    worked: list[Span], from_minute: int, looks: list[int]
) -> None:
    since = from_minute * MS_PER_MINUTE
    stage, owner = 0, Owner("user", ANA)
    called: list[Owner] = []
    for at in sorted({max(since, look * MS_PER_MINUTE) for look in looks}):
        waited = by_the_minute(worked, since, at)
        step = next_step(stage, owner, FULL, waited, RULES)
        assert (step is not None) == (stage_due(waited, RULES) > stage)
        if step is not None:
            assert step.to is not None
            assert waited >= (RULES.escalate_lead_ms if step.stage == LEAD else AN_HOUR)
            called.append(step.to)
            stage, owner = step.stage, step.to
        assert next_step(stage, owner, FULL, waited, RULES) is None
        assert (waited < RULES.escalate_lead_ms) == (stage == 0)
        assert (waited >= AN_HOUR) == (stage == MANAGER)
    assert len(called) == len(set(called))
    assert called in (
        [],
        [Owner("user", LEA)],
        [Owner("user", MAX)],
        [Owner("user", LEA), Owner("user", MAX)],
    )


def test_with_nobody_on_the_clock_stands() -> None:
    assert on_shift_ms([], 0, 7 * 24 * 60 * MS_PER_MINUTE) == 0
    assert next_step(0, Owner("user", ANA), FULL, 0, RULES) is None


@pytest.mark.parametrize(
    ("ladder", "stage", "owner", "waited", "expected"),
    [
        # Whoever has it already is not called about it.
        (FULL, 0, LEA, RULES.escalate_lead_ms, Step(LEAD, None)),
        (FULL, LEAD, MAX, AN_HOUR, Step(MANAGER, None)),
        # Without a lead the manager comes after the lead's time; without a person the role.
        (Ladder((), (MAX,), ROLE), 0, ANA, RULES.escalate_lead_ms, Step(MANAGER, Owner("user", MAX))),
        (Ladder((), (), ROLE), 0, ANA, RULES.escalate_lead_ms, Step(MANAGER, Owner("role", ROLE))),
        (Ladder((LEA,), (), ROLE), LEAD, LEA, AN_HOUR, Step(MANAGER, Owner("role", ROLE))),
        # Nobody above: asked once, and the owner keeps it.
        (Ladder((), (), None), 0, ANA, RULES.escalate_lead_ms, Step(MANAGER, None)),
        (Ladder((LEA,), (), None), LEAD, LEA, AN_HOUR, Step(MANAGER, None)),
        # Nobody looked for an hour, and there is no manager: the lead has not heard of it yet.
        (Ladder((LEA,), (), None), 0, ANA, AN_HOUR, Step(MANAGER, Owner("user", LEA))),
        (FULL, 0, ANA, AN_HOUR, Step(MANAGER, Owner("user", MAX))),
        (FULL, MANAGER, MAX, 10 * AN_HOUR, None),
        (FULL, 0, ANA, RULES.escalate_lead_ms - 1, None),
    ],
)
def test_who_is_above(ladder: Ladder, stage: int, owner: int, waited: int, expected: Step | None) -> None:
    assert next_step(stage, Owner("user", owner), ladder, waited, RULES) == expected
