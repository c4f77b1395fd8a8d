from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.base36 import decode, encode
from storage.ids import EPOCH_MS, IdFactory, wall_ms_of


@given(st.lists(st.integers(0, 50_000), min_size=1, max_size=300))
def test_ids_rise_whatever_the_clock_does(steps: list[int]) -> None:
    times = iter(steps)
    factory = IdFactory(7, lambda: EPOCH_MS + next(times))
    made = [factory.next() for _ in steps]
    assert made == sorted(set(made))
    assert all(0 < i < 2**63 and i >> 12 & 1023 == 7 for i in made)


def test_a_burst_outruns_the_clock_and_stays_unique() -> None:
    factory = IdFactory(0, lambda: EPOCH_MS + 10)
    made = [factory.next() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert wall_ms_of(made[0]) == EPOCH_MS + 10


def test_nodes_never_meet() -> None:
    assert IdFactory(1, lambda: EPOCH_MS + 5).next() != IdFactory(2, lambda: EPOCH_MS + 5).next()
    with pytest.raises(ValueError, match="node"):
        IdFactory(1024)


@given(st.integers(0, 2**63 - 1))
def test_base36_round_trip(value: int) -> None:
    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    "text", ["", "A", "-1", "+1", "01", " 1", "1\n", "1_0", "é", "１", "z" * 13, "1" * 14]
)
def test_base36_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="base 36"):
        decode(text)


@pytest.mark.parametrize("value", [-1, 2**63])
def test_base36_refuses_numbers(value: int) -> None:
    with pytest.raises(ValueError, match="base 36"):
        encode(value)
