"""Claims on real storage: who has what, whom it calls, and what can be undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
import pytest_asyncio

from bot.discord_ui.words import desk as say
from bot.domain.calm import QuietHours
from bot.domain.desk import DeskRules, NotCalled
from bot.domain.models import AccessTier, Viewer
from bot.jobs.answering import Answering
from bot.services.desk import Desk as DeskService
from storage import holds, mutes, quiet_hours, routing
from storage.engine import Tx
from storage.tables import cards, episode_events, mentions, shift_sessions
from storage.tables import desk_actions as actions
from tests.bot.jobs.conftest import agency, database_url, desk, postgres_server, postgres_url, storage
from tests.bot.jobs.desk import NINE_DAYS, Desk, calm, leaving
from tests.storage.undone import restore

__all__ = ["agency", "database_url", "desk", "postgres_server", "postgres_url", "storage"]

HOUR = 3_600_000
LATER = NINE_DAYS + HOUR
ANA, LEA, BEN = 301, 302, 303


class Office:
    """The desk's service on a store, at LATER; `woken` counts how often delivery was asked to look."""

    def __init__(self, desk: Desk, rules: DeskRules) -> None:
        self.desk = desk
        self.woken = 0
        self.service = DeskService(
            desk.store,
            self,
            rules=rules,
            wake_delivery=self._wake,
            is_in_flight=lambda _: False,
            answering=Answering().of,
        )
        seen = frozenset({desk.agency.ava})
        self.ana = Viewer(ANA, AccessTier.CHATTER, seen)
        self.ben = Viewer(BEN, AccessTier.CHATTER, seen)
        self.lea = Viewer(LEA, AccessTier.LEAD, seen)

    def now_ms(self) -> int:
        return LATER

    async def _wake(self) -> None:
        self.woken += 1

    async def episode(self, fan: str = "1") -> dict[str, Any]:
        return (await self.desk.episodes())[fan]

    async def sent(self) -> list[int]:
        """Who was mentioned, in order."""
        return [row["discord_id"] for row in await self.desk.rows(mentions)]


@pytest_asyncio.fixture
async def office(desk: Desk) -> Office:
    """One action item on a card of its own, mentioned once."""
    await desk.start([leaving(1), calm(2)])
    await desk.score(NINE_DAYS)
    return Office(desk, DeskRules())


async def test_a_claim_stops_the_clocks_and_begins_a_shift(office: Office) -> None:
    before = await office.episode()
    assert before["tier"] == "action"
    assert before["escalate_from_at"] == NINE_DAYS
    result = await office.service.claim(office.ana, before["id"])
    assert (result.status, result.by) == ("claimed", ANA)
    after = await office.episode()
    assert (after["claimed_by"], after["claimed_at"]) == (ANA, LATER)
    assert after["escalate_from_at"] is None
    assert after["remind_at"] == LATER + 2 * HOUR
    (session,) = await office.desk.rows(shift_sessions)
    assert (session["user_id"], session["source"], session["until_at"]) == (ANA, "claim", LATER + 10 * HOUR)
    (action,) = await office.desk.rows(actions)
    assert (action["action"], action["actor_id"], action["target_id"]) == ("claim", ANA, before["id"])
    # Once more changes nothing at all.
    assert (await office.service.claim(office.ana, before["id"])).status == "already_yours"
    assert await office.episode() == after
    assert len(await office.desk.rows(actions)) == 1


async def test_nobody_is_reminded_where_the_operator_wants_none(desk: Desk) -> None:
    await desk.start([leaving(1)])
    await desk.score(NINE_DAYS)
    office = Office(desk, DeskRules(remind_claim_ms=0))
    await office.service.claim(office.ana, (await office.episode())["id"])
    assert (await office.episode())["remind_at"] is None


async def test_a_claim_can_be_undone_with_its_timers(office: Office) -> None:
    before = await office.episode()
    await office.service.claim(office.ana, before["id"])
    (action,) = await office.desk.rows(actions)
    restored, left = await office.desk.change(lambda tx: restore(tx, action["id"]))
    assert (restored, left) == ([before["id"]], [])
    assert await office.episode() == before


async def test_a_release_starts_the_clock_anew(office: Office) -> None:
    episode_id = (await office.episode())["id"]
    await office.service.claim(office.ana, episode_id)
    assert (await office.service.release(office.ben, episode_id)).status == "not_yours"
    assert (await office.service.release(office.lea, episode_id)).status == "released"
    free = await office.episode()
    assert (free["claimed_by"], free["remind_at"]) == (None, None)
    assert (free["escalate_from_at"], free["escalation_stage"]) == (LATER, 0)


async def test_a_flag_that_is_released_waits_for_nobody(desk: Desk) -> None:
    await desk.start([calm(2)])
    await desk.score(NINE_DAYS)
    office = Office(desk, DeskRules())
    flag = await office.episode("2")
    assert flag["tier"] == "at_risk"
    await office.service.claim(office.ana, flag["id"])
    await office.service.release(office.ana, flag["id"])
    assert (await office.episode("2"))["escalate_from_at"] is None


async def test_who_is_assigned_is_called_once_on_a_new_message(office: Office) -> None:
    episode = await office.episode()
    called = await office.sent()
    (card,) = [row for row in await office.desk.cards("a") if row["id"] == episode["card_id"]]
    await office.desk.change(
        lambda tx: tx.execute(
            cards.update()
            .where(cards.c.agency_id == tx.agency_id, cards.c.id == card["id"])
            .values(message_id=77, sent_version=card["wanted_version"])
        )
    )
    assert (await office.service.assign(office.lea, episode["id"], office.ben)).status == "assigned"
    now = await office.episode()
    assert (now["claimed_by"], now["claimed_at"], now["remind_at"]) == (BEN, LATER, LATER + 2 * HOUR)
    assert await office.sent() == [*called, BEN]
    (again,) = [row for row in await office.desk.cards("a") if row["id"] == episode["card_id"]]
    assert (again["message_id"], again["retire_ids"], again["ping_wanted"]) == (None, "77", True)
    assert (again["mention_kind"], again["mention_id"]) == ("user", BEN)
    # The same once more calls nobody.
    assert (await office.service.assign(office.lea, episode["id"], office.ben)).status == "already"
    assert await office.sent() == [*called, BEN]
    events = [row for row in await office.desk.rows(episode_events) if row["change"] == "assigned"]
    assert [(row["actor_id"], row["code"]) for row in events] == [(LEA, str(BEN))]
    async with office.desk.store.read() as tx:
        assert await routing.last_workers(tx, [episode["fan_account_id"]]) == {episode["fan_account_id"]: BEN}


@pytest.mark.parametrize("what", ["claim", "take_over", "assign", "release"])
async def test_what_was_taken_back_is_no_work_on_the_fan(office: Office, what: str) -> None:
    episode, service = await office.episode(), office.service
    fan_id = episode["fan_account_id"]

    async def last() -> int | None:
        async with office.desk.store.read() as tx:
            return (await routing.last_workers(tx, [fan_id])).get(fan_id)

    await service.claim(office.ana, episode["id"])
    if what == "claim":
        await service.release(office.ana, episode["id"])
        assert (await service.claim(office.ben, episode["id"])).status == "claimed"
    elif what == "take_over":
        assert (await service.take_over(office.ben, episode["id"], ANA)).status == "claimed"
    elif what == "assign":
        assert (await service.assign(office.lea, episode["id"], office.ben)).status == "assigned"
    else:
        assert (await service.release(office.lea, episode["id"])).status == "released"
    assert await last() == (LEA if what == "release" else BEN)
    action = (await office.desk.rows(actions))[-1]
    # Whoever takes it back has not worked the fan either.
    await office.desk.change(lambda tx: restore(tx, action["id"], user_id=LEA))
    assert await last() == ANA


async def test_nobody_has_worked_a_fan_whose_only_claim_was_taken_back(office: Office) -> None:
    episode = await office.episode()
    await office.service.claim(office.ana, episode["id"])
    (action,) = await office.desk.rows(actions)
    await office.desk.change(lambda tx: restore(tx, action["id"]))
    async with office.desk.store.read() as tx:
        assert await routing.last_workers(tx, [episode["fan_account_id"]]) == {}


async def test_whoever_assigns_hears_why_the_person_is_not_mentioned(office: Office) -> None:
    """Enough contacts, quiet hours, an empty budget; what keeps back longest is said first."""
    episode, desk = await office.episode(), office.desk
    ava, fan_id = desk.agency.ava, episode["fan_account_id"]

    async def assigned(to: Viewer, rules: DeskRules | None = None) -> tuple[str, str | None]:
        service = Office(desk, rules if rules is not None else DeskRules()).service
        result = await service.assign(office.lea, episode["id"], to)
        return result.status, result.not_called

    assert await assigned(office.ana) == ("assigned", None)
    assert await assigned(office.lea, DeskRules(alert_budget=0)) == ("assigned", None)
    assert await assigned(office.ben, DeskRules(alert_budget=0)) == ("assigned", "budget")
    minute = LATER // 60_000 % 1440
    night = QuietHours(minute, (minute + 60) % 1440, "UTC")
    await desk.change(lambda tx: quiet_hours.set_hours(tx, night, ANA, LATER, user_id=ANA))
    assert await assigned(office.ana) == ("assigned", "quiet")
    await desk.change(lambda tx: mutes.set_mute(tx, ava, fan_id, LATER + HOUR, "r", LEA, LATER))
    assert await assigned(office.ben) == ("assigned", "mute")


def test_every_reason_not_to_mention_somebody_has_words() -> None:
    assert set(get_args(NotCalled)) == set(say.NOT_CALLED)
    assert say.assigned(5, "quiet").startswith("<@5> has it now. Not mentioned now: quiet hours;")
    assert say.assigned(5, None) == "<@5> has it now."


async def test_assigning_a_row_of_a_list_gives_it_a_card_of_its_own(desk: Desk) -> None:
    await desk.start([calm(n) for n in range(1, 9)])
    await desk.score(NINE_DAYS)
    office = Office(desk, DeskRules())
    episode = await office.episode("3")
    (group,) = await desk.cards("g")
    assert episode["card_id"] == group["id"]
    await office.service.assign(office.lea, episode["id"], office.ana)
    (own,) = await desk.cards("a")
    assert (await office.episode("3"))["card_id"] == own["id"]
    assert (own["mention_id"], own["ping_wanted"]) == (ANA, True)
    (shrunk,) = await desk.cards("g")
    assert shrunk["wanted_version"] > group["wanted_version"]


async def test_who_assigns_themselves_is_not_called(office: Office) -> None:
    episode_id = (await office.episode())["id"]
    called = await office.sent()
    assert (await office.service.assign(office.lea, episode_id, office.lea)).status == "assigned"
    assert await office.sent() == called
    assert [row["user_id"] for row in await office.desk.rows(shift_sessions)] == [LEA]


async def test_nobody_takes_on_whom_nobody_is_to_contact(office: Office) -> None:
    episode = await office.episode()
    await office.service.claim(office.ana, episode["id"])
    called = await office.sent()

    async def hold(tx: Tx) -> None:
        fan_id = episode["fan_account_id"]
        await holds.set_hold(tx, office.desk.agency.ava, fan_id, None, "ill", LEA, LATER)

    await office.desk.change(hold)
    before = await office.episode()
    assert (await office.service.take_over(office.ben, episode["id"], ANA)).status == "on_hold"
    assert (await office.service.assign(office.lea, episode["id"], office.ben)).status == "on_hold"
    assert await office.episode() == before
    assert await office.sent() == called
    # Whoever has it keeps it, and may give it back.
    assert (await office.service.assign(office.lea, episode["id"], office.ana)).status == "already"
    assert (await office.service.release(office.ana, episode["id"])).status == "released"


@pytest.mark.parametrize("lacks", ["role", "creator"])
async def test_nobody_is_assigned_who_may_not_see_the_creator(office: Office, lacks: str) -> None:
    before = await office.episode()
    stranger = (
        replace(office.ben, tier=AccessTier.NONE)
        if lacks == "role"
        else replace(office.ben, creator_ids=frozenset({office.desk.agency.bea}))
    )
    result = await office.service.assign(office.lea, before["id"], stranger)
    assert (result.status, result.creator_name) == ("no_access", "Ava")
    assert await office.episode() == before


async def test_taking_over_needs_the_one_it_is_taken_from(office: Office) -> None:
    episode_id = (await office.episode())["id"]
    await office.service.claim(office.ana, episode_id)
    stale = await office.service.take_over(office.ben, episode_id, LEA)
    assert (stale.status, stale.by) == ("taken", ANA)
    assert (await office.episode())["claimed_by"] == ANA
    assert (await office.service.take_over(office.ben, episode_id, ANA)).status == "claimed"
    assert (await office.episode())["claimed_by"] == BEN
    assert (await office.service.take_over(office.ben, episode_id, ANA)).status == "already_yours"
    assert [row["action"] for row in await office.desk.rows(actions)] == ["claim", "take_over"]
    assert {row["user_id"] for row in await office.desk.rows(shift_sessions)} == {ANA, BEN}


async def test_what_is_foreign_is_as_what_is_missing(office: Office) -> None:
    before = await office.episode()
    stranger = replace(office.lea, creator_ids=frozenset({office.desk.agency.bea}))
    for episode_id in (before["id"], 4_242):
        assert (await office.service.claim(stranger, episode_id)).status == "not_found"
        assert (await office.service.release(stranger, episode_id)).status == "not_found"
        assert (await office.service.take_over(stranger, episode_id, None)).status == "not_found"
        assert (await office.service.assign(stranger, episode_id, stranger)).status == "not_found"
    assert await office.episode() == before
    assert await office.desk.rows(actions) == []
