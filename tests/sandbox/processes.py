"""Whether processes that are not ours have ended."""

from __future__ import annotations

import asyncio

import psutil


async def gone(pid: int, within: float = 5.0) -> bool:
    """Whether a process ends in time; a zombie nobody waits for has ended."""
    deadline = asyncio.get_running_loop().time() + within
    while _runs(pid):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
