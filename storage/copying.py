"""One whole database into another, whichever engine either is: every agency, in one transaction, and then compared."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Column, MetaData, Select, Table, Text, func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.bulk import ROWS_A_CALL, bulk_insert
from storage.engine import Storage
from storage.tables import agencies, metadata

_VERSION = Table("alembic_version", MetaData(), Column("version_num", Text))
_CHECK_BYTES = 8

Advance = Callable[[int], None]
"""Called with how many more rows have been written or compared; may raise, and then nothing has been copied."""


class CopyError(Exception):
    """Why the databases cannot be copied, as one sentence."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How many rows each table has, in the order in which they are written; the last holds no parent of another."""

    rows: dict[str, int]

    @property
    def all_rows(self) -> int:
        return sum(self.rows.values())


@dataclass(slots=True)
class _Content:
    """What a table holds: the count, and a sum over a hash of each row, which no order changes."""

    rows: int = 0
    sum: int = 0

    def add(self, rows: Sequence[tuple[object, ...]]) -> None:
        self.rows += len(rows)
        for row in rows:
            digest = hashlib.blake2b(msgspec.json.encode(row), digest_size=_CHECK_BYTES).digest()
            self.sum += int.from_bytes(digest, "big")
        self.sum &= (1 << 8 * _CHECK_BYTES) - 1


async def check_copyable(source: Storage, target: Storage) -> Totals:
    """What there is to copy. Raises CopyError where the schemas differ or the target has something in it."""
    there = await _version(target)
    here = await _version(source)
    if here is None:
        raise CopyError("the database to copy from is none of Fanwatch's")
    if here != there:
        raise CopyError(
            f"the database to copy from is of revision {here} and not {there}; start the bot on it once"
        )
    async with target.read() as conn:
        # Every other row belongs to an agency.
        if (await conn.execute(select(agencies.c.id).limit(1))).first() is not None:
            raise CopyError("the database to copy to is not empty")
    async with source.read() as conn:
        ids = await _agency_ids(conn)
        counts = {agencies.name: len(ids)}
        for table in _tenant_tables():
            counts[table.name] = 0
            for agency_id in ids:
                query = select(func.count()).select_from(table).where(table.c.agency_id == agency_id)
                counts[table.name] += int((await conn.execute(query)).scalar_one())
    return Totals(counts)


async def copy_all(source: Storage, target: Storage, advance: Advance) -> Totals:
    """Copy every row and compare what was written with what was read. Raises CopyError, and then nothing was copied.

    Each row is told to `advance` twice: written, and compared.
    """

    async def write(conn: AsyncConnection) -> Totals:
        async with source.read() as reading:
            read = await _copy(reading, conn, target, advance)
        found: dict[str, int] = {}
        for table in metadata.sorted_tables:
            content = await _read_back(conn, table, advance)
            if content != read[table.name]:
                raise CopyError(f"the table {table.name} has not become what it was; nothing was copied")
            found[table.name] = content.rows
        return Totals(found)

    return await target.write(write)


async def _copy(
    reading: AsyncConnection, writing: AsyncConnection, target: Storage, advance: Advance
) -> dict[str, _Content]:
    read = {agencies.name: _Content()}
    ids = await _agency_ids(reading)
    for row in await reading.execute(select(agencies)):
        await writing.execute(insert(agencies).values(**row._mapping))
        read[agencies.name].add([tuple(row)])
        advance(1)
    for table in _tenant_tables():
        content = read[table.name] = _Content()
        columns = [column.name for column in table.columns]
        for agency_id in ids:
            tx = target.tx(writing, agency_id)
            async for part in _parts(reading, _of_agency(table, agency_id)):
                content.add(part)
                await bulk_insert(tx, table, columns, part)
                advance(len(part))
    return read


async def _read_back(conn: AsyncConnection, table: Table, advance: Advance) -> _Content:
    content = _Content()
    queries = [select(table)]
    if table is not agencies:
        queries = [_of_agency(table, agency_id) for agency_id in await _agency_ids(conn)]
    for query in queries:
        async for part in _parts(conn, query):
            content.add(part)
            advance(len(part))
    return content


def _tenant_tables() -> list[Table]:
    """Parents before what refers to them."""
    return [table for table in metadata.sorted_tables if table is not agencies]


def _of_agency(table: Table, agency_id: int) -> Select[tuple[object, ...]]:
    return select(table).where(table.c.agency_id == agency_id)


async def _parts(
    conn: AsyncConnection, query: Select[tuple[object, ...]]
) -> AsyncIterator[list[tuple[object, ...]]]:
    """The rows as plain tuples, a part at a time, never all in memory."""
    async with conn.stream(query, execution_options={"yield_per": ROWS_A_CALL}) as result:
        async for part in result.partitions():
            yield [tuple(row) for row in part]


async def _agency_ids(conn: AsyncConnection) -> list[int]:
    return [row.id for row in await conn.execute(select(agencies.c.id).order_by(agencies.c.id))]


async def _version(storage: Storage) -> str | None:
    """The revision of the schema; None: there is no schema of ours."""
    try:
        async with storage.read() as conn:
            return (await conn.execute(select(_VERSION.c.version_num))).scalar_one_or_none()
    except DBAPIError:
        return None
