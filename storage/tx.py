"""What every storage function takes first: one agency's view of one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import CursorResult, Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.ids import IdFactory

Dialect = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction of one agency, to be used by one task and not after it ended."""

    conn: AsyncConnection
    agency_id: int
    ids: IdFactory
    dialect: Dialect

    async def execute(self, statement: Executable) -> CursorResult[Any]:
        return await self.conn.execute(statement)

    async def all(self, statement: Executable) -> Sequence[Row[*tuple[Any, ...]]]:
        return (await self.conn.execute(statement)).all()

    async def first(self, statement: Executable) -> Row[*tuple[Any, ...]] | None:
        return (await self.conn.execute(statement)).first()

    async def scalar(self, statement: Executable) -> Any:
        """The first column of the first row; None where there is no row."""
        return (await self.conn.execute(statement)).scalar()
