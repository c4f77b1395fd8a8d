"""What a talk can begin with, and whose clock counts; on both engines."""

from __future__ import annotations

from sqlalchemy import insert

from bot.domain.winbacks import Hook
from storage import followups, hooks, zones
from storage.engine import Tx
from storage.followups import NewFollowup
from storage.tables import creators, notes
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import payment
from tests.storage.winback_fans import BEN, gone, keep


async def test_a_hook_is_the_last_purchase_and_what_was_noted_since(agency: Agency) -> None:
    ids = await keep(
        agency,
        [gone(number) for number in (1, 2, 3)],
        [
            payment("a", "1", amount_cents=500, occurred_at=NOW - 9 * DAY),
            payment("b", "1", amount_cents=700, occurred_at=NOW - 5 * DAY),
            payment("c", "1", amount_cents=100, occurred_at=NOW - 5 * DAY),
            payment("d", "2", amount_cents=900, occurred_at=NOW - 5 * DAY),
        ],
    )
    said = [("1", "old", 6, None), ("1", "gone", 1, NOW), ("2", "first", 4, None), ("2", "newest", 3, None)]

    async def write(tx: Tx) -> None:
        for fan_id, text, days, deleted_at in said:
            await tx.execute(
                insert(notes).values(
                    agency_id=tx.agency_id,
                    id=tx.ids.next(),
                    creator_id=agency.ava,
                    fan_account_id=ids[fan_id],
                    author_id=BEN,
                    text=text,
                    source="command",
                    version=1,
                    created_at=NOW - days * DAY,
                    deleted_at=deleted_at,
                )
            )

    await agency.store.write(write)
    async with agency.store.read() as tx:
        found = await hooks.read_hooks(tx, list(ids.values()))
        assert await hooks.read_hooks(tx, []) == {}
    assert found == {
        ids["1"]: Hook(800, NOW - 5 * DAY, None),
        ids["2"]: Hook(900, NOW - 5 * DAY, "newest"),
        ids["3"]: Hook(None, None, None),
    }


async def test_a_hook_names_the_open_promise_that_is_due_first(agency: Agency) -> None:
    ids = await keep(agency, [gone(number) for number in (1, 2)], [])
    made = [("1", "later", 3, True), ("1", "soon", 2, True), ("1", "task", 1, False), ("2", "kept", 1, True)]

    async def write(tx: Tx) -> None:
        for fan_id, what, days, promise in made:
            new = NewFollowup(agency.ava, ids[fan_id], what, NOW + days * DAY, BEN, promise, BEN, what)
            followup_id = await followups.add(tx, new, NOW)
            if what == "kept":
                await followups.change(tx, followup_id, state="done")

    await agency.store.write(write)
    async with agency.store.read() as tx:
        found = await hooks.read_hooks(tx, list(ids.values()))
    assert found == {
        ids["1"]: Hook(None, None, None, "soon", NOW + 2 * DAY),
        ids["2"]: Hook(None, None, None),
    }


async def test_a_creators_own_clock_counts_before_the_agencys(agency: Agency) -> None:
    async def write(tx: Tx) -> None:
        await tx.execute(
            creators.update()
            .where(creators.c.agency_id == tx.agency_id, creators.c.id == agency.ava)
            .values(timezone="America/Bogota")
        )

    await agency.store.write(write)
    async with agency.store.read() as tx:
        read = [await zones.read_zone_name(tx, who) for who in (agency.ava, agency.bea, None, 77)]
    assert read == ["America/Bogota", "Europe/Paris", "Europe/Paris", "Europe/Paris"]
