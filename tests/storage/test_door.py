from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, insert, select

from storage import audit
from storage.engine import Storage
from storage.tables import audit_log
from storage.tx import Tx
from tests.storage.conftest import Agency


async def _count(agency: Agency) -> int:
    async with agency.store.read() as tx:
        return int(
            await tx.scalar(select(func.count()).where(audit_log.c.agency_id == agency.store.agency_id))
        )


async def _line(tx: Tx, action: str = "test") -> None:
    await audit.append(tx, 1, action, "nothing", None, None, 0, 0)


async def test_writers_take_turns(agency: Agency) -> None:
    inside = 0
    most = 0

    async def write(tx: Tx) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await _line(tx)
        await asyncio.sleep(0)
        inside -= 1

    await asyncio.gather(*(agency.store.write(write) for _ in range(20)))
    assert most == 1
    assert await _count(agency) == 20


async def test_an_exception_rolls_back_and_the_next_writer_gets_in(agency: Agency) -> None:
    async def write(tx: Tx) -> None:
        await _line(tx)
        raise LookupError("no")

    with pytest.raises(LookupError):
        await agency.store.write(write)
    await agency.store.write(_line)
    assert await _count(agency) == 1


async def test_cancelled_while_it_waits_for_something_else(agency: Agency) -> None:
    written = asyncio.Event()

    async def write(tx: Tx) -> None:
        await _line(tx)
        written.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(agency.store.write(write))
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(agency.store.write(_line), 5)
    assert await _count(agency) == 1


async def test_cancelled_inside_a_statement(agency: Agency) -> None:
    started = asyncio.Event()
    after: list[str] = []

    async def write(tx: Tx) -> None:
        started.set()
        for _ in range(200):
            await _line(tx)
        after.append("reached")

    task = asyncio.create_task(agency.store.write(write))
    await started.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert after == []
    assert await _count(agency) == 0
    await asyncio.wait_for(agency.store.write(_line), 5)
    assert await _count(agency) == 1


async def test_cancelled_before_its_turn_writes_nothing(agency: Agency) -> None:
    release = asyncio.Event()
    holding = asyncio.Event()

    async def hold(tx: Tx) -> None:
        await _line(tx)
        holding.set()
        await release.wait()

    first = asyncio.create_task(agency.store.write(hold))
    await holding.wait()
    second = asyncio.create_task(agency.store.write(_line))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    release.set()
    await first
    assert await _count(agency) == 1


async def test_a_write_that_swallows_its_cancellation_is_rolled_back(agency: Agency) -> None:
    written = asyncio.Event()

    async def write(tx: Tx) -> str:
        await _line(tx)
        written.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "as if nothing had been"
        return "never"

    task = asyncio.create_task(agency.store.write(write))
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _count(agency) == 0


async def test_a_reader_cannot_write_and_sees_one_state(agency: Agency) -> None:
    async with agency.store.read() as tx:
        before = await tx.scalar(select(func.count()).where(audit_log.c.agency_id == agency.store.agency_id))
        await agency.store.write(_line)
        after = await tx.scalar(select(func.count()).where(audit_log.c.agency_id == agency.store.agency_id))
        assert (before, after) == (0, 0)
        with pytest.raises(Exception, match=r"read-?only|readonly"):
            await tx.execute(
                insert(audit_log).values(
                    agency_id=agency.store.agency_id,
                    id=1,
                    actor_id=1,
                    action="x",
                    target_kind="x",
                    at=0,
                    wall_at=0,
                )
            )


async def test_closing_twice_is_nothing(storage: Storage) -> None:
    await storage.close()
    await storage.close()
