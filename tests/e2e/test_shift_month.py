"""People at work at the sample agency for a few days (`make e2e`) and for thirty (`make bench`).

What the alert desk promises: few mentions a shift, no alert that flaps, one live card a fan, nothing that nobody was
told of, and an owner for every action item.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from tests.e2e.harness import Json, Reply, Sandbox, sandbox
from tests.e2e.office import Office
from tests.e2e.replay import progress
from tests.e2e.shift_month import STEP_S, Month
from tests.e2e.shift_people import LEADS, MANAGERS, TEAMS
from tests.e2e.shift_rules import (
    MS_PER_DAY,
    MS_PER_HOUR,
    Call,
    Closed,
    Event,
    Owed,
    Span,
    Wait,
    reached,
    refires,
    unheard,
    waits,
)
from tests.e2e.shift_wire import Wire, doubles, with_all_pages

SEED = 11
MOST_P95, MOST_MEDIAN = 8, 3
MOST_MISSED = 0.05
"""Which share of the presses may be of something that somebody else, or a run, has just taken away."""
SOON = ("claim", "claimed", "kept", "done", "/undo")
LATER = (*SOON, "take all", "waiting", "snooze", "snoozed", "undo", "undone", "release", "released")
"""What somebody does within a few days and within a month, and what the bot then has of it."""


async def _month(folder: Path, days: int, step_s: int) -> Month:
    async with sandbox(folder / "data", wire_speed=20) as box:
        month = Month(await Office.of(box), SEED, step_s)
        await month.run(days, progress)
    return month


def _judge(month: Month, at_least: Sequence[str]) -> None:
    """`at_least`: what has been done at least once in so many days."""
    report = month.report
    middle, high = report.figures(tuple(TEAMS))
    lead_middle, lead_high = report.figures(tuple(LEADS))
    boss_middle, boss_high = report.figures(MANAGERS)
    progress(
        f"mentions per chatter and shift: median {middle:g}, p95 {high:g}; leads a day: median {lead_middle:g},"
        f" p95 {lead_high:g}; manager a day: median {boss_middle:g}, p95 {boss_high:g}; off shift {report.off_shift};"
        f" calls {dict(report.calls)}; action items {report.items}, nobody's {report.waited} times,"
        f" {report.owed}; {dict(report.changes)}; {dict(report.acts)}; {report.found_nothing():.1%} of the presses"
        " found nothing"
    )
    assert report.problems == []
    assert report.items > 0
    assert report.owed.heard > 0
    assert report.calls["action"] > 0
    assert report.calls["escalated"] > 0
    assert set(at_least) <= {what for what, count in (report.acts + report.changes).items() if count}
    assert report.found_nothing() <= MOST_MISSED
    assert high <= MOST_P95
    assert middle <= MOST_MEDIAN
    assert lead_high <= MOST_P95
    assert boss_high <= MOST_P95


async def test_three_days_at_work(tmp_path: Path) -> None:
    _judge(await _month(tmp_path, 3, STEP_S), SOON)


@pytest.mark.bench
async def test_thirty_days_at_work(tmp_path: Path) -> None:
    _judge(await _month(tmp_path, 30, 2 * STEP_S), LATER)


# What the judge of a month finds


HOUR, DAY = MS_PER_HOUR, MS_PER_DAY
LINE = "🔴 Action · amber · fan_7 · {} ▲3 · $70 a month · Subscription about to end · <@5>"


def _event(
    change: str, at: int, *, tier: str | None = "action", score: float = 90.0, code: str = ""
) -> Event:
    return Event(1, 7, "amber", change, tier, score, code, at)


def _call(at: int, *, score: int = 90, who: str = "user:5", reason: str = "action") -> Call:
    return Call(at, who, LINE.format(score), frozenset({1}), reason)


def _refires(
    *events: Event, calls: Sequence[Call] = (), closed: Sequence[Closed] = (), lowest: float = 90.0
) -> list[str]:
    scores = {7: [(0, 90.0), (10 * HOUR, lowest), (20 * HOUR, 90.0)]}
    return refires(calls, events, closed, scores)


def test_a_second_call_about_the_same_news_is_found() -> None:
    opened, raised = _event("opened", 0), _event("raised", 2 * DAY)
    twice = [_call(0), _call(2 * DAY)]
    assert len(_refires(opened, raised, calls=twice, lowest=70.0)) == 1
    assert _refires(opened, raised, calls=twice, lowest=69.9) == []
    assert _refires(opened, raised, calls=[_call(0), _call(2 * DAY, reason="escalated")]) == []
    again = (_event("cleared", DAY, tier=None), _event("opened", 2 * DAY))
    assert len(_refires(opened, *again, calls=twice, lowest=50.0)) == 1
    assert _refires(opened, *again, calls=twice, lowest=49.9) == []


def test_what_rises_in_its_sleep_may_call_again() -> None:
    opened, snoozed = _event("opened", 0), _event("snoozed", HOUR, score=85.0)
    twice = [_call(0), _call(2 * DAY)]
    assert (
        _refires(opened, snoozed, _event("woken", 2 * DAY, score=95.0, code="score_rose"), calls=twice) == []
    )
    found = _refires(opened, snoozed, _event("woken", 2 * DAY, score=94.9, code="score_rose"), calls=twice)
    assert len(found) == 1


def test_a_call_that_was_held_is_the_first_one() -> None:
    opened, raised = _event("opened", 0), _event("raised", 2 * DAY)
    assert _refires(opened, calls=[_call(HOUR, score=75, reason="held")]) == []
    assert len(_refires(opened, raised, calls=[_call(HOUR, reason="held"), _call(2 * DAY)])) == 1


def test_an_outcome_that_was_taken_back_excuses_nothing() -> None:
    opened, done = _event("opened", 0), _event("done", DAY, tier=None)
    undone, raised = _event("undone", DAY, code="done"), _event("raised", 2 * DAY)
    twice, closed = [_call(0), _call(2 * DAY)], [Closed(1, "kept", DAY)]
    assert _refires(opened, done, raised, calls=twice, closed=closed) == []
    assert len(_refires(opened, done, undone, raised, calls=twice, closed=closed)) == 1


def test_a_call_below_the_threshold_is_found() -> None:
    assert len(_refires(_event("opened", 0), calls=[_call(0, score=79)])) == 1
    assert _refires(_event("opened", 0), calls=[_call(0, score=80)]) == []


@pytest.mark.parametrize(("code", "below"), [("below_action_clear", 70.0), ("below_clear", 50.0)])
def test_what_is_over_too_early_is_found(code: str, below: float) -> None:
    assert len(_refires(_event("lowered", DAY, tier="at_risk", score=below, code=code))) == 1
    assert _refires(_event("lowered", DAY, tier="at_risk", score=below - 0.1, code=code)) == []


def test_what_opens_while_it_is_open_is_found() -> None:
    opened, again = _event("opened", 0), _event("opened", DAY)
    assert len(_refires(opened, again)) == 1
    assert _refires(opened, _event("cleared", HOUR, tier=None, score=40.0), again) == []


@pytest.mark.parametrize(
    ("outcome", "days"), [("kept", 14), ("waiting", 3), ("lost", 30), ("false_alarm", 30)]
)
def test_what_opens_inside_the_rest_of_its_outcome_is_found(outcome: str, days: int) -> None:
    opened, done = _event("opened", 0), _event("done", DAY, tier=None)
    closed = [Closed(1, outcome, DAY)]

    def found(after: int, score: float = 90.0) -> int:
        return len(_refires(opened, done, _event("opened", DAY + after, score=score), closed=closed))

    assert found(days * DAY - 1) == 1
    assert found(days * DAY) == 0
    assert found(HOUR, score=99.9) == 1
    assert found(HOUR, score=100.0) == (outcome == "lost")


def test_a_higher_tier_ends_a_rest() -> None:
    flag, done = _event("opened", 0, tier="at_risk", score=78), _event("done", DAY, tier=None, score=78)
    closed = [Closed(1, "kept", DAY)]
    assert _refires(flag, done, _event("opened", 2 * DAY, score=81), closed=closed) == []
    assert len(_refires(flag, done, _event("opened", 2 * DAY, tier="at_risk", score=81), closed=closed)) == 1


def test_waiting_begins_with_the_news_and_ends_with_a_claim() -> None:
    def spans(*events: Event) -> list[tuple[int, int]]:
        return [(wait.since, wait.until) for wait in waits(events, 9 * HOUR)]

    opened, claimed = _event("opened", 0), _event("claimed", HOUR)
    assert spans(opened) == [(0, 9 * HOUR)]
    assert spans(_event("opened", 0, code="baseline")) == []
    assert spans(_event("opened", 0, tier="at_risk"), _event("raised", HOUR)) == [(HOUR, 9 * HOUR)]
    assert spans(opened, claimed) == [(0, HOUR)]
    assert spans(opened, claimed, _event("released", 3 * HOUR)) == [(0, HOUR), (3 * HOUR, 9 * HOUR)]
    assert spans(opened, claimed, _event("undone", 3 * HOUR)) == [(0, HOUR), (0, 9 * HOUR)]
    assert spans(opened, claimed, _event("expired", 3 * HOUR)) == [(0, HOUR)]
    snoozed = _event("snoozed", HOUR)
    assert spans(opened, snoozed, _event("woken", 2 * HOUR)) == [(0, HOUR), (2 * HOUR, 9 * HOUR)]


def _unheard(*calls: Call, on: Span = (0, DAY), calm: Sequence[Span] = (), owed: Owed | None = None) -> int:
    def above(_: str, stage: int) -> list[str]:
        return ["user:8", "user:9"] if stage == 1 else ["user:9"]

    wait = Wait(1, 7, "amber", 0, 9 * HOUR)
    counts = Owed() if owed is None else owed
    return len(unheard([wait], calls, above, {"amber": [on]}, {7: calm}, HOUR // 4, counts))


def test_what_nobody_above_is_called_to_is_found() -> None:
    lead, manager = _call(HOUR // 4, who="user:8"), _call(HOUR, who="user:9")
    owed = Owed()
    assert _unheard(lead, manager, owed=owed) == 0
    assert owed == Owed(heard=2)
    assert _unheard(_call(HOUR), _call(2 * HOUR)) == 2
    assert _unheard(lead) == 1
    assert _unheard(lead, _call(HOUR + 1, who="user:9")) == 1
    # Nobody is on, or for too short a time.
    assert _unheard(on=(10 * HOUR, DAY)) == 0
    assert _unheard(on=(0, HOUR // 2)) == 1


@pytest.mark.parametrize(
    ("until", "by_hand", "found"), [(HOUR - 1, True, 0), (HOUR, False, 0), (HOUR, True, 1)]
)
def test_who_claims_late_does_not_hide_that_nobody_was_called(until: int, by_hand: bool, found: int) -> None:
    wait = Wait(1, 7, "amber", 0, until, by_hand)
    assert len(unheard([wait], [], lambda *_: ["user:9"], {"amber": [(0, DAY)]}, {}, HOUR, Owed())) == found


def test_what_may_stay_unheard_is_counted() -> None:
    owed = Owed()
    assert _unheard(calm=[(0, DAY)], owed=owed) == 0
    assert (owed.held, owed.budget) == (2, 0)
    # The mute was over long before.
    assert _unheard(calm=[(0, 2 * HOUR)], owed=owed) == 2
    others = [Call(0, who, LINE, frozenset({2})) for who in ("user:8", "user:9") for _ in range(6)]
    assert _unheard(*others, owed=owed) == 0
    assert (owed.held, owed.budget) == (2, 2)


def _posted(number: int, message: str, card: str, *episodes: str) -> Json:
    """What a request to post a list of these alerts leaves behind."""
    row = {
        "type": 3,
        "custom_id": f"fw1:pick_episode:g{card}",
        "options": [{"value": one} for one in episodes],
    }
    said = {"id": message, "channel_id": "1", "author": {}, "components": [{"type": 1, "components": [row]}]}
    where = {"method": "POST", "status": 200, "path": "/channels/1/messages"}
    return {"n": number, "agency_at": "2026-03-02T08:00:00Z", "response": said, **where}


class _Pages:
    """Answers [Next] of a list with its second page."""

    async def press(self, user: str, channel: str, message: str, custom_id: str) -> Reply:
        row = {"type": 3, "custom_id": "fw1:pick_episode:ga", "options": [{"value": "b"}]}
        said = {
            "id": "200",
            "components": [{"type": 1, "components": [row]}],
            "sandbox": {"ephemeral_for": "5"},
        }
        assert (user, channel, message, custom_id) == ("Max", "1", "100", "fw1:page:ga:1")
        answered = {"settled": True, "messages": [said]}
        return Reply.of(answered)


async def test_what_stands_on_further_pages_of_a_list_counts() -> None:
    wire = Wire()
    first = _posted(1, "100", "a", "a")
    further = {"type": 2, "label": "Next", "custom_id": "fw1:page:ga:1"}
    first["response"]["components"].append({"type": 1, "components": [further]})
    wire.take([first, _posted(2, "101", "b", "c")])
    fan_of = {10: 7, 11: 8, 12: 8}
    assert doubles(wire.live(), fan_of) == []
    cards = await with_all_pages(cast(Sandbox, _Pages()), "Max", wire.live())
    assert doubles(cards, fan_of) == ["fan 8 is on ['ga', 'gb']"]


def test_two_live_cards_are_found_by_their_alerts_whatever_the_names() -> None:
    wire = Wire()
    fan_of = {10: 7, 11: 7, 12: 8}
    wire.take([_posted(1, "100", "a", "a", "c")])
    assert doubles(wire.live(), fan_of) == []
    # Another alert of the same fan, on another list.
    wire.take([_posted(2, "101", "b", "b")])
    assert doubles(wire.live(), fan_of) == ["fan 7 is on ['ga', 'gb']"]
    wire.take([_posted(3, "101", "a", "c")])
    assert doubles(wire.live(), fan_of) == ["card ga stands 2 times"]
    wire.take(
        [{"n": 4, "method": "DELETE", "status": 204, "path": "/channels/1/messages/101", "response": None}]
    )
    assert doubles(wire.live(), fan_of) == []


def test_what_lies_in_several_spans_counts_once() -> None:
    spans = [(30, 40), (0, 10), (5, 20)]
    assert reached(spans, 8, 12) == 20
    assert reached(spans, 8, 17) == 35
    assert reached(spans, 8, 23) is None
