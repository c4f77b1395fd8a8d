"""The commands on real databases of both engines, called as the command line calls them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from bot.cli.importing import BATCH_ROWS, ImportOptions, run_import
from bot.cli.opening import CommandError
from bot.config import Settings
from storage.engine import AgencyStore
from tests.storage.conftest import (
    Agency,
    agency,
    database_url,
    empty_postgres_url,
    empty_url,
    postgres_server,
    postgres_url,
    storage,
)

__all__ = [
    "agency",
    "database_url",
    "empty_postgres_url",
    "empty_url",
    "postgres_server",
    "postgres_url",
    "storage",
]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


async def rows(store: AgencyStore, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    """These columns of every row of the agency, ordered by them."""
    wanted = [table.c[name] for name in columns]
    async with store.read() as tx:
        found = await tx.all(select(*wanted).where(table.c.agency_id == tx.agency_id))
    return sorted((tuple(row) for row in found), key=repr)


@dataclass
class Importer:
    """Imports texts as files for the agency's creators."""

    agency: Agency
    folder: Path
    capsys: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    @property
    def store(self) -> AgencyStore:
        return self.agency.store

    def write(self, content: str | bytes, name: str = "file.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    async def run(
        self,
        file: Path | str,
        kind: Any = "transactions",
        creator: str = "Ava",
        batch: int = BATCH_ROWS,
        **more: Any,
    ) -> int:
        """The exit code; `out` and `err` are what the operator sees of it."""
        path = file if isinstance(file, Path) else self.write(file)
        try:
            code = await run_import(ImportOptions(path, kind, creator, **more), None, batch_rows=batch)
            self.out, self.err = self.capsys.readouterr()
        except CommandError as error:
            self.out, self.err = self.capsys.readouterr()
            self.err += str(error)
            return error.exit_code
        return code

    async def rows(self, table: Table, *columns: str) -> Sequence[tuple[Any, ...]]:
        return await rows(self.store, table, *columns)


@pytest.fixture
def importer(
    agency: Agency,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Importer:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return Importer(agency, tmp_path, capsys)
