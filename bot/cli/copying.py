"""`python -m bot copy`: one database into another that is empty, between SQLite and PostgreSQL either way."""

from __future__ import annotations

from dataclasses import dataclass

from bot.cli.opening import (
    EXIT_FAILED,
    EXIT_OK,
    CommandError,
    confirm,
    hold_database,
    report,
    say,
    stopping,
)
from bot.cli.progress import progress
from storage.copying import CopyError, Totals, check_copyable, copy_all
from storage.urls import DatabaseUrlError, PostgresServer, SqliteFile, parse_database_url


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """What the operator asked for; both addresses as in DATABASE_URL. `yes`: do not ask."""

    source: str
    target: str
    yes: bool = False


class _StoppedError(Exception):
    """The operator has asked for an end."""


async def run_copy(options: CopyOptions) -> int:
    """Copy a database; the exit code. Raises CommandError."""
    source, target = _parse("--from", options.source), _parse("--to", options.target)
    if source == target:
        raise CommandError("--to: is the same database as --from")
    async with (
        hold_database(options.source, "--from", migrate=False, must_exist=True) as reading,
        hold_database(options.target, "--to", migrate=True, must_exist=False) as writing,
    ):
        try:
            totals = await check_copyable(reading, writing)
        except CopyError as error:
            raise CommandError(str(error)) from error
        confirm(f"{totals.all_rows:,} rows from {_name(source)} to {_name(target)}", yes=options.yes)
        with stopping() as stop, progress("copying and comparing", 2 * totals.all_rows) as advance:

            def advanced(rows: int) -> None:
                if stop.asked:
                    raise _StoppedError
                advance(rows)

            try:
                copied = await copy_all(reading, writing, advanced)
            except CopyError as error:
                raise CommandError(str(error), EXIT_FAILED) from error
            except _StoppedError:
                say("stopped: nothing was copied, the database to copy to is as empty as before")
                return EXIT_FAILED
    _report(copied)
    return EXIT_OK


def _report(copied: Totals) -> None:
    for table, rows in copied.rows.items():
        if rows:
            report(f"  {table}: {rows:,}")
    report(f"copied and compared: {copied.all_rows:,} rows")


def _parse(option: str, url: str) -> SqliteFile | PostgresServer:
    try:
        return parse_database_url(url)
    except DatabaseUrlError as error:
        raise CommandError(f"{option}: {error}") from error


def _name(target: SqliteFile | PostgresServer) -> str:
    """For people: never a password."""
    if isinstance(target, SqliteFile):
        return str(target.path)
    return f"{target.url.database} on {target.url.host or 'this machine'}"
