"""One database into another: every agency and every row, or nothing at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cli import copying
from bot.cli.copying import CopyOptions, run_copy
from bot.cli.opening import CommandError
from bot.domain.notes import NoteOrigin
from storage import audit, fans, notes, roster, transactions, usage
from storage.copying import check_copyable, copy_all
from storage.engine import Storage
from storage.lock import ProcessLock
from storage.tables import agencies, fan_accounts, metadata
from storage.tables import transactions as payments
from storage.tenancy import RAW
from tests.storage.conftest import NOW, ROSTER
from tests.storage.records import fan, payment


async def _fill(url: str) -> None:
    """Two agencies with fans, payments, notes and things on record."""
    async with await Storage.open(url) as storage:
        first = await roster.apply_roster(storage, ROSTER, NOW)

        async def second(conn: AsyncConnection) -> int:
            agency_id = storage.ids.next()
            await conn.execute(
                insert(agencies).values(
                    id=agency_id, guild_id=200, timezone="", notice_channel_id=0, created_at=NOW
                )
            )
            await roster.add_creator(
                storage.tx(conn, agency_id), roster.NewCreator("acct_cleo", "Cleo", 501), NOW
            )
            return agency_id

        for agency_id in (first, await storage.write(second)):
            store = storage.agency(agency_id)

            async def write(tx: Any) -> None:
                creator = (await roster.list_creators(tx))[0]
                found = [replace(fan(str(n)), name=f"Ünï {n} 🦊", total_cents=n) for n in range(70)]
                await fans.apply_fan_page(tx, creator.id, found, NOW, 1)
                await transactions.apply_transactions(
                    tx, creator.id, [payment(f"t{n}", str(n)) for n in range(70)], NOW
                )
                row = await tx.first(
                    select(fan_accounts.c.id).where(fan_accounts.c.agency_id == tx.agency_id)
                )
                await notes.add(tx, creator.id, row.id, 301, "likes boats", NoteOrigin("command"), NOW)
                await audit.append(tx, 301, "x", "note", 1, creator.id, NOW, NOW)
                await usage.note(tx, "2026-03-02", creator.id, "poll", calls=2, credits_used=1.5, errors=0)

            await store.write(write)


async def _dump(url: str) -> dict[str, list[Any]]:
    async with await Storage.open(url) as storage, storage.read() as conn:
        found: dict[str, list[Any]] = {}
        for table in metadata.sorted_tables:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            result = await conn.exec_driver_sql(f"SELECT {names} FROM {table.name}", execution_options=RAW)  # noqa: S608
            found[table.name] = sorted((tuple(row) for row in result), key=repr)
        return found


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A target of either engine, so that with `database_url` all four ways are gone."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/other.db"
    return str(request.getfixturevalue("empty_postgres_url"))


async def test_every_row_of_every_agency_arrives(
    database_url: str, other_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await _fill(database_url)
    assert await run_copy(CopyOptions(database_url, other_url, yes=True)) == 0
    out = capsys.readouterr().out
    assert "fan_accounts: 140" in out
    here, there = await _dump(database_url), await _dump(other_url)
    if database_url.split(":")[0] == other_url.split(":")[0]:
        assert here == there
    # A flag is a number on SQLite: the same in Python's eyes.
    assert {name: len(rows) for name, rows in here.items()} == {
        name: len(rows) for name, rows in there.items()
    }
    for name in ("agencies", "transactions", "fan_names", "api_usage", "audit_log"):
        assert sorted(here[name]) == sorted(there[name])


async def test_rows_that_may_not_change_may_not_change_in_the_copy(database_url: str, other_url: str) -> None:
    await _fill(database_url)
    await run_copy(CopyOptions(database_url, other_url, yes=True))

    async def change(conn: AsyncConnection) -> None:
        await conn.exec_driver_sql("UPDATE audit_log SET at = 1", execution_options=RAW)

    async with await Storage.open(other_url) as storage:
        with pytest.raises(Exception, match="append-only"):
            await storage.write(change)


async def test_a_target_with_something_in_it_is_refused(database_url: str, other_url: str) -> None:
    await _fill(database_url)
    await _fill(other_url)
    before = await _dump(other_url)
    with pytest.raises(CommandError, match="to copy to is not empty") as caught:
        await run_copy(CopyOptions(database_url, other_url, yes=True))
    assert caught.value.exit_code == 2
    assert await _dump(other_url) == before


@pytest.mark.parametrize("after", [1, 100, 400])
async def test_a_copy_that_breaks_off_leaves_nothing_and_can_be_made_again(
    database_url: str, other_url: str, after: int
) -> None:
    await _fill(database_url)
    told = 0

    class BrokenError(Exception):
        pass

    def advance(rows: int) -> None:
        nonlocal told
        told += rows
        if told >= after:
            raise BrokenError

    async with await Storage.open(database_url) as source, await Storage.open(other_url) as target:
        await check_copyable(source, target)
        with pytest.raises(BrokenError):
            await copy_all(source, target, advance)
    assert all(rows == [] for rows in (await _dump(other_url)).values())
    assert await run_copy(CopyOptions(database_url, other_url, yes=True)) == 0


async def test_a_row_that_arrives_otherwise_is_found_out(database_url: str, other_url: str) -> None:
    """Something between the two databases changes an amount after it was written."""
    await _fill(database_url)
    spoilt = False

    async with await Storage.open(database_url) as source, await Storage.open(other_url) as target:
        original = target.write

        async def write(work: Any) -> Any:
            async def spoiling(conn: AsyncConnection) -> Any:
                return await work(_Spoiling(conn))

            return await original(spoiling)

        class _Spoiling:
            def __init__(self, conn: AsyncConnection) -> None:
                self._conn = conn

            def __getattr__(self, name: str) -> Any:
                return getattr(self._conn, name)

            async def exec_driver_sql(self, sql: str, rows: Any, **more: Any) -> Any:
                nonlocal spoilt
                if f"INTO {payments.name} " in sql:
                    at = [c.name for c in payments.columns].index("amount_cents")
                    rows = [(*row[:at], row[at] + 1, *row[at + 1 :]) for row in rows]
                    spoilt = True
                return await self._conn.exec_driver_sql(sql, rows, **more)

        target.write = write  # type: ignore[method-assign]
        with pytest.raises(copying.CopyError, match="transactions has not become what it was"):
            await copy_all(source, target, lambda rows: None)
    assert spoilt
    assert all(rows == [] for rows in (await _dump(other_url)).values())


async def test_a_source_of_another_revision_is_refused(database_url: str, other_url: str) -> None:
    async with await Storage.open(database_url) as storage:

        async def older(conn: AsyncConnection) -> None:
            await conn.exec_driver_sql(
                "UPDATE alembic_version SET version_num = '0002'", execution_options=RAW
            )

        await storage.write(older)
    with pytest.raises(CommandError, match="of revision 0002 and not"):
        await run_copy(CopyOptions(database_url, other_url, yes=True))


async def test_a_database_in_use_is_not_copied(database_url: str, other_url: str) -> None:
    await _fill(database_url)
    for held in (database_url, other_url):
        async with ProcessLock(held):
            with pytest.raises(CommandError, match="in use") as caught:
                await run_copy(CopyOptions(database_url, other_url, yes=True))
            assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        ("sqlite:///{tmp}/none.db", "sqlite:///{tmp}/b.db", "--from: there is no database file at"),
        ("mysql://x/y", "sqlite:///{tmp}/b.db", "--from: expected sqlite:///path"),
        ("sqlite:///{tmp}/text.db", "sqlite:///{tmp}/b.db", "--from: the database cannot be opened"),
        ("sqlite:///{tmp}/blank.db", "sqlite:///{tmp}/b.db", "is none of Fanwatch's"),
        ("sqlite:///{tmp}/blank.db", "sqlite:///{tmp}/blank.db", "--to: is the same database"),
        ("sqlite:///{tmp}/blank.db", "sqlite:///{tmp}/no/b.db", "--to: the database cannot be opened"),
        (
            "sqlite:///{tmp}/blank.db",
            "postgresql://u:hidden@127.0.0.1:1/x",
            "--to: the database cannot be opened",
        ),
    ],
)
async def test_what_is_no_database_is_told_in_one_line(
    tmp_path: Path, source: str, target: str, says: str
) -> None:
    (tmp_path / "text.db").write_text("not a database\n" * 100)
    (tmp_path / "blank.db").touch()
    with pytest.raises(CommandError) as caught:
        await run_copy(CopyOptions(source.format(tmp=tmp_path), target.format(tmp=tmp_path), yes=True))
    assert says in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert caught.value.exit_code == 2


async def test_nobody_to_ask_and_no_yes_is_a_usage_error(
    database_url: str, other_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _fill(database_url)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(CommandError, match="add --yes") as caught:
        await run_copy(CopyOptions(database_url, other_url))
    assert caught.value.exit_code == 2
