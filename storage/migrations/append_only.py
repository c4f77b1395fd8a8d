"""Triggers that keep rows from ever being changed or deleted. A batch migration of such a table drops them: set anew."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.engine import Connection

_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$
"""


def trigger_names(tables: Iterable[str], dialect: str) -> frozenset[str]:
    """The triggers that `set_triggers` makes."""
    actions = ("update", "delete") if dialect == "sqlite" else ("update", "delete", "truncate")
    return frozenset(f"{table}_no_{action}" for table in tables for action in actions)


def set_triggers(connection: Connection, tables: Iterable[str]) -> None:
    """Refuse UPDATE and DELETE, on PostgreSQL TRUNCATE too, on these tables."""
    postgres = connection.dialect.name == "postgresql"
    if postgres:
        connection.execute(text(_FUNCTION))
    for table in tables:
        for action in ("update", "delete"):
            body = (
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
                if postgres
                else f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
            connection.execute(
                text(f"CREATE TRIGGER {table}_no_{action} BEFORE {action.upper()} ON {table} {body}")
            )
        if postgres:
            connection.execute(
                text(
                    f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
                )
            )
