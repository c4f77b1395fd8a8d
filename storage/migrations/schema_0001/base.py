"""What every table is made of: plain columns, keys that begin with the agency, foreign keys that cannot leave it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

SORTED_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text compared by code point on both engines, for range probes by prefix (SQLite's BINARY does so already)."""


def int_column(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    server = None if default is None else text(str(default))
    return Column(name, BigInteger, nullable=null, server_default=server)


def text_column(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def flag_column(name: str, *, null: bool = False) -> Column[bool]:
    """A flag that starts false, or unknown where `null`."""
    return Column(name, Boolean(), nullable=null, server_default=None if null else false())


def float_column(name: str, *, null: bool = False) -> Column[float]:
    return Column(name, Float, nullable=null)


def tenant_table(name: str, *items: Any, key: tuple[str, ...] = ("id",)) -> Table:
    """A table of one agency's rows, with the primary key (agency_id, *key)."""
    columns = [int_column("agency_id"), *([int_column("id")] if key == ("id",) else [])]
    agency = ForeignKeyConstraint(["agency_id"], ["agencies.id"])
    return Table(name, metadata, *columns, *items, PrimaryKeyConstraint("agency_id", *key), agency)


def parent_key(column: str, table: str) -> ForeignKeyConstraint:
    """A foreign key that cannot leave the agency: (agency_id, column) -> table(agency_id, id)."""
    return ForeignKeyConstraint(["agency_id", column], [f"{table}.agency_id", f"{table}.id"])
