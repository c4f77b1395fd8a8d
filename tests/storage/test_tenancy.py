from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import and_, delete, exists, func, insert, or_, select, text, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.bulk import bulk_insert, bulk_upsert
from storage.engine import Storage
from storage.tables import creator_leads, creators, fan_accounts, members, scores
from storage.tenancy import TenancyError, check
from storage.tx import Tx
from tests.storage.conftest import NOW, Agency

_f, _c, _s = fan_accounts.c, creators.c, scores.c
_other = fan_accounts.alias()

REFUSED: dict[str, Any] = {
    "no condition": select(_f.id),
    "another column": select(_f.id).where(_f.id == 1),
    "either or": select(_f.id).where(or_(_f.agency_id == 1, _f.id == 2)),
    "negated": select(_f.id).where(_f.agency_id != 1),
    "bound to itself": select(_f.id).where(_f.agency_id == _f.agency_id),
    "one of two": select(_f.id, _c.id).where(_f.agency_id == 1, _c.id == _f.creator_id),
    "joined by id only": select(_f.id)
    .select_from(fan_accounts.join(creators, _c.id == _f.creator_id))
    .where(_f.agency_id == 1),
    "outer join binds the left side only in ON": select(_f.id).select_from(
        fan_accounts.outerjoin(scores, and_(_f.agency_id == 1, _s.agency_id == 1))
    ),
    "alias": select(_other.c.id).where(_f.agency_id == 1, _other.c.id == _f.id),
    "subquery": select(select(_f.id).subquery()),
    "exists": select(_c.id).where(_c.agency_id == 1, exists().where(_f.creator_id == _c.id)),
    "in": select(_c.id).where(_c.agency_id == 1, _c.id.in_(select(_f.creator_id))),
    "scalar column": select(select(func.count()).select_from(fan_accounts).scalar_subquery()),
    "union": union_all(select(_f.id).where(_f.agency_id == 1), select(_f.id)),
    "text inside": select(_f.id).where(_f.agency_id == 1, text("1 = 1")),
    "update": update(fan_accounts).values(paid=True),
    "update of another": update(fan_accounts).where(_c.agency_id == 1).values(paid=True),
    "update from": update(fan_accounts).where(_f.agency_id == 1, _c.id == _f.creator_id).values(paid=True),
    "delete": delete(fan_accounts).where(_f.id == 1),
    "insert": insert(members).values(user_id=1, tier="lead"),
    "insert many": insert(members).values([{"agency_id": 1, "user_id": 1}, {"user_id": 2}]),
    "insert without one": insert(members).values(agency_id=None, user_id=1),
    "insert from": insert(members).from_select(["user_id", "tier"], select(_c.id, _c.name)),
    "text": text("SELECT 1"),
}

ALLOWED: dict[str, Any] = {
    "bound": select(_f.id).where(_f.agency_id == 1, _f.id == 2),
    "joined": select(_f.id)
    .select_from(fan_accounts.join(creators, and_(_c.agency_id == _f.agency_id, _c.id == _f.creator_id)))
    .where(_f.agency_id == 1),
    "outer joined": select(_f.id)
    .select_from(fan_accounts.outerjoin(scores, and_(_s.agency_id == _f.agency_id, _s.run_id == 1)))
    .where(_f.agency_id == 1),
    "correlated": select(_c.id).where(
        _c.agency_id == 1, exists().where(_f.agency_id == _c.agency_id, _f.creator_id == _c.id)
    ),
    "subquery": select(select(_f.id).where(_f.agency_id == 1).subquery()),
    "update": update(fan_accounts).where(_f.agency_id == 1).values(paid=True),
    "insert": insert(members).values(agency_id=1, user_id=1, tier="lead"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str) -> None:
    with pytest.raises(TenancyError):
        check(REFUSED[name])


@pytest.mark.parametrize("name", ALLOWED)
def test_allows(name: str) -> None:
    check(ALLOWED[name])


def test_the_rows_beside_an_insert_count() -> None:
    check(insert(members), [{"agency_id": 1, "user_id": 1, "tier": "lead"}])
    with pytest.raises(TenancyError):
        check(insert(members), [{"agency_id": 1, "user_id": 1}, {"user_id": 2}])


async def test_the_engines_refuse(agency: Agency) -> None:
    async with agency.store.read() as tx:
        with pytest.raises(TenancyError):
            await tx.all(select(_c.id))
        with pytest.raises(TenancyError):
            await tx.all(text("SELECT id FROM creators"))
        with pytest.raises(TenancyError):
            await tx.conn.exec_driver_sql("SELECT id FROM creators")

    async def write(tx: Tx) -> None:
        await tx.execute(delete(creator_leads))

    with pytest.raises(TenancyError):
        await agency.store.write(write)


async def test_bulk_refuses_a_row_of_another_agency(agency: Agency) -> None:
    own = agency.store.agency_id
    columns = ("agency_id", "user_id", "tier")

    async def foreign(tx: Tx) -> None:
        await bulk_insert(tx, members, columns, [(own, 1, "lead"), (own + 1, 2, "lead")])

    async def reaching(tx: Tx) -> None:
        await bulk_upsert(tx, members, columns, [(own, 1, "lead")], conflict=("user_id",), update=("tier",))

    for work in (foreign, reaching):
        with pytest.raises(TenancyError):
            await agency.store.write(work)


async def test_a_foreign_key_cannot_leave_the_agency(agency: Agency, storage: Storage) -> None:
    async def write(conn: AsyncConnection) -> None:
        from storage.tables import agencies

        await conn.execute(
            insert(agencies).values(id=1, guild_id=1, timezone="UTC", notice_channel_id=1, created_at=NOW)
        )
        await conn.execute(insert(creator_leads).values(agency_id=1, creator_id=agency.ava, user_id=1))

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await storage.write(write)
