"""Outcomes on real storage: what closes, what stays closed, and what can be taken back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.desk import Closing, DeskRules, Done, Mood, Moods, Outcome
from bot.domain.models import AccessTier, Viewer
from bot.domain.views import AlertCard
from bot.jobs.answering import Answering
from bot.services.desk import Desk as DeskService
from bot.services.desk_outcomes import CONTACT_AGAIN_MS, CloseResult, OutcomeService
from bot.services.undo import UndoService
from storage import card_views, desk_actions, fan_search
from storage.engine import Tx
from storage.tables import alert_feedback, audit_log, contacts, episode_events, outcomes
from storage.tables import desk_actions as actions
from tests.bot.jobs.conftest import agency, database_url, desk, postgres_server, postgres_url, storage
from tests.bot.jobs.desk import NINE_DAYS, Desk, calm, ended, leaving
from tests.storage.conftest import DAY, NOW
from tests.storage.undone import restore

__all__ = ["agency", "database_url", "desk", "postgres_server", "postgres_url", "storage"]

HOUR = 3_600_000
LATER = NINE_DAYS + HOUR
ANA, LEA, BEN = 301, 302, 303


class Office:
    """The services on a store; `now` can be set."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.now = LATER
        self.woken = 0
        self.claims = DeskService(
            desk.store,
            self,
            rules=DeskRules(),
            wake_delivery=self._wake,
            is_in_flight=lambda _: False,
            answering=Answering().of,
        )
        self.outcomes = OutcomeService(desk.store, self, wake_delivery=self._wake)
        seen = frozenset({desk.agency.ava})
        self.ana = Viewer(ANA, AccessTier.CHATTER, seen)
        self.ben = Viewer(BEN, AccessTier.CHATTER, seen)
        self.lea = Viewer(LEA, AccessTier.LEAD, seen)

    def now_ms(self) -> int:
        return self.now

    async def _wake(self) -> None:
        self.woken += 1

    async def episode(self, fan: str = "1") -> dict[str, Any]:
        return (await self.desk.episodes())[fan]

    async def close(
        self,
        outcome: Outcome = Outcome.KEPT,
        *,
        by: Viewer | None = None,
        mood: Mood | None = None,
        form: str = "f",
        fan: str = "1",
    ) -> CloseResult:
        episode_id = (await self.episode(fan))["id"]
        return await self.outcomes.close(by or self.ana, episode_id, Done(outcome, mood, "x", form))

    async def card(self, fan: str = "1") -> AlertCard:
        async with self.desk.store.read() as tx:
            view = await card_views.load_view(tx, (await self.episode(fan))["card_id"])
        assert isinstance(view, AlertCard)
        return view


@pytest_asyncio.fixture
async def office(desk: Desk) -> Office:
    """One action item that Ana has claimed."""
    await desk.start([leaving(1), calm(2)])
    await desk.score(NINE_DAYS)
    office = Office(desk)
    await office.claims.claim(office.ana, (await office.episode())["id"])
    return office


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_an_outcome_closes_it_and_is_kept(office: Office, outcome: Outcome) -> None:
    before = await office.episode()
    result = await office.close(outcome, mood=Mood.COLD)
    assert result.status == "done"
    after = await office.episode()
    assert (after["tier"], after["closed_at"], after["outcome"]) == (None, LATER, outcome.value)
    assert (after["remind_at"], after["escalate_from_at"], after["ping_state"]) == (None, None, None)
    assert after["claimed_by"] == ANA
    (row,) = await office.desk.rows(outcomes)
    assert (row["outcome"], row["mood"], row["note"], row["closed_by"]) == (outcome.value, "cold", "x", ANA)
    assert (row["score"], row["tier"], row["claimed_at"]) == (before["score"], "action", LATER)
    assert row["action_id"] == result.action_id
    told = [row["source"] for row in await office.desk.rows(contacts)]
    assert told == ([] if outcome is Outcome.FALSE_ALARM else ["outcome"])
    last = (await office.desk.rows(episode_events))[-1]
    assert (last["change"], last["code"], last["actor_id"]) == ("done", outcome.value, ANA)
    assert (last["tier_before"], last["tier_after"]) == ("action", None)
    assert (await office.card()).row.closing == Closing(outcome, Mood.COLD, ANA, LATER, "x")
    assert office.woken


@pytest.mark.parametrize(
    ("outcome", "days", "comes_back"),
    [
        (Outcome.WAITING, 2, False),
        (Outcome.WAITING, 4, True),
        (Outcome.KEPT, 4, False),
        (Outcome.LOST, 4, False),
    ],
)
async def test_it_rests_as_long_as_its_outcome_says(
    office: Office, outcome: Outcome, days: int, comes_back: bool
) -> None:
    await office.desk.keep([leaving(1, expires_at=NOW + 40 * DAY)])
    await office.close(outcome)
    await office.desk.score(LATER + days * DAY)
    again = await office.episode()
    assert (again["closed_at"] is None) is comes_back
    if comes_back:
        # It is anybody's, and the card says how it went the last time.
        assert (again["claimed_by"], again["outcome"]) == (None, None)
        shown = await office.card()
        assert shown.row.closing is None
        assert shown.last == Closing(outcome, None, ANA, LATER, "x")
        # What people write of a fan is as hidden as the name.
        await office.desk.set_creator(office.desk.agency.ava, name_mode="hidden")
        assert (await office.card()).last == Closing(outcome, None, ANA, LATER)


async def test_the_end_of_the_subscription_is_news_of_who_was_lost(office: Office) -> None:
    await office.close(Outcome.LOST)
    await office.desk.keep([ended(1, expires_at=LATER + DAY)], LATER + 2 * DAY)
    await office.desk.score(LATER + 2 * DAY)
    again = await office.episode()
    assert (again["tier"], again["expired"]) == ("action", True)


async def test_only_who_has_it_or_a_lead_may_close_it(office: Office) -> None:
    before = await office.episode()
    refused = await office.close(by=office.ben)
    assert (refused.status, refused.by) == ("not_yours", ANA)
    assert (await office.outcomes.may_close(office.ben, before["id"])).status == "not_yours"
    assert await office.episode() == before
    assert (await office.outcomes.may_close(office.lea, before["id"])).status == "open"
    assert (await office.close(by=office.lea)).status == "done"


async def test_what_nobody_has_is_not_closed(office: Office) -> None:
    before = await office.episode("2")
    assert (await office.close(fan="2")).status == "unclaimed"
    assert (await office.close(fan="2", by=office.lea)).status == "unclaimed"
    assert await office.episode("2") == before


async def test_a_form_counts_once_and_closed_is_closed(office: Office) -> None:
    assert (await office.close(form="one")).status == "done"
    assert (await office.close(form="one")).status == "again"
    assert (await office.close(form="two")).status == "closed"
    assert len(await office.desk.rows(outcomes)) == 1
    assert Counter(row["action"] for row in await office.desk.rows(audit_log))["done"] == 1


async def test_undoing_brings_back_the_claim_and_takes_the_outcome_and_the_contact_away(
    office: Office,
) -> None:
    before = await office.episode()
    result = await office.close(mood=Mood.ANGRY)

    async def undo(tx: Any) -> None:
        assert result.action_id is not None
        await restore(tx, result.action_id)

    await office.desk.change(undo)
    back = await office.episode()
    assert {name: back[name] for name in desk_actions.WORK_COLUMNS} == {
        name: before[name] for name in desk_actions.WORK_COLUMNS
    }
    shown = await office.card()
    assert (shown.last, shown.mood) == (None, None)
    assert all(row["undone_at"] == LATER for row in await office.desk.rows(contacts))
    # The form that was undone is no way to close it once more, another one is.
    assert (await office.close()).status == "again"
    assert (await office.close(form="g")).status == "done"


async def test_a_contact_shows_on_the_cards_of_the_same_person_elsewhere(office: Office) -> None:
    bea, episode_id = office.desk.agency.bea, (await office.episode())["id"]
    await office.desk.start([leaving(1)], creator_id=bea)
    await office.desk.score(NINE_DAYS, creator_id=bea)

    async def version() -> int:
        (card,) = [row for row in await office.desk.cards("a") if row["creator_id"] == bea]
        return int(card["wanted_version"])

    before = await version()
    result = await office.outcomes.close(office.ana, episode_id, Done(Outcome.KEPT, None, None, "f"))
    after = await version()
    assert after > before
    assert result.action_id is not None
    await office.desk.change(lambda tx: restore(tx, result.action_id))
    assert await version() > after


async def test_the_newest_mood_shows_in_the_profile_and_the_share_of_the_warm_ones(office: Office) -> None:
    await office.close(mood=Mood.WARM)
    row = await office.episode()
    fan_id = row["fan_account_id"]

    async def before(tx: Tx) -> None:
        told = [("warm", None), ("angry", None), (None, None), ("warm", LATER)]
        for mood, undone_at in told:
            await tx.execute(
                outcomes.insert().values(
                    agency_id=tx.agency_id, id=tx.ids.next(), creator_id=row["creator_id"],
                    fan_account_id=fan_id, episode_id=row["id"], outcome="kept", mood=mood, score=75.0,
                    closed_by=LEA, closed_at=LATER - DAY, undone_at=undone_at, currency="USD",
                )
            )  # fmt: skip

    await office.desk.change(before)
    async with office.desk.store.read() as tx:
        profile = await fan_search.get_profile(tx, {office.desk.agency.ava}, fan_id, LATER)
    assert profile is not None
    assert profile.mood == profile.last == Closing(Outcome.KEPT, Mood.WARM, ANA, LATER, "x")
    assert profile.moods == Moods(told=3, warm=2)


async def test_a_contact_is_logged_once_in_a_quarter_of_an_hour(office: Office) -> None:
    episode_id = (await office.episode())["id"]
    assert (await office.outcomes.log_contact(office.ben, episode_id)).status == "logged"
    office.now += CONTACT_AGAIN_MS
    again = await office.outcomes.log_contact(office.ben, episode_id)
    assert (again.status, again.at) == ("already", LATER)
    # Somebody else's contact is another one.
    assert (await office.outcomes.log_contact(office.lea, episode_id)).status == "logged"
    office.now += 1
    assert (await office.outcomes.log_contact(office.ben, episode_id)).status == "logged"
    assert [row["user_id"] for row in await office.desk.rows(contacts)] == [BEN, LEA, BEN]
    assert {row["source"] for row in await office.desk.rows(contacts)} == {"logged"}


async def test_not_useful_is_said_once_and_can_be_taken_back(office: Office) -> None:
    episode_id = (await office.episode())["id"]
    for _ in range(2):
        assert await office.outcomes.say_useless(office.ana, episode_id, useless=True)
    (said,) = await office.desk.rows(alert_feedback)
    assert (said["useful"], said["user_id"], said["undone_at"]) == (False, ANA, None)
    mine, others = [await office.outcomes.menu(one, episode_id) for one in (office.ana, office.lea)]
    assert mine is not None
    assert others is not None
    assert (mine.useless, others.useless) == (True, False)
    for _ in range(2):
        assert await office.outcomes.say_useless(office.ana, episode_id, useless=False)
    (said,) = await office.desk.rows(alert_feedback)
    assert said["undone_at"] == LATER
    assert [row["action"] for row in await office.desk.rows(actions)] == ["claim", "feedback"]


async def test_useful_after_all_leaves_nothing_to_undo(office: Office) -> None:
    episode_id = (await office.episode())["id"]
    for useless in (True, False, True):
        await office.outcomes.say_useless(office.ana, episode_id, useless=useless)
    first, second = [row for row in await office.desk.rows(actions) if row["action"] == "feedback"]
    assert (first["undone_at"], first["undone_by"], second["undone_at"]) == (LATER, ANA, None)


@pytest.mark.parametrize("what", ["contact", "feedback"])
async def test_what_was_only_written_down_goes_whatever_became_of_the_alert(
    office: Office, what: str
) -> None:
    episode_id = (await office.episode())["id"]
    if what == "contact":
        await office.outcomes.log_contact(office.ben, episode_id)
    else:
        await office.outcomes.say_useless(office.ben, episode_id, useless=True)
    (written,) = [row for row in await office.desk.rows(actions) if row["action"] == what]
    await office.claims.release(office.ana, episode_id)
    await office.claims.claim(office.lea, episode_id)
    await office.close(by=office.lea)
    undoing = UndoService(office.desk.store, office, {}, wake_delivery=office._wake)
    result = await undoing.undo(office.ben, written["id"])
    assert (result.status, result.left) == ("undone", ())
    table = contacts if what == "contact" else alert_feedback
    gone = {row["action_id"]: row["undone_at"] for row in await office.desk.rows(table)}
    assert gone[written["id"]] == LATER
    # The alert stays as it is.
    assert ((await office.episode())["outcome"], (await office.episode())["claimed_by"]) == ("kept", LEA)


async def test_why_has_every_input_with_its_age(office: Office) -> None:
    await office.desk.set_creator(
        office.desk.agency.ava, synced_at=LATER - HOUR, payments_synced_at=LATER - 2 * HOUR
    )
    why = await office.outcomes.why(office.lea, (await office.episode())["id"])
    assert why is not None
    assert sum(reason.points for reason in why.row.reasons) == pytest.approx(why.row.score)
    assert (why.profile.synced_at, why.payments_at, why.messages_at) == (LATER - HOUR, LATER - 2 * HOUR, None)
    assert (why.profile.score_model, why.profile.scored_at) == ("reference", NINE_DAYS)
    assert why.model_version is not None
    seen = Counter(row["action"] for row in await office.desk.rows(audit_log))
    assert seen["view_why"] == 1


async def test_what_is_foreign_is_as_what_is_missing(office: Office) -> None:
    before = await office.episode()
    stranger = replace(office.lea, creator_ids=frozenset({office.desk.agency.bea}))
    looked = len(await office.desk.rows(audit_log))
    for episode_id in (before["id"], 4_242):
        done = Done(Outcome.KEPT, None, None, "f")
        assert (await office.outcomes.close(stranger, episode_id, done)).status == "not_found"
        assert (await office.outcomes.may_close(stranger, episode_id)).status == "not_found"
        assert (await office.outcomes.log_contact(stranger, episode_id)).status == "not_found"
        assert not await office.outcomes.say_useless(stranger, episode_id, useless=True)
        assert await office.outcomes.menu(stranger, episode_id) is None
        assert await office.outcomes.why(stranger, episode_id) is None
    assert await office.episode() == before
    assert len(await office.desk.rows(audit_log)) == looked
