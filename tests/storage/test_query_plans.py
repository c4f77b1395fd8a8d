"""What is asked often reads by an index what it needs, not all that was ever written. By SQLite's own plan."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bot.domain.desk import DeskRules
from storage import (
    card_known,
    contacts,
    desk_actions,
    digests,
    escalations,
    fan_behaviour,
    fetch_lists,
    metrics,
    on_shift,
    runs,
    saves,
)
from storage.engine import Tx
from tests.storage.conftest import NOW, Agency

HOUR = 3_600_000
Query = Callable[[Tx, int], Awaitable[object]]

QUERIES: dict[str, tuple[Query, str, str]] = {
    "payers of an hour": (
        lambda tx, ava: fetch_lists.payers_since(tx, ava, NOW - HOUR),
        "transactions",
        "agency_id=? AND creator_id=? AND occurred_at>?",
    ),
    "payments of a fan": (
        lambda tx, ava: fan_behaviour.read_evidence(tx, ava, 1),
        "transactions",
        "agency_id=? AND fan_account_id=?",
    ),
    "the open sync": (
        lambda tx, ava: runs.find_open_sync(tx, ava),
        "sync_runs",
        "agency_id=? AND creator_id=? AND finished_at=?",
    ),
    "the scoring of a sync": (
        lambda tx, ava: runs.find_score_run(tx, ava, 5),
        "score_runs",
        "agency_id=? AND id>?",
    ),
    "open episodes": (
        lambda tx, ava: metrics.read_gauges(tx),
        "episodes",
        "agency_id=? AND creator_id=? AND closed_at=?",
    ),
    "the accounts of a person": (
        lambda tx, ava: contacts.load_ledger(tx, 1, NOW),
        "fan_accounts",
        "agency_id=? AND creator_id=? AND platform_fan_id=?",
    ),
    "what there is to say of a fan": (
        lambda tx, ava: card_known.ask(tx, 1, 1),
        "contacts",
        "agency_id=? AND fan_account_id=?",
    ),
    "what happened for a digest": (
        lambda tx, ava: digests._happened(tx, ava, NOW - HOUR, NOW),
        "episode_events",
        "agency_id=? AND creator_id=? AND at>? AND at<?",
    ),
    "what ends soon for a digest": (
        lambda tx, ava: digests._endings(tx, ava, NOW),
        "fan_accounts",
        "agency_id=? AND creator_id=? AND expires_at>? AND expires_at<?",
    ),
    "the oldest unclaimed action item": (
        lambda tx, ava: digests._oldest(tx, ava, NOW),
        "episodes",
        "agency_id=? AND creator_id=? AND closed_at=?",
    ),
    "the contacts of a report": (
        lambda tx, ava: saves._contacts_between(tx, [ava], NOW - HOUR, NOW),
        "contacts",
        "agency_id=? AND creator_id=? AND at>? AND at<?",
    ),
    "the claims of a report": (
        lambda tx, ava: saves._claimed(tx, [ava], NOW - HOUR, NOW),
        "episode_events",
        "agency_id=? AND creator_id=? AND at>? AND at<?",
    ),
    "the outcomes of a report": (
        lambda tx, ava: saves._closed(tx, [ava], NOW - HOUR, NOW),
        "outcomes",
        "agency_id=? AND creator_id=? AND closed_at>? AND closed_at<?",
    ),
    "the events of a report's episodes": (
        lambda tx, ava: saves._read_spells(tx, [1, 2]),
        "episode_events",
        "agency_id=? AND episode_id=?",
    ),
    "the payments of a report's fans": (
        lambda tx, ava: saves._payments(tx, [1, 2], NOW),
        "transactions",
        "agency_id=? AND fan_account_id=? AND occurred_at>?",
    ),
    "the alerts to compare with": (
        lambda tx, ava: saves._comparables(tx, [ava], NOW, NOW, 0),
        "episode_events",
        "agency_id=? AND creator_id=? AND at>? AND at<?",
    ),
    "what the time moves": (
        lambda tx, ava: escalations.list_due(tx, NOW, DeskRules()),
        "episodes",
        "<?)",
    ),
    "when anybody was on": (
        lambda tx, ava: escalations.list_spans(tx, [ava], NOW - HOUR, NOW),
        "shift_sessions",
        "agency_id=? AND creator_id=? AND ended_at",
    ),
    "who has left by themselves": (
        lambda tx, ava: on_shift.last_left(tx, [ava], NOW - HOUR),
        "shift_sessions",
        "agency_id=? AND creator_id=? AND ended_at>?",
    ),
    "whom a poll looks at": (
        lambda tx, ava: fetch_lists.poll_list(tx, ava, NOW, 10),
        "fan_accounts",
        "agency_id=? AND creator_id=? AND expires_at>? AND expires_at<?",
    ),
    "what somebody did lately": (
        lambda tx, ava: desk_actions.list_recent(tx, 301, NOW, 10),
        "desk_actions",
        "agency_id=? AND actor_id=? AND wall_at>?",
    ),
    "what was done to an alert since": (
        lambda tx, ava: desk_actions.list_since(tx, "episode", [5], after_id=7),
        "desk_actions",
        "agency_id=? AND id>?",
    ),
    "what was done to an alert lately": (
        lambda tx, ava: desk_actions.list_about(tx, 5, NOW),
        "desk_actions",
        "agency_id=? AND id>?",
    ),
    "the last that was done to a note": (
        lambda tx, ava: desk_actions.find_latest(tx, "note", 5, ["delete_note"]),
        "desk_actions",
        "agency_id=? AND target_kind=? AND target_id=?",
    ),
}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/fanwatch.db"


@pytest.mark.parametrize("name", QUERIES)
async def test_what_is_asked_often_is_bounded(agency: Agency, tmp_path: Path, name: str) -> None:
    query, table, by = QUERIES[name]
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _k: Any, statement: str, given: Any, *_: Any) -> None:
        asked.append((statement, given))

    async with agency.store.read() as tx:
        engine = tx.conn.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            await query(tx, agency.ava)
        finally:
            event.remove(engine, "before_cursor_execute", note)
    with closing(sqlite3.connect(tmp_path / "fanwatch.db")) as db:
        plans = [
            row[3]
            for statement, given in asked
            if statement.startswith("SELECT")
            for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", given)
        ]
    steps = [step for step in plans if f" {table} " in step]
    assert steps
    assert all(by in step for step in steps), steps
