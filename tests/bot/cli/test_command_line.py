"""`python -m bot import`, `backfill` and `copy` as processes: exit codes, the lock, signals, and what they need."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from storage import roster
from storage.engine import Storage
from storage.lock import ProcessLock
from storage.tables import fan_accounts, import_runs, transactions
from tests.bot.cli.conftest import rows
from tests.storage.conftest import NOW, ROSTER

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT.parent / "shared" / "data" / "online-retail.events.csv"
HEADER = "id,fan_id,amount,at\n"


@dataclass
class Shell:
    """Runs commands where nothing is set but DATABASE_URL."""

    folder: Path
    url: str

    async def start(self, *arguments: str, **env: str) -> asyncio.subprocess.Process:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *arguments,
            cwd=self.folder,
            env=kept | {"PYTHONPATH": str(ROOT), "DATABASE_URL": self.url} | env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments: str, **env: str) -> tuple[int | None, str, str]:
        """Exit code, standard output and standard error."""
        process = await self.start(*arguments, **env)
        out, err = await asyncio.wait_for(process.communicate(), 120)
        return process.returncode, out.decode(), err.decode()

    async def count(self, table: object) -> int:
        async with await Storage.open(self.url) as storage:
            store = storage.agency((await storage.system.list_agencies())[0].id)
            return len(await rows(store, table, "id"))  # type: ignore[arg-type]

    def write(self, text: str) -> Path:
        path = self.folder / "file.csv"
        path.write_text(text, encoding="utf-8")
        return path


@pytest_asyncio.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    url = f"sqlite:///{tmp_path}/fanwatch.db"
    async with await Storage.open(url) as storage:
        await roster.apply_roster(storage, ROSTER, NOW)
    yield Shell(tmp_path, url)


def _long_file(count: int) -> str:
    return HEADER + "".join(f"t{n},{n % 500},1.00,2026-02-01T10:00:00Z\n" for n in range(count))


async def test_an_import_needs_no_token_and_no_key(shell: Shell) -> None:
    file = shell.write(_long_file(3))
    code, out, err = await shell.run("import", str(file), "--kind", "transactions", "--creator", "acct_ava")
    assert (code, out) == (
        0,
        "imported for Ava: 3 new, 0 known, 0 changed; fans seen for the first time: 3\n",
    )
    assert err == ""


async def test_a_running_bot_keeps_every_command_out(shell: Shell) -> None:
    file = shell.write(_long_file(3))
    async with ProcessLock(shell.url):
        for arguments in (
            ("import", str(file), "--kind", "transactions", "--creator", "Ava"),
            ("backfill", "--days", "3", "--yes"),
            ("copy", "--from", shell.url, "--to", f"sqlite:///{shell.folder}/b.db", "--yes"),
        ):
            code, _, err = await shell.run(*arguments, FANAPI_KEY="k")
            assert code == 4, err
            assert "in use by another Fanwatch process" in err
            assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import", "x.csv", "--kind", "money", "--creator", "Ava"), "--kind"),
        (("import", "none.csv", "--kind", "fans", "--creator", "Ava"), "none.csv: it cannot be read"),
        (("import", "file.csv", "--kind", "fans", "--creator", "Ava", "--map", "size=x"), "--map: expected"),
        (
            ("import", "file.csv", "--kind", "fans", "--creator", "Ava", "--zone", "Pariss"),
            "is it Europe/Paris",
        ),
        (("backfill", "--days", "0"), "--days"),
        (("backfill", "--days", "3"), "FANAPI_KEY or FANAPI_KEY_FILE: set one of the two"),
        (("copy", "--from", "x", "--to", "y"), "--from: expected sqlite:///"),
    ],
)
async def test_wrong_usage_names_what_is_wrong(shell: Shell, arguments: tuple[str, ...], says: str) -> None:
    shell.write("id\n7\n")
    code, out, err = await shell.run(*arguments)
    assert code == 2
    assert says in err
    assert out == ""
    assert "Traceback" not in err


async def test_wrong_settings_are_told_without_the_password(shell: Shell) -> None:
    file = shell.write(_long_file(1))
    arguments = ("import", str(file), "--kind", "transactions", "--creator", "Ava")
    code, _, err = await shell.run(*arguments, DATABASE_URL="mysql://me:hidden@host/x")
    assert code == 2
    assert "DATABASE_URL" in err
    assert "hidden" not in err


async def _rows_done(shell: Shell) -> int:
    async with await Storage.open(shell.url, migrate=False) as storage:
        store = storage.agency((await storage.system.list_agencies())[0].id)
        found = await rows(store, import_runs, "rows_done")
    return int(found[0][0]) if found else 0


async def _until_under_way(shell: Shell, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(60):
        while await _rows_done(shell) == 0:
            assert process.returncode is None
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGKILL, -9)])
async def test_an_import_that_is_stopped_goes_on_at_the_next_row(
    shell: Shell, number: int, code: int
) -> None:
    count = 20_000
    arguments = ("import", str(shell.write(_long_file(count))), "--kind", "transactions", "--creator", "Ava")
    process = await shell.start(*arguments)
    await _until_under_way(shell, process)
    process.send_signal(number)
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == code
    done = await _rows_done(shell)
    assert 0 < done < count
    assert await shell.count(transactions) == done
    if code == 1:
        assert f"stopped after row {done:,} of 20,000; the same command goes on from there" in err.decode()
    again, out, said = await shell.run(*arguments)
    assert again == 0
    assert f"going on after row {done:,} of 20,000" in said
    assert f"{count - done:,} new, 0 known" in out
    assert await shell.count(transactions) == count
    assert await shell.count(fan_accounts) == 500


@pytest.mark.skipif(not REAL.is_file(), reason="the real purchase history is not beside the project")
async def test_the_real_history_comes_in_as_payments(shell: Shell) -> None:
    lines = REAL.read_text(encoding="utf-8").splitlines()[1:]
    arguments = ["import", str(REAL), "--kind", "transactions", "--creator", "Ava", "--map", "creator="]
    arguments += ["--map", "fan_id=fan"]
    code, out, err = await shell.run(*arguments)
    assert code == 0, err
    assert "columns that are not read: 'creator'" in err
    assert f"{len(lines):,} new, 0 known, 0 changed" in out
    async with await Storage.open(shell.url) as storage:
        store = storage.agency((await storage.system.list_agencies())[0].id)
        found = await rows(store, transactions, "amount_cents")
    assert sum(row[0] for row in found) == sum(int(line.split(",")[3]) for line in lines)
    assert await shell.count(fan_accounts) == len({line.split(",")[1] for line in lines})
