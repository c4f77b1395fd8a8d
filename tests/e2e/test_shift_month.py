"""People at work at the sample agency for a few days (`make e2e`) and for thirty (`make bench`).

What the alert desk promises: few mentions a shift, no alert that flaps, one live card a fan, nothing that nobody was
told of, and an owner for every action item.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness import Json, sandbox
from tests.e2e.office import Office
from tests.e2e.replay import progress
from tests.e2e.shift_month import STEP_S, Month, covered
from tests.e2e.shift_people import LEADS, MANAGERS, TEAMS
from tests.e2e.shift_wire import Wire, doubles

SEED = 11
MOST_P95, MOST_MEDIAN = 8, 3


async def _month(folder: Path, days: int, step_s: int) -> Month:
    async with sandbox(folder / "data", wire_speed=20) as box:
        month = Month(await Office.of(box), SEED, step_s)
        await month.run(days, progress)
    return month


def _judge(month: Month) -> None:
    report = month.report
    middle, high = report.figures(tuple(TEAMS))
    lead_middle, lead_high = report.figures(tuple(LEADS))
    boss_middle, boss_high = report.figures(MANAGERS)
    progress(
        f"mentions per chatter and shift: median {middle:g}, p95 {high:g}; leads a day: median {lead_middle:g},"
        f" p95 {lead_high:g}; manager a day: median {boss_middle:g}, p95 {boss_high:g}; off shift {report.off_shift};"
        f" calls {dict(report.calls)}; action items {report.items}; {dict(report.changes)}; {dict(report.acts)}"
    )
    assert report.problems == []
    assert report.items > 0
    assert report.acts["claim"] > 0
    assert high <= MOST_P95
    assert middle <= MOST_MEDIAN
    assert lead_high <= MOST_P95
    assert boss_high <= MOST_P95


async def test_three_days_at_work(tmp_path: Path) -> None:
    _judge(await _month(tmp_path, 3, STEP_S))


@pytest.mark.bench
async def test_thirty_days_at_work(tmp_path: Path) -> None:
    _judge(await _month(tmp_path, 30, 2 * STEP_S))


def test_what_lies_in_several_spans_counts_once() -> None:
    assert covered([(0, 10), (5, 20), (30, 40)], 8, 35) == 12 + 5


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
