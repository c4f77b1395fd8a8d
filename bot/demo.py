"""`python -m bot demo`: the sandbox as a child, with the real bot as the sandbox's child."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

EXIT_FAILED = 1
_PROJECT = Path(__file__).resolve().parents[1]
_BOT_COMMAND = (sys.executable, "-m", "bot", "run")


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the person asked for; the sandbox's own command line says what each means.

    `data` None: the database goes with the demo. `cycles`, `step`, `report`, `requests` and `state` count
    only where `headless` is set; without `report` the report goes to standard output.
    """

    port: int
    speed: float
    seed: int
    history: Path | None
    model: str
    data: Path | None
    database: str | None
    wire_speed: float
    headless: bool
    cycles: int
    step: str
    report: Path | None
    requests: Path | None
    state: Path | None
    verbose: bool
    effect: float = 0.0
    webhooks: bool = False
    api: str = "fansapi"


@dataclass(frozen=True, slots=True)
class ReportNumbers:
    """What only the bot's database knows, baselines left out. `n` times from score to card; `p50`, `p99` in
    ms.
    """

    alerts: int
    action_items: int
    n: int
    p50: float
    p99: float


Fill = Callable[[str], Awaitable[ReportNumbers]]
"""Reads the numbers from the database at a URL, after the bot has ended."""


def run_demo(options: DemoOptions, fill: Fill) -> int:
    """Run the demo to its end and give the exit code of the sandbox."""
    return asyncio.run(_run(options, fill))


async def _run(options: DemoOptions, fill: Fill) -> int:
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fanwatch-demo-")))
        data = (options.data or scratch / "data").absolute()
        draft = scratch / "report.json"
        code = await _run_sandbox(_arguments(options, data, draft))
        if options.headless and draft.exists():
            database_url = options.database or f"sqlite:///{data}/fanwatch.db"
            report = json.loads(draft.read_text(encoding="utf-8"))
            try:
                numbers = await fill(database_url)
            except Exception as problem:
                if code == 0:
                    raise
                # The run failed before this, and its reason is on the screen already.
                print(f"the bot's database could not be read: {problem}", file=sys.stderr)  # noqa: T201
            else:
                report |= {"alerts": numbers.alerts, "action_items": numbers.action_items}
                report["score_to_card_ms"] = {"n": numbers.n, "p50": numbers.p50, "p99": numbers.p99}
            _write(options.report, report)
        return code


def _arguments(options: DemoOptions, data: Path, draft: Path) -> list[str]:
    arguments = ["--port", str(options.port), "--seed", str(options.seed), "--speed", str(options.speed)]
    arguments += ["--wire-speed", str(options.wire_speed), "--model", options.model, "--data", str(data)]
    arguments += ["--api", options.api]
    if options.history is not None:
        arguments += ["--history", str(options.history.absolute())]
    if options.database is not None:
        arguments += ["--database", options.database]
    if options.effect > 0:
        arguments += ["--effect", str(options.effect)]
    if options.webhooks:
        arguments.append("--webhooks")
    if options.verbose:
        arguments.append("--verbose")
    if options.headless:
        arguments += ["--headless", "--cycles", str(options.cycles), "--step", options.step]
        arguments += ["--report", str(draft)]
        if options.requests is not None:
            arguments += ["--requests", str(options.requests.absolute())]
        if options.state is not None:
            arguments += ["--state", str(options.state.absolute())]
    return [*arguments, "--", *_BOT_COMMAND]


async def _run_sandbox(arguments: list[str]) -> int:
    """Start the sandbox, hand signals on to it, and wait for its end."""
    paths = [str(_PROJECT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.sandbox", *arguments, env=environment
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _hand_on, process, number)
    code = await process.wait()
    return code if code >= 0 else EXIT_FAILED


def _hand_on(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None:
        process.send_signal(number)


def _write(path: Path | None, report: dict[str, object]) -> None:
    text = json.dumps(report, indent=1) + "\n"
    if path is None:
        sys.stdout.write(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
