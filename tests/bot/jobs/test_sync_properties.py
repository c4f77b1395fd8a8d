"""Whatever a page looks like and wherever its sync is cut off: twice is once, and nobody is lost for long."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from bot.domain.models import FanRecord, TransactionKind, TransactionRecord
from bot.fanapi.errors import UpstreamError
from storage import roster
from storage.engine import Storage
from storage.settings import create_agency
from storage.tables import agencies, fan_accounts, metadata
from tests.bot.jobs.desk import Desk, calm
from tests.bot.jobs.fake_api import Account, FakeApi
from tests.bot.jobs.test_sync import AVA, HOUR, Office
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import payment

MACHINERY = frozenset(
    {"sync_runs", "score_runs", "api_usage", "command_hashes", "creators", "creator_accounts"}
)
"""When something was asked and what it cost, which an interruption does change."""

_ID = re.compile(r"\d{17,}")
_numbers = st.integers(1, 7)


@st.composite
def _fan(draw: st.DrawFn, number: int) -> FanRecord:
    over = draw(st.booleans())
    paid = draw(st.sampled_from([0, 50, 4_000, 90_000]))
    return calm(
        number,
        subscribed=not over,
        expired_now=over,
        total_cents=paid,
        price_cents=draw(st.sampled_from([0, 999])),
        expires_at=NOW + draw(st.sampled_from([-1, HOUR // 2, 2 * DAY, 20 * DAY])),
        last_seen_at=draw(st.sampled_from([None, NOW, NOW - 20 * DAY])),
        rebill_off=draw(st.sampled_from([None, True])),
        is_blocked=draw(st.booleans()),
    )


@st.composite
def _payment(draw: st.DrawFn, key: str, after: int) -> TransactionRecord:
    # Some are of fans whom nobody lists.
    fan = draw(st.integers(1, 9))
    cents = draw(st.sampled_from([300, 5_000]))
    return payment(key, str(fan), amount_cents=cents, occurred_at=after + draw(st.integers(1, 3)) * HOUR // 4)


@dataclass(frozen=True)
class World:
    """What a page shows at NOW, and what it shows when it is looked at again after `wait` ms."""

    fans: tuple[FanRecord, ...]
    payments: tuple[TransactionRecord, ...]
    later: tuple[FanRecord, ...]
    later_payments: tuple[TransactionRecord, ...]
    charged_back: bool
    wait: int


@st.composite
def _worlds(draw: st.DrawFn) -> World:
    first = draw(st.lists(_numbers, unique=True, min_size=1))
    second = draw(st.lists(st.integers(1, 9), unique=True, max_size=4))
    return World(
        tuple(draw(_fan(n)) for n in first),
        tuple(draw(_payment(f"a{n}", NOW - DAY)) for n in range(draw(st.integers(0, 5)))),
        tuple(draw(_fan(n)) for n in second),
        tuple(draw(_payment(f"b{n}", NOW)) for n in range(draw(st.integers(0, 3)))),
        draw(st.booleans()),
        draw(st.sampled_from([HOUR, 3 * HOUR, DAY, 2 * DAY])),
    )


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def everywhere(
    request: pytest.FixtureRequest, loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Storage]:
    """One database for many agencies, each a world of its own."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('worlds')}/fanwatch.db"
    else:
        url = str(request.getfixturevalue("postgres_server"))
    opened = _opened(url)
    yield loop.run(opened.__aenter__())
    loop.run(opened.__aexit__(None, None, None))


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Storage]:
    async with await Storage.open(url) as storage:
        yield storage


_guilds = count(1)


async def _office(storage: Storage, world: World) -> Office:
    """A new agency with one creator whose page is as the world begins."""
    agency_id = await create_agency(storage, next(_guilds), NOW)
    store = storage.agency(agency_id)
    creator_id = await store.write(
        lambda tx: roster.add_creator(tx, roster.NewCreator(AVA, "Ava", 401, 301), NOW)
    )
    await store.write(
        lambda tx: tx.execute(update(agencies).where(agencies.c.id == tx.agency_id).values(timezone="UTC"))
    )
    office = Office(Desk(Agency(storage, store, creator_id, creator_id), store))
    office.api = FakeApi({AVA: Account(fans=list(world.fans), payments=list(world.payments))})
    return office


def _move_on(office: Office, world: World) -> None:
    platform = office.api.accounts[AVA]
    for record in world.later:
        platform.put(record)
    platform.payments.extend(world.later_payments)
    if world.charged_back and world.payments:
        back = world.payments[0]
        platform.chargebacks.append(
            replace(
                back,
                platform_transaction_id="back",
                kind=TransactionKind.CHARGEBACK,
                amount_cents=-back.amount_cents,
                occurred_at=NOW + HOUR // 2,
            )
        )


async def _everything(office: Office) -> dict[str, list[str]]:
    """All rows of all tables, with people and cards by what they are and not by their ids."""
    desk = office.desk
    fans = {row["id"]: f"fan {row['platform_fan_id']}" for row in await desk.rows(fan_accounts)}
    found: dict[str, list[str]] = {}
    for table in metadata.sorted_tables:
        if table.name in MACHINERY or "agency_id" not in table.c:
            continue
        ids = {"id", "agency_id", "creator_id", "seen_run_id", "card_id", "episode_id", "message_id"}
        ids |= {name for c in table.c if (name := c.name).endswith("run_id")}
        rows = [
            repr({k: fans.get(v, v) if k == "fan_account_id" else v for k, v in row.items() if k not in ids})
            for row in await desk.rows(table)
        ]
        # A card's payload names its episode.
        found[table.name] = sorted(_ID.sub("#", row) for row in rows)
    return found


async def _again(office: Office, due: dict[str, Any]) -> None:
    """Whatever was due is due again, at the same instant."""
    await office.desk.set_creator(office.desk.agency.ava, **due)


async def _due(office: Office) -> dict[str, Any]:
    creator = await office.creator(office.desk.agency.ava)
    return {name: creator[name] for name in ("next_poll_at", "next_walk_at", "next_full_walk_at")}


async def _cut_off(office: Office, now: int, call: int, how: Literal["fault", "cancel"]) -> None:
    """Run the sync until its `call`th request, which fails or never ends, and then to its end."""
    due, api = await _due(office), office.api
    api.calls.clear()
    if how == "fault":
        api.fault = lambda *_: UpstreamError("no", endpoint="/x") if len(api.calls) == call else None
        await office.run(now)
    else:
        api.stuck_at = call
        api.reached.clear()
        task = asyncio.create_task(office.run(now))
        waiting = asyncio.create_task(api.reached.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    api.fault, api.stuck_at = lambda *_: None, None
    if (await office.runs(office.desk.agency.ava))[-1:] != [] and (await office.runs(office.desk.agency.ava))[
        -1
    ][1] == "done":
        return
    await _again(office, due)
    await office.run(now)


_settings = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
    # An example takes a second: what fails is small already.
    phases=[Phase.explicit, Phase.generate],
)


@given(world=_worlds())
@_settings
def test_twice_is_once(loop: asyncio.Runner, everywhere: Storage, world: World) -> None:
    async def live() -> None:
        async with asyncio.timeout(20):
            office = await _office(everywhere, world)
            await office.run(NOW)
            _move_on(office, world)
            due = await _due(office)
            await office.run(NOW + world.wait)
            once = await _everything(office)
            await _again(office, due)
            await office.run(NOW + world.wait)
            assert len(await office.runs(office.desk.agency.ava)) == 3
            assert await _everything(office) == once

    loop.run(live())


@given(
    world=_worlds(),
    first=st.integers(2, 14),
    second=st.integers(2, 14),
    how=st.sampled_from(["fault", "cancel"]),
)
@_settings
def test_cut_off_anywhere_and_gone_on_with_is_once(
    loop: asyncio.Runner,
    everywhere: Storage,
    world: World,
    first: int,
    second: int,
    how: Literal["fault", "cancel"],
) -> None:
    async def live() -> None:
        async with asyncio.timeout(20):
            calm_office = await _office(everywhere, world)
            cut = await _office(everywhere, world)
            await calm_office.run(NOW)
            await _cut_off(cut, NOW, first, how)
            assert await _everything(cut) == await _everything(calm_office)
            for office in (calm_office, cut):
                _move_on(office, world)
            await calm_office.run(NOW + world.wait)
            await _cut_off(cut, NOW + world.wait, second, how)
            assert await _everything(cut) == await _everything(calm_office)

    loop.run(live())


_shift = st.tuples(st.integers(1, 9), st.sampled_from(["gone", "new", "up"]), st.integers(0, 8))


def _shift_at(office: Office, shifts: list[tuple[int, str, int]]) -> None:
    """Before these calls somebody leaves the platform, comes, or moves to the top of the list."""
    platform, api = office.api.accounts[AVA], office.api
    fresh = count(100)

    def before(number: int) -> None:
        for at, what, which in shifts:
            if at != number:
                continue
            if what == "new":
                platform.put(
                    calm(next(fresh), total_cents=4_000, price_cents=0, subscribed_at=office.clock.now)
                )
            elif platform.fans:
                record = platform.fans.pop(which % len(platform.fans))
                if what == "up":
                    platform.fans.insert(0, record)

    api.calls.clear()
    api.before_call = before


async def _known(office: Office) -> dict[str, dict[str, Any]]:
    return {row["platform_fan_id"]: row for row in await office.desk.rows(fan_accounts)}


@given(world=_worlds(), shifts=st.lists(_shift, max_size=4), repeats=st.booleans())
@_settings
def test_a_list_that_moves_under_a_walk_hides_nobody_beyond_the_next(
    loop: asyncio.Runner,
    everywhere: Storage,
    world: World,
    shifts: list[tuple[int, str, int]],
    repeats: bool,
) -> None:
    async def live() -> None:
        async with asyncio.timeout(20):
            office = await _office(everywhere, world)
            office.api.repeat_first_of_next_page = repeats
            _shift_at(office, shifts)
            await office.run(NOW)
            office.api.before_call = lambda _: None
            await office.run(NOW + DAY)
            there = {record.platform_fan_id for record in office.api.accounts[AVA].fans}
            assert there <= set(await _known(office))

    loop.run(live())


@given(world=_worlds(), shifts=st.lists(_shift, max_size=4), repeats=st.booleans())
@_settings
def test_a_night_sees_every_payer_however_its_list_moves(
    loop: asyncio.Runner,
    everywhere: Storage,
    world: World,
    shifts: list[tuple[int, str, int]],
    repeats: bool,
) -> None:
    async def live() -> None:
        async with asyncio.timeout(20):
            office = await _office(everywhere, world)
            for day in (0, 1):
                await office.run(NOW + day * DAY)
            known = {fan for fan, row in (await _known(office)).items() if row["paid"] and row["subscribed"]}
            _move_on(office, world)
            office.api.repeat_first_of_next_page = repeats
            _shift_at(office, shifts)
            await office.run(NOW + 2 * DAY)
            fans = await _known(office)
            for record in office.api.accounts[AVA].fans:
                if record.platform_fan_id not in known:
                    continue
                seen = fans[record.platform_fan_id]
                wanted = (record.subscribed, record.expires_at, record.total_cents, record.is_blocked)
                names = ("subscribed", "expires_at", "total_cents", "is_blocked")
                assert tuple(seen[name] for name in names) == wanted

    loop.run(live())
