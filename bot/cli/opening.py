"""What every command needs: its database held and open, whom it is about, how it ends and how it is stopped."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy.exc import DBAPIError

from bot.clock import Clock, ClockUnreachableError, RemoteClock, SystemClock
from bot.config import DatabaseSettings, SettingsError
from storage import roster
from storage.engine import Agency, AgencyStore, Storage
from storage.lock import DatabaseInUseError, ProcessLock
from storage.roster import Creator
from storage.urls import SqliteFile, parse_database_url

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_REFUSED = 3
EXIT_IN_USE = 4


class CommandError(Exception):
    """Why a command ends early: one line for the operator, and the exit code."""

    def __init__(self, message: str, exit_code: int = EXIT_USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def run_command(name: str, command: Coroutine[Any, Any, int]) -> int:
    """Run a command to its end and give its exit code; what keeps it from its end is told in one line each."""
    try:
        return asyncio.run(command)
    except SettingsError as error:
        problems, code = error.problems, EXIT_USAGE
    except CommandError as error:
        problems, code = [str(error)], error.exit_code
    except DBAPIError as error:
        # Never its text: it may quote what a statement was given.
        problems, code = [f"the database failed ({type(error.orig).__name__})"], EXIT_FAILED
    for problem in problems:
        say(f"fanwatch {name}: {problem}")
    return code


def say(line: str) -> None:
    """A line beside the result: on standard error."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the operator's terminal


def report(line: str) -> None:
    """A line of the result: on standard output."""
    print(line, flush=True)  # noqa: T201 - the operator's terminal


class Stop:
    """Whether the operator has asked for an end; looked at between two transactions."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self) -> None:
        self.asked = True


@contextmanager
def stopping() -> Iterator[Stop]:
    """Let Ctrl-C and SIGTERM ask for an end instead of making one."""
    stop = Stop()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, stop.ask)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def confirm(question: str, *, yes: bool) -> None:
    """Ask on the terminal; with `yes` only tell. Raises CommandError where the answer is no or nobody can be asked."""
    if yes:
        say(question)
        return
    if not sys.stdin.isatty():
        raise CommandError(f"{question}: nobody can be asked here; add --yes to go on")
    print(f"{question}; go on? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201 - the operator's terminal
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was done", EXIT_FAILED)


@asynccontextmanager
async def hold_database(url: str, option: str, *, migrate: bool, must_exist: bool) -> AsyncIterator[Storage]:
    """The database at `url`, held against every other process. `option` is what the operator named it by.

    Raises CommandError where it is in use or cannot be opened.
    """
    target = parse_database_url(url)
    if must_exist and isinstance(target, SqliteFile) and not target.path.is_file():
        raise CommandError(f"{option}: there is no database file at {target.path}")
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(ProcessLock(url))
            storage = await stack.enter_async_context(await Storage.open(url, migrate=migrate))
        except DatabaseInUseError as error:
            raise CommandError(f"{error} Stop it first.", EXIT_IN_USE) from error
        except (OSError, DBAPIError) as error:
            raise CommandError(f"{option}: the database cannot be opened ({type(error).__name__})") from error
        except Exception as error:
            # asyncpg's own errors, which its connection raises before SQLAlchemy is there to wrap them.
            if not type(error).__module__.startswith("asyncpg"):
                raise
            raise CommandError(f"{option}: the database cannot be opened ({type(error).__name__})") from error
        yield storage


@dataclass(frozen=True, slots=True)
class Office:
    """An open database with the agency that a command is about."""

    storage: Storage
    agency: Agency
    store: AgencyStore
    clock: Clock


@asynccontextmanager
async def open_office(settings: DatabaseSettings) -> AsyncIterator[Office]:
    """The database of the settings and the agency in it. Raises CommandError."""
    async with AsyncExitStack() as stack:
        clock: Clock = SystemClock()
        if settings.clock_url is not None:
            remote = RemoteClock(settings.clock_url, await stack.enter_async_context(httpx.AsyncClient()))
            try:
                await remote.start()
            except ClockUnreachableError as error:
                raise CommandError(str(error)) from error
            clock = remote
        storage = await stack.enter_async_context(
            hold_database(settings.database_url, "DATABASE_URL", migrate=True, must_exist=True)
        )
        agency = await _agency(storage, settings.discord_guild_id)
        yield Office(storage, agency, storage.agency(agency.id), clock)


async def _agency(storage: Storage, guild_id: int | None) -> Agency:
    agencies = await storage.system.list_agencies()
    if not agencies:
        raise CommandError("DATABASE_URL: this database has not been set up; start the bot once")
    if guild_id is not None:
        agencies = [agency for agency in agencies if agency.guild_id == guild_id]
        if not agencies:
            raise CommandError("DISCORD_GUILD_ID: this database belongs to another Discord server")
    if len(agencies) > 1:
        raise CommandError("DISCORD_GUILD_ID: this database has several Discord servers; name one")
    return agencies[0]


async def find_creators(store: AgencyStore, wanted: str | None) -> list[Creator]:
    """The creator of this name or account id; None: all who have not been retired. Raises CommandError."""
    async with store.read() as tx:
        creators = await roster.list_creators(tx)
    if wanted is None:
        return [creator for creator in creators if creator.retired_at is None]
    found = [creator for creator in creators if creator.account_id == wanted]
    found = found or [c for c in creators if c.name.casefold() == wanted.strip().casefold()]
    if len(found) == 1:
        return found
    if found:
        raise CommandError(f"--creator: several creators are called {wanted!r}; give the account id")
    names = ", ".join(repr(creator.name) for creator in creators[:20]) or "none yet"
    raise CommandError(f"--creator: there is no creator {wanted!r}; there is {names}")
