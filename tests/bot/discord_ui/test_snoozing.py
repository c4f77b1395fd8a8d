"""What a snooze looks like on cards and lists, and what its buttons and its form do."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord_ui import custom_ids, rows
from bot.discord_ui import snoozing as ui
from bot.discord_ui.boards import board_row
from bot.discord_ui.cards import render
from bot.discord_ui.custom_ids import Target
from bot.discord_ui.features.snooze import SnoozeFeature
from bot.discord_ui.press import NO_FIELDS, Fields, Press
from bot.discord_ui.safe import fan_name
from bot.discord_ui.words import snooze as say
from bot.domain.desk import Snooze
from bot.domain.due import DueError
from bot.domain.models import AlertTier
from bot.domain.snoozing import Sleeper, SnoozeFor
from bot.services.snoozing import SnoozeResult, SnoozeService
from tests.bot.discord_ui import views
from tests.bot.discord_ui.test_cards import assert_within_limits, buttons, texts
from tests.bot.discord_ui.views import BIG_ID, CHAT_URL, NOW, OWNER, row

ANA = 111_111_111_111_111_111
ASLEEP = Snooze(NOW, ANA, False, None)
SECONDS = NOW // 1000


def sleeper(**changes: Any) -> Sleeper:
    fields: dict[str, Any] = {
        "episode_id": BIG_ID,
        "creator_id": 7,
        "fan_account_id": 1,
        "fan": views.fan("fan_1"),
        "tier": AlertTier.ACTION,
        "score": 83.0,
        "claimed_by": None,
        "card_id": 5,
        "snooze": None,
    }
    return Sleeper(**(fields | changes))


@pytest.mark.parametrize(
    ("snooze", "expected"),
    [
        (ASLEEP, f"💤 Snoozed until <t:{SECONDS}:f> by <@{ANA}>"),
        (
            Snooze(NOW, ANA, True, None),
            f"💤 Snoozed until <@{ANA}>'s next shift, <t:{SECONDS}:f> at the latest",
        ),
        (Snooze(NOW, ANA, False, "On **leave**"), f"by <@{ANA}>: “On \\*\\*leave\\*\\*”"),
    ],
)
def test_a_card_says_until_when_and_by_whom(snooze: Snooze, expected: str) -> None:
    asleep = row(tier=AlertTier.ACTION, snooze=snooze)
    shown = render(views.alert(asleep), chat_url=CHAT_URL)
    assert expected in texts(shown)
    assert f"💤 snoozed until <t:{SECONDS}:f>" in rows.list_row(asleep, None)
    assert f"💤 snoozed until <t:{SECONDS}:f>" in board_row(asleep, None)
    assert "💤" not in texts(render(views.alert(row()), chat_url=CHAT_URL))


@given(st.text(max_size=400))
def test_a_hostile_reason_breaks_nothing(reason: str) -> None:
    asleep = row(tier=AlertTier.ACTION, snooze=Snooze(NOW, ANA, False, reason))
    assert_within_limits(render(views.alert(asleep), chat_url=CHAT_URL))
    line = ui.snooze_line(asleep)
    assert line is not None
    assert "\n" not in line


def test_a_card_says_that_nobody_claimed_it_in_time() -> None:
    gone_up = row(tier=AlertTier.ACTION, owner=OWNER, escalation_stage=1)
    shown = texts(render(views.alert(gone_up), chat_url=CHAT_URL))
    assert f"⏫ Not claimed in time: now with <@{OWNER.discord_id}>" in shown
    for stopped in (
        row(tier=AlertTier.ACTION, owner=OWNER),
        row(tier=AlertTier.ACTION, owner=OWNER, escalation_stage=1, claimed_by=ANA, claimed_at=NOW),
        row(tier=AlertTier.ACTION, owner=OWNER, escalation_stage=2, snooze=ASLEEP),
    ):
        assert "Not claimed in time" not in texts(render(views.alert(stopped), chat_url=CHAT_URL))


def test_a_card_that_was_posted_anew_says_why_until_it_sleeps_again() -> None:
    has = row(tier=AlertTier.ACTION, owner=OWNER, claimed_by=ANA, claimed_at=NOW)
    reminded = texts(render(replace(views.alert(has), timer="reminded"), chat_url=CHAT_URL))
    assert f"⏰ Reminder: claimed <t:{NOW // 1000}:R>, no outcome yet" in reminded
    free = replace(views.alert(row(tier=AlertTier.ACTION, owner=OWNER)), timer="snooze_over")
    assert "⏰ The snooze is over" in texts(render(free, chat_url=CHAT_URL))
    asleep = row(tier=AlertTier.ACTION, owner=OWNER, claimed_by=ANA, claimed_at=NOW, snooze=ASLEEP)
    for quiet in (views.alert(has), replace(views.alert(asleep), timer="reminded")):
        shown = texts(render(quiet, chat_url=CHAT_URL))
        assert "Reminder" not in shown
        assert "snooze is over" not in shown


def test_the_question_offers_the_times_and_where_it_sleeps_the_way_back() -> None:
    shown = ui.render_ask(sleeper())
    assert buttons(shown) == ["1 hour", "Until my next shift", "3 days", "Other time…"]
    assert buttons(ui.render_ask(sleeper(snooze=ASLEEP)))[-1] == "Wake"
    assert_within_limits(shown)


class Answers:
    """Keeps what was answered."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    async def say(self, sentence: str) -> bool:
        self.said.append(sentence)
        return True

    async def send(self, rendered: Any) -> bool:
        self.said.append(rendered.content)
        return True

    async def form(self, modal: Any) -> bool:
        self.said.append(modal.title)
        return True


class FakeSnoozing:
    """Answers with one result, and reads times as it is told to."""

    def __init__(self, result: SnoozeResult, problem: DueError | None = None) -> None:
        self.result = result
        self.problem = problem
        self.asked: list[Any] = []

    async def look(self, _viewer: object, episode_id: int) -> SnoozeResult:
        self.asked.append(episode_id)
        return self.result

    async def wake(self, _viewer: object, episode_id: int) -> SnoozeResult:
        self.asked.append(episode_id)
        return self.result

    async def snooze(self, _viewer: object, episode_id: int, choice: SnoozeFor, **_: Any) -> SnoozeResult:
        self.asked.append((episode_id, choice))
        return self.result

    async def read_until(self, _episode_id: int, _text: str) -> int:
        if self.problem is not None:
            raise self.problem
        return NOW


async def press(fake: FakeSnoozing, verb: str, target: Target, fields: Fields = NO_FIELDS) -> Any:
    answers = Answers()
    feature = SnoozeFeature(cast("SnoozeService", fake))
    handler = (feature.forms if verb == ui.SNOOZE_FORM else feature.verbs)[verb]
    interaction = SimpleNamespace(message=None)
    await handler.run(
        Press(cast("Any", interaction), cast("Any", answers), cast("Any", None), target, (), fields)
    )
    (said,) = answers.said
    return said


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("not_found", "This is no longer here; nothing was changed."),
        ("closed", "This one is closed already."),
        ("not_yours", f"<@{ANA}> has claimed this one; they or a team lead can snooze or wake it."),
        ("not_snoozed", "This one is awake already; nothing was changed."),
    ],
)
@pytest.mark.parametrize("verb", [ui.SNOOZE_FOR, ui.WAKE])
async def test_each_refusal_is_one_sentence(status: Any, sentence: str, verb: str) -> None:
    fake = FakeSnoozing(SnoozeResult(status, sleeper(claimed_by=ANA), NOW))
    assert await press(fake, verb, Target(verb, ui.EPISODE, 9, "1h")) == sentence


async def test_a_card_a_list_and_the_private_question_mean_the_same_episode() -> None:
    fake = FakeSnoozing(SnoozeResult("woken", sleeper(), NOW))
    for kind, card_id, arg in (("a", 5, "9"), ("g", 5, "9"), (ui.EPISODE, 9, None)):
        said = await press(fake, ui.WAKE, Target(ui.WAKE, kind, card_id, arg))
        assert said == say.woken(fan_name(views.fan("fan_1")))
    assert fake.asked == [9, 9, 9]
    for kind, arg in (("a", None), ("t", "9"), ("f", "9")):
        await press(fake, ui.WAKE, Target(ui.WAKE, kind, 5, arg))
    assert fake.asked[3:] == [0, 0, 0]


async def test_an_unknown_span_changes_nothing() -> None:
    fake = FakeSnoozing(SnoozeResult("snoozed", sleeper(snooze=ASLEEP), NOW))
    for arg in ("2y", "custom", None):
        said = await press(fake, ui.SNOOZE_FOR, Target(ui.SNOOZE_FOR, ui.EPISODE, 9, arg))
        assert said == "This is no longer here; nothing was changed."
    assert fake.asked == []


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (DueError("unreadable"), "cannot be read"),
        (DueError("past", NOW), f"<t:{SECONDS}:f> has passed"),
        (DueError("too_far"), "a year at most"),
    ],
)
async def test_what_is_no_time_is_told_in_one_sentence(problem: DueError, words: str) -> None:
    fake = FakeSnoozing(SnoozeResult("may", sleeper(), NOW), problem)
    fields = Fields({ui.WHEN: "banana"}, {})
    said = await press(fake, ui.SNOOZE_FORM, Target(ui.SNOOZE_FORM, ui.EPISODE, 9, "abcdefgh"), fields)
    assert words in said
    assert "nothing was changed" in said
    assert "would be understood" in said or "write it like" in said
    assert fake.asked == [9]


async def test_the_form_asks_only_whom_it_may() -> None:
    target = Target(ui.SNOOZE_OTHER, ui.EPISODE, 9, None)
    assert (
        await press(FakeSnoozing(SnoozeResult("may", sleeper(), NOW)), ui.SNOOZE_OTHER, target) == say.SNOOZE
    )
    refused = FakeSnoozing(SnoozeResult("not_found", None, NOW))
    assert "no longer here" in await press(refused, ui.SNOOZE_OTHER, target)
    form = ui.other_form(BIG_ID)
    parsed = custom_ids.parse(form.custom_id)
    assert parsed is not None
    assert (parsed.verb, parsed.kind, parsed.card_id) == (ui.SNOOZE_FORM, ui.EPISODE, BIG_ID)
