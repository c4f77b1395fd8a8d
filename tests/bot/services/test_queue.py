"""The queue on real storage: the same order for everybody, a page at a time, within what the viewer sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from bot.domain.models import AccessTier, Viewer
from bot.domain.views import OpenTotals, QueueSort
from bot.services.queue import QueueService
from storage.tables import audit_log, episodes, fan_accounts
from tests.bot.jobs.conftest import agency, database_url, desk, postgres_server, postgres_url, storage
from tests.bot.jobs.desk import Desk, calm
from tests.storage.conftest import DAY, NOW

__all__ = ["agency", "database_url", "desk", "postgres_server", "postgres_url", "storage"]

LONG_AGO = NOW - 20 * DAY


@dataclass(frozen=True)
class Now:
    def now_ms(self) -> int:
        return NOW


def queue_of(desk: Desk) -> QueueService:
    return QueueService(desk.store, Now())


def viewer(desk: Desk, *creators: int, user_id: int = 301) -> Viewer:
    return Viewer(user_id, AccessTier.CHATTER, frozenset(creators))


async def _open(desk: Desk, numbers: range, *, creator_id: int | None = None, **values: Any) -> None:
    quiet = [calm(n, last_seen_at=LONG_AGO, **values) for n in numbers]
    await desk.start(quiet, creator_id=creator_id)


async def _set(desk: Desk, fan: str, *, expires_at: int | None = NOW, **values: Any) -> None:
    async def write(tx: Any) -> None:
        found = await tx.scalar(
            select(fan_accounts.c.id).where(
                fan_accounts.c.agency_id == tx.agency_id, fan_accounts.c.platform_fan_id == fan
            )
        )
        where = (episodes.c.agency_id == tx.agency_id, episodes.c.fan_account_id == found)
        await tx.execute(episodes.update().where(*where).values(**values))
        await tx.execute(
            fan_accounts.update()
            .where(fan_accounts.c.agency_id == tx.agency_id, fan_accounts.c.id == found)
            .values(expires_at=expires_at)
        )

    await desk.store.write(write)


async def test_three_orders_the_same_for_everybody(desk: Desk) -> None:
    ava, bea = desk.agency.ava, desk.agency.bea
    await _open(desk, range(1, 5))
    await _open(desk, range(5, 7), creator_id=bea)
    await _set(desk, "1", pace_cents=1_000, score=70.0, expires_at=NOW + 3 * DAY)
    await _set(desk, "2", pace_cents=None, score=99.0, expires_at=None)
    await _set(desk, "3", pace_cents=900, score=90.0, expires_at=NOW + DAY)
    await _set(desk, "4", pace_cents=800, score=90.0, expires_at=NOW - DAY, expired=True)
    await _set(desk, "5", pace_cents=5_000, score=65.0, expires_at=NOW + 2 * DAY)
    await _set(desk, "6", pace_cents=5_000, score=95.0, closed_at=NOW)

    for who in (viewer(desk, ava, bea), viewer(desk, bea, ava, user_id=302)):
        orders = {}
        for sort in QueueSort:
            found = await queue_of(desk).look(who, None, sort)
            assert found is not None
            assert found.totals == OpenTotals(5, (("USD", 7_700),))
            orders[sort] = [one.row.fan.platform_fan_id for one in found.rows]
        assert orders == {
            QueueSort.MONEY: ["5", "3", "4", "1", "2"],
            QueueSort.RISK: ["2", "3", "4", "1", "5"],
            QueueSort.EXPIRY: ["3", "5", "1", "2", "4"],
        }
    found = await queue_of(desk).look(viewer(desk, ava, bea), None, QueueSort.MONEY)
    assert found is not None
    assert (found.creator_name, [one.creator_name for one in found.rows]) == (
        None,
        ["Bea", "Ava", "Ava", "Ava", "Ava"],
    )


async def test_pages_together_have_everybody_once_and_stay_in_range(desk: Desk) -> None:
    ava = desk.agency.ava
    await _open(desk, range(1, 24))
    seen: list[str] = []
    for page in range(3):
        found = await queue_of(desk).look(viewer(desk, ava), ava, QueueSort.MONEY, page)
        assert found is not None
        assert (found.page, found.pages, found.creator_name) == (page, 3, "Ava")
        seen += [one.row.fan.platform_fan_id for one in found.rows]
    assert sorted(seen, key=int) == [str(n) for n in range(1, 24)]
    for far in (3, 999_999):
        found = await queue_of(desk).look(viewer(desk, ava), ava, QueueSort.MONEY, far)
        assert found is not None
        assert found.page == 2
        assert len(found.rows) == 3


async def test_a_foreign_creator_and_a_missing_one_are_the_same_and_foreign_fans_are_not_there(
    desk: Desk,
) -> None:
    ava, bea = desk.agency.ava, desk.agency.bea
    await _open(desk, range(1, 3))
    await _open(desk, range(5, 7), creator_id=bea)
    mine = viewer(desk, bea)
    assert await queue_of(desk).look(mine, ava, QueueSort.MONEY) is None
    assert await queue_of(desk).look(viewer(desk, 12_345), 12_345, QueueSort.MONEY) is None
    found = await queue_of(desk).look(mine, None, QueueSort.MONEY)
    assert found is not None
    assert [one.row.fan.platform_fan_id for one in found.rows] == ["5", "6"]
    blind = await queue_of(desk).look(viewer(desk), None, QueueSort.MONEY)
    assert blind is not None
    assert (blind.rows, blind.totals, blind.pages) == ((), OpenTotals(0, ()), 1)


async def test_who_never_paid_is_scored_but_not_in_the_queue(desk: Desk) -> None:
    ava = desk.agency.ava
    await _open(desk, range(1, 2))
    await _open(desk, range(2, 3), total_cents=0)
    found = await queue_of(desk).look(viewer(desk, ava), ava, QueueSort.RISK)
    assert found is not None
    assert [one.row.fan.platform_fan_id for one in found.rows] == ["1"]


@pytest.mark.parametrize("of_one", [True, False])
async def test_every_look_is_on_record(desk: Desk, of_one: bool) -> None:
    ava = desk.agency.ava
    wanted = ava if of_one else None
    await queue_of(desk).look(viewer(desk, ava), wanted, QueueSort.MONEY)
    await queue_of(desk).look(viewer(desk, ava), desk.agency.bea, QueueSort.MONEY)
    (line,) = await desk.rows(audit_log)
    assert (line["actor_id"], line["action"], line["target_kind"]) == (301, "view_list", "queue")
    assert (line["target_id"], line["creator_id"]) == (wanted, wanted)


async def test_a_retired_creator_is_in_nobodys_whole_queue_but_can_be_looked_back_at(desk: Desk) -> None:
    ava, bea = desk.agency.ava, desk.agency.bea
    await _open(desk, range(1, 3))
    await _open(desk, range(5, 7), creator_id=bea)
    await desk.set_creator(bea, retired_at=NOW, synced_at=NOW - 90 * DAY)
    await desk.set_creator(ava, synced_at=NOW)
    manager = viewer(desk, ava, bea)
    whole = await queue_of(desk).look(manager, None, QueueSort.MONEY)
    back = await queue_of(desk).look(manager, bea, QueueSort.MONEY)
    assert whole is not None
    assert back is not None
    assert (whole.totals.episodes, len(whole.rows), whole.synced_at) == (2, 2, NOW)
    assert back.totals.episodes == 2
