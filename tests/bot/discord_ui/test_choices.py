"""What an autocomplete offers keeps to Discord's rules, whatever things are called."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.discord_ui.choices import to_choices
from bot.discord_ui.limits import CHOICE_NAME_UNITS, units


def test_things_of_one_name_can_be_told_apart() -> None:
    found = to_choices([("ann · Ava", "f:1"), ("bob", "f:2"), ("ann · Ava", "f:3"), ("ann · Ava", "f:4")])
    assert [(one.name, one.value) for one in found] == [
        ("ann · Ava", "f:1"),
        ("bob", "f:2"),
        ("ann · Ava (2)", "f:3"),
        ("ann · Ava (3)", "f:4"),
    ]


@given(st.lists(st.sampled_from(["", "a", "a (2)", "🦊" * 60, "x" * 99, "x" * 100, "x" * 101]), max_size=40))
def test_discord_takes_them(names: list[str]) -> None:
    found = to_choices((name, str(number)) for number, name in enumerate(names))
    assert [one.value for one in found] == [str(number) for number in range(min(25, len(names)))]
    assert len({one.name for one in found}) == len(found)
    assert all(0 < units(one.name) <= CHOICE_NAME_UNITS for one in found)
