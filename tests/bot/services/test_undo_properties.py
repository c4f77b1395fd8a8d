"""Whatever two people do to alerts: undone the latest first, everything is as it was before each of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.undoing import turn_back
from tests.bot.services.undo_desk import ANA, HOUR, LEA, Office, Work, columns, open_office
from tests.storage.conftest import new_databases, postgres_server

__all__ = ["postgres_server"]

ACTS = ("claim", "release", "take_over", "snooze", "wake", "done")
MANY = -1
"""In place of an alert: all of them at once."""

_do = st.tuples(
    st.sampled_from(ACTS),
    st.sampled_from((ANA, LEA)),
    st.integers(MANY, 4),
    # Minutes of agency time that pass before it.
    st.integers(0, 40),
)
_EXAMPLES = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def office(
    request: pytest.FixtureRequest, loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    databases = None
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('undo')}/fanwatch.db"
    else:
        databases = new_databases(request.getfixturevalue("postgres_server"), 1)
        (url,) = loop.run(databases.__aenter__())
    opened = open_office(url)
    yield loop.run(opened.__aenter__())
    loop.run(opened.__aexit__(None, None, None))
    if databases is not None:
        loop.run(databases.__aexit__(None, None, None))


@given(steps=st.lists(_do, max_size=8))
@_EXAMPLES
def test_undoing_the_latest_first_leads_back_through_every_state(
    loop: asyncio.Runner, office: Office, steps: list[tuple[str, int, int, int]]
) -> None:
    async def live() -> None:
        await office.begin_anew()
        ids = sorted(office.start)[:5]
        done = []
        for what, user_id, which, minutes in steps:
            office.now += minutes * 60_000
            before = await office.works(), await office.shown()
            made = await office.act(what, user_id, ids if which == MANY else [ids[which]])
            if made is not None:
                done.append((made, user_id, before))
        for action_id, user_id, (works, shown) in reversed(done):
            wanted = await office.wanted()
            viewer = office.ana if user_id == ANA else office.lea
            assert (await office.undo(viewer, action_id)).status == "undone"
            assert await office.works() == works
            now_shown = await office.shown()
            assert now_shown == shown
            assert (await office.undo(viewer, action_id)).status == "already"
            assert await office.wanted() != wanted
        assert (await office.undoing.list_recent(office.ana, 10)).lines == ()

    loop.run(live())


# One alert, without a database: people, timers and runs in any order.

_clock = st.one_of(st.none(), st.integers(0, 5))
_FREE: Work = {
    "tier": "action",
    "closed_at": None,
    "claimed_by": None,
    "claimed_at": None,
    "owner_kind": "user",
    "owner_id": 301,
    "snoozed_until": None,
    "snoozed_by": None,
    "snooze_score": None,
    "snooze_shift": False,
    "snooze_reason": None,
    "outcome": None,
    "rests_until": None,
    "rest_score": None,
    "rest_tier": None,
    "escalate_from_at": 1_000,
    "escalation_stage": 0,
    "remind_at": None,
    "ping_state": None,
    "ping_due_at": None,
}
_MEANWHILE = {
    "escalates": {"escalation_stage": 1, "owner_kind": "user", "owner_id": LEA},
    "reminds": {"remind_at": None},
    "lowers": {"tier": "at_risk", "escalate_from_at": None, "ping_state": None, "ping_due_at": None},
    "holds": {"ping_state": "held", "ping_due_at": 9_000},
}


def _raise(work: Work, now: int) -> Work:
    waits = work["claimed_by"] is None
    return work | {"tier": "action", "escalate_from_at": now if waits else None, "escalation_stage": 0}


@given(
    tier=st.sampled_from(("action", "at_risk")),
    people=st.lists(st.sampled_from(ACTS), max_size=4),
    act=st.sampled_from(ACTS),
    meanwhile=st.lists(st.sampled_from((*_MEANWHILE, "raises", "clears", "wakes")), max_size=3),
)
@settings(deadline=None, derandomize=True, max_examples=400)
def test_whatever_runs_and_timers_do_meanwhile_an_undo_leaves_an_alert_that_makes_sense(
    tier: str, people: list[str], act: str, meanwhile: list[str]
) -> None:
    now = 100 * HOUR
    old = _FREE | {"tier": tier, "escalate_from_at": 1_000 if tier == "action" else None}
    for what in people:
        old = old | (columns(what, old, ANA, now) or {})
    values = columns(act, old, ANA, now + 1)
    if values is None:
        return
    new = old | values
    work, moved = new, False
    for what in meanwhile:
        waiting = work["claimed_by"] is None and work["snoozed_until"] is None
        if work["closed_at"] is not None or (what in ("escalates", "holds") and not waiting):
            continue
        if what == "raises":
            work, moved = _raise(work, now + 2), True
        elif what == "clears":
            work = work | {"closed_at": now + 2}
        elif what == "wakes":
            work = work | {"snoozed_until": None, "snoozed_by": None}
        else:
            work = work | _MEANWHILE[what]
    back = turn_back(old, new, work, now + 3)
    if isinstance(back, str):
        # Only what a run has closed, or a snooze that is over, cannot go back.
        assert work["closed_at"] != new["closed_at"] or work["snoozed_until"] != new["snoozed_until"]
        return
    then = work | back
    assert [then[name] for name in ("claimed_by", "closed_at", "snoozed_until", "outcome")] == [
        old[name] for name in ("claimed_by", "closed_at", "snoozed_until", "outcome")
    ]
    assert then["tier"] == (work["tier"] if work["tier"] != new["tier"] else old["tier"])
    free = then["claimed_by"] is None and then["closed_at"] is None and then["snoozed_until"] is None
    calls = then["tier"] == "action" and free
    if not calls:
        assert (then["escalate_from_at"], then["ping_state"]) == (None, None)
    elif not moved and "lowers" not in meanwhile:
        assert then["escalate_from_at"] == old["escalate_from_at"]
    else:
        assert then["escalate_from_at"] is not None
