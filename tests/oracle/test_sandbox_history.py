"""The sandbox's reading of a purchase history and the oracle's, written apart from each other, are one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox.agency.history import HistoryAgency, read_rows
from tests.data import make_history
from tests.e2e.harness import SHARED
from tests.oracle.oracle import DAY_S, fans_of, read_history, start_of

RETAIL = SHARED / "data" / "online-retail.events.csv"


@pytest.mark.parametrize(
    ("path", "step_s", "looks"),
    [
        pytest.param(make_history.PATH, 5 * 3600, 60, id="small"),
        pytest.param(
            RETAIL,
            DAY_S,
            30,
            id="retail",
            marks=pytest.mark.skipif(not RETAIL.exists(), reason="the history is not in ../shared/data"),
        ),
    ],
)
def test_both_tell_the_same_of_every_fan(path: Path, step_s: int, looks: int) -> None:
    rows = read_history(path)
    fans = fans_of(rows)
    agency = HistoryAgency(read_rows(path))
    assert agency.start_at == start_of(rows) * 1000
    for number in range(looks):
        now = start_of(rows) + number * step_s
        agency.advance(now * 1000)
        theirs = {
            (creator.name, str(fan.id)): (
                fan.subscribed,
                fan.period is not None and fan.period.cancelled_at is not None,
                fan.period.ends_at // 1000 if fan.period else None,
                fan.total_cents,
                (now - (fan.last_activity_at or 0) // 1000) // DAY_S,
            )
            for creator in agency.creators
            for fan in creator.by_id.values()
        }
        ours = {
            (look.creator, look.fan): (
                look.subscribed,
                look.rebill_off,
                look.period_end,
                look.total_cents,
                look.days,
            )
            for fan in fans
            if (look := fan.look(now)) is not None
        }
        assert theirs == ours
