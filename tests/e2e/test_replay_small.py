"""Ten days and a jump of 120 fans through the real bot, on both databases: it decides what the oracle decides,
everybody can find it in Discord, and a bot that was killed on the way leaves the same messages behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.harness import PLENTY_OF_MENTIONS, sandbox
from tests.e2e.openapi import SPEC, Contract
from tests.e2e.replay import Report, difference, moments_of, refused, run, seeded_kills

HISTORY = Path(__file__).parents[1] / "data" / "history-120.csv"
LOOKS, JUMP_DAYS = 10, 9
KILLS, SEED = 3, 20260302
LIMIT_S = 120


async def _replay(data: Path, name: str, kills: int, database: str | None) -> Report:
    moments = moments_of(HISTORY, LOOKS, JUMP_DAYS)
    async with sandbox(
        data, history=HISTORY, wire_speed=20, model="reference", command=PLENTY_OF_MENTIONS, database=database
    ) as box:
        return await run(
            box,
            moments,
            name=name,
            kills=seeded_kills(SEED, len(moments), kills) if kills else None,
            look=not kills,
        )


async def test_the_replay_agrees_with_the_oracle_and_survives_kills(
    tmp_path: Path, databases: list[str | None]
) -> None:
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as both:
        undisturbed = both.create_task(_replay(tmp_path / "calm", "calm", 0, databases[0]))
        disturbed = both.create_task(_replay(tmp_path / "killed", "killed", KILLS, databases[1]))
    calm, killed = undisturbed.result(), disturbed.result()
    assert calm.problems == []
    assert refused(calm.requests) == []
    assert all(calm.channels.values()), "a channel stayed empty"
    assert killed.kills == KILLS
    assert killed.problems == []
    assert difference(calm.channels, killed.channels) == []
    if SPEC.exists():
        contract = Contract.load()
        wrong = [text for line in calm.requests for text in contract.problems(line)]
        assert wrong == []


def test_kills_are_seeded() -> None:
    assert seeded_kills(1, 30, 20) == seeded_kills(1, 30, 20)
    assert len(seeded_kills(1, 30, 20)) == 20
    with pytest.raises(ValueError, match="larger"):
        seeded_kills(1, 10, 20)
