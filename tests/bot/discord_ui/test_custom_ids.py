from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_ui import custom_ids
from bot.discord_ui.items import BUTTON_TEMPLATE, SELECT_TEMPLATE
from bot.domain.models import CardKind

IDS = st.integers(0, 2**63 - 1)


@settings(deadline=None)
@given(
    st.sampled_from(["claim", "release", "page", "top", "details"]),
    st.sampled_from(CardKind),
    IDS,
    st.none() | st.from_regex(r"[0-9a-z]{1,13}", fullmatch=True),
)
def test_what_is_built_is_read_back(verb: str, kind: CardKind, card_id: int, arg: str | None) -> None:
    text = custom_ids.build(verb, kind, card_id, arg)
    assert len(text) <= 100
    assert custom_ids.parse(text) == custom_ids.Target(verb, kind.value, card_id, arg)


@settings(deadline=None)
@given(IDS, IDS)
def test_an_episode_is_read_back(card_id: int, episode_id: int) -> None:
    target = custom_ids.parse(custom_ids.build_episode("claim", CardKind.ALERT, card_id, episode_id))
    assert target is not None
    assert custom_ids.parse_id(target.arg) == episode_id


@settings(deadline=None)
@given(st.text(max_size=120))
def test_any_other_text_is_refused_without_an_error(text: str) -> None:
    target = custom_ids.parse(text)
    assert target is None or text.startswith("fw1:")
    custom_ids.parse_id(text)
    assert custom_ids.parse_page(text) >= 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fw1:claim",
        "fw1:claim:a",
        "fw2:claim:a1",
        "fw1:claim:a1:",
        "fw1:CLAIM:a1",
        "fw1:claim:azzzzzzzzzzzzz",
    ],
)
def test_malformed(text: str) -> None:
    assert custom_ids.parse(text) is None


def test_an_argument_that_cannot_be_read_back_is_refused() -> None:
    with pytest.raises(ValueError, match="not a custom_id"):
        custom_ids.build("page", CardKind.GROUPED, 1, "a:b")


@pytest.mark.parametrize("text", ["fw1:claim:a1:2", "fw1:lookup:p0", "fw2:anything:else", "fw1:gone"])
def test_every_press_reaches_exactly_one_kind_of_item(text: str) -> None:
    assert bool(BUTTON_TEMPLATE.fullmatch(text)) != bool(SELECT_TEMPLATE.fullmatch(text))
