"""A running agency that the tests of one module share: they pick fans and cards of their own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.harness import sandbox
from tests.e2e.office import HISTORY, Office
from tests.e2e.openapi import SPEC, Contract
from tests.storage.conftest import new_databases, postgres_server

__all__ = ["postgres_server"]

IN_EVERY_RUN = ("test_replay_small.py", "test_reading.py", "test_requests_openapi.py", "test_accept.py")
"""Modules of this folder that are not for `make e2e`: the small replay belongs to `make test`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        elsewhere = item.path.name in IN_EVERY_RUN or item.get_closest_marker("bench") is not None
        if item.path.parent == Path(__file__).parent and not elsewhere:
            item.add_marker(pytest.mark.e2e)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Office]:
    """Settled at the baseline, then advanced by the module's ADVANCE_S in one step.

    A module's RENAMED maps a fan's number to the username it shall have instead of `fan_<number>`.
    """
    folder = tmp_path_factory.mktemp("office")
    launcher: tuple[str, ...] = ("-m", "bot.sandbox")
    renamed: dict[str, str] | None = getattr(request.module, "RENAMED", None)
    if renamed:
        (folder / "names.json").write_text(json.dumps(renamed))
        launcher = ("-m", "tests.e2e.renaming_sandbox", str(folder / "names.json"))
    async with sandbox(folder / "data", history=HISTORY, model="reference", launcher=launcher) as box:
        await box.settled()
        if seconds := getattr(request.module, "ADVANCE_S", 0):
            assert (await box.advance(seconds)).settled, box.tail()
        yield await Office.of(box)
        if SPEC.exists():
            # Whatever the module made the bot do, what it sent was what Discord's own contract takes.
            contract = Contract.load()
            wrong = {text for line in await box.requests() for text in contract.problems(line)}
            assert wrong == set()


@pytest_asyncio.fixture
async def three_databases(postgres_server: str) -> AsyncIterator[list[str]]:
    """Empty PostgreSQL databases."""
    async with new_databases(postgres_server, 3) as addresses:
        yield addresses


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> list[str | None]:
    """Three databases for three bots: None is a SQLite file in the bot's own folder."""
    if request.param == "sqlite":
        return [None, None, None]
    return list(request.getfixturevalue("three_databases"))
