"""The write door: one writer at a time, and a caller that goes away leaves nothing behind.

Each write runs in a task of its own. A cancelled caller waits until that task has rolled back. The task itself is never
cancelled inside a statement (SQLAlchemy would drop the connection while its thread still holds the file's write lock):
the statement ends first, the next one is refused, and the flag is looked at once more before the commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")


class _Visit:
    """One write, as far as cancelling goes."""

    __slots__ = ("cancelled", "closing", "in_statement", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[Any] | None = None
        self.in_statement = False
        self.closing = False
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True
        self.nudge()

    def nudge(self) -> None:
        """Cancel what the write waits for, unless that is the database."""
        if self.task is not None and not self.in_statement and not self.closing:
            self.task.cancel()


class WriteDoor:
    """Runs writes on one engine in turn."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._lock = asyncio.Lock()
        self._visit: _Visit | None = None
        event.listen(engine.sync_engine, "before_cursor_execute", self._before)
        event.listen(engine.sync_engine, "after_cursor_execute", self._after)
        event.listen(engine.sync_engine, "handle_error", self._failed)

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run `work` in one transaction and commit; whatever it raises rolls back and is raised here."""
        visit = _Visit()
        task = asyncio.create_task(self._run(work, visit), name="storage-write")
        visit.task = task
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.done():
                raise
            visit.cancel()
            while not task.done():
                try:
                    await asyncio.wait({task})
                except asyncio.CancelledError:
                    continue
            if not task.cancelled():
                # The caller is told that it was cancelled; an error of the write must not be reported twice.
                task.exception()
            raise

    async def _run(self, work: Callable[[AsyncConnection], Awaitable[T]], visit: _Visit) -> T:
        async with self._lock:
            self._visit = visit
            try:
                async with self._engine.connect() as conn:
                    try:
                        await conn.begin()
                        result = await work(conn)
                        visit.closing = True
                        if visit.cancelled:
                            raise asyncio.CancelledError
                        await conn.commit()
                    except BaseException:
                        visit.closing = True
                        await conn.rollback()
                        raise
                    return result
            finally:
                self._visit = None

    def _before(self, *_: object) -> None:
        visit = self._visit
        if visit is None or visit.closing:
            return
        if visit.cancelled:
            raise asyncio.CancelledError
        visit.in_statement = True

    def _after(self, *_: object) -> None:
        self._left()

    def _failed(self, _: object) -> None:
        self._left()

    def _left(self) -> None:
        visit = self._visit
        if visit is None:
            return
        visit.in_statement = False
        if visit.cancelled:
            # By then the write waits for something else, or has ended.
            asyncio.get_running_loop().call_soon(visit.nudge)
