"""Everything crosses at once: each alert can be reached, action items arrive first, and Discord refuses nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bot.domain.base36 import encode
from tests.e2e.harness import Json, sandbox
from tests.e2e.office import ACK_MS, Office
from tests.e2e.storming import (
    ALERTS,
    BUDGET,
    Plan,
    Storm,
    action_fans,
    arrivals,
    reached,
    storm,
    storm_fans,
    write_history,
)

PLAN = Plan(creators=10, actions=8, raised=2, staying=5)


@pytest.mark.parametrize(
    ("nonces", "twice"),
    [(("1", "1"), ["77"]), (("1", "2"), ["77"]), (("1",), [])],
    ids=["the same nonce", "another incarnation", "once"],
)
def test_a_card_of_which_two_messages_were_posted_is_found(nonces: tuple[str, ...], twice: list[str]) -> None:
    lines: list[Json] = [
        {
            "at": "2026-03-02T08:00:00Z",
            "method": "POST",
            "path": "/channels/5/messages",
            "status": 200,
            "json": {"nonce": f"{encode(77)}.{nonce}"},
            "response": {"id": str(1_000 + number)},
        }
        for number, nonce in enumerate(nonces)
    ]
    told = Storm(0, frozenset(), frozenset({"77"}), list(arrivals(lines)))
    assert told.twice() == twice
    assert told.missing() == set()


async def test_a_storm_over_ten_creators_arrives_in_order_and_whole(tmp_path: Path) -> None:
    history = tmp_path / "storm.csv"
    write_history(history, PLAN)
    async with sandbox(tmp_path / "data", history=history, model="reference", wire_speed=1) as box:
        await box.settled(120)
        office = await Office.of(box)
        told = await storm(office, PLAN, timeout_s=120)
        fans = storm_fans(office)
        assert {name: len(names) for name, names in fans.items()} == dict.fromkeys(PLAN.names, ALERTS)
        assert told.refused == 0
        assert len(told.urgent) == PLAN.creators * PLAN.actions
        assert len(told.behind) == PLAN.cards
        assert told.missing() == set()
        assert told.twice() == []
        assert told.overtaking() == 0
        # More action items than two people's budgets of mentions: the others stand there silently.
        assert told.pings == {office.people[who]: BUDGET for who in ("Ana", "Ben")}
        assert told.pinged_twice() == []
        assert len(told.first_answers_ms) == len(told.urgent)
        assert max(told.first_answers_ms) < ACK_MS
        for channel, names in fans.items():
            reach = await reached(office, names, channel)
            assert reach.met == Counter(names), channel
            assert len(reach.listed) == ALERTS - PLAN.actions, channel
            assert reach.actions_on_lists() == [], channel
            assert reach.single == action_fans(office, channel), channel
            assert len(reach.single) == PLAN.actions, channel
