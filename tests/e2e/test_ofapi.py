"""The unchanged bot on the other vendor's API: `demo --api ofapi_ai`, and people at work on what it fetched."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.credits import CREDITS_PER_DAY
from tests.e2e.harness import Json, json_lines, sandbox
from tests.e2e.office import HOUR_S, Office
from tests.e2e.processes import run_bot
from tests.e2e.reading import text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

CREATORS = ("amber", "vivian-vip", "freya-free", "nova-new")
TOP = 50
HOURS = 47
"""With the two of the office: to the first night."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Settled at the baseline and two hourly polls further."""
    folder = tmp_path_factory.mktemp("ofapi")
    async with sandbox(folder / "data", model="reference", extra=("--api", "ofapi_ai")) as box:
        await box.settled()
        for _ in range(2):
            assert (await box.advance(HOUR_S)).settled, box.tail()
        yield await Office.of(box)


async def asked(office: Office) -> list[str]:
    """The addresses asked so far, without their parameters."""
    return [line["path"].partition("?")[0] for line in await office.box.requests(target="fanapi")]


async def test_each_creator_has_her_baseline(office: Office) -> None:
    for creator in CREATORS:
        ((fans,),) = office.rows(
            "SELECT count(*) FROM fan_accounts f JOIN creators c ON c.id = f.creator_id WHERE c.name = ?",
            creator,
        )
        assert 0 < fans <= TOP
        texts = [text_of(message) for message in await office.box.messages(creator)]
        (baseline,) = [text for text in texts if "Baseline" in text]
        assert f"out of {fans} · nobody was pinged" in baseline


async def test_only_the_two_known_addresses_are_asked_and_the_list_once_a_day(office: Office) -> None:
    paths = await asked(office)
    assert set(paths) == {"/ofapi/api/v1/stats/fans/top", "/ofapi/api/v1/fans/info"}
    assert paths.count("/ofapi/api/v1/stats/fans/top") == len(CREATORS)
    line = (await office.box.requests(target="fanapi"))[-1]
    assert {v for name, v in line["headers"].items() if name.lower() == "x-api-key"} == {"<redacted>"}


async def test_a_top_fan_is_found_with_the_spend_of_thirty_days(office: Office) -> None:
    (username, total, recent) = office.rows(
        "SELECT username, total_cents, reported_30d_cents FROM fan_accounts f JOIN creators c ON c.id = f.creator_id"
        " WHERE c.name = 'amber' AND reported_30d_cents > 0 ORDER BY total_cents DESC LIMIT 1"
    )[0]
    reply = await office.lookup("Max", "amber", username)
    (message,) = reply.messages
    text = text_of(message)
    assert f"Spent in all: ${round(total / 100):,}**" in text
    assert f"Last 30 days: ${round(recent / 100):,} " in text
    assert "Messages: unknown (not collected for amber)" in text
    assert re.search(r"Churn risk: \d+ of 100", text)


async def test_days_of_hourly_looks_stay_within_the_budget_and_see_who_leaves(office: Office) -> None:
    """The second walk a day after the first, and the first night a day later: what it costs counts."""
    for _ in range(HOURS):
        assert (await office.box.advance(HOUR_S)).settled, office.box.tail()
    assert (await asked(office)).count("/ofapi/api/v1/stats/fans/top") == 3 * len(CREATORS)
    spent = office.rows(
        "SELECT creator_id, count(DISTINCT day), sum(credits) FROM api_usage"
        " WHERE purpose NOT IN ('walk', 'backfill', 'webhook') AND creator_id <> 0 GROUP BY creator_id"
    )
    assert len(spent) == len(CREATORS)
    assert all(credits_used <= days * CREDITS_PER_DAY for _, days, credits_used in spent), spent
    nights = office.rows(
        "SELECT creator_id, sum(credits) FROM api_usage WHERE purpose = 'night' GROUP BY creator_id"
    )
    assert len(nights) == len(CREATORS)
    assert max(credits_used for _, credits_used in nights) <= 1 + TOP
    assert office.rows("SELECT sum(credits) FROM api_usage WHERE purpose = 'poll'")[0][0] > 0
    assert ("budget_reached",) not in office.rows("SELECT code FROM cards WHERE kind = 'n'")
    expired = office.rows("SELECT platform_fan_id FROM fan_accounts WHERE expired_now")
    assert expired
    said = {line["path"].partition("fanId=")[2] for line in await office.box.requests(target="fanapi")}
    assert {fan_id for (fan_id,) in expired} <= said, "who is not on the list has not expired by that"
    left = office.rows(
        "SELECT f.username, c.name FROM episodes e JOIN fan_accounts f ON f.id = e.fan_account_id"
        " JOIN creators c ON c.id = e.creator_id JOIN cards k ON k.id = e.card_id"
        " WHERE e.expired AND e.tier = 'action' AND k.kind IN ('a', 'g') AND f.username IS NOT NULL"
    )
    assert left, "somebody has left since the baseline, and is somebody's to act on"
    username, creator = left[0]
    assert await office.cards_with(creator, username)


async def test_the_demo_runs_three_hours_of_it(tmp_path: Path) -> None:
    report, requests = tmp_path / "report.json", tmp_path / "requests.jsonl"
    ended = await run_bot(
        [
            *("demo", "--api", "ofapi_ai", "--headless", "--cycles", "3", "--step", "1h", "--port", "0"),
            *("--wire-speed", "20", "--model", "reference", "--data", str(tmp_path / "data")),
            *("--report", str(report), "--requests", str(requests)),
        ],
        {},
        tmp_path,
        within=120,
    )
    assert ended.code == 0, ended.out
    told = json.loads(report.read_text())
    assert told["cycles"] == 3
    assert told["cards"]["failed"] == 0
    assert (told["duplicates"], told["foreign_names"], told["discord"]["rejections"]) == (0, 0, 0)
    # The key's trial is refused and free; a pull is the list and each fan on it.
    assert told["api"]["credits"] == told["api"]["calls"] - 1
    sent = [str(line["json"]) for line in json_lines(requests.read_text())]
    assert sum("Baseline" in text for text in sent) == len(CREATORS)
    with closing(sqlite3.connect(tmp_path / "data" / "fanwatch.db")) as db:
        used = db.execute("SELECT sum(credits) FROM sync_runs").fetchone()
    assert used == (told["api"]["credits"],)


SETTINGS: Json = {"DISCORD_TOKEN": "t.o.ken", "DISCORD_GUILD_ID": "1", "FANAPI_KEY": "k", "ENV_FILE": ""}


@pytest.mark.parametrize("base", ["http://203.0.113.7", "http://api.onlyfans-api.ai/api/v1", None])
async def test_a_key_never_travels_in_clear(tmp_path: Path, base: str | None) -> None:
    env = SETTINGS | {"FANAPI_KIND": "ofapi_ai"} | ({} if base is None else {"FANAPI_BASE_URL": base})
    ended = await run_bot(["run"], env, tmp_path)
    assert ended.code == 2
    (line,) = ended.lines
    assert "FANAPI_BASE_URL" in line
    assert "k" not in line.split()
