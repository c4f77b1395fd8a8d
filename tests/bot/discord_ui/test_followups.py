"""Follow-ups and playbooks as Discord shows them: within its limits and harmless whatever people have written."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord_ui import custom_ids, followups, playbooks, profile
from bot.discord_ui.cards import render
from bot.discord_ui.followups import ListFilter
from bot.discord_ui.limits import CHOICE_NAME_UNITS, LINE_ONE_GRAPHEMES, graphemes, units
from bot.discord_ui.playbooks import TickAsked
from bot.discord_ui.rendered import RenderedMessage
from bot.domain.base36 import encode
from bot.domain.desk import NextFollowup, PlaybookStep, PlaybookView
from bot.domain.followups import WHAT_CHARS, Followup, FollowupState, tidy_what
from bot.domain.models import MS_PER_DAY, Reason
from bot.domain.playbooks import BUILT_IN, MOST_STEPS, REASONS, STEP_CHARS, Playbook, reason_for
from bot.domain.views import FanChoice, FollowupCard
from bot.services.followups import FollowupPage
from bot.services.playbooks import EpisodePlaybook
from tests.bot.discord_ui import views
from tests.bot.discord_ui.test_cards import MENTION, assert_within_limits, buttons, components, texts
from tests.bot.discord_ui.views import BIG_ID, NOW, OWNER

ANA = OWNER.discord_id
WORST = ("*" * 200, "𒐫" * 200, "\U000111c2" * 200, "@everyone " * 20, "<@123>" * 30)
typed = views.hostile | st.sampled_from(WORST)
whats = typed.map(lambda text: tidy_what(text)[:WHAT_CHARS] or "x")
steps = st.lists(typed.map(lambda text: tidy_what(text)[:STEP_CHARS] or "x"), min_size=1, max_size=MOST_STEPS)


def reminder(**changes: Any) -> FollowupCard:
    fields: dict[str, Any] = {
        "card_id": BIG_ID,
        "creator_name": "Amber Vale",
        "followup_id": BIG_ID + 1,
        "fan": views.fan(),
        "what": "Send the red set",
        "due_at": NOW,
        "assignee_id": ANA,
        "promise": True,
        "state": "open",
        "put_off": False,
        "on_hold": False,
        "done_by": None,
        "done_at": None,
    }
    return FollowupCard(**(fields | changes))


def followup(**changes: Any) -> Followup:
    fields: dict[str, Any] = {
        "id": BIG_ID,
        "creator_id": 2,
        "creator_name": "Amber Vale",
        "fan_account_id": 1,
        "fan": views.fan(),
        "what": "Send the red set",
        "due_at": NOW + MS_PER_DAY,
        "assignee_id": ANA,
        "promise": False,
        "state": FollowupState.OPEN,
        "created_by": ANA,
        "created_at": NOW,
        "reminded_at": None,
        "card_id": None,
        "done_note": None,
        "done_by": None,
        "done_at": None,
        "total_cents": 1_000,
    }
    return Followup(**(fields | changes))


def playbook_view(*ticked: int, texts: tuple[str, ...] = ("Read", "Write", "Note")) -> PlaybookView:
    made = tuple(
        PlaybookStep(text, ANA, NOW) if number in ticked else PlaybookStep(text, None, None)
        for number, text in enumerate(texts)
    )
    return PlaybookView("days_inactive", 3, made)


def shown(view: PlaybookView, *, is_open: bool = True) -> EpisodePlaybook:
    return EpisodePlaybook(BIG_ID, FanChoice(1, "Amber Vale", views.fan(), None, "USD", None), view, is_open)


def assert_harmless(message: RenderedMessage) -> None:
    """Within the limits, and naming nobody but Ana."""
    assert_within_limits(message)
    for found in MENTION.findall(texts(message)):
        assert int(re.sub(r"\D", "", found)) == ANA


# The reminder's card


def test_a_reminder_says_on_its_first_line_whom_it_is_about_and_who_is_called() -> None:
    message = render(reminder(), chat_url=views.CHAT_URL, mention=OWNER)
    first, what, when = (message.content or "").split("\n")
    assert first == f"⏰ Promise due · Amber Vale · fan\\_17850 · <@{ANA}>".replace("\\_", "_")
    assert what == "Send the red set"
    assert when == f"-# due <t:{NOW // 1000}:f>"
    assert buttons(message) == ["Done", "Tomorrow", "Take it"]
    assert message.live


def test_a_reminder_for_somebody_else_still_says_whose_it_is() -> None:
    message = render(reminder(assignee_id=ANA), chat_url=views.CHAT_URL, mention=replace(OWNER, discord_id=5))
    assert "<@5>" in (message.content or "").split("\n")[0]
    assert f"with <@{ANA}>" in (message.content or "")


def test_a_hold_is_said_in_words() -> None:
    assert "do not contact this fan now" in texts(render(reminder(on_hold=True), chat_url=views.CHAT_URL))


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"state": "done", "done_by": ANA, "done_at": NOW}, "✅ Promise done: Amber Vale"),
        ({"state": "withdrawn", "promise": False}, "↩ Follow-up withdrawn: Amber Vale"),
        ({"put_off": True}, "⏭ Promise put off: Amber Vale"),
    ],
)
def test_a_reminder_that_is_over_is_one_line_without_what_it_was(changes: Any, begins: str) -> None:
    message = render(reminder(**changes), chat_url=views.CHAT_URL)
    assert (message.content or "").startswith(begins)
    assert "red set" not in texts(message)
    assert "\n" not in (message.content or "")
    assert not message.live


def test_the_buttons_of_a_reminder_carry_its_card_so_that_its_message_is_found_again() -> None:
    message = render(reminder(), chat_url=views.CHAT_URL)
    for item in components(message):
        target = custom_ids.parse(item.get("custom_id") or "")
        if target is None:
            continue
        assert (target.kind, target.card_id) == ("n", BIG_ID)
        assert followups.followup_id(target) == BIG_ID + 1
        if target.verb == followups.TOMORROW:
            assert followups.shown_due(target) == NOW // 1000


@given(what=st.none() | whats, label=views.labels, name=views.hostile, on_hold=st.booleans())
def test_no_reminder_breaks_a_limit_or_names_anybody(
    what: str | None, label: Any, name: str, on_hold: bool
) -> None:
    view = reminder(what=what, fan=label, creator_name=name, on_hold=on_hold)
    message = render(view, chat_url=views.CHAT_URL, mention=OWNER)
    assert_harmless(message)
    assert len(graphemes((message.content or "").split("\n")[0])) <= LINE_ONE_GRAPHEMES


@pytest.mark.parametrize(
    ("custom_id", "expected"),
    [
        ("fw1:fu_done:y1a", 46),
        ("fw1:fu_done:n5:1a", 46),
        ("fw1:fu_done:n5:1a-zz", 46),
        ("fw1:fu_done:n5", 0),
        ("fw1:fu_done:a1a", 0),
        ("fw1:fu_done:n5:-1a", 0),
    ],
)
def test_what_is_no_follow_up_is_none(custom_id: str, expected: int) -> None:
    target = custom_ids.parse(custom_id)
    assert target is not None
    assert followups.followup_id(target) == expected


# Lists


def test_a_list_says_what_is_overdue_and_has_done_on_each_row() -> None:
    rows = (followup(due_at=NOW - 1), followup(promise=True))
    message = followups.render_followups(FollowupPage(rows, 0, 1, 2, NOW), ListFilter(None, ANA), ANA)
    assert "**2 open follow-ups** · yours" in texts(message)
    assert "⏰ overdue, was due" in texts(message)
    assert "🤝 Promise" in texts(message)
    assert buttons(message) == ["Done", "Done"]


def test_an_empty_list_says_what_to_do() -> None:
    message = followups.render_followups(FollowupPage((), 0, 1, 0, NOW), ListFilter(None, ANA), ANA)
    assert "/followup add" in texts(message)


@given(
    st.lists(
        st.builds(lambda w, f, n: followup(what=w, fan=f, creator_name=n), whats, views.labels, typed),
        min_size=10,
        max_size=10,
    )
)
def test_no_list_breaks_a_limit_or_names_anybody(rows: list[Followup]) -> None:
    asked = ListFilter(BIG_ID, 2**63 - 1)
    rows = [replace(row, id=number) for number, row in enumerate(rows, 2**62)]
    found = FollowupPage(tuple(rows), 5, 90, 900, NOW)
    message = followups.render_followups(found, asked, 1, note="x" * 100)
    assert_within_limits(message)
    for row in rows:
        assert units(followups.choice_name(row)) <= CHOICE_NAME_UNITS
        assert followups.choice_name(row)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.integers(0, 10_000))
def test_a_lists_filter_comes_back_from_its_buttons(creator: int, who: int, page: int) -> None:
    asked = ListFilter(creator or None, who or None)
    custom_id = custom_ids.build(followups.DONE, followups.FOLLOWUP, 2**63 - 1, asked.arg(page))
    target = custom_ids.parse(custom_id)
    assert target is not None
    assert followups.parse_list(target.arg) == (asked, min(page, 999))


@pytest.mark.parametrize("arg", [None, "", "1", "1-2", "z" * 13 + "-1-0", "1-2-x", "1-2-3-4"])
def test_what_is_no_filter_is_none(arg: str | None) -> None:
    assert followups.parse_list(arg) is None


@given(typed)
def test_a_value_comes_back_and_nothing_else_is_one(text: str) -> None:
    assert followups.parse_value(followups.choice_value(followup())) == BIG_ID
    if not text.startswith("y:"):
        assert followups.parse_value(text) is None


def test_a_form_asks_what_by_when_and_whether_it_was_promised() -> None:
    form = followups.add_form(FanChoice(1, "Amber Vale", views.fan("x" * 90), None, "USD", None), BIG_ID)
    assert form.custom_id.startswith(f"fw1:followup:i{encode(BIG_ID)}:")
    assert units(form.title) <= 45
    assert len(form.children) == 3


# On cards


def test_an_alert_shows_the_next_follow_up_and_how_far_its_playbook_is() -> None:
    due = NextFollowup(1, "Send the\nred **set**", NOW, ANA, promise=True)
    card = replace(views.alert(), playbook=playbook_view(0), followup=due)
    text = texts(render(card, chat_url=views.CHAT_URL))
    assert f"⏰ Promise due <t:{NOW // 1000}:R>: Send the red \\*\\*set\\*\\* · <@{ANA}>" in text
    assert "**Playbook 1/3**" in text
    assert f"☑ Read · <@{ANA}>\n☐ Write\n☐ Note" in text


def test_a_profile_shows_the_next_follow_up() -> None:
    due = NextFollowup(1, "Send it", NOW, None, promise=False)
    message = profile.render_profile(views.profile(followup=due))
    assert f"Notes: none\n⏰ Follow-up due <t:{NOW // 1000}:R>: Send it" in texts(message)


@given(whats, steps)
def test_no_alert_breaks_a_limit_or_names_anybody(what: str, written: list[str]) -> None:
    due = NextFollowup(1, what, NOW, ANA, promise=True)
    card = replace(views.alert(), playbook=playbook_view(*range(6), texts=tuple(written)), followup=due)
    assert_harmless(render(card, chat_url=views.CHAT_URL, mention=OWNER))


# Playbooks


@pytest.mark.parametrize("reason", REASONS)
def test_what_fanwatch_comes_with_is_shown_as_it_stands(reason: str) -> None:
    message = playbooks.render_playbook(Playbook(reason, 0, BUILT_IN[reason]))
    for step in BUILT_IN[reason]:
        assert len(step) <= STEP_CHARS
        assert step[:20] in texts(message)
    assert "As Fanwatch comes with it" in texts(message)


def test_a_list_of_steps_has_a_button_on_each_that_says_what_is_to_be() -> None:
    message = playbooks.render_ticks(shown(playbook_view(1)))
    assert "1 of 3 done" in texts(message)
    assert buttons(message) == ["Tick", "Take back", "Tick"]
    ids = [item["custom_id"] for item in components(message) if item.get("custom_id")]
    asked = [playbooks.parse_tick((custom_ids.parse(one) or custom_ids.Target("", "", 0)).arg) for one in ids]
    assert asked == [
        TickAsked("days_inactive", 3, 0, wanted=True),
        TickAsked("days_inactive", 3, 1, wanted=False),
        TickAsked("days_inactive", 3, 2, wanted=True),
    ]


def test_a_closed_alerts_steps_have_no_buttons() -> None:
    assert buttons(playbooks.render_ticks(shown(playbook_view(1), is_open=False))) == []


@pytest.mark.parametrize("arg", [None, "", "9-0-0-1", "0-0-0-2", "0-0-10-1", "a-0-0-1", "0-0-0"])
def test_what_is_no_tick_is_none(arg: str | None) -> None:
    assert playbooks.parse_tick(arg) is None


@given(steps, typed)
def test_no_playbook_breaks_a_limit_or_names_anybody(written: list[str], name: str) -> None:
    view = playbook_view(*range(6), texts=tuple(written))
    one = replace(shown(view), fan=FanChoice(1, name, views.fan(name), None, "USD", None))
    assert_harmless(playbooks.render_ticks(one, note="First"))
    assert_harmless(playbooks.render_playbook(Playbook("expired", 3, tuple(written), ANA, NOW)))
    form = playbooks.edit_form(Playbook("expired", 3, tuple(written), ANA, NOW))
    box = form.to_dict()["components"][0]["component"]
    assert units(box["value"]) <= box["max_length"]


@pytest.mark.parametrize(
    ("reasons", "expired", "expected"),
    [
        ((Reason("days_inactive", 40.0), Reason("engagement", 60.0)), False, "engagement"),
        ((Reason("days_inactive", 40.0),), True, "expired"),
        ((Reason("limited", 90.0), Reason("days_inactive", 1.0)), False, "default"),
        ((Reason("engagement", -5.0),), False, "default"),
        ((), False, "default"),
    ],
)
def test_an_alert_is_worked_by_its_top_reason(
    reasons: tuple[Reason, ...], expired: bool, expected: str
) -> None:
    assert reason_for(reasons, expired=expired) == expected
