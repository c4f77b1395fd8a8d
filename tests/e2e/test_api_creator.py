"""One creator's data fails, or comes oddly cut, while the others' goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.facts import Pair, duplicates, notices, pair
from tests.e2e.harness import Json
from tests.e2e.office import DAY_S, HOUR_S, Office

pytestmark = pytest.mark.asyncio(loop_scope="module")

SESSION = "session has expired"
MISSING = "no longer listed"
STALE = "data is old"
OTHERS = ("luna", "mira")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with pair(tmp_path_factory.mktemp("creator")) as found:
        yield found


def _synced(office: Office) -> dict[str, int]:
    return dict(office.rows("SELECT name, synced_at FROM creators"))


def _alerts(office: Office) -> int:
    """Alerts that were ever opened for the others."""
    return int(
        office.rows(
            "SELECT COUNT(*) FROM episodes e JOIN creators c ON c.id = e.creator_id WHERE c.name <> 'zoe'"
        )[0][0]
    )


NOT_FOUND = {"code": 404, "body": {"error": {"code": "account_not_found", "message": "No such account."}}}


@pytest.mark.parametrize(
    ("kind", "args", "path", "told"),
    [
        pytest.param("session_expired", {"account": "zoe"}, None, SESSION, id="session"),
        pytest.param("status", NOT_FOUND, "/acct_zoe/", MISSING, id="account_not_found"),
        pytest.param("status", {"code": 500}, "/acct_zoe/", STALE, id="500"),
        pytest.param("bad_json", {}, "/acct_zoe/", STALE, id="broken JSON"),
    ],
)
async def test_her_trouble_is_told_in_her_channel_once_and_is_over_by_itself(
    both: Pair, kind: str, args: Json, path: str | None, told: str
) -> None:
    office = both.troubled
    before = len(await notices(office))
    synced, alerts = _synced(office), _alerts(office)
    match = {"path": path} if path is not None else {}
    await office.box.fault("fanapi", kind, args=args, match=match, count=0)
    await both.advance(HOUR_S, 4)
    await both.advance(2 * DAY_S)
    now = await notices(office)
    assert [one.says("zoe", told) for one in now[before:]] == [True], now
    assert not now[-1].over
    late = _synced(office)
    assert late["zoe"] == synced["zoe"]
    # The others' data and alerts go on.
    assert all(late[name] > synced[name] for name in OTHERS)
    assert _alerts(office) == _alerts(both.calm) >= alerts

    await office.box.clear_faults()
    await both.advance(HOUR_S)
    now = await notices(office)
    assert len(now) == before + 1
    assert now[-1].over
    await both.advance(DAY_S)
    assert both.differences() == []
    assert await duplicates(office) == []


TRAPS = ("short_page", "empty_page", "shift_page", "shrink_page")
LISTS = ("fans/all", "fans/active", "fans/latest", "transactions")


async def test_pages_cut_oddly_lose_nobody_and_double_nobody(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """From the second page on, over the second full walk and the nights and polls after it."""
    async with pair(tmp_path_factory.mktemp("pages")) as both:
        office = both.troubled
        planted = [
            await office.box.fault("fanapi", trap, match={"path": f"acct_{name}/{listed}"}, after=1, count=2)
            for trap, name in zip(TRAPS, ("luna", "mira", "zoe", "luna"), strict=True)
            for listed in LISTS
        ]
        await both.advance(DAY_S, 3)
        await both.advance(HOUR_S, 12)
        assert sum([await both.fired(fault) > 0 for fault in planted]) >= len(TRAPS)
        await office.box.clear_faults()
        await both.advance(DAY_S)
        assert both.differences() == []
        assert await duplicates(office) == []
        assert await notices(office) == []
