from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.domain.models import AccessTier
from bot.domain.roster import RosterError, parse_roster, read_roster
from storage import roster
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


async def test_progress_of_a_creator(agency: Agency, storage: Storage) -> None:
    async def fail(tx: Tx) -> None:
        await roster.mark_failed(tx, agency.ava, NOW + 5)
        await roster.mark_failed(tx, agency.ava, NOW + 9)

    await agency.store.write(fail)
    async with agency.store.read() as tx:
        ava = await roster.get_creator(tx, agency.ava)
    assert ava is not None
    assert (ava.failed_polls, ava.next_poll_at, ava.next_walk_at) == (2, NOW + 9, NOW + 9)
    assert await storage.system.list_due_agencies(NOW - 1) == []
    assert await storage.system.list_due_agencies(NOW) == [agency.store.agency_id]

    async def succeed(tx: Tx) -> None:
        await roster.mark_fresh(tx, agency.ava, NOW + 10)
        await roster.mark_synced(tx, agency.ava, next_poll_at=NOW + 20, next_walk_at=NOW + DAY)
        await roster.mark_fresh(tx, agency.ava, NOW + 10)
        await roster.mark_synced(tx, agency.ava, next_poll_at=NOW + 30, next_walk_at=None)
        await roster.mark_payments_synced(tx, agency.ava, NOW + 10)
        await roster.mark_baseline_done(tx, ava, NOW + 11)

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
