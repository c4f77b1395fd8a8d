"""The gate of mentions on real storage, both engines: quiet hours, budget, holds, mutes, contacts, old data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import insert, update

from bot.domain.calm import QuietHours
from bot.domain.desk import NUDGE_LIMIT, NUDGE_WINDOW_MS, DeskRules, Ledger
from bot.domain.views import Owner
from storage import contacts, fans, holds, mentions, mutes, on_shift, quiet_hours
from storage.engine import AgencyStore
from storage.mentions import ASK_AGAIN_MS, Reason, Verdict
from storage.tables import creators, episodes
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan

HOUR = 3_600_000
ANA, LEA = Owner("user", 301), Owner("user", 302)
CHATTERS = Owner("role", 201)
RULES, FREE = DeskRules(alert_budget=4), DeskRules(alert_budget=100)
SEND, DIGEST = Verdict("send"), Verdict("digest")
NIGHT = QuietHours(22 * 60, 8 * 60, "Europe/Paris")
AT_NIGHT, MORNING = NOW + 15 * HOUR, NOW + 23 * HOUR
"""NOW is 9:00 in Paris: 0:00 and 8:00 of the next day there."""


@dataclass(frozen=True)
class Gate:
    """Fans "1" to "9" of Ava and "1" of Bea, by platform id."""

    store: AgencyStore
    ava: int
    bea: int
    ids: dict[str, int]
    at_beas: int

    async def call(
        self,
        who: Owner = ANA,
        number: str | None = None,
        *,
        at: int = NOW,
        reason: Reason = "action",
        creator_id: int | None = None,
        rules: DeskRules = RULES,
    ) -> Verdict:
        fan_id = None if number is None else self.ids[number]
        of = self.ava if creator_id is None else creator_id
        return await self.store.write(
            lambda tx: mentions.call(
                tx, rules, who, creator_id=of, fan_account_id=fan_id, reason=reason, now_ms=at
            )
        )

    async def calls(self, times: int, who: Owner = ANA, **asked: Any) -> list[str]:
        return [(await self.call(who, **asked)).state for _ in range(times)]

    async def open_alert(self, number: str, pace_cents: int | None) -> int:
        """An open action item of the fan's with 100 points; its id."""
        values = {
            "tier": "action",
            "score": 100.0,
            "reasons": "[]",
            "pace_cents": pace_cents,
            "currency": "USD",
            "opened_run_id": 1,
            "changed_run_id": 1,
        }

        async def write(tx: Any) -> int:
            episode_id = int(tx.ids.next())
            await tx.execute(
                insert(episodes).values(
                    agency_id=tx.agency_id,
                    id=episode_id,
                    creator_id=self.ava,
                    fan_account_id=self.ids[number],
                    opened_at=NOW,
                    **values,
                )
            )
            return episode_id

        return await self.store.write(write)

    async def wait(self, episode_id: int, until_at: int) -> None:
        await self.store.write(
            lambda tx: tx.execute(
                update(episodes)
                .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == episode_id)
                .values(ping_state="held", ping_due_at=until_at)
            )
        )

    async def due(self) -> list[int | None]:
        async with self.store.read() as tx:
            rows = await tx.all(
                episodes.select().where(episodes.c.agency_id == tx.agency_id).order_by(episodes.c.id)
            )
        return [row.ping_due_at for row in rows]

    async def contacts(self, people: Sequence[int], at: int = NOW, *, elsewhere: bool = False) -> None:
        of, account = (self.bea, self.at_beas) if elsewhere else (self.ava, self.ids["1"])
        for user_id in people:
            await self.store.write(
                lambda tx, user_id=user_id: contacts.add(tx, of, account, user_id, "logged", at)
            )

    async def ledger(self, at: int = NOW) -> Ledger:
        async with self.store.read() as tx:
            return await contacts.load_ledger(tx, self.ids["1"], at)


@pytest_asyncio.fixture
async def gate(agency: Agency) -> Gate:
    records = [fan(str(number)) for number in range(1, 10)]
    await agency.store.write(lambda tx: fans.apply_fan_page(tx, agency.ava, records, NOW, 1))
    await agency.store.write(lambda tx: fans.apply_fan_page(tx, agency.bea, records[:1], NOW, 1))
    async with agency.store.read() as tx:
        ids = await fans.ids_by_platform(tx, agency.ava, [str(number) for number in range(1, 10)])
        beas = await fans.ids_by_platform(tx, agency.bea, ["1"])
    return Gate(agency.store, agency.ava, agency.bea, ids, beas["1"])


class TestQuietHours:
    async def test_a_channels_hours_hold_everybody_there_until_they_end(self, gate: Gate) -> None:
        await gate.store.write(lambda tx: quiet_hours.set_hours(tx, NIGHT, 302, NOW, creator_id=gate.ava))
        assert await gate.call(at=NOW) == SEND
        for who in (ANA, LEA, CHATTERS):
            assert await gate.call(who, at=AT_NIGHT) == Verdict("held", MORNING, MORNING)
        assert await gate.call(at=AT_NIGHT, creator_id=gate.bea) == SEND
        assert await gate.call(at=MORNING) == SEND

    async def test_a_persons_hours_hold_that_person_everywhere(self, gate: Gate) -> None:
        await gate.store.write(lambda tx: quiet_hours.set_hours(tx, NIGHT, 301, NOW, user_id=301))
        for creator_id in (gate.ava, gate.bea):
            assert await gate.call(at=AT_NIGHT, creator_id=creator_id) == Verdict("held", MORNING)
        assert await gate.call(LEA, at=AT_NIGHT) == SEND
        assert await gate.call(Owner("role", 301), at=AT_NIGHT) == SEND

    async def test_new_hours_take_the_place_of_the_old_and_removed_ones_hold_nobody(self, gate: Gate) -> None:
        async def put(hours: QuietHours) -> int:
            return await gate.store.write(lambda tx: quiet_hours.set_hours(tx, hours, 301, NOW, user_id=301))

        await put(NIGHT)
        last = await put(QuietHours(13 * 60, 14 * 60, "UTC"))
        assert await gate.call(at=AT_NIGHT) == SEND
        assert await gate.call(at=NOW + 5 * HOUR) == Verdict("held", NOW + 6 * HOUR)
        await gate.store.write(lambda tx: quiet_hours.remove(tx, last, NOW))
        assert await gate.call(at=NOW + 5 * HOUR) == SEND

    async def test_what_is_held_counts_for_nothing(self, gate: Gate) -> None:
        await gate.store.write(lambda tx: quiet_hours.set_hours(tx, NIGHT, 301, NOW, user_id=301))
        await gate.calls(20, at=AT_NIGHT)
        assert await gate.calls(4, at=MORNING) == ["send"] * 4


class TestBudget:
    async def test_off_shift_it_is_for_a_day_and_then_the_digest(self, gate: Gate) -> None:
        assert await gate.calls(6) == ["send"] * 4 + ["digest"] * 2
        assert await gate.call(LEA) == SEND
        assert await gate.call(at=NOW + DAY) == DIGEST
        assert await gate.call(at=NOW + DAY + 1) == SEND

    async def test_on_shift_it_begins_with_the_earliest_session(self, gate: Gate) -> None:
        await gate.calls(4)
        began = NOW + HOUR
        for creator_id, at in ((gate.ava, began), (gate.bea, began + HOUR)):
            await gate.store.write(
                lambda tx, creator_id=creator_id, at=at: on_shift.begin(
                    tx, creator_id, 301, "start", at, at + 10 * HOUR
                )
            )
        assert await gate.calls(5, at=began + 2 * HOUR) == ["send"] * 4 + ["digest"]
        assert await gate.call(at=began + 9 * HOUR) == DIGEST

    async def test_on_shift_for_days_it_begins_anew_each_day(self, gate: Gate) -> None:
        began = NOW - 20 * DAY
        await gate.store.write(
            lambda tx: on_shift.begin(tx, gate.ava, 301, "plan", began, NOW + DAY, started_at=began)
        )
        assert await gate.calls(5) == ["send"] * 4 + ["digest"]
        assert await gate.calls(5, at=NOW + DAY + 1) == ["send"] * 4 + ["digest"]

    async def test_every_reason_counts_and_so_does_a_role(self, gate: Gate) -> None:
        reasons: tuple[Reason, ...] = ("escalated", "reminder", "followup", "handover", "held", "woken")
        states = [(await gate.call(CHATTERS, reason=reason)).state for reason in reasons]
        assert states == ["send"] * 4 + ["digest"] * 2

    async def test_a_drill_always_goes_and_counts_for_nothing(self, gate: Gate) -> None:
        await gate.store.write(lambda tx: quiet_hours.set_hours(tx, NIGHT, 301, NOW, user_id=301))
        for _ in range(10):
            await gate.store.write(lambda tx: mentions.call_drill(tx, ANA, gate.ava, NOW))
        assert await gate.calls(5) == ["send"] * 4 + ["digest"]

    async def test_the_last_two_are_for_the_most_money(self, gate: Gate) -> None:
        for number, pace in (("1", 90_000), ("2", 50_000), ("3", None)):
            await gate.open_alert(number, pace)
        assert await gate.calls(3, number="2") == ["send", "send", "digest"]
        assert await gate.call(number="3") == DIGEST
        assert await gate.calls(3, number="1") == ["send", "send", "digest"]


class TestFans:
    async def test_a_fan_on_hold_calls_nobody_until_the_hold_ends(self, gate: Gate) -> None:
        fan_id = gate.ids["1"]
        hold_id = await gate.store.write(
            lambda tx: holds.set_hold(tx, gate.ava, fan_id, NOW + DAY, "asked for a break", 302, NOW)
        )
        for reason in ("action", "escalated", "reminder", "followup"):
            assert await gate.call(number="1", rules=FREE, reason=reason) == Verdict(
                "held", NOW + DAY, NOW + DAY
            )
        assert await gate.call(number="2", rules=FREE) == SEND
        assert await gate.call(number="1", rules=FREE, at=NOW + DAY) == SEND
        async with gate.store.read() as tx:
            on = await holds.find(tx, hold_id)
        assert on is not None
        await gate.store.write(lambda tx: holds.end(tx, on, 302, NOW))
        assert await gate.call(number="1", rules=FREE) == SEND

    async def test_a_hold_without_an_end_is_asked_about_again(self, gate: Gate) -> None:
        fan_id = gate.ids["1"]
        await gate.store.write(lambda tx: holds.set_hold(tx, gate.ava, fan_id, None, "legal", 302, NOW))
        assert await gate.call(number="1", rules=FREE) == Verdict(
            "held", NOW + ASK_AGAIN_MS, NOW + ASK_AGAIN_MS
        )

    @pytest.mark.parametrize("whole", [True, False])
    async def test_a_mute_keeps_alerts_back_and_not_what_people_have_taken_on(
        self, gate: Gate, whole: bool
    ) -> None:
        fan_id = None if whole else gate.ids["1"]
        await gate.store.write(lambda tx: mutes.set_mute(tx, gate.ava, fan_id, NOW + DAY, "x", 302, NOW))
        for reason in ("action", "woken", "escalated", "held"):
            assert (await gate.call(number="1", rules=FREE, reason=reason)).state == "held"
        for reason in ("reminder", "followup"):
            assert await gate.call(number="1", rules=FREE, reason=reason) == SEND
        assert (await gate.call(number="2", rules=FREE)).state == ("held" if whole else "send")
        assert await gate.call(number="1", rules=FREE, at=NOW + DAY) == SEND

    async def test_enough_contacts_with_the_person_leave_the_rest_to_the_digest(self, gate: Gate) -> None:
        await gate.contacts([301, 302])
        assert await gate.call(number="1", rules=FREE) == SEND
        # The third is with another creator, and it is the same person.
        await gate.contacts([305], elsewhere=True)
        assert (await gate.ledger()) == Ledger(NUDGE_LIMIT, 3, NOW, ((gate.bea, "Bea"),))
        assert await gate.call(number="1", rules=FREE) == DIGEST
        assert await gate.call(number="2", rules=FREE) == SEND
        later = NOW + NUDGE_WINDOW_MS
        assert (await gate.ledger(later)).nudges == 0
        assert await gate.call(number="1", rules=FREE, at=later) == SEND


@pytest.mark.parametrize(
    ("synced_at", "failed", "fresh"), [(NOW, 0, True), (NOW - DAY - 1, 0, False), (NOW, 3, False)]
)
async def test_old_data_calls_nobody_but_for_news_that_has_just_come(
    gate: Gate, synced_at: int, failed: int, fresh: bool
) -> None:
    await gate.store.write(
        lambda tx: tx.execute(
            update(creators)
            .where(creators.c.agency_id == tx.agency_id, creators.c.id == gate.ava)
            .values(synced_at=synced_at, failed_polls=failed)
        )
    )
    for reason in ("woken", "escalated", "held"):
        assert (await gate.call(number="1", rules=FREE, reason=reason)).state == ("send" if fresh else "held")
    assert await gate.call(number="1", rules=FREE, reason="action") == SEND


async def test_what_waited_is_due_when_what_held_it_is_over(gate: Gate) -> None:
    one, other = await gate.open_alert("1", 100), await gate.open_alert("2", 100)
    for episode_id in (one, other):
        await gate.wait(episode_id, NOW + DAY)
    await gate.store.write(lambda tx: mentions.release_held(tx, NOW, fan_account_id=gate.ids["1"]))
    assert await gate.due() == [NOW, NOW + DAY]
    await gate.store.write(lambda tx: mentions.release_held(tx, NOW + 1, user_id=301))
    assert await gate.due() == [NOW, NOW + DAY]
    await gate.store.write(lambda tx: mentions.release_held(tx, NOW + 1, creator_id=gate.ava))
    assert await gate.due() == [NOW + 1, NOW + 1]
