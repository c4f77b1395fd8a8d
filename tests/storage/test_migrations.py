from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from storage import audit, roster
from storage.engine import Storage
from storage.migrations import schema_0001
from storage.migrations.append_only import trigger_names
from storage.migrations.run import upgrade
from storage.tables import APPEND_ONLY, metadata
from storage.urls import DatabaseUrlError, parse_database_url
from tests.storage.conftest import Agency


def _engine(url: str) -> AsyncEngine:
    plain = url.replace("sqlite://", "sqlite+aiosqlite://").replace("postgresql://", "postgresql+asyncpg://")
    return create_async_engine(plain)


async def _inspect(url: str, look: Any) -> Any:
    engine = _engine(url)
    try:
        async with engine.connect() as conn:
            return await conn.run_sync(look)
    finally:
        await engine.dispose()


async def test_the_schema_is_the_metadata(database_url: str, storage: Storage) -> None:
    def differences(connection: Connection) -> list[Any]:
        found: list[Any] = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_server_default": False}), metadata
        )
        return found

    assert await _inspect(database_url, differences) == []


async def test_the_triggers_are_those_of_the_list(database_url: str, storage: Storage) -> None:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if storage.dialect == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )

    def names(connection: Connection) -> frozenset[str]:
        return frozenset(connection.execute(text(query)).scalars())

    assert await _inspect(database_url, names) == trigger_names(APPEND_ONLY, storage.dialect)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET at = 1",
        "DELETE FROM audit_log",
        "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log",
        "TRUNCATE audit_log CASCADE",
    ],
)
async def test_append_only_rows_stay(agency: Agency, statement: str) -> None:
    dialect = agency.storage.dialect
    if (dialect == "sqlite") == statement.startswith("TRUNCATE") or (
        dialect == "postgresql" and "REPLACE" in statement
    ):
        pytest.skip("not SQL of this engine")
    await agency.store.write(lambda tx: audit.append(tx, 1, "x", "y", None, None, 0, 0))

    async def change(conn: Any) -> None:
        from storage.tenancy import RAW

        await conn.exec_driver_sql(statement, execution_options=RAW)

    with pytest.raises(Exception, match="append-only"):
        await agency.storage.write(change)


async def test_opening_again_changes_nothing(database_url: str, agency: Agency) -> None:
    await agency.storage.close()
    async with await Storage.open(database_url) as again:
        assert len(await again.system.list_agencies()) == 1
    async with await Storage.open(database_url, migrate=False) as again:
        assert len(await again.system.list_agencies()) == 1


async def test_an_older_database_keeps_its_data(empty_url: str) -> None:
    before = schema_0001.metadata.tables
    engine = _engine(empty_url)
    async with engine.begin() as conn:
        await conn.run_sync(lambda c: upgrade(c, "0001"))
        await conn.execute(
            before["agencies"].insert(),
            {"id": 1, "guild_id": 100, "timezone": "Europe/Paris", "notice_channel_id": 101, "created_at": 7},
        )
        creator = {"id": 2, "platform": "onlyfans", "name": "Ava", "channel_id": 401, "created_at": 7}
        due = {"next_poll_at": 8, "next_walk_at": 9}
        await conn.execute(before["creators"].insert(), {"agency_id": 1, **creator, **due})
        account = {"id": 3, "creator_id": 2, "account_id": "acct_ava", "connected_at": 7}
        await conn.execute(before["creator_accounts"].insert(), {"agency_id": 1, **account})
    await engine.dispose()
    async with await Storage.open(empty_url) as storage:
        (agency,) = await storage.system.list_agencies()
        assert (agency.guild_id, agency.timezone, agency.notice_channel_id) == (100, "Europe/Paris", 101)
        # It came from a roster, so nobody is asked to go through the set-up again.
        assert agency.set_up_at == 7
        async with storage.agency(1).read() as tx:
            (kept,) = await roster.list_creators(tx)
    assert (kept.name, kept.account_id, kept.next_walk_at) == ("Ava", "acct_ava", 9)


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_refuses_other_addresses_without_repeating_them(url: str) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        parse_database_url(url)
    assert "mysql" not in str(caught.value)


def test_every_foreign_key_is_within_the_agency() -> None:
    for table in metadata.tables.values():
        for constraint in table.foreign_key_constraints:
            if constraint.referred_table.name != "agencies":
                assert constraint.column_keys[0] == "agency_id"
                assert {e.column.name for e in constraint.elements} == {"agency_id", "id"}
