"""The demo: what it asks of the sandbox, and the report it completes from the bot's database."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot import demo
from bot.demo import DemoOptions, ReportNumbers, run_demo

# Stands in for the bot: settles what it reads, leaves a database behind, and waits for its end.
BOT = """
import json, os, pathlib, sys, urllib.request
told = os.environ.get("WEBHOOK_LISTEN") or os.environ["SCORE_MODEL"]
pathlib.Path(os.environ["DATABASE_URL"].removeprefix("sqlite:///")).write_text(told)
version = 0
while True:
    with urllib.request.urlopen(f"{os.environ['CLOCK_URL']}?after={version}") as answer:
        version = json.load(answer)["version"]
    body = json.dumps({"version": version, "ran": {}, "cards_behind": 0, "blocked": []}).encode()
    urllib.request.urlopen(os.environ["CLOCK_URL"] + "/settled", body).close()
"""


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DemoOptions:
    monkeypatch.setattr(demo, "_BOT_COMMAND", (sys.executable, "-S", "-c", BOT))
    history = tmp_path / "history.csv"
    history.write_text("creator,fan,at,amount_cents\ncreator-1,1,2024-01-01T00:00:00Z,100\n")
    return DemoOptions(
        port=0,
        speed=120.0,
        seed=7,
        history=history,
        model="reference",
        data=None,
        database=None,
        wire_speed=1.0,
        headless=True,
        cycles=2,
        step="1h",
        report=tmp_path / "out" / "report.json",
        requests=None,
        state=None,
        verbose=False,
    )


def test_the_report_is_completed_from_the_database_the_bot_left(options: DemoOptions) -> None:
    seen: list[str] = []

    async def fill(database_url: str) -> ReportNumbers:
        seen.append(Path(database_url.removeprefix("sqlite:///")).read_text())  # noqa: ASYNC240
        return ReportNumbers(alerts=3, action_items=1, n=2, p50=10.5, p99=20.0)

    assert run_demo(options, fill) == 0
    assert seen == ["reference"], "it is there while the numbers are read"
    assert options.report is not None
    report = json.loads(options.report.read_text())
    assert (report["alerts"], report["action_items"], report["cycles"]) == (3, 1, 2)
    assert report["score_to_card_ms"] == {"n": 2, "p50": 10.5, "p99": 20.0}


def test_a_failed_run_still_leaves_its_report(
    options: DemoOptions, capfd: pytest.CaptureFixture[str]
) -> None:
    async def fill(database_url: str) -> ReportNumbers:
        raise RuntimeError("no tables")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "_BOT_COMMAND", (sys.executable, "-S", "-c", "raise SystemExit(4)"))
        assert run_demo(options, fill) == 1
    err = capfd.readouterr().err
    assert "the bot ended by itself with code 4" in err
    assert "the bot's database could not be read: no tables" in err
    assert options.report is not None
    assert json.loads(options.report.read_text())["cycles"] == 0


def test_without_a_file_the_report_goes_to_standard_output(
    options: DemoOptions, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def fill(database_url: str) -> ReportNumbers:
        assert database_url == f"sqlite:///{tmp_path}/kept/fanwatch.db"
        return ReportNumbers(0, 0, 0, 0.0, 0.0)

    assert run_demo(replace(options, report=None, data=tmp_path / "kept", cycles=1), fill) == 0
    out = capfd.readouterr().out
    assert json.loads(out[out.index("{") :])["schema"] == 1
    assert (tmp_path / "kept" / "fanwatch.db").exists()


def test_a_history_that_is_not_there_is_a_usage_error(options: DemoOptions, tmp_path: Path) -> None:
    async def fill(database_url: str) -> ReportNumbers:
        raise AssertionError("nothing ran")

    assert run_demo(replace(options, history=tmp_path / "absent.csv"), fill) == 2


def test_the_effect_reaches_the_sandbox(options: DemoOptions, capfd: pytest.CaptureFixture[str]) -> None:
    async def fill(database_url: str) -> ReportNumbers:
        raise AssertionError("nothing ran")

    assert run_demo(replace(options, effect=0.2), fill) == 2, "a history takes none"
    assert "--effect is for the sample agency" in capfd.readouterr().err


def test_with_webhooks_the_bot_is_told_where_to_listen(options: DemoOptions) -> None:
    seen: list[str] = []

    async def fill(database_url: str) -> ReportNumbers:
        seen.append(Path(database_url.removeprefix("sqlite:///")).read_text())  # noqa: ASYNC240
        return ReportNumbers(0, 0, 0, 0.0, 0.0)

    assert run_demo(replace(options, webhooks=True), fill) == 0
    assert seen[0].startswith("127.0.0.1:")
