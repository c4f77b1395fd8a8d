from __future__ import annotations

from typing import get_args

import pytest

from bot.discord_ui import custom_ids
from bot.discord_ui import undo as ui
from bot.discord_ui.limits import (
    CHOICE_NAME_UNITS,
    CONTENT_UNITS,
    LAYOUT_COMPONENTS,
    LAYOUT_TEXT_UNITS,
    units,
)
from bot.discord_ui.words import undo as say
from bot.domain.undo import LeftLine, UndoLine, UndoList
from bot.domain.views import FanLabel
from bot.services.undo import UndoResult
from storage.desk_actions import TargetKind

NOW = 1_772_438_400_000
BIG = 2**63 - 1
HOSTILE = FanLabel("1", "@everyone **x** [y](http://z) \u202e" + "𝕏" * 60, None, None)


def line(action: str = "claim", kind: str = "episode", **values: object) -> UndoLine:
    known: dict[str, object] = {
        "action_id": BIG,
        "action": action,
        "target_kind": kind,
        "count": 1,
        "wall_at": NOW - 200_000,
        "creator_name": "luna",
        "fan": FanLabel("12", "fan_12", None, None),
    }
    return UndoLine(**(known | values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (line(), "Claimed **fan_12** (luna)"),
        (line(count=5, fan=None), "Claimed 5 alerts (luna)"),
        (line(fan=None), "Claimed an alert (luna)"),
        (line("winback_spread", "spread", count=20, fan=None, creator_name=None), "Handed out 20 winbacks"),
        (line("creator_settings", "setting", fan=None), "Changed the settings of luna"),
        (line("creator_pause", "setting", fan=None), "Paused luna"),
        (line("delete_note", "note"), "Deleted a note on **fan_12** (luna)"),
        (line("edit_playbook", "playbook", fan=None, creator_name=None), "Changed a playbook"),
        (line("something_new", "tick"), "Changed a step for **fan_12** (luna)"),
        (line("something_new", "mute", fan=None), "Changed what is muted: a fan (luna)"),
        (line("something_new", "no_kind", fan=None, creator_name=None), "Changed a thing"),
    ],
)
def test_what_was_done_is_a_sentence(shown: UndoLine, text: str) -> None:
    assert ui.sentence(shown) == text


def test_every_kind_of_thing_has_words() -> None:
    assert set(get_args(TargetKind)) == set(say.KINDS)


def test_the_list_has_a_button_a_line_and_says_how_long_ago() -> None:
    rendered = ui.render_list(UndoList((line(), line(wall_at=NOW)), 3, NOW))
    assert rendered.view is not None
    texts = [item.content for item in rendered.view.walk_children() if hasattr(item, "content")]
    assert texts[1:3] == ["Claimed **fan_12** (luna) · 3 min ago", "Claimed **fan_12** (luna) · just now"]
    assert "3 more" in texts[-1]
    assert custom_ids.parse(ui.undo_id(BIG, ui.FROM_LIST)) == custom_ids.Target(
        "undo_action", "x", BIG, "list"
    )
    assert custom_ids.parse(ui.undo_last_id(BIG)) == custom_ids.Target("undo_last", "i", BIG)


def test_nothing_says_so() -> None:
    rendered = ui.render_list(UndoList((), 0, NOW))
    assert rendered.view is not None
    assert rendered.view.to_components()[0]["content"] == say.NOTHING


def test_hostile_names_stay_harmless_and_everything_within_the_limits() -> None:
    lines = tuple(line(fan=HOSTILE, creator_name="**@here**" * 20) for _ in range(10))
    left = tuple(LeftLine(HOSTILE, "changed", 5) for _ in range(40))
    told = ui.outcome(UndoResult("undone", lines[0], 1, left, 3))
    assert units(told) <= CONTENT_UNITS
    assert told.count("\n") == 6
    assert "and 35 more" in told
    rendered = ui.render_list(UndoList(lines, 90, NOW), told)
    assert rendered.view is not None
    items = list(rendered.view.walk_children())
    assert len(items) <= LAYOUT_COMPONENTS
    texts = [item.content for item in items if hasattr(item, "content")]
    assert sum(map(units, texts)) <= LAYOUT_TEXT_UNITS
    for text in (*texts, told):
        assert "@everyone" not in text
        assert "@here" not in text
        assert "](" not in text.replace("\\]\\(", "")
    for choice in ui.choices(UndoList(lines, 0, NOW), ""):
        assert units(choice.name) <= CHOICE_NAME_UNITS


def test_choices_are_those_that_hold_what_is_typed_and_read_back() -> None:
    found = UndoList((line(), line("release")), 0, NOW)
    (choice,) = ui.choices(found, "  rELEased f")
    assert choice.name == "Released fan_12 (luna) · 3 min ago"
    assert ui.parse_choice(choice.value) == BIG
    for wrong in ("", "x:", "x:§", "f:abc", "x:zzzzzzzzzzzzzzzzzz", "abc", "x"):
        assert ui.parse_choice(wrong) is None


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (UndoResult("undone", line(), 1), "Undone: Claimed **fan_12** (luna)."),
        (UndoResult("already", line()), say.ALREADY),
        (UndoResult("too_late", line()), say.TOO_LATE),
        (UndoResult("not_yours", line()), say.NOT_YOURS),
        (UndoResult("not_found"), say.NOT_FOUND),
        (UndoResult("overtaken", line()), say.OVERTAKEN),
        (
            UndoResult("overtaken", line(), 0, (LeftLine(line().fan, "changed", 5),)),
            "Not undone: Claimed **fan_12** (luna); nothing was changed.\n• **fan_12**: changed since by <@5>",
        ),
        (
            UndoResult("undone", line(count=5, fan=None), 4, (LeftLine(None, "hidden", None),)),
            "Undone: Claimed 5 alerts (luna). 4 of 5 are as they were.\n"
            "• an alert: not among your creators any more",
        ),
        (
            UndoResult("undone", line("done"), 0, (LeftLine(line().fan, "another_open", None),)),
            f"Undone: Closed **fan_12** (luna). {say.rows_only()}\n• **fan_12**: the fan has another open alert",
        ),
    ],
)
def test_what_became_of_it_in_words(result: UndoResult, text: str) -> None:
    assert ui.outcome(result) == text
