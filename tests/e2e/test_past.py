"""Bringing in the past as an operator does: the bot stopped, a command as a process of its own, the bot started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from tests.e2e.harness import ROOT, Sandbox, clean_environment, sandbox
from tests.e2e.office import DAY_S, HISTORY, eventually
from tests.e2e.processes import dumping_command, environment_in, run_bot
from tests.e2e.reading import live_cards, text_of

HOUR_S = DAY_S // 24
DAYS = 200


def rows(database: Path | str, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        return list(db.execute(query))


def payments(database: Path | str) -> list[tuple[Any, ...]]:
    """Every payment of every creator, without our own ids and times."""
    return rows(
        database,
        "SELECT c.name, t.platform_transaction_id, f.platform_fan_id, t.kind, t.amount_cents, t.occurred_at, t.status"
        " FROM transactions t JOIN creators c ON c.id = t.creator_id"
        " LEFT JOIN fan_accounts f ON f.id = t.fan_account_id ORDER BY 1, 2",
    )


def put_in_place(copy: Path, database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    copy.rename(database)


async def back_on(box: Sandbox) -> None:
    await box.bot("start")
    await box.until("connected", lambda state: bool(state["bot"]["connected"]))
    assert (await box.advance(HOUR_S)).settled, box.tail()


async def test_imported_payments_are_one_silent_card(tmp_path: Path) -> None:
    dump = tmp_path / "environment.json"
    async with sandbox(
        tmp_path / "data", history=HISTORY, model="reference", command=dumping_command(dump)
    ) as box:
        await box.settled()
        env = await environment_in(dump)
        ((fan_id,),) = rows(
            box.database,
            "SELECT f.platform_fan_id FROM fan_accounts f JOIN creators c ON c.id = f.creator_id"
            " WHERE c.name = 'luna' ORDER BY f.id LIMIT 1",
        )
        before = {card.message["id"] for card in live_cards(await box.messages("luna"), "agsn")}
        file = tmp_path / "payments.csv"
        lines = [f"old{n},{fan_id},tip,25.00,2023-0{1 + n % 9}-11T10:00:00Z" for n in range(40)]
        file.write_text("\n".join(["id,fan_id,kind,amount,at", *lines]) + "\n")
        command = ("import", str(file), "--kind", "transactions", "--creator", "luna")

        refused = await run_bot(command, env, tmp_path)
        assert refused.code == 4, refused.out
        await box.bot("term")
        done = await run_bot(command, env, tmp_path)
        assert (done.code, "40 new" in done.out) == (0, True), done.out
        again = await run_bot(command, env, tmp_path)
        assert (again.code, "imported already" in again.out) == (0, True), again.out
        await back_on(box)

        async def told() -> list[Any] | None:
            cards = [
                card.message
                for card in live_cards(await box.messages("luna"), "agsn")
                if card.message["id"] not in before
            ]
            return cards or None

        (card,) = await eventually("the card of the import", told, box)
        assert "History imported" in text_of(card)
        assert card["sandbox"]["pinged"] == []
        assert [
            m for name in ("mira", "zoe") for m in await box.messages(name) if "History" in text_of(m)
        ] == []


async def backfilled(env: dict[str, str], cwd: Path, database: Path | str, *, interrupt: bool) -> list[str]:
    """What `backfill` told. `interrupt`: with SIGINT after the first payments it has kept, and then resumed."""
    before = len(payments(database))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "backfill", "--days", str(DAYS), "--yes"),
        cwd=cwd,
        env=clean_environment() | {"PYTHONPATH": str(ROOT)} | env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(90):
            if interrupt:
                while len(payments(database)) == before:
                    assert process.returncode is None, "it ended before it could be interrupted"
                    await asyncio.sleep(0.01)
                process.send_signal(signal.SIGINT)
            out = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()
    assert process.returncode == (1 if interrupt else 0), out
    if interrupt:
        assert "the same command goes on from there" in out, out
        return [*out.splitlines(), *await backfilled(env, cwd, database, interrupt=False)]
    return out.splitlines()


async def test_an_interrupted_backfill_ends_with_the_payments_of_an_undisturbed_one(tmp_path: Path) -> None:
    found: list[list[tuple[Any, ...]]] = []
    for name in ("undisturbed", "interrupted"):
        folder = tmp_path / name
        folder.mkdir()
        dump = folder / "environment.json"
        async with sandbox(folder / "data", model="reference", command=dumping_command(dump)) as box:
            await box.settled()
            env = await environment_in(dump)
            known = len(payments(box.database))
            await box.bot("term")
            interrupt = name == "interrupted"
            told = await backfilled(env, folder, box.database, interrupt=interrupt)
            prices = [line for line in told if ": about " in line and " credits" in line]
            assert len(prices) == (2 if interrupt else 1), told
            assert told[-1].startswith("done; "), told
            found.append(payments(box.database))
            assert len(found[-1]) > known
            (used,) = rows(box.database, "SELECT sum(credits) FROM api_usage WHERE purpose = 'backfill'")
            assert used[0] > 0
            if interrupt:
                await back_on(box)
    assert found[0] == found[1]


async def test_the_bot_goes_on_with_a_copy_that_went_to_postgresql_and_back(
    tmp_path: Path, three_databases: list[str]
) -> None:
    dump = tmp_path / "environment.json"
    async with sandbox(
        tmp_path / "data", history=HISTORY, model="reference", command=dumping_command(dump)
    ) as box:
        await box.settled()
        await environment_in(dump)
        await box.bot("term")
        here, back, there = Path(str(box.database)), tmp_path / "back.db", three_databases[0]
        for source, target in ((f"sqlite:///{here}", there), (there, f"sqlite:///{back}")):
            copied = await run_bot(
                ("copy", "--from", source, "--to", target, "--yes"), {}, tmp_path, within=120
            )
            assert copied.code == 0, copied.out
        tables = [name for (name,) in rows(here, "SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in tables:
            if not name.startswith("sqlite_"):
                query = f'SELECT * FROM "{name}"'  # noqa: S608 - the bot's own tables
                assert sorted(rows(here, query), key=repr) == sorted(rows(back, query), key=repr), name
        put_in_place(back, here)
        cards = len(live_cards(await box.messages("luna"), "agsn"))
        await back_on(box)
        assert len(live_cards(await box.messages("luna"), "agsn")) >= cards
        assert rows(here, "SELECT count(*) FROM cards WHERE wanted_version > sent_version") == [(0,)]
