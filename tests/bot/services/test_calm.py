"""Mutes, holds, quiet hours and drills as people set and end them, on a real database."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.calm import QuietHours
from bot.domain.models import AccessTier, Viewer
from bot.services.calm import CalmService, Ended
from bot.services.calm_undo import undo_hold, undo_mute, undo_quiet
from bot.services.undo import Handler
from bot.services.undo_handlers import undo_handlers
from storage import card_views, desk_actions, fans
from storage.desk_actions import DeskAction
from storage.engine import AgencyStore
from storage.tables import audit_log, cards, mentions
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
from tests.storage.records import fan

__all__ = ["agency", "database_url", "postgres_server", "postgres_url", "storage"]

NIGHT, NOON = QuietHours(22 * 60, 8 * 60, "Europe/Paris"), QuietHours(12 * 60, 13 * 60, "UTC")
MISSING = 4_242


@dataclass
class Office:
    """Lea leads Ava and Bea, Bob leads Bea alone, Ana chats for Ava."""

    store: AgencyStore
    ava: int
    bea: int
    fan_id: int
    now: int = NOW
    woken: list[int] = field(default_factory=list)

    def now_ms(self) -> int:
        return self.now

    async def wake(self) -> None:
        self.woken.append(self.now)

    @property
    def calm(self) -> CalmService:
        return CalmService(self.store, self, wake_delivery=self.wake, wall_ms=lambda: self.now)

    @property
    def lea(self) -> Viewer:
        return Viewer(302, AccessTier.LEAD, frozenset({self.ava, self.bea}))

    @property
    def bob(self) -> Viewer:
        return Viewer(309, AccessTier.LEAD, frozenset({self.bea}))

    @property
    def ana(self) -> Viewer:
        return Viewer(301, AccessTier.CHATTER, frozenset({self.ava}))

    async def listed(self, viewer: Viewer | None = None) -> list[tuple[str, str | None, str]]:
        page = await self.calm.load_page(viewer or self.lea, None, 0, 10)
        return [
            (item.kind, None if item.fan is None else item.fan.platform_fan_id, item.reason)
            for item in page.items
        ]

    async def last_action(self) -> DeskAction:
        async with self.store.read() as tx:
            found = await desk_actions.list_recent(tx, 302, 0, 1)
        return found[0]

    async def undo(self) -> bool:
        done = await self.last_action()
        assert done.target_id is not None
        target, action = done.target_id, done.action
        self.now += 1_000
        if done.target_kind == "quiet":
            return await self.store.write(lambda tx: undo_quiet(tx, action, target, self.now))
        undo = undo_mute if done.target_kind == "mute" else undo_hold
        return await self.store.write(lambda tx: undo(tx, action, target, 302, self.now))


@pytest_asyncio.fixture
async def office(agency: Agency) -> Office:
    await agency.store.write(lambda tx: fans.apply_fan_page(tx, agency.ava, [fan("1")], NOW, 1))
    async with agency.store.read() as tx:
        ids = await fans.ids_by_platform(tx, agency.ava, ["1"])
    return Office(agency.store, agency.ava, agency.bea, ids["1"])


async def test_a_mute_is_listed_changed_and_ended_once(office: Office) -> None:
    calm = office.calm
    first = await calm.mute(office.lea, office.ava, office.fan_id, NOW + DAY, "on holiday")
    second = await calm.mute(office.lea, office.ava, office.fan_id, NOW + 2 * DAY, "longer")
    assert first is not None
    assert second is not None
    await calm.mute(office.lea, office.ava, None, NOW + DAY, "a storm")
    assert await office.listed() == [("mute", "1", "longer"), ("mute", None, "a storm")]
    assert (await calm.end_mute(office.lea, first)).status == "already"
    assert (await calm.end_mute(office.lea, second)).status == "ended"
    assert (await calm.end_mute(office.lea, second)).status == "already"
    assert (await calm.unmute(office.lea, office.ava, office.fan_id)).status == "already"
    assert (await calm.unmute(office.lea, office.ava, None)).status == "ended"
    assert await office.listed() == []
    async with office.store.read() as tx:
        rows = await tx.all(audit_log.select().where(audit_log.c.agency_id == tx.agency_id))
    told = [row.action for row in rows if row.action.startswith("mute")]
    assert told == ["mute", "mute", "mute", "mute_end", "mute_end"]


async def test_what_is_foreign_is_answered_as_what_is_missing(office: Office) -> None:
    calm, bob = office.calm, office.bob
    mute_id = await calm.mute(office.lea, office.ava, office.fan_id, NOW + DAY, "x")
    hold_id = await calm.hold(office.lea, office.fan_id, None, "x")
    await calm.set_hours(office.lea, NIGHT, creator_id=office.ava)
    (_, _, hours) = (await calm.load_page(office.lea, None, 0, 10)).items
    await calm.drill(office.lea, office.ava)
    async with office.store.read() as tx:
        rows = await tx.all(cards.select().where(cards.c.agency_id == tx.agency_id))
    (drill,) = [row.id for row in rows]
    assert mute_id is not None
    assert hold_id is not None
    for missing in (MISSING, None):
        assert await calm.end_mute(bob, missing or mute_id) == Ended("not_found")
        assert await calm.end_hold(bob, missing or hold_id) == Ended("not_found")
        assert await calm.end_hours(bob, missing or hours.id) == Ended("not_found")
        assert await calm.close_drill(bob, missing or drill) == "not_found"
        assert await calm.hold(bob, missing or office.fan_id, None, "x") is None
        assert await calm.mute(bob, office.ava, missing or office.fan_id, NOW + DAY, "x") is None
        assert await calm.mute(bob, missing or office.ava, None, NOW + DAY, "x") is None
        assert await calm.drill(bob, missing or office.ava) is None
        assert not await calm.set_hours(bob, NIGHT, creator_id=missing or office.ava)
    assert await calm.mute(office.lea, office.bea, office.fan_id, NOW + DAY, "x") == await calm.mute(
        office.lea, office.bea, MISSING, NOW + DAY, "x"
    )
    assert await office.listed(bob) == []
    assert len(await office.listed()) == 3


class TestQuietHours:
    async def test_ones_own_are_ones_own(self, office: Office) -> None:
        calm = office.calm
        assert await calm.set_hours(office.ana, NIGHT, user_id=301)
        assert await calm.set_hours(office.ana, NIGHT, user_id=301)
        own = await calm.own_hours(office.ana)
        assert own is not None
        assert (own.hours, own.user_id) == (NIGHT, 301)
        async with office.store.read() as tx:
            assert len(await desk_actions.list_recent(tx, 301, 0, 10)) == 1
        other = Viewer(305, AccessTier.CHATTER, frozenset({office.ava}))
        assert await calm.end_hours(other, own.id) == Ended("not_found")
        # Ana works for Ava, whom Bob does not lead; Lea does.
        assert await calm.end_hours(office.bob, own.id) == Ended("not_found")
        assert await office.listed(office.bob) == []
        assert [kind for kind, *_ in await office.listed()] == ["quiet"]
        assert (await calm.end_hours(office.lea, own.id)).status == "ended"
        assert (await calm.end_hours(office.ana, own.id)).status == "already"

    async def test_of_somebody_not_met_yet_whoever_set_them_and_managers_see_and_end_them(
        self, office: Office
    ) -> None:
        calm, zoe = office.calm, 388
        other_lead = Viewer(308, AccessTier.LEAD, frozenset({office.ava}))
        boss = Viewer(310, AccessTier.MANAGER, frozenset({office.ava, office.bea}))
        for ends_them in (office.lea, boss):
            assert await calm.set_hours(office.lea, NIGHT, user_id=zoe)
            for viewer in (office.lea, boss):
                for creator_id in (None, office.ava):
                    (hours,) = (await calm.load_page(viewer, creator_id, 0, 10)).items
                    assert (hours.user_id, hours.by) == (zoe, office.lea.user_id)
            for stranger in (office.bob, other_lead):
                assert await office.listed(stranger) == []
                assert await calm.end_hours(stranger, hours.id) == Ended("not_found")
            no_lead_now = Viewer(office.lea.user_id, AccessTier.CHATTER, office.lea.creator_ids)
            assert await calm.end_hours(no_lead_now, hours.id) == Ended("not_found")
            assert (await calm.end_hours(ends_them, hours.id)).status == "ended"
            assert await office.listed(ends_them) == []

    async def test_a_creators_list_leaves_out_whom_one_knows_from_another(self, office: Office) -> None:
        assert await office.calm.set_hours(office.lea, NIGHT, user_id=301)
        # Ana works for Ava.
        assert len((await office.calm.load_page(office.lea, office.ava, 0, 10)).items) == 1
        assert (await office.calm.load_page(office.lea, office.bea, 0, 10)).items == ()

    async def test_a_chatter_ends_no_channels_hours(self, office: Office) -> None:
        await office.calm.set_hours(office.lea, NIGHT, creator_id=office.ava)
        (hours,) = (await office.calm.load_page(office.lea, None, 0, 10)).items
        assert await office.calm.end_hours(office.ana, hours.id) == Ended("not_found")


class TestUndo:
    async def test_a_change_gives_back_what_was_before(self, office: Office) -> None:
        calm = office.calm
        await calm.hold(office.lea, office.fan_id, None, "first")
        office.now += 1_000
        await calm.hold(office.lea, office.fan_id, NOW + DAY, "second")
        assert await office.undo()
        assert await office.listed() == [("hold", "1", "first")]
        await calm.mute(office.lea, office.ava, None, NOW + DAY, "first")
        office.now += 1_000
        await calm.mute(office.lea, office.ava, None, NOW + 2 * DAY, "second")
        assert await office.undo()
        assert ("mute", None, "first") in await office.listed()
        await calm.set_hours(office.lea, NIGHT, creator_id=office.ava)
        office.now += 1_000
        await calm.set_hours(office.lea, NOON, creator_id=office.ava)
        assert await office.undo()
        page = await calm.load_page(office.lea, None, 0, 10)
        assert [item.hours for item in page.items] == [None, None, NIGHT]

    @pytest.mark.parametrize("kind", ["mute", "hold", "quiet"])
    async def test_setting_and_ending_can_be_undone_unless_somebody_was_faster(
        self, office: Office, kind: str
    ) -> None:
        calm = office.calm

        async def put() -> None:
            office.now += 1_000
            if kind == "mute":
                await calm.mute(office.lea, office.ava, office.fan_id, NOW + DAY, "x")
            elif kind == "hold":
                await calm.hold(office.lea, office.fan_id, None, "x")
            else:
                await calm.set_hours(office.lea, NIGHT, creator_id=office.ava)

        async def end() -> None:
            office.now += 1_000
            (one,) = (await calm.load_page(office.lea, None, 0, 10)).items
            if kind == "mute":
                await calm.end_mute(office.lea, one.id)
            elif kind == "hold":
                await calm.end_hold(office.lea, one.id)
            else:
                await calm.end_hours(office.lea, one.id)

        await put()
        assert await office.undo()
        assert await office.listed() == []
        assert not await office.undo()
        await put()
        await end()
        assert await office.undo()
        assert len(await office.listed()) == 1
        await end()
        ended = await office.last_action()
        await put()
        target = ended.target_id
        assert target is not None
        undo = {"mute": undo_mute, "hold": undo_hold}.get(kind)
        if undo is None:
            late = await office.store.write(lambda tx: undo_quiet(tx, ended.action, target, office.now))
        else:
            late = await office.store.write(lambda tx: undo(tx, ended.action, target, 302, office.now))
        assert not late
        assert len(await office.listed()) == 1


async def test_a_drill_is_one_card_that_mentions_whoever_asked_last(office: Office) -> None:
    calm = office.calm
    assert await calm.drill(office.lea, office.ava) == 401
    boss = Viewer(308, AccessTier.MANAGER, frozenset({office.ava, office.bea}))
    assert await calm.drill(boss, office.ava) == 401
    async with office.store.read() as tx:
        (card,) = await tx.all(cards.select().where(cards.c.agency_id == tx.agency_id))
        view = await card_views.load_view(tx, card.id)
        counted = await tx.all(mentions.select().where(mentions.c.agency_id == tx.agency_id))
    assert (card.ping_wanted, card.mention_id, card.code) == (True, 308, "drill")
    assert getattr(view, "asked_by", None) == 308
    assert [(row.reason, row.discord_id) for row in counted] == [("drill", 302), ("drill", 308)]
    assert await calm.close_drill(office.lea, card.id) == "closed"
    assert await calm.close_drill(office.lea, card.id) == "already"
    assert office.woken


def _quiet_handler(office: Office) -> Handler:
    others: Any = SimpleNamespace(take_back=None)
    return undo_handlers(
        office,
        creator_admin=others,
        followups=others,
        notes=others,
        playbooks=others,
        shifts=others,
        spreads=others,
        winbacks=others,
    )["quiet"]


async def test_a_persons_own_hours_are_taken_back_by_nobody_who_does_not_lead_them(
    office: Office,
) -> None:
    quiet = _quiet_handler(office)
    await office.calm.set_hours(office.ana, NIGHT, user_id=office.ana.user_id)
    async with office.store.read() as tx:
        (action,) = await desk_actions.list_recent(tx, office.ana.user_id, 0, 2)

    async def undo(viewer: Viewer) -> str:
        return (await office.store.write(lambda tx: quiet(tx, viewer, action))).status

    assert await undo(office.bob) == "not_found"
    assert await office.calm.own_hours(office.ana) is not None
    assert await undo(office.ana) == "undone"
    assert await office.calm.own_hours(office.ana) is None


async def test_whoever_set_the_hours_of_somebody_not_met_yet_takes_them_back(office: Office) -> None:
    quiet, zoe = _quiet_handler(office), Viewer(388, AccessTier.CHATTER, frozenset({office.ava}))
    await office.calm.set_hours(office.lea, NIGHT, user_id=zoe.user_id)
    action = await office.last_action()
    assert (await office.store.write(lambda tx: quiet(tx, office.lea, action))).status == "undone"
    assert await office.calm.own_hours(zoe) is None
