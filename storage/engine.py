"""Opens the database and hands out reads and writes; nothing else of the product begins a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiosqlite
from sqlalchemy import event, select
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from storage.door import WriteDoor
from storage.ids import IdFactory, machine_ms
from storage.migrations.run import upgrade
from storage.tables import agencies
from storage.tenancy import RAW, guard
from storage.tx import Dialect, Tx
from storage.urls import SqliteFile, parse_database_url

__all__ = ["Agency", "AgencyStore", "Storage", "SystemReads", "Tx"]

T = TypeVar("T")

READERS = 4
"""Reading connections at once; more wait."""
CACHE_KB = 8_000
"""Pages kept per connection; all of them together stay well below what the bot may take."""
BUSY_TIMEOUT_MS = 10_000
"""How long SQLite waits for another process's write, such as a backup."""


@dataclass(frozen=True, slots=True)
class Agency:
    """One Discord server. `timezone` is an IANA name. `set_up_at` None: nobody has gone through /setup yet.

    `timezone` and `notice_channel_id` None: not chosen yet.
    """

    id: int
    guild_id: int
    timezone: str | None
    notice_channel_id: int | None
    set_up_at: int | None


class Storage:
    """The open database: two engines, one write door."""

    def __init__(self, writer: AsyncEngine, reader: AsyncEngine, ids: IdFactory) -> None:
        """For `open`."""
        self._writer = writer
        self._reader = reader
        self._door = WriteDoor(writer)
        self._closed = False
        self.ids = ids
        self.dialect: Dialect = "sqlite" if writer.dialect.name == "sqlite" else "postgresql"
        self.system = SystemReads(self)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        migrate: bool = True,
        node: int = 0,
        clock_ms: Callable[[], int] = machine_ms,
    ) -> Self:
        """Open `sqlite:///path` or `postgresql://...`, by default bringing its schema up to date first.

        `node` and `clock_ms` are for ids. Raises DatabaseUrlError, OSError, or SQLAlchemy's DBAPIError.
        """
        target = parse_database_url(url)
        if isinstance(target, SqliteFile):
            writer, reader = _open_sqlite(target)
        else:
            writer = create_async_engine(target.url, pool_size=1, max_overflow=0, hide_parameters=True)
            reader = create_async_engine(
                target.url,
                pool_size=READERS,
                max_overflow=0,
                # What a statement was given is texts and names too, and errors are logged.
                hide_parameters=True,
                isolation_level="REPEATABLE READ",
                execution_options={"postgresql_readonly": True},
            )
        try:
            if migrate:
                async with writer.begin() as conn:
                    await conn.run_sync(upgrade)
            else:
                async with writer.connect():
                    pass
            guard(writer)
            guard(reader)
        except BaseException:
            await writer.dispose()
            await reader.dispose()
            raise
        return cls(writer, reader, IdFactory(node, clock_ms))

    async def close(self) -> None:
        """Close every connection; again is nothing."""
        if self._closed:
            return
        self._closed = True
        await self._reader.dispose()
        if self.dialect == "sqlite":
            async with self._writer.connect() as conn:
                await conn.exec_driver_sql("PRAGMA optimize", execution_options=RAW)
        await self._writer.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run `work` in the next transaction; see `storage.door`."""
        return await self._door.write(work)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one state of the database and cannot write."""
        async with self._reader.connect() as conn, conn.begin():
            yield conn

    def agency(self, agency_id: int) -> AgencyStore:
        return AgencyStore(self, agency_id)

    def tx(self, conn: AsyncConnection, agency_id: int) -> Tx:
        return Tx(conn, agency_id, self.ids, self.dialect)


class AgencyStore:
    """Reads and writes of one agency."""

    def __init__(self, storage: Storage, agency_id: int) -> None:
        self._storage = storage
        self.agency_id = agency_id
        self.ids = storage.ids

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        async with self._storage.read() as conn:
            yield self._storage.tx(conn, self.agency_id)

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        return await self._storage.write(lambda conn: work(self._storage.tx(conn, self.agency_id)))


class SystemReads:
    """What is read across agencies: which there are, and which have work due. Never a fan."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def list_agencies(self) -> list[Agency]:
        """In the order in which they were set up."""
        query = select(
            agencies.c.id,
            agencies.c.guild_id,
            agencies.c.timezone,
            agencies.c.notice_channel_id,
            agencies.c.set_up_at,
        ).order_by(agencies.c.id)
        async with self._storage.read() as conn:
            return [
                Agency(
                    row.id, row.guild_id, row.timezone or None, row.notice_channel_id or None, row.set_up_at
                )
                for row in await conn.execute(query)
            ]

    async def find_agency(self, guild_id: int) -> Agency | None:
        return next((a for a in await self.list_agencies() if a.guild_id == guild_id), None)


def _open_sqlite(target: SqliteFile) -> tuple[AsyncEngine, AsyncEngine]:
    address = f"file:{quote(str(target.path))}"

    def connect(mode: str) -> aiosqlite.Connection:
        connection = aiosqlite.connect(f"{address}?mode={mode}", uri=True, isolation_level=None)
        # A process that forgets to close must still be able to end.
        connection._thread.daemon = True
        return connection

    def engine(mode: str, size: int, begin: str, pragmas: tuple[str, ...]) -> AsyncEngine:
        made = create_async_engine(
            "sqlite+aiosqlite://",
            connect_args={"async_creator_fn": lambda *_, **__: connect(mode)},
            poolclass=AsyncAdaptedQueuePool,
            pool_size=size,
            max_overflow=0,
            hide_parameters=True,
            # Both doors end their transactions themselves; another rollback would be a hop to the thread for nothing.
            pool_reset_on_return=None,
        )
        event.listen(made.sync_engine, "connect", partial(_set_pragmas, pragmas))
        event.listen(made.sync_engine, "begin", partial(_begin, begin))
        return made

    shared = (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
        "recursive_triggers=ON",
        # Checking a foreign key reads the parent's page once more in the writer's own cache; SQLite's default is 2 MB.
        f"cache_size=-{CACHE_KB}",
    )
    writer = engine("rwc", 1, "BEGIN IMMEDIATE", ("journal_mode=WAL", "synchronous=NORMAL", *shared))
    reader = engine("ro", READERS, "BEGIN", ("query_only=ON", *shared))
    return writer, reader


def _set_pragmas(pragmas: tuple[str, ...], connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    try:
        try:
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
        finally:
            # Before the connection, which takes its cursors with it.
            cursor.close()
    except sqlite3.Error:
        connection.close()
        raise


def _begin(statement: str, connection: Connection) -> None:
    connection.exec_driver_sql(statement, execution_options=RAW)
