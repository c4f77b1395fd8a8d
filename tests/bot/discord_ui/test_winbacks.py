"""Lists of candidates, winbacks and work: what they show, and that nothing hostile breaks Discord's limits."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_ui import custom_ids
from bot.discord_ui import winbacks as ui
from bot.discord_ui.custom_ids import Target
from bot.discord_ui.features.winbacks import WinbackFeature
from bot.discord_ui.limits import CONTENT_UNITS, CUSTOM_ID_CHARS, LAYOUT_COMPONENTS, LAYOUT_TEXT_UNITS, units
from bot.discord_ui.my_work import render_work
from bot.discord_ui.people import People
from bot.discord_ui.press import Press
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.winback_lists import ListFilter, done_form, parse_list, render_undo, render_winbacks
from bot.discord_ui.winbacks import (
    filter_arg,
    parse_filter,
    render_candidates,
    render_spread,
    spread_form,
)
from bot.discord_ui.words import winbacks as say
from bot.domain.desk import Outcome
from bot.domain.models import AccessTier, AlertTier, Viewer
from bot.domain.my_work import Claim, Task
from bot.domain.views import FanChoice
from bot.domain.winbacks import Candidate, Hook, Winback, WinbackKind, WinbackState
from bot.services.my_work import WorkPage
from bot.services.winback_spreads import Share, SpreadResult
from bot.services.winbacks import CandidateFilter, CandidatePage, WinbackPage
from tests.bot.discord_ui import views
from tests.bot.discord_ui.views import BIG_ID, NOW

HOUR = 3_600_000
ME, SHE = 11, 12


def candidate(number: int, **changes: Any) -> Candidate:
    fields: dict[str, Any] = {
        "fan_account_id": number,
        "creator_id": 7,
        "creator_name": "Amber Vale",
        "fan": views.fan(f"fan_{number}"),
        "kind": WinbackKind.EXPIRED,
        "total_cents": 123_400,
        "pace_cents": 41_000,
        "since_at": NOW,
        "last_purchase_at": NOW,
    }
    return Candidate(**(fields | changes))


def winback(number: int = 1, **changes: Any) -> Winback:
    fields: dict[str, Any] = {
        "id": BIG_ID + number,
        "creator_id": 7,
        "creator_name": "Amber Vale",
        "fan_account_id": number,
        "fan": views.fan(f"fan_{number}"),
        "kind": WinbackKind.QUIET,
        "state": WinbackState.OPEN,
        "assignee_id": ME,
        "first_assignee_id": ME,
        "assigned_by": SHE,
        "assigned_at": NOW,
        "due_at": None,
        "note": None,
        "spread_id": None,
        "refill_of": None,
        "outcome": None,
        "outcome_note": None,
        "done_at": None,
        "done_by": None,
        "created_at": NOW,
        "total_cents": 123_400,
        "back_at": None,
    }
    return Winback(**(fields | changes))


def page(rows: tuple[Candidate, ...], **changes: Any) -> CandidatePage:
    fields: dict[str, Any] = {
        "hooks": {},
        "page": 0,
        "pages": 1,
        "total": len(rows),
        "more": False,
        "pace_cents": 6_124_000,
        "unknown": 0,
        "first": 0,
        "share": 0.0,
    }
    return CandidatePage(rows, **(fields | changes))


def listed(*rows: Winback, **changes: Any) -> WinbackPage:
    fields: dict[str, Any] = {"hooks": {}, "page": 0, "pages": 1, "total": len(rows), "now_ms": NOW}
    return WinbackPage(rows, **(fields | changes))


def parts(rendered: RenderedMessage) -> list[dict[str, Any]]:
    """Every component, nested ones too."""
    assert rendered.view is not None
    found: list[dict[str, Any]] = []
    waiting: list[Any] = list(rendered.view.to_components())
    while waiting:
        item = waiting.pop(0)
        found.append(item)
        waiting += [*item.get("components", ()), *([item["accessory"]] if "accessory" in item else ())]
    return found


def text(rendered: RenderedMessage) -> str:
    return "\n".join(item["content"] for item in parts(rendered) if "content" in item)


def labels(rendered: RenderedMessage) -> list[str]:
    return [item["label"] for item in parts(rendered) if item.get("type") == 2]


def within_limits(rendered: RenderedMessage) -> None:
    found = parts(rendered)
    assert len(found) <= LAYOUT_COMPONENTS
    assert sum(units(item.get("content", "")) for item in found) <= LAYOUT_TEXT_UNITS
    ids = [item["custom_id"] for item in found if "custom_id" in item]
    assert len(ids) == len(set(ids))
    for custom_id in ids:
        assert len(custom_id) <= CUSTOM_ID_CHARS
        assert custom_ids.parse(custom_id) is not None


class TestCandidates:
    def test_the_header_says_where_most_of_the_money_is(self) -> None:
        shown = render_candidates(
            page((candidate(1),), total=412, first=40, share=0.62, pages=42), CandidateFilter()
        )
        assert text(shown).startswith(
            "**412 candidates** hold $61,240 a month; the first 40 hold 62 % of it\n"
        )
        assert labels(shown)[-1] == "Spread the first 40"
        assert "unknown" not in text(shown)

    def test_one_candidate_holds_and_several_hold(self) -> None:
        one = text(render_candidates(page((candidate(1),), total=1), CandidateFilter()))
        two = text(render_candidates(page((candidate(1),), total=2), CandidateFilter()))
        assert "**1 candidate** holds $" in one
        assert "**2 candidates** hold $" in two

    def test_more_than_can_be_ranked_and_unknown_money_are_said(self) -> None:
        shown = text(render_candidates(page((candidate(1),), more=True, unknown=3), CandidateFilter()))
        assert "**More than 1 candidate**" in shown
        assert "3 fans without a known purchase at the end" in shown

    def test_a_row_holds_the_money_both_ways_and_a_hook(self) -> None:
        hook = Hook(900, NOW, "loves *dogs* @everyone", "the *red* set @everyone", NOW + HOUR)
        shown = text(render_candidates(page((candidate(1),), hooks={1: hook}), CandidateFilter()))
        due = f"<t:{(NOW + HOUR) // 1000}:R>"
        assert f" · promise due {due}: the \\*red\\* set ＠everyone · noted: loves" in shown
        assert "**fan_1** · Amber Vale · ⌛ Expired · $410 a month · $1,234 in all" in shown
        assert f"subscription ended <t:{NOW // 1000}:R> · last bought $9 <t:{NOW // 1000}:R>" in shown
        assert "noted: loves \\*dogs\\* ＠everyone" in shown
        quiet = candidate(1, kind=WinbackKind.QUIET, pace_cents=None, since_at=None)
        shown = text(render_candidates(page((quiet,)), CandidateFilter()))
        assert "💤 Quiet · monthly spend unknown · $1,234 in all\n-# last active unknown" in shown

    def test_nobody_is_one_sentence(self) -> None:
        assert text(render_candidates(page(()), CandidateFilter())) == say.NO_CANDIDATES

    @pytest.mark.parametrize(
        ("total", "first", "limit", "size"),
        [
            (412, 40, None, 40),
            (7, 1, None, 7),
            (412, 40, 25, 25),
            (412, 0, None, 10),
            (3000, 1500, None, 1000),
        ],
    )
    def test_the_spread_offered_is_one_that_can_be_ordered(
        self, total: int, first: int, limit: int | None, size: int
    ) -> None:
        shown = render_candidates(
            page((candidate(1),), total=total, first=first), CandidateFilter(limit=limit)
        )
        assert labels(shown)[-1] == f"Spread the first {size:,}"

    @settings(deadline=None, max_examples=40)
    @given(views.labels, views.hostile, st.lists(views.hostile, min_size=10, max_size=10), views.cents)
    def test_hostile_rows_stay_within_the_limits(
        self, fan: Any, creator: str, noted: list[str], pace: int | None
    ) -> None:
        rows = tuple(
            candidate(BIG_ID + n, fan=fan, creator_name=creator, pace_cents=pace, total_cents=10**13)
            for n in range(10)
        )
        hooks = {BIG_ID + n: Hook(10**13, NOW, note, note, NOW) for n, note in enumerate(noted)}
        asked = CandidateFilter(2**63 - 1, WinbackKind.QUIET, 10**8, 1_000)
        shown = render_candidates(page(rows, hooks=hooks, page=3, pages=9, total=90, first=30), asked)
        within_limits(shown)
        assert "@everyone" not in text(shown)


@pytest.mark.parametrize(
    "asked",
    [
        CandidateFilter(),
        CandidateFilter(7, WinbackKind.QUIET, 50_000, 40),
        CandidateFilter(2**62, WinbackKind.EXPIRED, 100_000_000, 1_000),
    ],
)
def test_a_filter_survives_its_custom_id(asked: CandidateFilter) -> None:
    assert parse_filter(asked.creator_id or 0, filter_arg(asked, 12)) == (asked, 12)
    # A form's own characters may follow.
    assert parse_filter(asked.creator_id or 0, filter_arg(asked, 12) + "-aB3dE6gH") == (asked, 12)


@pytest.mark.parametrize("arg", [None, "", "z-1-1-1", "a-1-1", "a-x-1-1", "a--1-1-1"])
def test_what_is_no_filter_is_none(arg: str | None) -> None:
    assert parse_filter(0, arg) is None
    assert parse_list(0, arg) is None


@pytest.mark.parametrize(
    "asked", [ListFilter(None, None, "open"), ListFilter(7, 2**62, "overdue"), ListFilter(2**62, 5, "done")]
)
def test_a_list_survives_its_custom_id(asked: ListFilter) -> None:
    assert parse_list(asked.creator_id or 0, asked.arg(3)) == (asked, 3)


def test_the_form_to_spread_is_filled_in_and_keeps_its_filter() -> None:
    modal = spread_form(2**62, filter_arg(CandidateFilter(2**62, None, 10**8, 1_000), 1_000), 1_000)
    sent: Any = modal.to_dict()
    target = custom_ids.parse(sent["custom_id"])
    assert target is not None
    assert parse_filter(target.card_id, target.arg) is not None
    fields = {item["component"]["custom_id"]: item["component"] for item in sent["components"]}
    assert [fields[name].get("value") for name in ("top", "per_person", "due")] == ["1000", "10", None]
    assert fields["people"]["type"] == discord.ComponentType.mentionable_select.value
    assert not fields["due"]["required"]


class TestSpread:
    def test_everybody_gets_a_line_and_the_ways_back_are_below(self) -> None:
        result = SpreadResult("spread", 9, (Share(ME, 10, 50_000), Share(SHE, 2, 1_000)), 28, (5,), NOW)
        shown = render_spread(result)
        assert shown.content is not None
        assert "Handed out 12 winbacks to 2 people ($510 a month), due " in shown.content
        assert "28 more wait and follow as these are done." in shown.content
        assert f"• <@{ME}>: 10 · $500 a month" in shown.content
        assert "Left out because they see none of these creators: <@5>" in shown.content
        assert labels(shown) == ["Undo", "Stop refilling"]

    def test_fifty_people_fit_into_a_message(self) -> None:
        shares = tuple(Share(10**18 + n, 50, 10**12) for n in range(50))
        result = SpreadResult("spread", 2**62, shares, 1, tuple(range(10**18, 10**18 + 50)), NOW)
        content = render_spread(result).content
        assert content is not None
        assert units(content) <= CONTENT_UNITS
        assert "and 25 more" in content
        assert "1 more waits and follows" in content

    def test_a_second_time_says_what_there_is(self) -> None:
        content = render_spread(SpreadResult("already", 9, (Share(ME, 10, 0),))).content
        assert content == "This was handed out already: 10 winbacks are open; nothing was changed."


class TestWinbacks:
    def test_due_overdue_and_back_are_said_in_words(self) -> None:
        rows = (
            winback(1, due_at=NOW - HOUR, note="be *kind*"),
            winback(2, due_at=NOW + HOUR, back_at=NOW - HOUR),
            winback(3),
        )
        shown = render_winbacks(listed(*rows), ListFilter(None, ME, "open"), ME)
        lines = text(shown).splitlines()
        assert lines[0] == "**3 open winbacks** · yours"
        assert f"⏰ overdue, was due <t:{(NOW - HOUR) // 1000}:R>" in lines[2]
        assert "asked: be \\*kind\\*" in lines[2]
        assert (
            f"due <t:{(NOW + HOUR) // 1000}:R> · <@{ME}> · came back <t:{(NOW - HOUR) // 1000}:R>" in lines[4]
        )
        assert "no due time" in lines[6]
        assert labels(shown) == ["Done"] * 3

    def test_done_ones_say_what_came_of_them_and_have_no_button(self) -> None:
        row = winback(
            state=WinbackState.DONE,
            outcome=Outcome.FALSE_ALARM,
            outcome_note="paid *elsewhere*",
            done_at=NOW,
            done_by=SHE,
        )
        shown = render_winbacks(listed(row), ListFilter(None, None, "done"), ME)
        assert "**1 done winback** · everybody's" in text(shown)
        assert f"✅ False alarm, by <@{SHE}> <t:{NOW // 1000}:R> · “paid \\*elsewhere\\*”" in text(shown)
        assert labels(shown) == []

    def test_an_empty_list_says_what_to_do(self) -> None:
        shown = text(render_winbacks(listed(), ListFilter(None, SHE, "open"), ME))
        assert shown == f"No open winbacks · <@{SHE}>'s. A team lead hands them out with /winback assign."

    @settings(deadline=None, max_examples=40)
    @given(views.labels, views.hostile, views.maybe_hostile, views.cents)
    def test_hostile_rows_stay_within_the_limits(
        self, fan: Any, creator: str, note: str | None, cents: int | None
    ) -> None:
        rows = tuple(
            winback(n, fan=fan, creator_name=creator, note=note, total_cents=cents, due_at=NOW, back_at=NOW)
            for n in range(10)
        )
        hooks = {n: Hook(10**13, NOW, note, note, NOW) for n in range(10)}
        asked = ListFilter(2**63 - 1, 2**63 - 1, "overdue")
        within_limits(render_winbacks(listed(*rows, hooks=hooks, page=2, pages=5), asked, ME))
        tasks = tuple(Task(row, cents) for row in rows)
        within_limits(render_work(WorkPage(tasks, hooks, 1, 3, 0, 30, 30, NOW), 2**63 - 1, ME, 2**63 - 1))
        assert units(done_form(rows[0]).title) <= 45

    def test_undo_is_a_button_below_the_sentence(self) -> None:
        shown = render_undo("Done.", winback())
        assert (shown.content, labels(shown)) == ("Done.", ["Undo"])


class TestWork:
    CLAIM = Claim(
        5,
        7,
        "Amber Vale",
        1,
        views.fan("fan_1"),
        AlertTier.ACTION,
        False,
        83.4,
        41_000,
        1,
        "USD",
        NOW,
        77,
        88,
    )

    def show(self, *tasks: Task, user_id: int = ME, **changes: int) -> RenderedMessage:
        counts = {"page": 0, "pages": 1, "claims": 1, "winbacks": 1, "overdue": 0} | changes
        return render_work(WorkPage(tasks, {}, now_ms=NOW, **counts), user_id, ME, 900)

    def test_claims_link_to_their_card_and_can_be_closed(self) -> None:
        shown = self.show(Task(self.CLAIM, 41_000), Task(winback(2), 9_900), overdue=2)
        lines = text(shown).splitlines()
        assert lines[0] == "**Yours: 1 claim, 1 winback** · 2 overdue"
        assert lines[1] == "🔴 Action **fan_1** · Amber Vale · 83 · $410 a month"
        assert "[Open the card](https://discord.com/channels/900/77/88)" in lines[2]
        assert "**fan_2** · Amber Vale · $99 a month · $1,234 in all" in lines[3]
        assert labels(shown) == ["Done", "Done", "Quiet hours"]

    def test_a_claim_whose_card_is_not_posted_has_no_link(self) -> None:
        shown = text(self.show(Task(replace(self.CLAIM, message_id=None, expired=True), None)))
        assert "https://" not in shown
        assert "⌛ Expired" in shown

    def test_nothing_says_what_to_do_next(self) -> None:
        assert text(self.show()) == "Nothing is yours. Claim from the board or /queue."
        assert f"<@{SHE}>" in text(self.show(user_id=SHE))


@pytest.mark.parametrize("chosen", ["9" * 5_000, "٣", "", "x"])
async def test_what_is_no_person_is_told_so(chosen: str) -> None:
    said: list[str] = []

    async def find(viewer: Viewer, value: str) -> list[FanChoice]:
        return [FanChoice(1, "Mia", views.fan("anna"), None, "USD", None)]

    async def say_it(sentence: str) -> None:
        said.append(sentence)

    desk: Any = SimpleNamespace(people=lambda guild: People(guild, cast("Any", None)))
    fans: Any = SimpleNamespace(find=find)
    guild = SimpleNamespace(fetch_member=None)
    press = Press(
        cast("Any", SimpleNamespace(guild=guild)),
        cast("Any", SimpleNamespace(say=say_it)),
        Viewer(1, AccessTier.LEAD, frozenset({1})),
        Target(ui.PICK_WHO, ui.FAN, 1),
        (chosen,),
    )
    await WinbackFeature(desk, fans).verbs[ui.PICK_WHO].run(press)
    assert said == [say.NOT_HERE]
