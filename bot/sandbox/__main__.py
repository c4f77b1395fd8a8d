"""`python -m bot.sandbox --port P ... -- BOT COMMAND...`: the sandbox with a bot in it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from bot.sandbox.headless import STEPS
from bot.sandbox.options import APIS, Headless, Options
from bot.sandbox.server import USAGE, serve

DEFAULT_CYCLE_TIMEOUT_S = 600.0


def parser() -> argparse.ArgumentParser:
    """The command line of the sandbox."""
    made = argparse.ArgumentParser(
        prog="python -m bot.sandbox", description="A local Discord and a sample agency."
    )
    made.add_argument("--port", type=int, default=8080, help="0 = a free one")
    made.add_argument("--history", type=Path, metavar="CSV", help="replay creator,fan,at,amount_cents")
    made.add_argument("--seed", type=int, default=7)
    made.add_argument(
        "--speed", type=_not_negative, default=120.0, help="agency seconds per second; 0 = stands"
    )
    made.add_argument(
        "--effect", type=_share, default=0.0, help="share of the leavers whom a contact keeps, 0 to 1"
    )
    made.add_argument("--api", choices=APIS, default=APIS[0], help="which vendor's data API")
    made.add_argument("--wire-speed", type=_positive, default=1.0, help="scales the windows of rate limits")
    made.add_argument("--model", help="SCORE_MODEL of the bot")
    made.add_argument("--data", type=Path, metavar="DIR", help="keep the database here")
    made.add_argument("--database", metavar="URL", help="a database for the bot, such as PostgreSQL")
    made.add_argument("--webhooks", action="store_true", help="the data API tells the bot what happens")
    made.add_argument("--verbose", action="store_true", help="the bot writes to standard error")
    made.add_argument(
        "--headless", action="store_true", help="run cycles without a page, write a report, end"
    )
    made.add_argument("--cycles", type=int, default=None)
    made.add_argument("--step", choices=sorted(STEPS), default=None)
    made.add_argument("--cycle-timeout", type=_positive, default=DEFAULT_CYCLE_TIMEOUT_S, metavar="S")
    made.add_argument("--report", type=Path, metavar="FILE")
    made.add_argument("--requests", type=Path, metavar="FILE")
    made.add_argument("--state", type=Path, metavar="FILE")
    made.add_argument("command", nargs="*", metavar="BOT COMMAND", help="after --")
    return made


def read_options(arguments: list[str]) -> Options:
    """Exits with code 2 and one line where the arguments make no sense."""
    made = parser()
    given = made.parse_args(arguments)
    if not given.command:
        made.error("the bot's command is missing: end with -- COMMAND...")
    if given.history is not None and given.effect > 0:
        made.error("--effect is for the sample agency: what a history tells has happened")
    headless = None
    if given.headless:
        if given.cycles is None or given.cycles < 1:
            made.error("--headless needs --cycles of at least 1")
        headless = Headless(
            cycles=given.cycles,
            step_s=STEPS[given.step or "1h"],
            timeout_s=given.cycle_timeout,
            report=given.report,
            requests=given.requests,
            state=given.state,
        )
    elif any(
        value is not None for value in (given.cycles, given.step, given.report, given.requests, given.state)
    ):
        made.error("--cycles, --step, --report, --requests and --state need --headless")
    return Options(
        command=tuple(given.command),
        port=given.port,
        history=given.history,
        seed=given.seed,
        speed=given.speed,
        effect=given.effect,
        wire_speed=given.wire_speed,
        api=given.api,
        model=given.model,
        data=given.data,
        database=given.database,
        webhooks=given.webhooks,
        verbose=given.verbose,
        headless=headless,
    )


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError("must be 0 or above")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return value


def main() -> int:
    options = read_options(sys.argv[1:])
    if not 0 <= options.port <= 65_535:
        print("--port is a number from 0 to 65535", file=sys.stderr)  # noqa: T201
        return USAGE
    return asyncio.run(serve(options))


if __name__ == "__main__":
    sys.exit(main())
