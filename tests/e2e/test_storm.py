"""Everything crosses at once: each alert can be reached, whoever is called is called first, and Discord refuses nothing."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.harness import sandbox
from tests.e2e.office import Office
from tests.e2e.storming import (
    ACTIONS,
    ALERTS,
    IN_TIME_S,
    grouped_actions,
    rows_in,
    storm,
    storm_fans,
    unreachable,
    write_history,
)

CREATORS = 10


async def test_a_storm_over_ten_creators_arrives_in_order_and_whole(tmp_path: Path) -> None:
    history = tmp_path / "storm.csv"
    write_history(history, CREATORS)
    async with sandbox(tmp_path / "data", history=history, model="reference", wire_speed=1) as box:
        await box.settled(120)
        office = await Office.of(box)
        told = await storm(office, timeout_s=120)
        fans = storm_fans(office)
        assert {name: len(names) for name, names in fans.items()} == {
            f"c{number:03d}": ALERTS for number in range(CREATORS)
        }
        assert told.refused == 0
        assert len(told.pings) == CREATORS * ACTIONS
        assert told.overtaken() == []
        assert told.slowest_ping_s < IN_TIME_S
        # Other channels' news and edits let an action item pass: what goes first was on its way already.
        assert told.went_before() <= CREATORS
        assert grouped_actions(office) == []
        for channel in sorted(fans):
            assert await rows_in(office, channel) == ALERTS
        for channel in ("c000", "c009"):
            assert await unreachable(office, fans[channel], channel) == set()
