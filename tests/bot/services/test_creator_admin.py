from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from sqlalchemy import update

from bot.domain.models import AccessTier, AccountRecord, CardKind, Viewer
from bot.domain.views import BaselineCard
from bot.domain.zones import local_day
from bot.services.access import AccessService
from bot.services.creator_admin import CreatorAdmin
from bot.services.creator_results import AddResult, ChangeResult, account_token
from bot.services.creators import CreatorService
from bot.services.records import UNDO_MS
from bot.services.setup import SetupService
from bot.services.status import StatusService
from bot.services.winbacks import WinbackService
from storage import usage
from storage.card_views import load_view
from storage.cards import CardPayload, NewCard, create_card
from storage.engine import AgencyStore, Storage, Tx
from storage.settings import create_agency
from storage.tables import creators
from tests.storage.conftest import (
    DAY,
    NOW,
    Agency,
    agency,
    database_url,
    postgres_server,
    postgres_url,
    storage,
)

__all__ = ["agency", "database_url", "postgres_server", "postgres_url", "storage"]

WALL = 1_800_000_000_000


def account(account_id: str, name: str | None = None) -> AccountRecord:
    return AccountRecord(account_id, None, name, name, True)


@dataclass
class Office:
    """The services about one agency. `listed` None: the data API does not answer."""

    store: AgencyStore
    listed: list[AccountRecord] | None = field(default_factory=lambda: [account("acct_new", "Cleo")])
    now: int = NOW
    wall: int = WALL
    woken: int = 0

    def now_ms(self) -> int:
        return self.now

    async def list_accounts(self, *, fresh: bool = False) -> list[AccountRecord] | None:
        return self.listed

    async def wake(self) -> None:
        self.woken += 1

    @property
    def admin(self) -> CreatorAdmin:
        return CreatorAdmin(self.store, self, self, wake_delivery=self.wake, wall_ms=lambda: self.wall)

    @property
    def setup(self) -> SetupService:
        return SetupService(self.store, self)

    async def viewer(self, tier: AccessTier = AccessTier.MANAGER) -> Viewer:
        rules = await AccessService(self.store).load_rules()
        return Viewer(1, tier, frozenset(rules.channels))


@pytest_asyncio.fixture
async def office(agency: Agency) -> Office:
    return Office(agency.store)


@pytest_asyncio.fixture
async def empty(storage: Storage) -> Office:
    """An agency nobody has set up."""
    return Office(storage.agency(await create_agency(storage, 900, NOW)))


async def undo(office: Office, creator_id: int, result: ChangeResult) -> ChangeResult:
    assert result.change_id is not None
    return await office.admin.undo(await office.viewer(), creator_id, result.change_id)


async def test_a_change_says_what_was_and_is_and_can_be_taken_back_once(
    office: Office, agency: Agency
) -> None:
    viewer = await office.viewer()
    result = await office.admin.change(viewer, agency.ava, {"fire_above": 45.0, "timezone": "Asia/Manila"})
    assert (result.status, dict(result.before), dict(result.after)) == (
        "changed",
        {"fire_above": None, "timezone": None},
        {"fire_above": 45.0, "timezone": "Asia/Manila"},
    )
    assert office.woken == 1
    assert (await undo(office, agency.bea, result)).status == "not_found"
    undone = await undo(office, agency.ava, result)
    assert dict(undone.after) == {"fire_above": None, "timezone": None}
    assert (await undo(office, agency.ava, result)).status == "same"


async def test_a_channel_is_changed_with_the_rest_or_not_at_all_and_taken_back(
    office: Office, agency: Agency
) -> None:
    async def settings() -> tuple[int, float | None]:
        async with office.store.read() as tx:
            row = await tx.first(
                creators.select().where(creators.c.agency_id == tx.agency_id, creators.c.id == agency.ava)
            )
        assert row is not None
        return row.channel_id, row.action_above

    viewer, before = await office.viewer(), await settings()
    values = {"channel_id": 499, "action_above": 61.0}
    assert (await office.admin.change(viewer, agency.ava, values)).status == "invalid"
    taken = await office.admin.change(viewer, agency.ava, {"channel_id": 402, "action_above": 90.0})
    assert (taken.status, taken.taken_by) == ("channel_taken", "Bea")
    assert await settings() == before

    result = await office.admin.change(viewer, agency.ava, {"channel_id": 499, "action_above": 90.0})
    assert await settings() == (499, 90.0)
    assert (await undo(office, agency.ava, result)).status == "changed"
    assert await settings() == before

    moved = await office.admin.change(viewer, agency.ava, {"channel_id": 499})
    assert (await office.admin.change(viewer, agency.bea, {"channel_id": before[0]})).status == "changed"
    assert (await undo(office, agency.ava, moved)).status == "overtaken"
    assert await settings() == (499, None)


async def test_undoing_ends_after_ten_minutes_and_where_something_was_changed_since(
    office: Office, agency: Agency
) -> None:
    viewer = await office.viewer()
    first = await office.admin.change(viewer, agency.ava, {"timezone": "Asia/Manila"})
    await office.admin.change(viewer, agency.ava, {"timezone": "Europe/Paris"})
    assert (await undo(office, agency.ava, first)).status == "overtaken"
    paused = await office.admin.pause(viewer, agency.ava)
    office.wall += UNDO_MS + 1
    assert (await undo(office, agency.ava, paused)).status == "too_late"
    profile = await office.admin.load_profile(viewer, agency.ava)
    assert profile is not None
    assert (profile.state, profile.timezone) == ("paused", "Europe/Paris")


async def test_the_card_of_new_thresholds_takes_them_back_however_old_they_are(
    office: Office, agency: Agency
) -> None:
    viewer = await office.viewer()
    result = await office.admin.change(viewer, agency.ava, {"fire_above": 45.0})

    async def card(tx: Tx) -> int:
        payload = CardPayload(setting_change_id=result.change_id)
        return await create_card(tx, NewCard(CardKind.BASELINE, agency.ava, 401, payload), NOW)

    card_id = await office.store.write(card)
    about = await office.admin.card_change(viewer, card_id)
    assert about is not None
    assert (about.creator_id, about.change_id, dict(about.before), about.undone) == (
        agency.ava,
        result.change_id,
        {"fire_above": None},
        False,
    )
    assert (
        await office.admin.card_change(Viewer(1, AccessTier.MANAGER, frozenset({agency.bea})), card_id)
        is None
    )
    assert await office.admin.card_change(viewer, card_id + 1) is None
    office.wall = WALL * 2 + UNDO_MS
    assert result.change_id is not None
    done = await office.admin.undo(viewer, agency.ava, result.change_id, however_old=True)
    assert dict(done.after) == {"fire_above": None}
    async with office.store.read() as tx:
        view = await load_view(tx, card_id)
    assert isinstance(view, BaselineCard)
    assert (view.revertible, view.reverted_by) == (False, viewer.user_id)


@pytest.mark.parametrize("values", [{"fire_above": 76.0}, {"action_above": 64.0}, {"fire_above": 101.0}])
async def test_thresholds_that_make_no_sense_change_nothing(
    office: Office, agency: Agency, values: dict[str, float]
) -> None:
    result = await office.admin.change(await office.viewer(), agency.ava, values)
    assert result.status == "invalid"
    assert result.problem.endswith(".")
    profile = await office.admin.load_profile(await office.viewer(), agency.ava)
    assert profile is not None
    assert (profile.fire_above, profile.action_above) == (60.0, 80.0)


async def test_choosing_the_usual_is_having_none_of_ones_own(office: Office, agency: Agency) -> None:
    viewer = await office.viewer()
    usual = {"fire_above": 60.0, "action_above": 80, "name_mode": "handle"}
    assert (await office.admin.change(viewer, agency.ava, usual)).status == "same"
    await office.admin.change(viewer, agency.ava, {"fire_above": 50.0, "name_mode": "hidden"})
    back = await office.admin.change(viewer, agency.ava, usual)
    assert dict(back.after) == {"fire_above": None, "name_mode": None}


async def test_her_credits_a_day_are_within_bounds_and_can_be_taken_back(
    office: Office, agency: Agency
) -> None:
    viewer = await office.viewer()
    for wrong in (-1, 4, 100_001, 2**53):
        refused = await office.admin.change(viewer, agency.ava, {"credits_per_day": wrong})
        assert (refused.status, "5 to 100,000" in refused.problem) == ("invalid", True)
    assert (await office.admin.change(viewer, agency.ava, {"credits_per_day": 0})).status == "same"
    changed = await office.admin.change(viewer, agency.ava, {"credits_per_day": 200})
    profile = await office.admin.load_profile(viewer, agency.ava)
    assert profile is not None
    assert (profile.credits_per_day, profile.own_credits_per_day) == (200, 200)
    assert dict((await undo(office, agency.ava, changed)).after) == {"credits_per_day": None}
    profile = await office.admin.load_profile(viewer, agency.ava)
    assert profile is not None
    assert (profile.credits_per_day, profile.own_credits_per_day) == (85, None)


async def test_undoing_one_threshold_must_leave_a_pair_that_makes_sense(
    office: Office, agency: Agency
) -> None:
    viewer = await office.viewer()
    first = await office.admin.change(viewer, agency.ava, {"fire_above": 40.0})
    await office.admin.change(viewer, agency.ava, {"action_above": 50.0})
    result = await undo(office, agency.ava, first)
    assert (result.status, "must be more than 5 points above" in result.problem) == ("invalid", True)
    profile = await office.admin.load_profile(viewer, agency.ava)
    assert profile is not None
    assert (profile.fire_above, profile.action_above) == (40.0, 50.0)


async def test_a_foreign_creator_and_a_missing_one_are_the_same(office: Office, agency: Agency) -> None:
    blind = Viewer(1, AccessTier.MANAGER, frozenset({5}))
    for creator_id in (agency.ava, 5):
        assert (await office.admin.change(blind, creator_id, {"timezone": "UTC"})).status == "not_found"
        assert (await office.admin.pause(blind, creator_id)).status == "not_found"
        assert (await office.admin.resume(blind, creator_id)).status == "not_found"
        assert (await office.admin.retire(blind, creator_id)).status == "not_found"
        found = await office.admin.reconnect(blind, creator_id, "acct_new")
        assert isinstance(found, ChangeResult)
        assert found.status == "not_found"
        assert not await office.admin.set_people(blind, creator_id, "lead", 7)
    assert await office.admin.list_profiles(blind) == []


async def test_adding_refuses_what_is_taken_or_unknown(office: Office, agency: Agency) -> None:
    viewer = await office.viewer()
    office.listed = [account("acct_new", "Ava"), account("acct_ava", "Ava")]
    assert (await office.admin.add(viewer, "acct_foreign", 900)).status == "unknown_account"
    assert await office.admin.add(viewer, "acct_ava", 900) == AddResult("account_taken", agency.ava, "Ava")
    assert await office.admin.add(viewer, "acct_new", 402) == AddResult("channel_taken", agency.bea, "Bea")
    assert [one.account_id for one in await office.admin.free_accounts() or ()] == ["acct_new"]
    added = await office.admin.add(viewer, "acct_new", 900, default_chatter_id=301)
    # Two creators by one name could not be told apart.
    assert (added.status, added.name, added.begins) == ("added", "Ava acct_new", True)
    assert await office.admin.free_accounts() == []
    office.listed = None
    assert (await office.admin.add(viewer, "acct_other", 901)).status == "no_answer"
    assert await office.admin.free_accounts() is None


async def test_reconnecting_says_both_accounts_and_refuses_anothers(office: Office, agency: Agency) -> None:
    viewer = await office.viewer()
    office.listed = [account("acct_new"), account("acct_bea")]
    for account_id, status in (("acct_bea", "account_taken"), ("acct_foreign", "unknown_account")):
        refused = await office.admin.reconnect(viewer, agency.ava, account_id)
        assert isinstance(refused, AddResult)
        assert refused.status == status
    done = await office.admin.reconnect(viewer, agency.ava, "acct_new")
    assert isinstance(done, ChangeResult)
    assert (dict(done.before), dict(done.after)) == ({"account_id": "acct_ava"}, {"account_id": "acct_new"})
    again = await office.admin.reconnect(viewer, agency.ava, "acct_new")
    assert isinstance(again, ChangeResult)
    assert again.status == "same"
    office.listed = None
    silent = await office.admin.reconnect(viewer, agency.ava, "acct_new")
    assert isinstance(silent, AddResult)
    assert silent.status == "no_answer"


async def test_a_retired_creator_is_for_managers_only(office: Office, agency: Agency) -> None:
    await office.admin.retire(await office.viewer(), agency.ava)
    rules = await AccessService(office.store).load_rules()
    chatter = rules.viewer(1, [201], [401, 402])
    lead = rules.viewer(302, [201], [402])
    manager = rules.viewer(2, [202], [])
    assert chatter.creator_ids == lead.creator_ids == {agency.bea}
    assert manager.creator_ids == {agency.ava, agency.bea}
    names = CreatorService(office.store)
    assert [one.name for one in await names.list_names(manager)] == ["Bea"]
    assert [(one.name, one.retired) for one in await names.list_all(manager)] == [
        ("Ava", True),
        ("Bea", False),
    ]
    assert await names.find(chatter, "Ava") is None
    assert await names.find(manager, "ava") is not None


def test_a_token_fits_into_a_custom_id_whatever_the_account_is_called() -> None:
    assert len(account_token("acct_" + "x" * 500)) <= 32
    assert account_token("a") != account_token("b")


async def test_the_set_up_says_what_is_missing_and_begins_once(empty: Office) -> None:
    owner = await empty.viewer(AccessTier.OWNER)
    assert (await empty.setup.load()).missing == ("roles", "zone", "notices", "creators")
    assert not (await AccessService(empty.store).load_rules()).set_up
    assert (await empty.setup.set_roles(owner, AccessTier.CHATTER, [10, 11])).clash is None
    assert (await empty.setup.set_roles(owner, AccessTier.LEAD, [12, 11])).clash == (11, AccessTier.CHATTER)
    assert (await empty.setup.set_roles(owner, AccessTier.CHATTER, [11])).clash is None
    wrong = await empty.setup.set_zone(owner, "Europe/Pariss")
    assert (wrong.zone, "Europe/Paris" in wrong.close) == (None, True)
    assert (await empty.setup.set_zone(owner, "europe/paris")).zone == "Europe/Paris"
    await empty.setup.set_notice_channel(owner, 55)
    assert (await empty.setup.finish(owner)).missing == ("creators",)
    added = await empty.admin.add(owner, "acct_new", 900)
    assert not added.begins
    (waiting,) = await empty.admin.list_profiles(await empty.viewer())
    assert waiting.state == "waiting"
    assert (await empty.admin.resume(await empty.viewer(), waiting.creator_id)).status == "waiting"
    assert (await empty.admin.pause(await empty.viewer(), waiting.creator_id)).status == "waiting"
    empty.now = NOW + DAY
    done = await empty.setup.finish(owner)
    assert [one.name for one in done.begun] == ["Cleo"]
    assert (await empty.setup.finish(owner)).begun == ()
    (watched,) = await empty.admin.list_profiles(await empty.viewer())
    assert (watched.state, watched.next_look_at) == ("active", NOW + DAY)
    state = await empty.setup.load()
    assert state.done
    assert state.roles[AccessTier.CHATTER] == (11,)


async def test_the_status_is_of_ones_own_creators(office: Office, agency: Agency) -> None:
    status = StatusService(office.store, office, database_bytes=lambda: 5, monotonic=lambda: 7.0)
    lead = await status.load(Viewer(302, AccessTier.LEAD, frozenset({agency.ava})))
    assert [one.profile.name for one in lead.creators] == ["Ava"]
    assert (lead.database_bytes, lead.notice_channel_id) == (None, None)
    manager = await status.load(await office.viewer())
    assert len(manager.creators) == 2
    assert (manager.database_bytes, manager.notice_channel_id, manager.set_up) == (5, 101, True)


async def test_the_status_says_what_counts_of_a_creators_day_and_when_she_was_last_heard_of(
    office: Office, agency: Agency
) -> None:
    async def spend(tx: Tx) -> None:
        day = local_day(NOW, "Europe/Paris")
        for purpose, spent in (("poll", 3.5), ("refresh", 1.0), ("walk", 40.0)):
            await usage.note(tx, day, agency.ava, purpose, calls=1, credits_used=spent, errors=0)  # type: ignore[arg-type]
        await usage.note(tx, "2026-02-27", agency.ava, "poll", calls=1, credits_used=9, errors=0)
        await usage.note(tx, day, usage.OF_NO_CREATOR, "accounts", calls=1, credits_used=1, errors=0)
        await tx.execute(
            update(creators)
            .where(creators.c.agency_id == tx.agency_id, creators.c.id == agency.ava)
            .values(webhook_at=NOW - 5, credits_per_day=50)
        )

    await office.store.write(spend)
    status = StatusService(office.store, office, database_bytes=lambda: 5, webhooks=True)
    report = await status.load(await office.viewer())
    told = {one.profile.name: (one.credits_today, one.profile.credits_per_day) for one in report.creators}
    assert told == {"Ava": (5, 50), "Bea": (0, 85)}
    assert {one.profile.name: one.profile.webhook_at for one in report.creators} == {
        "Ava": NOW - 5,
        "Bea": None,
    }
    assert (report.credits_today, report.webhooks) == (46, True)
    lead = await status.load(Viewer(302, AccessTier.LEAD, frozenset({agency.ava})))
    assert lead.credits_today == 45, "what is of no creator is the managers' affair"


async def test_due_times_are_in_utc_until_the_agency_has_a_zone(empty: Office) -> None:
    due_at = await WinbackService(empty.store, empty).read_due("tomorrow 18:00")
    assert due_at % DAY == 18 * 60 * 60 * 1_000
    assert 0 < due_at - NOW <= 2 * DAY


async def test_who_was_retired_before_the_set_up_ended_goes_on_waiting_for_it(empty: Office) -> None:
    owner = await empty.viewer(AccessTier.OWNER)
    added = await empty.admin.add(owner, "acct_new", 401)
    assert added.creator_id is not None
    owner = await empty.viewer(AccessTier.OWNER)
    assert (await empty.admin.retire(owner, added.creator_id)).status == "changed"
    assert (await empty.admin.resume(owner, added.creator_id)).status == "waiting"
    profile = await empty.admin.load_profile(owner, added.creator_id)
    assert profile is not None
    assert profile.state == "waiting"
