from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.notes import tidy


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Likes trains \n", "Likes trains"),
        ("one\r\ntwo\rthree\n\nfour", "one\ntwo\nthree\n\nfour"),
        ("tab\there", "tab\there"),
        ("a\x00b\x1b[31m\ud800c", "ab[31mc"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        (" \n\t\u3000\u200b\u2060 ", ""),
        ("\x00\x01", ""),
        ("", ""),
    ],
)
def test_what_is_kept_of_a_text(typed: str, kept: str) -> None:
    assert tidy(typed) == kept


@given(st.text(alphabet=st.characters(), max_size=200))
def test_what_is_kept_can_be_stored_and_stays_as_it_is(typed: str) -> None:
    kept = tidy(typed)
    kept.encode("utf-8")
    assert "\x00" not in kept
    assert len(kept) <= len(typed)
    assert tidy(kept) == kept
