from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.domain.models import AccessTier, Viewer
from bot.domain.roster import RosterError, parse_roster, read_roster
from bot.domain.shifts import PlannedShift
from storage import fetching, roster, shifts, tables
from storage.engine import Storage
from storage.tx import Tx
from tests.storage.conftest import DAY, NOW, ROSTER, Agency


async def test_applies_once_to_an_empty_database(agency: Agency, storage: Storage) -> None:
    (only,) = await storage.system.list_agencies()
    assert (only.guild_id, only.timezone, only.notice_channel_id) == (100, "Europe/Paris", 101)
    assert await storage.system.find_agency(100) == only
    assert await storage.system.find_agency(99) is None
    async with agency.store.read() as tx:
        ava, bea = await roster.list_creators(tx)
        assert (ava.name, ava.account_id, ava.channel_id) == ("Ava", "acct_ava", 401)
        assert (ava.default_chatter_id, ava.lead_ids) == (301, (302,))
        assert (bea.default_chatter_id, bea.lead_ids, bea.failed_polls) == (None, (), 0)
        assert await roster.get_creator(tx, ava.id) == ava
        assert await roster.get_creator(tx, 5) is None
        assert await roster.list_role_tiers(tx) == {201: AccessTier.CHATTER, 202: AccessTier.MANAGER}
        assert await roster.list_leads(tx) == {ava.id: {302}}
        assert await roster.list_chatters(tx) == {ava.id: {301, 302}, bea.id: {302}}
        assert await roster.list_members(tx) == {301: AccessTier.CHATTER, 302: AccessTier.LEAD}
    with pytest.raises(RosterError, match="not empty"):
        await roster.apply_roster(storage, ROSTER, NOW)
    assert len(await storage.system.list_agencies()) == 1


async def test_people_are_kept_as_they_were_last_met(agency: Agency) -> None:
    both = frozenset({agency.ava, agency.bea})

    async def meet(viewer: Viewer) -> tuple[AccessTier, set[int]]:
        await agency.store.write(lambda tx: roster.put_member(tx, viewer))
        async with agency.store.read() as tx:
            tiers, chatters = await roster.list_members(tx), await roster.list_chatters(tx)
        return tiers[viewer.user_id], {c for c, users in chatters.items() if viewer.user_id in users}

    new = await meet(Viewer(309, AccessTier.CHATTER, both))
    assert new == (AccessTier.CHATTER, both)
    moved = await meet(Viewer(301, AccessTier.CHATTER, frozenset({agency.bea})))
    assert moved == (AccessTier.CHATTER, {agency.bea})
    # A manager works for everybody, which is no list to keep.
    assert await meet(Viewer(301, AccessTier.MANAGER, both)) == (AccessTier.MANAGER, set())


async def test_progress_of_a_creator(agency: Agency) -> None:
    async def fail(tx: Tx) -> None:
        await fetching.mark_failed(tx, agency.ava, NOW + 5)
        await fetching.mark_failed(tx, agency.ava, NOW + 9)

    await agency.store.write(fail)
    async with agency.store.read() as tx:
        ava = await roster.get_creator(tx, agency.ava)
    assert ava is not None
    assert (ava.failed_polls, ava.next_poll_at, ava.next_walk_at) == (2, NOW + 9, NOW + 9)

    async def succeed(tx: Tx) -> None:
        await fetching.mark_fresh(tx, agency.ava, NOW + 10)
        await fetching.mark_synced(tx, agency.ava, next_poll_at=NOW + 20, next_walk_at=NOW + DAY)
        await fetching.mark_fresh(tx, agency.ava, NOW + 10)
        await fetching.mark_synced(tx, agency.ava, next_poll_at=NOW + 30, next_walk_at=None)
        await fetching.mark_payments_synced(tx, agency.ava, NOW + 10)
        await fetching.mark_baseline_done(tx, ava, NOW + 11)

    await agency.store.write(succeed)
    async with agency.store.read() as tx:
        ava = await roster.get_creator(tx, agency.ava)
    assert ava is not None
    assert (ava.failed_polls, ava.synced_at, ava.next_poll_at) == (0, NOW + 10, NOW + 30)
    assert (ava.next_walk_at, ava.payments_synced_at) == (NOW + DAY, NOW + 10)


GOOD: dict[str, Any] = {
    "guild_id": "1",
    "timezone": "UTC",
    "notice_channel_id": "2",
    "tiers": [{"role_id": "3", "tier": "lead"}],
    "members": [{"user_id": "4", "tier": "owner", "creators": ["a"]}],
    "creators": [{"account_id": "a", "name": "Ava", "channel_id": "5", "default_chatter": None, "lead": "6"}],
}


SHIFT: dict[str, Any] = {
    "creator": "Ava",
    "user_id": "4",
    "days": [7, 1],
    "from": "22:00",
    "to": "06:30",
    "zone": "Asia/Manila",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"guild_id": 1}, "guild_id"),
        ({"guild_id": "-1"}, "guild_id"),
        ({"guild_id": "9999999999999999999"}, "guild_id"),
        ({"tiers": [{"role_id": "3", "tier": "boss"}]}, r"tiers\[0\].tier"),
        ({"tiers": [{"role_id": "3", "tier": "lead"}] * 2}, r"tiers\[1\].role_id"),
        ({"members": [{"user_id": "4", "tier": "lead", "creators": ["zoe"]}]}, r"members\[0\].creators\[0\]"),
        ({"creators": [{"account_id": "a", "name": "", "channel_id": "5"}], "members": []}, "name"),
        ({"creators": [{"account_id": "a", "name": "A"}], "members": []}, "channel_id"),
        ({"shifts": [SHIFT | {"creator": "zoe"}]}, r"shifts\[0\].creator: 'zoe' is no creator"),
        ({"shifts": [SHIFT, SHIFT | {"days": []}]}, r"shifts\[1\].days: name at least one day"),
        ({"shifts": [SHIFT | {"days": [0]}]}, r"shifts\[0\].days"),
        ({"shifts": [SHIFT | {"from": "24:00"}]}, r"shifts\[0\].from"),
        ({"shifts": [SHIFT | {"to": "9:00"}]}, r"shifts\[0\].to"),
        ({"shifts": [SHIFT | {"zone": "Mars/Olympus"}]}, r"shifts\[0\].zone: 'Mars/Olympus' is no time zone"),
        ({"shifts": [SHIFT | {"user_id": "9999999999999999999"}]}, r"shifts\[0\].user_id"),
        ({"shifts": [{"creator": "a"}]}, "shifts"),
    ],
)
def test_says_which_field_is_wrong(change: dict[str, Any], words: str) -> None:
    with pytest.raises(RosterError, match=words):
        parse_roster(json.dumps(GOOD | change))


def test_reads_a_file_and_tells_when_it_cannot(tmp_path: Path) -> None:
    path = tmp_path / "roster.json"
    path.write_text(json.dumps(GOOD))
    assert read_roster(path).creators[0].lead == "6"
    with pytest.raises(RosterError, match="No such file"):
        read_roster(tmp_path / "none.json")
    path.write_bytes(b"\xff{")
    with pytest.raises(RosterError):
        read_roster(path)


async def test_shifts_come_with_the_roster(storage: Storage) -> None:
    by_account = SHIFT | {"creator": "a", "days": [3, 3], "from": "09:00", "to": "17:00", "user_id": "8"}
    read = parse_roster(json.dumps(GOOD | {"shifts": [SHIFT, by_account]}))
    store = storage.agency(await roster.apply_roster(storage, read, NOW))
    async with store.read() as tx:
        (ava,) = await roster.list_creators(tx)
        everybody = await shifts.list_planned(tx)
        assert everybody == {
            ava.id: (
                PlannedShift(4, frozenset({1, 7}), 22 * 60, 6 * 60 + 30, "Asia/Manila"),
                PlannedShift(8, frozenset({3}), 9 * 60, 17 * 60, "Asia/Manila"),
            )
        }
        assert await shifts.list_planned(tx, ava.id) == everybody
        assert await shifts.list_planned(tx, 5) == {}
    await store.write(
        lambda tx: tx.execute(
            tables.shifts.update()
            .where(tables.shifts.c.agency_id == tx.agency_id, tables.shifts.c.user_id == 4)
            .values(removed_at=NOW)
        )
    )
    async with store.read() as tx:
        assert [planned.user_id for planned in (await shifts.list_planned(tx))[ava.id]] == [8]
