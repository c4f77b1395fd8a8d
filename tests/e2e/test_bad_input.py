"""What the bot makes of wrong settings, refused keys, a second process, a broken data API, hostile names."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Json, Sandbox, sandbox
from tests.e2e.processes import dumping_command, environment_in, idle_command, run_bot
from tests.e2e.reading import Card, deleted, live_cards
from tests.e2e.replay import moments_of, refused
from tests.oracle.oracle import DAY_S

HISTORY = Path(__file__).parents[1] / "data" / "history-120.csv"
HOUR_S = 3600
SECRET = "do-not-print-this-secret"

WRONG_ENV = f"""\
DISCORD_TOKEN={SECRET} with a blank
DISCORD_GUILD_ID=not-a-number
DISCORD_API_BASE=http://discord.example/api
FANAPI_KEY={SECRET}
FANAPI_BASE_URL=ftp://example.com
DATABASE_URL=mysql://root:{SECRET}@localhost/x
SCORE_MODEL=crystal-ball
LOG_LEVEL=SHOUT
"""
WRONG_NAMES = (
    "DISCORD_TOKEN",
    "DISCORD_GUILD_ID",
    "DISCORD_API_BASE",
    "FANAPI_BASE_URL",
    "DATABASE_URL",
    "SCORE_MODEL",
    "LOG_LEVEL",
)


async def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(WRONG_ENV)
    ended = await run_bot(["run"], {}, tmp_path)
    assert ended.code == 2, ended.out
    assert [name for name in WRONG_NAMES if name not in ended.out] == []
    assert "Traceback" not in ended.out
    assert SECRET not in ended.out


async def test_missing_settings_are_named(tmp_path: Path) -> None:
    ended = await run_bot(["run"], {}, tmp_path)
    assert ended.code == 2, ended.out
    assert "DISCORD_TOKEN" in ended.out
    assert "DISCORD_GUILD_ID" in ended.out
    assert "Traceback" not in ended.out


@pytest.mark.parametrize("setting", ["DISCORD_TOKEN", "FANAPI_KEY"])
async def test_a_refused_token_or_key_ends_with_one_line(tmp_path: Path, setting: str) -> None:
    dump = tmp_path / "environment.json"
    async with sandbox(tmp_path / "data", history=HISTORY, command=idle_command(dump)):
        env = await environment_in(dump)
        wrong = {**env, setting: SECRET, "DATABASE_URL": f"sqlite:///{tmp_path}/other.db"}
        ended = await run_bot(["run"], wrong, tmp_path)
    assert ended.code == 3, ended.out
    assert "Traceback" not in ended.out
    assert SECRET not in ended.out
    # Log lines may stand before it; what went wrong is one line, the last, and names the setting to look at.
    assert setting in ended.lines[-1], ended.out


async def test_an_html_403_is_an_outage_not_a_refusal(tmp_path: Path) -> None:
    async with sandbox(
        tmp_path / "data", history=HISTORY, command=idle_command(tmp_path / "env.json")
    ) as box:
        env = await environment_in(tmp_path / "env.json")
        await box.fault("fanapi", "html_403", count=0)
        with pytest.raises(AssertionError, match="still running"):
            await run_bot(["run"], env, tmp_path, within=6)


async def test_a_second_process_on_the_same_database_is_refused(tmp_path: Path) -> None:
    dump = tmp_path / "environment.json"
    async with sandbox(tmp_path / "data", history=HISTORY, command=dumping_command(dump)) as box:
        env = await environment_in(dump)
        before = await box.settled()
        ended = await run_bot(["run"], env, tmp_path)
        after = await box.state()
    assert ended.code == 4, ended.out
    assert len(ended.lines) == 1, ended.out
    assert "Traceback" not in ended.out
    assert after["bot"]["pid"] == before["bot"]["pid"]
    assert after["bot"]["connected"]
    assert after["bot"]["identifies"] == before["bot"]["identifies"]


async def _notices(box: Sandbox) -> list[Card]:
    """The live notices of every channel."""
    found: list[Card] = []
    for channel in (await box.state())["channels"]:
        found += live_cards(await box.messages(str(channel["id"])), "n")
    return found


OUTAGES: list[tuple[str, Json]] = [
    ("status", {"code": 500}),
    ("html_403", {}),
    ("bad_json", {}),
    ("reset", {"when": "before"}),
]


async def test_an_outage_of_the_data_api_is_told_once_and_gets_over(tmp_path: Path) -> None:
    async with sandbox(tmp_path / "data", history=HISTORY, model="reference") as box:
        up = await box.settled()
        manager = await box.person("manager")
        for kind, args in OUTAGES:
            assert await _notices(box) == [], kind
            await box.fault("fanapi", kind, args=args, count=0)
            told = []
            for _ in range(4):
                step = await box.advance(HOUR_S)
                assert step.settled, (kind, box.tail())
                told.append(len(await _notices(box)))
            assert told == [0, 0, 1, 1], kind
            luna = next(str(c["id"]) for c in (await box.state())["channels"] if c["name"] == "luna")
            reply = await box.slash(manager, luna, "fan lookup", {"fan": "fan_1001"})
            assert reply.error is None, kind
            assert reply.settled, kind
            await box.clear_faults()
            assert (await box.advance(HOUR_S)).settled, (kind, box.tail())
        assert await _notices(box) == []
        after = await box.state()
        assert after["bot"]["pid"] == up["bot"]["pid"]
        assert after["bot"]["connected"]
        assert refused(await box.requests(0)) == []


async def test_a_slow_data_api_is_waited_for(tmp_path: Path) -> None:
    async with sandbox(tmp_path / "data", history=HISTORY, model="reference") as box:
        await box.settled()
        await box.fault("fanapi", "latency", args={"ms": 400}, count=12)
        assert (await box.advance(DAY_S)).settled
        assert await _notices(box) == []


HOSTILE = (
    "@everyone",
    "**bold** ~~x~~",
    "[free](https://evil.example)",
    "`code` ```block",
    "<@&123456789012345678>",
    "x\u202egnp.exe",
    "line\nbreak # heading",
    "z" + "\u0336" * 300,
    "||spoiler|| <t:0:R>",
    "a" * 400,
)
RAW = ("@everyone", "@here", "](https://evil", "<@&123456789012345678>", "```block", "\u202e", "||spoiler||")


def _strings(value: Any) -> list[str]:
    """Every text that Discord formats; it does not format what a select menu offers."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        unread = ("sandbox", "options")
        return [text for key, item in value.items() if key not in unread for text in _strings(item)]
    return [text for item in value for text in _strings(item)] if isinstance(value, list) else []


async def test_hostile_names_do_no_harm(tmp_path: Path) -> None:
    moments = moments_of(HISTORY, 5)
    fans = [event.fan for moment in moments[1:] for event in moment.events if event.change == "opened"]
    names = dict(zip(dict.fromkeys(fans), HOSTILE, strict=False))
    assert len(names) == len(HOSTILE)
    (tmp_path / "names.json").write_text(json.dumps(names))
    launcher = ("-m", "tests.e2e.renaming_sandbox", str(tmp_path / "names.json"))
    async with sandbox(tmp_path / "data", history=HISTORY, model="reference", launcher=launcher) as box:
        await box.settled()
        for _ in moments[1:]:
            assert (await box.advance(DAY_S)).settled, box.tail()
        state = await box.state()
        manager = await box.person("manager")
        shown = []
        for channel in state["channels"]:
            for message in await box.messages(str(channel["id"])):
                assert not any(
                    "everyone" in who or "123456789012345678" in who for who in message["sandbox"]["pinged"]
                )
                if not deleted(message):
                    shown += _strings({key: message.get(key) for key in ("content", "embeds", "components")})
        assert [raw for raw in RAW if any(raw in text for text in shown)] == []
        luna = next(str(c["id"]) for c in state["channels"] if c["name"] == "luna")
        for text in HOSTILE:
            typed = text[:100]
            choices = await box.autocomplete(manager, luna, "fan lookup", {"fan": typed}, "fan")
            assert choices["error"] is None, typed
            assert all(1 <= len(choice["name"]) <= 100 for choice in choices["choices"])
            reply = await box.slash(manager, luna, "fan lookup", {"fan": typed})
            assert reply.error is None, typed
            assert reply.settled, typed
            for message in reply.messages:
                assert message["sandbox"]["pinged"] == []
                raw_now = [
                    raw for raw in RAW if any(raw in text for text in _strings(message.get("embeds") or []))
                ]
                assert raw_now == [], typed
        assert refused(await box.requests(0)) == []


async def test_the_sandbox_leaves_nothing_running(tmp_path: Path) -> None:
    async with sandbox(
        tmp_path / "data", history=HISTORY, command=idle_command(tmp_path / "env.json")
    ) as box:
        pid = (await box.state())["bot"]["pid"]
        await environment_in(tmp_path / "env.json")
    if shutil.which("ps") and pid:
        seeking = await asyncio.create_subprocess_exec(
            "ps", "-p", str(pid), stdout=asyncio.subprocess.DEVNULL
        )
        assert await seeking.wait() != 0
