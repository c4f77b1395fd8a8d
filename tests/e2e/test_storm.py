"""Everything crosses at once: each alert can be reached, action items arrive first, and Discord refuses nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.e2e.harness import sandbox
from tests.e2e.office import Office
from tests.e2e.storming import (
    ALERTS,
    FIRST_ANSWER_MS,
    URGENT_IN_S,
    grouped_actions,
    reached,
    storm,
    storm_fans,
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
        assert len(told.urgent) == CREATORS
        assert len(told.behind) == 2 * CREATORS
        assert told.missing() == set()
        assert told.twice() == []
        assert told.overtaking() == 0
        assert told.pings > 0
        assert told.pinged_first()
        assert told.urgent_s < URGENT_IN_S
        assert len(told.first_answers_ms) == CREATORS
        assert max(told.first_answers_ms) < FIRST_ANSWER_MS
        assert grouped_actions(office) == []
        for channel, names in fans.items():
            assert await reached(office, names, channel) == Counter(names), channel
