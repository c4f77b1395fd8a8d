"""Many rows at once, as the driver's own executemany and tuples: the only module that sends SQL as text.

A statement is written once per table and shape; rows are tuples in column order. What `storage.tenancy` checks for every
other statement is checked here for each row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import Select, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg

from storage.tables import TENANT_TABLES
from storage.tenancy import RAW, TenancyError, check
from storage.tx import Dialect, Tx

ROWS_A_CALL = 2_000
"""Rows handed to the driver at once, so that no call keeps the event loop or the next reader for long."""

_DIALECTS: dict[str, Any] = {"sqlite": sqlite.dialect(), "postgresql": asyncpg.dialect()}  # type: ignore[no-untyped-call]

Row = tuple[Any, ...]


async def bulk_insert(tx: Tx, table: Table, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Insert the rows; how many. A row that is there already is an error of the database."""
    return await _send(tx, table, _insert_sql(table, tuple(columns), (), (), tx.dialect), columns, rows)


async def bulk_upsert(
    tx: Tx,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Row],
    *,
    conflict: Sequence[str],
    update: Sequence[str],
) -> int:
    """Insert the rows, or overwrite `update` where the columns of `conflict` are there already; how many were sent.

    `conflict` names a unique key and includes agency_id. With `update` empty a row that is there stays as it is.
    """
    if "agency_id" not in conflict or "agency_id" in update:
        raise TenancyError(f"{table.name}: an upsert must not reach across agencies")
    sql = _insert_sql(table, tuple(columns), tuple(conflict), tuple(update), tx.dialect)
    return await _send(tx, table, sql, columns, rows)


async def _send(tx: Tx, table: Table, sql: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
    if table.name not in TENANT_TABLES or "agency_id" not in columns:
        raise TenancyError(f"{table.name}: only rows of an agency are written in bulk")
    agency = (
        columns.index("agency_id") if isinstance(columns, list | tuple) else list(columns).index("agency_id")
    )
    sent = 0
    source = iter(rows)
    while part := list(islice(source, ROWS_A_CALL)):
        if any(row[agency] != tx.agency_id for row in part):
            raise TenancyError(f"{table.name}: a row of another agency")
        await tx.conn.exec_driver_sql(sql, part, execution_options=RAW)
        sent += len(part)
    return sent


def _place(dialect: Dialect, position: int) -> str:
    return "?" if dialect == "sqlite" else f"${position}"


def _quoted(table: Table, names: Iterable[str], dialect: Dialect) -> list[str]:
    preparer = _DIALECTS[dialect].identifier_preparer
    return [preparer.format_column(table.c[name]) for name in names]


@lru_cache(maxsize=256)
def _insert_sql(table: Table, columns: Row, conflict: Row, update: Row, dialect: Dialect) -> str:
    names = _quoted(table, columns, dialect)
    places = ", ".join(_place(dialect, i + 1) for i in range(len(names)))
    sql = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 - names of the schema
    if not conflict:
        return sql
    key = ", ".join(_quoted(table, conflict, dialect))
    if not update:
        return f"{sql} ON CONFLICT ({key}) DO NOTHING"
    changes = ", ".join(f"{name} = excluded.{name}" for name in _quoted(table, update, dialect))
    return f"{sql} ON CONFLICT ({key}) DO UPDATE SET {changes}"


class BulkRead:
    """A query whose SQL is made once, for pages of many rows; its parameters are named in the query.

    Rows come as the driver gives them: on SQLite a flag is 0 or 1. `agency_id` is filled in from the transaction.
    """

    def __init__(self, query: Select[Any]) -> None:
        check(query)
        self._query = query
        self._made: dict[Dialect, tuple[str, tuple[str, ...], dict[str, Any]]] = {}

    async def fetch(self, tx: Tx, **given: Any) -> Sequence[Any]:
        made = self._made.get(tx.dialect)
        if made is None:
            made = self._made[tx.dialect] = self._make(tx.dialect)
        sql, order, fixed = made
        given = {**fixed, **given, "agency_id": tx.agency_id}
        values = tuple(given[name] for name in order)
        # Past SQLAlchemy's cursor, on the same connection and so in the same transaction: one hop to the driver's
        # thread instead of four, and plain rows.
        driver = (await tx.conn.get_raw_connection()).driver_connection
        if driver is None:
            raise RuntimeError("the connection is closed")
        if tx.dialect == "sqlite":
            return list(await driver.execute_fetchall(sql, values))
        return list(await driver.fetch(sql, *values))

    def _make(self, dialect: Dialect) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        compiled = self._query.compile(
            dialect=_DIALECTS[dialect], compile_kwargs={"render_postcompile": True}
        )
        order = compiled.positiontup
        if order is None:
            raise RuntimeError("the driver has no positional parameters")
        return str(compiled), tuple(order), dict(compiled.params)
