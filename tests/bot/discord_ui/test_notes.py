from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_ui import notes
from bot.discord_ui.cards import render
from bot.discord_ui.limits import graphemes, units
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import safe_line, safe_parts, safe_text
from bot.domain.notes import NOTE_CHARS, NoteVersion, tidy
from bot.domain.views import AlertCard, FanChoice
from bot.services.notes import NoteHistory, NotePage
from tests.bot.discord_ui import views
from tests.bot.discord_ui.test_cards import MENTION, assert_within_limits, buttons, components, texts
from tests.bot.discord_ui.test_safe import UNESCAPED
from tests.bot.discord_ui.views import NOW, note

AUTHOR = note().author_id
EDITOR = AUTHOR + 1
WORST = ("*" * NOTE_CHARS, "𒐫" * NOTE_CHARS, "\n" * NOTE_CHARS, "\U000111c2" * NOTE_CHARS, "@everyone " * 200)
hostile = (views.hostile | st.sampled_from(WORST)).map(lambda text: tidy(text[:NOTE_CHARS]) or "x")
EDITED = {"edited_by": EDITOR, "edited_at": NOW}


def choice(name: str | None = "fan_1", creator: str = "Amber Vale") -> FanChoice:
    return FanChoice(1, creator, views.fan(name), None, "USD", None)


def page_of(*written: str, page: int = 0, total: int | None = None, fan: FanChoice | None = None) -> NotePage:
    found = tuple(note(text, id=views.BIG_ID + n, **EDITED) for n, text in enumerate(written))
    return NotePage(fan or choice(), found, page, len(found) if total is None else total)


def history_of(*written: str, fan: FanChoice | None = None) -> NoteHistory:
    versions = [NoteVersion(n, text, AUTHOR, NOW) for n, text in enumerate(written, 1)]
    return NoteHistory(note(written[-1]), fan or choice(), tuple(reversed(versions)))


def assert_harmless(shown: RenderedMessage) -> None:
    """Within the limits, and naming nobody but those who wrote."""
    assert_within_limits(shown)
    for found in MENTION.findall(texts(shown)):
        assert int(re.sub(r"\D", "", found)) in (AUTHOR, EDITOR)


def test_a_kept_note_can_be_changed_or_taken_back() -> None:
    shown = notes.render_noted(note(), choice())
    assert texts(shown).strip() == "Noted for fan_1."
    assert buttons(shown) == ["Edit", "Undo"]


def test_a_list_says_who_wrote_what_and_when() -> None:
    shown = notes.render_list(page_of("Likes trains", "Two\nlines"))
    assert "**2 notes on fan_1 · Amber Vale**" in texts(shown)
    assert f"Likes trains\n-# <@{AUTHOR}> · <t:{NOW // 1000}:f> · edited by <@{EDITOR}>" in texts(shown)
    assert "Two lines" in texts(shown)
    assert buttons(shown) == ["Open", "Open"]


def test_an_empty_list_says_what_to_do() -> None:
    shown = notes.render_list(page_of())
    assert texts(shown).strip() == "No notes on fan_1 yet; write one with `/note add`."
    assert buttons(shown) == []


def test_a_list_of_many_pages_turns() -> None:
    shown = notes.render_list(page_of(*(["x"] * 10), page=1, total=35))
    assert "Page 2 of 4" in texts(shown)
    ids = [c["custom_id"] for c in components(shown) if c.get("label") in ("Previous", "Next")]
    assert [custom_id.rpartition(":")[2] for custom_id in ids] == ["0", "2"]


def test_a_note_in_full_keeps_its_lines_and_links_its_message() -> None:
    kept = note("One\n\n# two", source="message", source_channel_id=5, source_message_id=6)
    shown = notes.render_note(kept, choice(), guild_id=4)
    assert "One\n\n\\# two" in texts(shown)
    assert "[saved from a message](https://discord.com/channels/4/5/6)" in texts(shown)
    assert buttons(shown) == ["Edit", "Delete", "History", "Back"]


def test_a_version_that_is_not_there_is_nothing() -> None:
    assert notes.render_version(history_of("a", "b"), 3) is None
    assert notes.render_version(history_of("a", "b"), 0) is None


@pytest.mark.parametrize(
    ("arg", "numbers"), [("3-1", (3, 1)), ("3", (3, 0)), (None, (0, 0)), ("x-y", (0, 0)), ("1-2-3", (1, 0))]
)
def test_two_numbers_of_an_argument(arg: str | None, numbers: tuple[int, int]) -> None:
    assert notes.two_numbers(arg) == numbers


@settings(max_examples=60, deadline=None)
@given(hostile, views.hostile, views.hostile, st.integers(0, 4))
def test_whatever_is_written_stays_text(text: str, fan_name: str, creator: str, part: int) -> None:
    fan = choice(fan_name, creator)
    long = note(text, **EDITED)
    for shown in (
        notes.render_list(page_of(*([text] * 10), page=3, total=99, fan=fan)),
        notes.render_note(long, fan, guild_id=2**63 - 1, page=999_999, part=part),
        notes.render_history(history_of(*([text] * 25), fan=fan), part),
        notes.render_version(history_of(text, text, fan=fan), 1, part),
        notes.render_noted(long, fan),
        notes.render_deleted(long, fan),
        *notes.render_given_back("Nothing was saved. Your text was:", text),
        render(AlertCard(1, "Amber Vale", views.row(), NOW, note=long), chat_url=views.CHAT_URL),
    ):
        assert shown is not None
        assert_harmless(shown)


@settings(max_examples=60, deadline=None)
@given(hostile, views.hostile)
def test_forms_take_back_what_was_written(text: str, fan_name: str) -> None:
    for form in (
        notes.edit_form(note(text), choice(fan_name)),
        notes.save_form(choice(fan_name), 2**63 - 1, text),
        notes.add_form(choice(fan_name)),
    ):
        sent = form.to_dict()
        assert len(sent["title"]) <= 45
        assert len(sent["custom_id"]) <= 100
        for label in sent["components"]:
            box = label["component"]
            assert units(box.get("value") or "") <= box["max_length"] <= 4_000
            assert len(label["label"]) <= 45
    (label,) = notes.edit_form(note(text), choice()).to_dict()["components"]
    assert label["component"]["value"] == text


@settings(max_examples=60, deadline=None)
@given(hostile, st.integers(300, 3_400))
def test_parts_hold_everything(text: str, room: int) -> None:
    parts = safe_parts(text, room)
    assert all(units(part) <= room for part in parts)
    squeezed = re.sub(r"\s", "", "".join(parts))
    assert squeezed.replace("\\", "") == re.sub(r"\s", "", safe_text(text)).replace("\\", "")


@given(views.hostile, st.integers(5, 200))
def test_a_line_fits_and_stays_text(text: str, room: int) -> None:
    shown = safe_line(text, 120, room)
    assert "\n" not in shown
    assert units(shown) <= room
    assert UNESCAPED.search(shown) is None
    assert len(graphemes(shown)) <= 2 * 120 + 1


def test_the_card_shows_the_newest_note_in_one_line() -> None:
    view = AlertCard(1, "Amber Vale", views.row(), NOW, note=note("a " * 400, **EDITED))
    (line,) = [
        line
        for line in texts(render(view, chat_url=views.CHAT_URL)).splitlines()
        if line.startswith("Note by")
    ]
    assert line.startswith(f"Note by <@{EDITOR}> <t:{NOW // 1000}:f>: a a a")
    assert line.endswith("…")
    assert len(line.partition(">: ")[2]) <= 120
