from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storage.lock import DatabaseInUseError, ProcessLock


async def test_the_second_holder_is_refused_until_the_first_lets_go(database_url: str) -> None:
    first, second = ProcessLock(database_url), ProcessLock(database_url)
    async with first:
        with pytest.raises(DatabaseInUseError) as caught:
            await second.acquire()
        assert str(caught.value).count(".") <= 2
        assert "in use" in str(caught.value)
    async with second:
        pass
    await second.release()


async def test_names_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/agency.db"
    async with ProcessLock(url):
        with pytest.raises(DatabaseInUseError, match=r"agency\.db"):
            await ProcessLock(url).acquire()


async def test_a_killed_holder_does_not_block_the_next(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/agency.db"
    code = (
        "import asyncio, sys\nfrom storage.lock import ProcessLock\n"
        f"lock = ProcessLock({url!r})\nasyncio.run(lock.acquire())\nprint('held', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(  # noqa: ASYNC220 - it answers at once
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DatabaseInUseError):
            await ProcessLock(url).acquire()
        holder.kill()
        holder.wait()
        async with ProcessLock(url):
            pass
