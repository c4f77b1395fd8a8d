"""The jobs on real storage, both engines: the fixtures of the storage tests and a desk to work at."""

from __future__ import annotations

import pytest_asyncio

from tests.bot.jobs.desk import Desk, open_desk
from tests.storage.conftest import (
    Agency,
    agency,
    database_url,
    postgres_server,
    postgres_url,
    storage,
)

__all__ = ["agency", "database_url", "desk", "postgres_server", "postgres_url", "storage"]


@pytest_asyncio.fixture
async def desk(agency: Agency) -> Desk:
    return await open_desk(agency)
