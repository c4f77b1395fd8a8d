"""Runs `python -m bot` by hand, beside a sandbox: for what happens before it is up, and for a second one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.harness import ROOT, clean_environment

_DUMP = "import json,os,sys; open(sys.argv[1],'w').write(json.dumps(dict(os.environ))); "


def idle_command(dump: Path) -> list[str]:
    """A bot that only writes down its environment and waits for its end."""
    return [sys.executable, "-c", _DUMP + "import signal; signal.pause()", str(dump)]


def dumping_command(dump: Path) -> list[str]:
    """The real bot, after writing down its environment."""
    real = "os.execv(sys.executable,[sys.executable,'-m','bot','run'])"
    return [sys.executable, "-c", _DUMP + real, str(dump)]


def _read(dump: Path) -> dict[str, str]:
    raw: dict[str, str] = json.loads(dump.read_text(encoding="utf-8"))
    return raw


async def environment_in(dump: Path, within: float = 15) -> dict[str, str]:
    """The environment the sandbox gave to its child, as soon as the child has written it."""
    async with asyncio.timeout(within):
        while True:
            with suppress(FileNotFoundError, json.JSONDecodeError):
                return _read(dump)
            await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended. `out` is standard output and error together."""

    code: int
    out: str

    @property
    def lines(self) -> list[str]:
        return [line for line in self.out.splitlines() if line.strip()]


async def run_bot(
    arguments: Sequence[str], env: Mapping[str, str], cwd: Path, *, within: float = 30
) -> Ended:
    """`python -m bot ARGUMENTS` until it ends; fails where it does not within `within` seconds."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        cwd=cwd,
        env=clean_environment() | {"PYTHONPATH": str(ROOT)} | dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), within)
    except TimeoutError:
        raise AssertionError(f"bot {' '.join(arguments)} was still running after {within} s") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(errors="replace"))
