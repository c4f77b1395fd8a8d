"""What is kept quiet as people read it: lines on cards and rows, the list, the drill."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.discord_ui.calm import (
    hold_line,
    ledger_line,
    quiet_form,
    render_drill,
    render_quiet,
)
from bot.discord_ui.cards import render
from bot.discord_ui.features.calm import read_hours
from bot.discord_ui.limits import CONTENT_UNITS, LAYOUT_TEXT_UNITS, units
from bot.discord_ui.lists import render_grouped
from bot.discord_ui.words import calm as say
from bot.domain.calm import QuietHours
from bot.domain.desk import NUDGE_LIMIT, Hold, Ledger
from bot.domain.views import GroupedCard, NoticeCard
from bot.services.calm import QuietItem, QuietPage
from tests.bot.discord_ui.views import BIG_ID, CHAT_URL, NOW, alert, fan, row

NIGHT = QuietHours(22 * 60, 8 * 60, "Europe/Paris")
HOLD = Hold(NOW, "asked for a break", 302)


def layout_text(rendered: object) -> str:
    view = rendered.view  # type: ignore[attr-defined]
    return "\n".join(str(item.content) for item in view.walk_children() if hasattr(item, "content"))


class TestCards:
    def test_a_hold_stands_above_everything_and_names_who_and_why(self) -> None:
        shown = render(replace(alert(), hold=HOLD), chat_url=CHAT_URL)
        assert shown.content is not None
        first, second = shown.content.split("\n")
        assert first.startswith("⛔ Do not contact until <t:")
        assert first.endswith(": asked for a break (by <@302>)")
        assert "fan_1" in second

    def test_a_hold_without_an_end_or_a_reason_says_so(self) -> None:
        assert hold_line(Hold(None, "", 302)) == "⛔ Do not contact until further notice (by <@302>)"

    @given(st.text(max_size=400))
    def test_no_reason_is_more_than_a_line_of_text(self, reason: str) -> None:
        line = hold_line(Hold(None, reason, 302))
        assert "\n" not in line
        assert units(line) < 300
        assert line.count("<@") == 1
        assert "@everyone" not in line

    def test_a_row_of_a_fan_on_hold_begins_with_the_word(self) -> None:
        held, free = row(1, on_hold=True), row(2)
        text = layout_text(
            render_grouped(GroupedCard(1, "Amber Vale", False, (held, free), 2, NOW), chat_url=CHAT_URL)
        )
        assert text.count("⛔ Do not contact · 🟠 At risk **fan_1**") == 1
        assert text.count("⛔") == 1

    def test_contacts_are_counted_for_all_and_named_for_who_may_see(self) -> None:
        ledger = Ledger(2, 2, NOW, ((7, "Bea"), (8, "@everyone")))
        assert ledger_line(ledger) == "2 contacts by 2 chatters in 48 h, also a fan of 2 other creators"
        named = ledger_line(ledger, {7})
        assert named == "2 contacts by 2 chatters in 48 h, also a fan of Bea and 1 more"
        assert ledger_line(ledger, ()) == ledger_line(ledger)
        both = ledger_line(ledger, {7, 8})
        assert both is not None
        assert "@everyone" not in both
        assert ledger_line(Ledger(0, 0, None, ((7, "Bea"),))) is None

    def test_from_the_limit_on_the_line_warns(self) -> None:
        line = ledger_line(Ledger(NUDGE_LIMIT, 1, NOW))
        assert line == "⚠️ Enough for now: 3 contacts by 1 chatter in 48 h"
        shown = render(replace(alert(), ledger=Ledger(NUDGE_LIMIT, 1, NOW)), chat_url=CHAT_URL)
        assert line in str(shown.embeds[0].description)


class TestDrill:
    def test_it_looks_like_an_alert_is_marked_and_mentions_who_asked(self) -> None:
        shown = render(
            NoticeCard(BIG_ID, "drill", "Amber Vale", NOW, None, None, asked_by=302), chat_url=CHAT_URL
        )
        assert shown.content is not None
        assert shown.content.startswith("🧪 DRILL · Amber Vale · ")
        assert shown.content.count("<@302>") == 1
        assert shown.live
        assert "nobody is at risk" in str(shown.embeds[0].description)

    def test_when_it_is_over_one_line_is_left(self) -> None:
        over = render_drill(NoticeCard(1, "drill", "Amber Vale", NOW, None, NOW, asked_by=302))
        assert (over.content, over.view, over.live) == (
            "✅ Drill over · Amber Vale · alerts and mentions look right",
            None,
            False,
        )


def item(number: int, **changes: object) -> QuietItem:
    plain = QuietItem(
        "mute", BIG_ID + number, "Amber Vale", fan(f"fan_{number}"), None, NOW, "on holiday", 302
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


class TestList:
    def test_each_row_says_what_of_whom_until_when_why_and_by_whom(self) -> None:
        items = (
            item(1),
            item(2, fan=None, kind="mute"),
            item(3, kind="hold", until_at=None),
            item(4, kind="quiet", fan=None, hours=NIGHT, reason="", until_at=None),
            item(5, kind="quiet", fan=None, creator_name=None, user_id=77, hours=NIGHT, reason=""),
        )
        shown = render_quiet(QuietPage(None, items, 0, 1, 2, 1, 2))
        text = layout_text(shown)
        assert "**Kept quiet** · 2 mutes · 1 hold · 2 sets of quiet hours" in text
        assert "🔕 Muted **fan_1** · Amber Vale" in text
        assert "🔕 Muted **Amber Vale**" in text
        assert "⛔ Do not contact **fan_3** · Amber Vale" in text
        assert "until somebody ends it · on holiday · by <@302>" in text
        assert text.count("every day from 22:00 to 08:00 (over midnight), Europe/Paris time") == 2
        assert "🌙 Quiet hours **<@77>**" in text

    def test_nothing_is_one_sentence(self) -> None:
        shown = render_quiet(QuietPage(None, (), 0, 1, 0, 0, 0))
        assert layout_text(shown) == say.NOTHING_QUIET

    @given(st.text(max_size=300), st.text(max_size=100))
    def test_ten_hostile_rows_fit(self, reason: str, name: str) -> None:
        items = tuple(item(number, reason=reason, creator_name=name, fan=fan(name)) for number in range(10))
        text = layout_text(render_quiet(QuietPage(BIG_ID, items, 1, 3, 99, 0, 0)))
        assert units(text) <= LAYOUT_TEXT_UNITS
        assert "@everyone" not in text


class TestHours:
    def test_what_was_typed_is_read_or_said_to_be_wrong(self) -> None:
        assert read_hours("22:00", "8", "europe/paris") == NIGHT
        assert read_hours("8", "8:00", "Europe/Paris") == say.SAME_TIME
        assert read_hours("banana", "8", "Europe/Paris") == say.NO_TIME
        wrong = read_hours("22", "8", "Pariss")
        assert isinstance(wrong, str)
        assert "did you mean `Europe/Paris`" in wrong

    def test_the_form_is_filled_with_what_there_is(self) -> None:
        filled = [child.component.default for child in quiet_form(301, NIGHT).children]  # type: ignore[attr-defined]
        assert filled == ["22:00", "08:00", "Europe/Paris"]
        assert say.quiet_set("luna", NIGHT).startswith("Quiet hours of luna: every day from 22:00 to 08:00")
        assert say.quiet_set(say.YOURS, NIGHT).startswith("Your quiet hours: ")

    def test_an_end_promises_nothing_that_something_else_may_keep_back(self) -> None:
        """A person's hours are over, her channel's go on; a fan's mute or hold is over, the creator's mute goes on."""
        for told in (say.quiet_removed("luna"), say.own_quiet_removed()):
            assert told.endswith("; mentions that waited come now, unless something else keeps them back.")
        for told in (say.unmuted("fan"), say.hold_ended("fan")):
            assert told.endswith(
                "; what is new is posted at the next look at the data, unless something else keeps it back."
            )


def test_line_one_and_a_hold_fit_a_message() -> None:
    long = replace(alert(creator="W" * 80), hold=Hold(NOW, "x" * 200, 302))
    shown = render(long, chat_url=CHAT_URL)
    assert shown.content is not None
    assert units(shown.content) <= CONTENT_UNITS
