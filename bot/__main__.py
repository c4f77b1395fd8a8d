"""The command line: `python -m bot run | demo | score`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

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

    raise typer.Exit(asyncio.run(run_bot(os.environ.get("ENV_FILE", ".env"))))


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
    speed: Annotated[float, typer.Option(help="Agency seconds per second.", min=0)] = 120.0,
    seed: Annotated[int, typer.Option(help="Which made-up agency.")] = 7,
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
    cycles: Annotated[int, typer.Option(help="With --headless.", min=1)] = 1,
    step: Annotated[str, typer.Option(help="15m, 1h or 1d a cycle.")] = "1d",
    report: Annotated[Path | None, typer.Option(help="With --headless: the report, JSON.")] = None,
    requests: Annotated[Path | None, typer.Option(help="With --headless: every Discord request.")] = None,
    state: Annotated[Path | None, typer.Option(help="With --headless: the channels as they ended.")] = None,
    webhooks: Annotated[
        bool, typer.Option("--webhooks", help="The data API tells the bot what happens.")
    ] = False,
    verbose: Annotated[bool, typer.Option(help="Show the bot's log.")] = False,
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
