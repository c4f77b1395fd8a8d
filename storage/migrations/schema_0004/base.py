"""What the tables of revision 0004 are made of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ForeignKeyConstraint,
    MetaData,
    PrimaryKeyConstraint,
    Table,
)

from storage.migrations.schema_0001.base import int_column
from storage.migrations.schema_0003 import metadata as before

metadata = MetaData(naming_convention=before.naming_convention)
for table in before.tables.values():
    table.to_metadata(metadata)


def tenant_table(name: str, *items: Any, key: tuple[str, ...] = ("id",)) -> Table:
    columns = [int_column("agency_id"), *([int_column("id")] if key == ("id",) else [])]
    agency = ForeignKeyConstraint(["agency_id"], ["agencies.id"])
    return Table(name, metadata, *columns, *items, PrimaryKeyConstraint("agency_id", *key), agency)
