"""A month of a real purchase history at Discord's real limits (`make accept`).

Three runs side by side: the headless demo, a replay in which everybody with an open episode is searched for
in Discord after
every look, and the same replay with twenty SIGKILLs, which must leave the same messages behind. Minutes long.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e import ledger
from tests.e2e.harness import PLENTY_OF_MENTIONS, ROOT, SHARED, Json, clean_environment, json_lines, sandbox
from tests.e2e.openapi import SPEC, Contract
from tests.e2e.replay import Report, difference, moments_of, progress, refused, run, seeded_kills
from tests.oracle.oracle import Moment

HISTORY = SHARED / "data" / "online-retail.events.csv"
LOOKS = 30
KILLS, SEED = 20, 20111209
STEP_LIMIT_S = 240
LIMIT_S = 24 * 60
LEAST_REQUESTS = 500
AT_ZERO = ("duplicates", "foreign_names")
DISCORD_AT_ZERO = ("rejections", "http_429")

pytestmark = [
    pytest.mark.accept,
    pytest.mark.skipif(
        not HISTORY.exists(),
        reason=f"the purchase history is not beside the project ({HISTORY.name} in ../shared/data)",
    ),
]


async def _headless(folder: Path, database: str | None) -> list[str]:
    """The problems of the headless demo."""
    report, requests, data = folder / "report.json", folder / "requests.jsonl", folder / "data"
    log = folder / "demo.log"
    arguments = ["demo", "--headless", "--port", "0", "--cycles", str(LOOKS), "--step", "1d"]
    arguments += ["--history", str(HISTORY)]
    arguments += [
        "--model",
        "reference",
        "--report",
        str(report),
        "--requests",
        str(requests),
        "--data",
        str(data),
        *(["--database", database] if database else []),
    ]
    began = time.monotonic()
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *arguments,
            cwd=ROOT,
            env=clean_environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        code = await asyncio.wait_for(process.wait(), LIMIT_S - 60)
    except TimeoutError:
        return [f"headless: still running after {LIMIT_S - 60} s", *_tail(log)]
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    progress(f"[demo] ended with {code} after {time.monotonic() - began:.0f} s")
    if code != 0:
        return [f"headless: exit code {code}", *_tail(log)]
    # The replays beside it must not stand still for the minute that this takes.
    return await asyncio.to_thread(_judge, report, requests, database or ledger.database(data))


def _tail(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:]


def _judge(report: Path, requests: Path, database: Path | str) -> list[str]:
    told: Json = json.loads(report.read_text(encoding="utf-8"))
    progress(f"[demo] {json.dumps(told)}")
    problems = [f"report: {name} {told[name]}" for name in AT_ZERO if told[name] != 0]
    problems += [
        f"report: discord.{name} {told['discord'][name]}"
        for name in DISCORD_AT_ZERO
        if told["discord"][name] != 0
    ]
    if told["cycles"] != LOOKS or told["step_s"] != 86_400:
        problems.append(f"report: {told['cycles']} cycles of {told['step_s']} s")
    moments = moments_of(HISTORY, LOOKS)
    problems += [f"headless: {line}" for line in ledger.disagreements(database, moments)]
    later = [event for moment in moments[1:] for event in moment.events]
    flags = sum(event.change == "opened" for event in later)
    if told["alerts"] < flags:
        problems.append(f"report: alerts {told['alerts']}, but the oracle opens {flags}")
    lines = json_lines(requests.read_text(encoding="utf-8"))
    if len(lines) < LEAST_REQUESTS:
        problems.append(f"only {len(lines)} requests were recorded")
    problems += refused(lines)[:10]
    contract = Contract.load(SPEC)
    wrong = [text for line in lines for text in contract.problems(line)]
    return problems + wrong[:10] + ([f"{len(wrong)} requests against the OpenAPI file"] if wrong else [])


async def _replay(folder: Path, name: str, moments: list[Moment], kills: int, database: str | None) -> Report:
    async with sandbox(
        folder,
        history=HISTORY,
        wire_speed=1,
        model="reference",
        command=PLENTY_OF_MENTIONS,
        up_within=60,
        database=database,
    ) as box:
        return await run(
            box,
            moments,
            name=name,
            kills=seeded_kills(SEED, len(moments), kills) if kills else None,
            look=not kills,
            timeout_s=STEP_LIMIT_S,
        )


async def test_a_month_of_a_real_shop(tmp_path: Path, databases: list[str | None]) -> None:
    moments = moments_of(HISTORY, LOOKS)
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as all_three:
        demo = all_three.create_task(_headless(tmp_path, databases[0]))
        undisturbed = all_three.create_task(_replay(tmp_path / "calm", "calm", moments, 0, databases[1]))
        disturbed = all_three.create_task(
            _replay(tmp_path / "killed", "killed", moments, KILLS, databases[2])
        )
    headless, calm, killed = demo.result(), undisturbed.result(), disturbed.result()
    apart = difference(calm.channels, killed.channels)
    progress(f"[calm] {calm.wall_s:.0f} s, {len(calm.requests)} requests, {calm.presses} presses")
    progress(f"[killed] {killed.wall_s:.0f} s, {killed.kills} kills, {len(apart)} messages apart")
    assert headless == []
    assert calm.problems == []
    assert refused(calm.requests) == []
    assert killed.problems == []
    assert killed.kills == KILLS
    assert apart == []
