from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from bot.discord_ui.limits import clip, clip_units, graphemes, units
from bot.discord_ui.safe import clean_name, fan_name, plain_fan_name, safe_name
from tests.bot.discord_ui.views import fan, hostile

UNESCAPED = re.compile(r"(?<!\\)(?:\\\\)*[`*~|<>\[\]()#:/{}]")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("fan_17850", "fan_17850"),
        ("J.Doe-7", "J.Doe-7"),
        ("a", "a"),
        ("__init__", r"\_\_init\_\_"),
        ("a__b", r"a\_\_b"),
        ("_under", r"\_under"),
        ("@everyone", "＠everyone"),
        ("<@123>", r"\<＠123\>"),
        ("**bold**", r"\*\*bold\*\*"),
        ("https://x.example", r"https\:\/\/x.example"),
        ("a\n\n# b", r"a \# b"),
        ("- x", r"\- x"),
        ("1. x", r"1\. x"),
        ("\u202eabc\u202c", "abc"),
        ("a\u200bb", "ab"),
        ("  many   blanks ", "many blanks"),
        ("été", "été"),
        ("", ""),
        (None, ""),
        ("\u200b\u3164", ""),
        ("\u0301\u0301", ""),
    ],
)
def test_safe_name_of(raw: str | None, shown: str) -> None:
    assert safe_name(raw) == shown


def test_stacked_marks_are_cut_to_two() -> None:
    assert safe_name("a" + "\u0334" * 500 + "b") == "a\u0334\u0334b"


def test_a_long_handle_is_cut_to_its_limit() -> None:
    assert safe_name("x" * 10_000, 10) == "x" * 9 + "…"


@settings(deadline=None)
@given(hostile)
def test_safe_name_stays_short_and_inert_whatever_comes(raw: str) -> None:
    clean, shown = clean_name(raw), safe_name(raw)
    assert len(graphemes(clean)) <= 32
    assert len(clean) <= 64
    assert "\n" not in shown
    assert "@" not in shown
    assert not UNESCAPED.search(shown)
    shown.encode("utf-8")


def test_a_fan_without_any_name_goes_by_the_id() -> None:
    assert fan_name(fan(None)) == "fan 17850"
    assert plain_fan_name(fan("\u200b")) == "fan 17850"


def test_a_fan_without_a_username_goes_by_the_alias_then_the_name() -> None:
    assert fan_name(fan(None, alias="big tipper", name="Joe")) == "big tipper"
    assert fan_name(fan(None, name="Joe")) == "Joe"


def test_clip_never_cuts_a_visible_character() -> None:
    family = "👨‍👩‍👧‍👦"
    assert clip(family * 3, 2) == family + "…"
    assert clip_units(family * 3, 24) == family * 2 + "…"
    assert units(family) == 11
    assert clip("short", 5) == "short"
