"""The whole data API misbehaves for hours: one notice at most, alerts of before stay, and nothing is lost or twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from tests.e2e.facts import Pair, duplicates, notices, pair
from tests.e2e.harness import Json
from tests.e2e.office import HOUR_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOME = "fanwatch-notices"
DOWN = "The data API is not answering"
NO_CREDITS = "The data API's credits are used up"
REFUSED = "The data API refuses the key"


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with every request for six hours. `notice`: what people are told; None: they need not know."""

    kind: str
    args: Json = field(default_factory=dict)
    notice: str | None = None
    count: int = 0


TROUBLES = {
    "401": Trouble("status", {"code": 401, "body": {"error": "Unauthorized."}}, REFUSED),
    "402": Trouble("status", {"code": 402}, NO_CREDITS),
    "422": Trouble(
        "status", {"code": 422, "body": {"message": "Invalid", "errors": {"limit": ["no"]}}}, DOWN
    ),
    "429 with Retry-After": Trouble("rate_limit", {"retry_after_s": 0.1}, DOWN),
    "429 without": Trouble("rate_limit", {}, DOWN),
    "429 once": Trouble("rate_limit", {"retry_after_s": 0.1}, count=2),
    "500": Trouble("status", {"code": 500}, DOWN),
    "500 once": Trouble("status", {"code": 500}, count=2),
    "HTML 403": Trouble("html_403", {}, DOWN),
    "slow": Trouble("latency", {"ms": 200}),
    "broken JSON": Trouble("bad_json", {}, DOWN),
    "reset before": Trouble("reset", {"when": "before"}, DOWN),
    "reset after": Trouble("reset", {"when": "after"}, DOWN),
    "reset once": Trouble("reset", {"when": "after"}, count=2),
    "credits": Trouble("credits", {"balance": 0}, NO_CREDITS),
    "daily limits as numbers": Trouble("daily_limits", {"as": "int"}),
    "daily limits as texts": Trouble("daily_limits", {"as": "string"}),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with pair(tmp_path_factory.mktemp("faults")) as found:
        yield found


@pytest.mark.parametrize("name", TROUBLES)
async def test_it_is_told_once_and_over_by_itself(both: Pair, name: str) -> None:
    trouble, office = TROUBLES[name], both.troubled
    before = len(await notices(office))
    fault = await office.box.fault("fanapi", trouble.kind, args=trouble.args, count=trouble.count)
    await both.advance(HOUR_S, 3)
    await both.advance(3 * HOUR_S)
    assert await both.fired(fault) > 0 or trouble.kind == "daily_limits"
    told = (await notices(office))[before:]
    assert [one.says(HOME, trouble.notice or "") for one in told] == [True] * (trouble.notice is not None), (
        told
    )
    assert not any(one.over for one in told)
    await office.box.clear_faults()
    if trouble.kind == "credits":
        await office.box.fault("fanapi", "credits", args={"balance": 1_000_000})

    await both.advance(HOUR_S)
    now = await notices(office)
    assert len(now) == before + len(told)
    assert all(one.over for one in now), now
    # What only a night looks at is as fresh as the other's after the next one.
    await both.advance(17 * HOUR_S)
    assert both.differences() == []
    assert await duplicates(office) == []
    assert await notices(both.calm) == []
