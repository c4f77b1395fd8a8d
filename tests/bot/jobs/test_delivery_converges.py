"""Whatever happens to cards, their messages and the process in between: after a drain Discord agrees with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.base36 import encode
from storage import roster as rosters
from storage.engine import Storage
from tests.bot.jobs.desk import open_desk
from tests.bot.jobs.test_delivery import Post
from tests.storage.conftest import DAY, NOW, ROSTER, Agency

CARDS = 2

_card = st.integers(0, CARDS - 1)
_step = st.one_of(
    st.tuples(st.just("change"), _card, st.integers(0, 3)),
    st.tuples(st.just("repost"), _card, st.just(0)),
    st.tuples(st.just("close"), _card, st.just(0)),
    st.tuples(st.just("lose"), _card, st.integers(0, 3)),
    st.tuples(st.just("drain"), st.just(0), st.just(0)),
    st.tuples(st.just("die before"), st.just(0), st.integers(1, 4)),
    st.tuples(st.just("die after"), st.just(0), st.integers(1, 4)),
    st.tuples(st.just("nonces forgotten"), st.just(0), st.just(0)),
)


@asynccontextmanager
async def _post(path: Path) -> AsyncIterator[Post]:
    async with await Storage.open(f"sqlite:///{path}/fanwatch.db") as storage:
        store = storage.agency(await rosters.apply_roster(storage, ROSTER, NOW))
        async with store.read() as tx:
            ids = {creator.name: creator.id for creator in await rosters.list_creators(tx)}
        yield Post(await open_desk(Agency(storage, store, ids["Ava"], ids["Bea"])))


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def post(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    opened = _post(tmp_path_factory.mktemp("converges"))
    yield loop.run(opened.__aenter__())
    loop.run(opened.__aexit__(None, None, None))


async def _live_through(post: Post, steps: list[tuple[str, int, int]]) -> None:
    made = [await post.notice(ping=bool(number)) for number in range(CARDS)]
    for what, which, detail in steps:
        card = made[which]
        if what == "change":
            await post.age(card, NOW - detail * DAY)
        elif what == "repost":
            await post.repost(card)
        elif what == "close":
            await post.set(card, closed_at=NOW)
        elif what == "lose":
            there = post.discord.of_card(encode(card))
            if there:
                await post.lose(there[detail % len(there)].id)
        elif what == "drain":
            await post.drain()
        elif what == "nonces forgotten":
            post.discord.nonces.clear()
        else:
            await post.crash_at(detail, after=what == "die after")
    await post.drain()
    for card in made:
        await post.assert_agrees(card)
    before = len(post.discord.calls)
    await post.drain()
    assert len(post.discord.calls) == before


@given(steps=st.lists(_step, max_size=12))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
def test_discord_agrees_in_the_end(
    loop: asyncio.Runner, post: Post, steps: list[tuple[str, int, int]]
) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await _live_through(post, steps)

    loop.run(bounded())
