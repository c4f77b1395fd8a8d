"""Reads DATABASE_URL: a file of SQLite, or a PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError


class DatabaseUrlError(ValueError):
    """The address is none that we can open. The message never repeats it: it may hold a password."""


@dataclass(frozen=True, slots=True)
class SqliteFile:
    path: Path


@dataclass(frozen=True, slots=True)
class PostgresServer:
    url: URL
    """With the driver's name in it, for SQLAlchemy."""

    @property
    def driver_url(self) -> str:
        """For asyncpg itself. Holds the password."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)


def parse_database_url(url: str) -> SqliteFile | PostgresServer:
    """Takes `sqlite:///path` and `postgresql://...` (also with a driver named). Raises DatabaseUrlError."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError as error:
        raise DatabaseUrlError("expected sqlite:///path/to/file or postgresql://user@host/name") from error
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise DatabaseUrlError("the SQLite database needs a file: sqlite:///path/to/file")
        return SqliteFile(Path(parsed.database).absolute())
    if backend in ("postgresql", "postgres"):
        return PostgresServer(parsed.set(drivername="postgresql+asyncpg"))
    raise DatabaseUrlError("expected sqlite:///path/to/file or postgresql://user@host/name")
