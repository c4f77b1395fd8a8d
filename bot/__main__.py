"""The command line: `python -m bot run | demo | score | import | backfill | copy`."""

from __future__ import annotations

import asyncio
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from bot.cli.kinds import Kind

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

EXIT_FAILED = 1
EXIT_USAGE = 2


@app.callback()
def fanwatch() -> None:
    """Fanwatch: the fan CRM of a creator agency, in Discord."""


@app.command()
def run() -> None:
    """Run the bot with the settings of the environment and of .env."""
    # Imported here: `score` and `demo` must not pay for discord.py and the database.
    from bot.runner import run_bot

    raise typer.Exit(asyncio.run(run_bot(_env_file())))


def _env_file() -> str:
    return os.environ.get("ENV_FILE", ".env")


class ImportKind(StrEnum):
    TRANSACTIONS = "transactions"
    FANS = "fans"
    NOTES = "notes"


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV, a JSON array, or a JSON object a line.")],
    kind: Annotated[ImportKind, typer.Option(help="What the rows are.")],
    creator: Annotated[str, typer.Option(help="Whose history: her name or account id.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; change nothing.")
    ] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Where refused rows are written; beside FILE without.")
    ] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="FIELD=COLUMN, where a column is called otherwise.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="The zone of times without an offset, as Europe/Paris.")
    ] = None,
    skip_rejects: Annotated[
        bool, typer.Option("--skip-rejects", help="Import the good rows although some are refused.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Import a file that has been imported already once more.")
    ] = False,
) -> None:
    """Bring a file of payments, fans or notes into a creator's history. The bot must not be running."""
    from bot.cli.importing import ImportOptions, run_import
    from bot.cli.opening import run_command

    chosen: Kind = kind.value
    options = ImportOptions(
        file=file,
        kind=chosen,
        creator=creator,
        dry_run=dry_run,
        rejects=rejects,
        mapping=tuple(mapping or ()),
        zone=zone,
        skip_rejects=skip_rejects,
        again=again,
    )
    raise typer.Exit(run_command("import", run_import(options, _env_file())))


@app.command()
def backfill(
    days: Annotated[int, typer.Option(help="How many days back from now.", min=1, max=3650)],
    creator: Annotated[str | None, typer.Option(help="Her name or account id; all creators without.")] = None,
    messages: Annotated[
        bool, typer.Option("--messages", help="Also the messages with fans who have paid.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Say what it will cost and go on without asking.")
    ] = False,
) -> None:
    """Fetch older payments from the data API; it says first what they cost. The bot must not be running."""
    from bot.cli.backfill import BackfillOptions, run_backfill
    from bot.cli.opening import run_command

    options = BackfillOptions(days=days, creator=creator, messages=messages, yes=yes)
    raise typer.Exit(run_command("backfill", run_backfill(options, _env_file())))


@app.command("copy")
def copy_(
    source: Annotated[str, typer.Option("--from", help="What to copy: sqlite:///FILE or postgresql://...")],
    target: Annotated[str, typer.Option("--to", help="As --from; there must be nothing in it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Say how much it is and go on without asking.")] = False,
) -> None:
    """Copy one database into another that is empty, SQLite or PostgreSQL. No bot must be running on either."""
    from bot.cli.copying import CopyOptions, run_copy
    from bot.cli.opening import run_command

    raise typer.Exit(run_command("copy", run_copy(CopyOptions(source, target, yes))))


@app.command()
def score(
    in_path: Annotated[Path, typer.Option("--in", help="A JSON array of one creator's fans.")],
    out_path: Annotated[Path, typer.Option("--out", help="Where the scores go, in the same order.")],
    model: Annotated[str, typer.Option(help="The score model.")] = "reference",
) -> None:
    """Score fans from a file, without a bot."""
    from bot.scorefile import ScoreFileError, score_file

    try:
        count = score_file(model, in_path, out_path)
    except ScoreFileError as error:
        typer.echo(f"fanwatch score: {error}", err=True)
        raise typer.Exit(EXIT_USAGE) from None
    typer.echo(f"{count} fans scored by {model} into {out_path}")


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="0: a free one, printed.", min=0, max=65535)] = 8080,
    speed: Annotated[float, typer.Option(help="Agency seconds per second; 0 stands still.", min=0)] = 120.0,
    seed: Annotated[int, typer.Option(help="Which made-up agency: another number, other people.")] = 7,
    history: Annotated[
        Path | None, typer.Option(help="CSV of creator,fan,at,amount_cents to replay.")
    ] = None,
    effect: Annotated[
        float, typer.Option(help="The share of leavers whom a contact keeps.", min=0, max=1)
    ] = 0.0,
    model: Annotated[str, typer.Option(help="The score model.")] = "auto",
    api: Annotated[Literal["fansapi", "ofapi_ai"], typer.Option(help="Which vendor's data API.")] = "fansapi",
    data: Annotated[Path | None, typer.Option(help="Keep the database in this folder.")] = None,
    database: Annotated[str | None, typer.Option(help="postgresql://... instead of a file.")] = None,
    wire_speed: Annotated[
        float, typer.Option(help="Scales Discord's rate windows for tests.", min=0.01)
    ] = 1.0,
    headless: Annotated[bool, typer.Option("--headless", help="No page: run --cycles and report.")] = False,
    cycles: Annotated[int, typer.Option(help="With --headless: how many steps of the clock.", min=1)] = 1,
    step: Annotated[str, typer.Option(help="With --headless: 15m, 1h or 1d a cycle.")] = "1d",
    report: Annotated[Path | None, typer.Option(help="With --headless: the report, JSON.")] = None,
    requests: Annotated[Path | None, typer.Option(help="With --headless: every Discord request.")] = None,
    state: Annotated[Path | None, typer.Option(help="With --headless: the channels as they ended.")] = None,
    webhooks: Annotated[
        bool, typer.Option("--webhooks", help="The data API tells the bot at once what happens.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the bot's log.")] = False,
) -> None:
    """Run the real bot inside a simulated Discord and a simulated agency, on this machine only."""
    from bot.demo import DemoOptions, run_demo
    from bot.report import read_numbers

    options = DemoOptions(
        port=port,
        speed=speed,
        seed=seed,
        history=history,
        model=model,
        data=data,
        database=database,
        wire_speed=wire_speed,
        headless=headless,
        cycles=cycles,
        step=step,
        report=report,
        requests=requests,
        state=state,
        verbose=verbose,
        effect=effect,
        webhooks=webhooks,
        api=api,
    )
    raise typer.Exit(run_demo(options, read_numbers))


if __name__ == "__main__":
    sys.exit(app())
