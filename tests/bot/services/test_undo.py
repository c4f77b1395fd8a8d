from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import insert, select, update

from bot.domain.models import AccessTier, Viewer
from bot.services.records import UNDO_MS
from storage.engine import Tx
from storage.tables import (
    contacts,
    creators,
    episodes,
    handover_items,
    handovers,
    outcomes,
    shift_sessions,
)
from tests.bot.services.undo_desk import ANA, HOUR, LEA, Office, open_office

MINUTE = 60_000


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(f"sqlite:///{tmp_path}/fanwatch.db") as opened:
        yield opened


async def first_alert(office: Office) -> int:
    """An action item of Ava's on a card of its own."""
    async with office.store.read() as tx:
        found = await tx.scalar(
            select(episodes.c.id)
            .where(
                episodes.c.agency_id == tx.agency_id,
                episodes.c.creator_id == office.ava,
                episodes.c.tier == "action",
            )
            .order_by(episodes.c.id)
        )
    assert found is not None
    return int(found)


class TestWho:
    async def test_who_did_it_and_who_stands_above_and_nobody_else(self, office: Office) -> None:
        alert = await first_alert(office)
        claimed = await office.act("claim", ANA, [alert])
        ben = Viewer(304, AccessTier.CHATTER, office.ana.creator_ids)
        assert (await office.undo(ben, claimed)).status == "not_yours"
        assert (await office.works())[alert]["claimed_by"] == ANA
        result = await office.undo(office.lea, claimed)
        assert (result.status, result.restored, result.left) == ("undone", 1, ())
        assert await office.works() == office.start
        assert await office.events(alert) == [("undone", "claim", LEA)]
        assert await office.audited("undo") == [LEA]

        # A lead's own is for leads no more than for chatters: only who stands above.
        by_lead = await office.act("claim", LEA, [alert])
        other_lead = Viewer(306, AccessTier.LEAD, office.ana.creator_ids)
        for viewer in (office.ana, other_lead):
            assert (await office.undo(viewer, by_lead)).status == "not_yours"
        assert (await office.undo(office.max, by_lead)).status == "undone"

    async def test_a_foreign_action_is_as_missing_as_one_that_never_was(self, office: Office) -> None:
        claimed = await office.act("claim", ANA, [await first_alert(office)])
        assert await office.undo(office.eve, claimed) == await office.undo(office.eve, 12_345)
        # Nor is it shown to her who did it once the creator is not hers any more.
        blind = replace(office.ana, creator_ids=frozenset())
        assert (await office.undoing.list_recent(blind, 10)).lines == ()
        assert (await office.undo(blind, claimed)).status == "not_found"
        assert office.woken == 0

    async def test_a_second_time_it_was_undone_already(self, office: Office) -> None:
        claimed = await office.act("claim", ANA, [await first_alert(office)])
        statuses = [(await office.undo(office.ana, claimed)).status for _ in range(2)]
        assert statuses == ["undone", "already"]
        assert await office.audited("undo") == [ANA]

    async def test_a_hidden_fan_is_named_only_while_somebody_has_the_alert(self, office: Office) -> None:
        alert = await first_alert(office)
        await office.store.write(
            lambda tx: tx.execute(
                update(creators)
                .where(creators.c.agency_id == tx.agency_id, creators.c.id == office.ava)
                .values(name_mode="hidden")
            )
        )

        async def name() -> str | None:
            (line,) = (await office.undoing.list_recent(office.ana, 1)).lines
            return line.fan.username if line.fan is not None else ""

        snoozed = await office.act("snooze", ANA, [alert])
        assert await name() is None
        await office.undo(office.ana, snoozed)
        await office.act("claim", ANA, [alert])
        assert await name()


class TestWhen:
    async def test_ten_minutes_by_the_clock_on_the_wall(self, office: Office) -> None:
        alert = await first_alert(office)
        first = await office.act("claim", ANA, [alert])
        office.wall += UNDO_MS
        # At the speed of a demonstration days have passed for the agency.
        office.now += 200 * HOUR
        assert [line.action_id for line in (await office.undoing.list_recent(office.ana, 10)).lines] == [
            first
        ]
        office.wall += 1
        assert (await office.undo(office.ana, first)).status == "too_late"
        assert (await office.undoing.list_recent(office.ana, 10)).lines == ()
        assert (await office.works())[alert]["claimed_by"] == ANA
        office.wall -= 1
        assert (await office.undo(office.ana, first)).status == "undone"


class TestTimers:
    async def test_the_clock_of_an_escalation_goes_on_and_does_not_begin_anew(self, office: Office) -> None:
        alert = await first_alert(office)
        since = (await office.works())[alert]["escalate_from_at"]
        assert since is not None
        office.now += 10 * MINUTE
        claimed = await office.act("claim", ANA, [alert])
        assert (await office.works())[alert]["escalate_from_at"] is None
        office.now += 5 * MINUTE
        await office.undo(office.ana, claimed)
        work = (await office.works())[alert]
        assert (work["escalate_from_at"], work["remind_at"]) == (since, None)

    async def test_undoing_a_release_takes_back_what_its_clock_has_led_to(self, office: Office) -> None:
        alert = await first_alert(office)
        await office.act("claim", ANA, [alert])
        claimed = (await office.works())[alert]
        released = await office.act("release", ANA, [alert])
        office.now += 30 * MINUTE
        await office.set(alert, escalation_stage=1, owner_kind="user", owner_id=LEA)
        assert (await office.undo(office.ana, released)).status == "undone"
        assert (await office.works())[alert] == claimed

    async def test_done_undone_is_open_with_its_reminder_and_without_an_outcome(self, office: Office) -> None:
        alert = await first_alert(office)
        await office.act("claim", ANA, [alert])
        before, shown = (await office.works())[alert], await office.shown()
        done = await office.act("done", ANA, [alert])
        assert await office.shown() != shown
        await office.undo(office.ana, done)
        assert (await office.works())[alert] == before
        assert before["remind_at"] is not None
        assert await office.shown() == shown
        async with office.store.read() as tx:
            for table in (outcomes, contacts):
                rows = await tx.all(select(table.c.undone_at).where(table.c.agency_id == tx.agency_id))
                assert [row.undone_at for row in rows] == [office.now]

    async def test_a_snooze_that_is_over_stays_over(self, office: Office) -> None:
        alert = await first_alert(office)
        snoozed = await office.act("snooze", ANA, [alert])
        until = (await office.works())[alert]["snoozed_until"]
        woken = await office.act("wake", ANA, [alert])
        office.now = until
        # Brought back it would end at once, and call somebody.
        result = await office.undo(office.ana, woken)
        assert (result.status, [one.why for one in result.left]) == ("overtaken", ["woken"])
        result = await office.undo(office.ana, snoozed)
        assert (result.status, [one.why for one in result.left]) == ("overtaken", ["changed"])


class TestMeanwhile:
    async def test_what_somebody_did_since_stays_and_is_named(self, office: Office) -> None:
        alert = await first_alert(office)
        claimed = await office.act("claim", ANA, [alert])
        await office.act("take_over", LEA, [alert])
        result = await office.undo(office.ana, claimed)
        assert result.status == "overtaken"
        (left,) = result.left
        assert (left.why, left.by, left.fan is not None) == ("changed", LEA, True)
        assert (await office.works())[alert]["claimed_by"] == LEA
        assert await office.audited("undo") == []

    async def test_the_same_again_is_not_what_was_done_before(self, office: Office) -> None:
        """Claimed, released and claimed in one moment: the first claim is not the one that stands."""
        alert = await first_alert(office)
        first = await office.act("claim", ANA, [alert])
        await office.act("release", LEA, [alert])
        third = await office.act("claim", ANA, [alert])
        assert (await office.undo(office.ana, first)).status == "overtaken"
        assert (await office.works())[alert]["claimed_by"] == ANA
        assert (await office.undo(office.ana, third)).status == "undone"

    async def test_a_run_that_has_closed_it_since(self, office: Office) -> None:
        alert = await first_alert(office)
        claimed = await office.act("claim", ANA, [alert])
        await office.set(alert, closed_at=office.now + 1)
        result = await office.undo(office.ana, claimed)
        assert (result.status, [one.why for one in result.left]) == ("overtaken", ["closed"])

    async def test_a_fan_has_one_open_alert_and_the_wrong_outcome_still_goes(self, office: Office) -> None:
        alert = await first_alert(office)
        await office.act("claim", ANA, [alert])
        done = await office.act("done", ANA, [alert])

        async def open_another(tx: Tx) -> None:
            row = await tx.first(
                select(episodes).where(episodes.c.agency_id == tx.agency_id, episodes.c.id == alert)
            )
            assert row is not None
            values = dict(row._mapping) | {"id": tx.ids.next(), "closed_at": None, "outcome": None}
            await tx.execute(insert(episodes).values(values))

        await office.store.write(open_another)
        result = await office.undo(office.ana, done)
        assert (result.status, result.restored) == ("undone", 0)
        assert [one.why for one in result.left] == ["another_open"]
        assert (await office.works())[alert]["closed_at"] is not None
        async with office.store.read() as tx:
            rows = await tx.all(select(outcomes.c.undone_at).where(outcomes.c.agency_id == tx.agency_id))
        assert [row.undone_at for row in rows] == [office.now]


class TestBulk:
    async def test_many_at_once_but_for_what_was_changed_since(self, office: Office) -> None:
        alerts = sorted(office.start)[:5]
        taken = await office.act("claim", ANA, alerts, named="take_all")
        (line,) = (await office.undoing.list_recent(office.ana, 10)).lines
        assert (line.count, line.fan, line.creator_name) == (5, None, "Ava")
        await office.act("take_over", LEA, [alerts[2]])
        result = await office.undo(office.ana, taken)
        assert (result.status, result.restored) == ("undone", 4)
        assert [(one.why, one.by) for one in result.left] == [("changed", LEA)]
        works = await office.works()
        assert [works[alert]["claimed_by"] for alert in alerts] == [None, None, LEA, None, None]

    async def test_taken_from_a_hand_over_they_wait_there_again(self, office: Office) -> None:
        alerts = sorted(office.start)[:2]

        async def hand_over(tx: Tx) -> int:
            ids = [tx.ids.next() for _ in range(2)]
            session = {
                "agency_id": tx.agency_id,
                "id": ids[0],
                "creator_id": office.ava,
                "user_id": LEA,
                "source": "start",
                "started_at": office.now - HOUR,
                "until_at": office.now,
                "ended_at": office.now,
            }
            await tx.execute(insert(shift_sessions).values(session))
            await tx.execute(
                insert(handovers).values(
                    agency_id=tx.agency_id,
                    id=ids[1],
                    creator_id=office.ava,
                    user_id=LEA,
                    session_id=ids[0],
                    created_at=office.now,
                    closed_at=office.now,
                )
            )
            for alert in alerts:
                await tx.execute(
                    insert(handover_items).values(
                        agency_id=tx.agency_id,
                        handover_id=ids[1],
                        kind="claim",
                        target_id=alert,
                        taken_by=ANA,
                        taken_at=office.now,
                    )
                )
            return ids[1]

        await office.store.write(hand_over)
        taken = await office.act("claim", ANA, alerts, named="take_all")
        await office.undo(office.ana, taken)
        async with office.store.read() as tx:
            items = await tx.all(
                select(handover_items.c.taken_by).where(handover_items.c.agency_id == tx.agency_id)
            )
            closed = await tx.scalar(
                select(handovers.c.closed_at).where(handovers.c.agency_id == tx.agency_id)
            )
        assert ([item.taken_by for item in items], closed) == ([None, None], None)


class TestLapse:
    @pytest.mark.parametrize(("ended_ago", "lapses_in"), [(3 * HOUR, 0), (HOUR, HOUR), (None, None)])
    async def test_a_claim_that_comes_back_after_its_shift_lapses_all_the_same(
        self, office: Office, ended_ago: int | None, lapses_in: int | None
    ) -> None:
        alert = await first_alert(office)

        async def leave(tx: Tx) -> None:
            session = {
                "agency_id": tx.agency_id,
                "id": tx.ids.next(),
                "creator_id": office.ava,
                "user_id": LEA,
                "source": "start",
                "started_at": office.now - 8 * HOUR,
                "until_at": office.now + HOUR,
                "ended_at": None if ended_ago is None else office.now - ended_ago,
                "ended_how": None if ended_ago is None else "hours",
            }
            await tx.execute(insert(shift_sessions).values(session))

        await office.store.write(leave)
        await office.set(alert, claimed_by=LEA, claimed_at=office.now - 4 * HOUR)
        await office.undo(office.ana, await office.act("take_over", ANA, [alert]))
        assert (await office.works())[alert]["claimed_by"] == LEA
        async with office.store.read() as tx:
            lapse_at = await tx.scalar(
                select(shift_sessions.c.lapse_at).where(shift_sessions.c.agency_id == tx.agency_id)
            )
        assert lapse_at == (None if lapses_in is None else office.now + lapses_in)


class TestLast:
    async def test_the_latest_on_an_alert_that_one_may_undo(self, office: Office) -> None:
        alert = await first_alert(office)
        last = office.undoing.undo_last
        assert (await last(office.ana, alert)).status == "not_found"
        await office.act("claim", ANA, [alert])
        await office.act("snooze", LEA, [alert])
        # Ana's own cannot go while what Lea did after it stands.
        assert (await last(office.ana, alert)).status == "overtaken"
        assert (await last(office.eve, alert)).status == "not_found"
        # Pressed twice it does not go on to what was done before.
        assert [(await last(office.lea, alert)).status for _ in range(2)] == ["undone", "already"]
        assert (await office.works())[alert]["claimed_by"] == ANA
        assert (await last(office.ana, alert)).status == "undone"
        # One of many is undone with all of them.
        await office.act("claim", ANA, sorted(office.start))
        assert (await last(office.ana, alert)).restored == len(office.start)
        assert await office.works() == office.start
        await office.act("claim", ANA, [alert])
        office.wall += UNDO_MS + 1
        assert (await last(office.ana, alert)).status == "not_found"


async def test_the_list_is_ones_own_latest_first_and_says_how_many_more(office: Office) -> None:
    alert = await first_alert(office)
    for number in range(12):
        office.wall += 1_000
        await office.act("claim" if number % 2 == 0 else "release", ANA, [alert])
    await office.act("claim", LEA, [alert])
    found = await office.undoing.list_recent(office.ana, 10)
    assert (len(found.lines), found.more) == (10, 2)
    assert [line.action for line in found.lines[:3]] == ["release", "claim", "release"]
    assert found.lines[0].wall_at > found.lines[-1].wall_at
    assert all(line.creator_name == "Ava" and line.fan is not None for line in found.lines)
