"""One process a database: a lock that the operating system or the server drops when its holder dies."""

from __future__ import annotations

import fcntl
import os
from types import TracebackType
from typing import Any, Self

import asyncpg

from storage.urls import SqliteFile, parse_database_url

_ADVISORY_KEY = 0x46414E5741544348
"""The bytes of FANWATCH; an advisory lock holds within one database of the server."""


class DatabaseInUseError(RuntimeError):
    """Another process holds the database. The message is one sentence for the operator."""


class ProcessLock:
    """Held from `acquire` to `release`, or as an async context manager. Not for two holders in turn."""

    def __init__(self, url: str) -> None:
        self._target = parse_database_url(url)
        self._file: int | None = None
        self._session: Any = None

    async def acquire(self) -> None:
        """Raises DatabaseInUseError where another process has it; OSError where the file cannot be made."""
        if isinstance(self._target, SqliteFile):
            self._lock_file(self._target)
            return
        session = await asyncpg.connect(self._target.driver_url)
        try:
            granted = await session.fetchval("SELECT pg_try_advisory_lock($1)", _ADVISORY_KEY)
        except BaseException:
            session.terminate()
            raise
        if not granted:
            await session.close()
            name = self._target.url.database
            raise DatabaseInUseError(f"The database {name} is in use by another Fanwatch process.")
        self._session = session

    def _lock_file(self, target: SqliteFile) -> None:
        path = f"{target.path}.lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise DatabaseInUseError(
                f"The database {target.path} is in use by another Fanwatch process."
            ) from error
        except BaseException:
            os.close(handle)
            raise
        self._file = handle

    async def release(self) -> None:
        """Let go; again is nothing. The lock file stays: deleting it would let two holders in."""
        handle, self._file = self._file, None
        if handle is not None:
            os.close(handle)
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def __aenter__(self) -> Self:
        await self.acquire()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()
