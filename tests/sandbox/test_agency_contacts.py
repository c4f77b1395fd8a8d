"""Contacts on the platform: whom they keep, whom they drive away, and the control call that makes them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox.__main__ import read_options
from bot.sandbox.agency.contacts import ContactApi, Directory
from bot.sandbox.agency.model import Creator, Fan
from bot.sandbox.agency.sample import Contact, SampleAgency
from bot.sandbox.clock import AgencyClock
from bot.sandbox.times import MS_PER_DAY
from tests.sandbox.test_server import bot_command, running

PERIOD_MS = 30 * MS_PER_DAY
Client = TestClient[web.Request, web.Application]
Key = tuple[str, int]


def invented(fan: Fan) -> bool:
    """Whether nobody planted the fan: their usernames end in a number."""
    return fan.username is not None and fan.username[-1].isdecimal()


def leaving(fan: Fan) -> bool:
    return fan.subscribed and fan.periods[-1].cancelled_at is not None


def subscribed(agency: SampleAgency) -> list[tuple[Creator, Fan]]:
    return [(creator, fan) for creator in agency.creators for fan in creator.fans if fan.subscribed]


def contact_all(agency: SampleAgency, order: Iterable[tuple[Creator, Fan]]) -> dict[Key, Contact]:
    for creator, fan in order:
        agency.contact(creator.account_id, fan.id, agency.start_at)
    return {(contact.account_id, contact.fan_id): contact for contact in agency.ground_truth()}


def stayed(agency: SampleAgency, keys: Iterable[Key]) -> dict[Key, bool]:
    """Who renews at the end of the period that runs at the start; moves the agency a month on."""
    by_account = {creator.account_id: creator for creator in agency.creators}
    fans = {key: by_account[key[0]].by_id[key[1]] for key in keys}
    ends = {key: fan.periods[-1].ends_at for key, fan in fans.items()}
    agency.advance(agency.start_at + PERIOD_MS)
    return {key: any(period.starts_at == ends[key] for period in fan.periods) for key, fan in fans.items()}


def test_a_contact_keeps_the_share_it_was_told_and_drives_some_away() -> None:
    agency, untouched = SampleAgency(seed=7, effect=0.4), SampleAgency(seed=7)
    truth = contact_all(agency, subscribed(agency))
    leavers = [key for key, contact in truth.items() if contact.leaver]
    others = [key for key, contact in truth.items() if not contact.leaver]
    outcomes = Counter(contact.outcome for contact in truth.values())
    assert outcomes["kept"] / len(leavers) == pytest.approx(0.4, abs=0.1)
    assert outcomes["harmed"] / len(others) == pytest.approx(0.05, abs=0.02)
    without, with_contact = stayed(untouched, truth), stayed(agency, truth)
    assert {key for key in truth if not without[key]} == set(leavers), "the truth is what would have been"
    assert {key: truth[key].outcome for key in truth if with_contact[key] != without[key]} == {
        key: contact.outcome for key, contact in truth.items() if contact.outcome != "unmoved"
    }


def test_who_is_kept_lives_on() -> None:
    agency, untouched = SampleAgency(seed=7, effect=1.0), SampleAgency(seed=7, effect=1.0)
    cancelled = [(creator, fan) for creator, fan in subscribed(agency) if leaving(fan)]
    truth = contact_all(agency, cancelled)
    kept = [fan for creator, fan in cancelled if (creator.account_id, fan.id) in truth]
    assert len(kept) > 50
    assert all(fan.periods[-1].cancelled_at is None for fan in kept)
    last = {fan: fan.last_activity_at or 0 for fan in kept}
    agency.advance(agency.start_at + 7 * MS_PER_DAY)
    untouched.advance(agency.start_at + 7 * MS_PER_DAY)
    by_id = {fan.id: fan for creator in untouched.creators for fan in creator.fans}
    active = sum((fan.last_activity_at or 0) > last[fan] for fan in kept)
    would_be = sum((by_id[fan.id].last_activity_at or 0) > last[fan] for fan in kept)
    assert active > would_be + len(kept) * 0.15, "those who had fallen silent are back"


def test_without_an_effect_nobody_is_kept() -> None:
    agency = SampleAgency(seed=5)
    outcomes = Counter(contact.outcome for contact in contact_all(agency, subscribed(agency)).values())
    assert outcomes["kept"] == 0
    assert outcomes["harmed"] > 0


def test_the_order_of_contacts_changes_nothing() -> None:
    one, other = SampleAgency(seed=9, effect=0.3), SampleAgency(seed=9, effect=0.3)
    shuffled = subscribed(other)
    random.Random(1).shuffle(shuffled)
    assert contact_all(one, subscribed(one)) == contact_all(other, shuffled)
    for agency in (one, other):
        agency.advance(agency.start_at + 60 * MS_PER_DAY)
    assert [[(fan.id, fan.total_cents, fan.subscribed) for fan in c.fans] for c in one.creators] == [
        [(fan.id, fan.total_cents, fan.subscribed) for fan in c.fans] for c in other.creators
    ]


def test_a_contact_counts_once_per_fan_and_period() -> None:
    agency = SampleAgency(seed=7, effect=0.5)
    creator = agency.creators[1]
    fan = next(fan for fan in creator.fans if invented(fan) and fan.subscribed and not leaving(fan))
    for _ in range(3):
        agency.contact(creator.account_id, fan.id, agency.start_at)
    assert len(agency.ground_truth()) == 1
    agency.contact(creator.account_id, fan.id, agency.start_at + PERIOD_MS)
    assert len(agency.ground_truth()) == 1 + fan.subscribed


def test_the_planted_cast_goes_its_way_whatever_is_written_to_it() -> None:
    agency = SampleAgency(seed=7, effect=1.0)
    vip = agency.creators[1]
    planted = next(fan for fan in vip.fans if fan.username == "quentin_hale")
    agency.contact(vip.account_id, planted.id, agency.start_at)
    agency.advance(agency.start_at + MS_PER_DAY)
    assert leaving(planted)
    assert agency.ground_truth() == ()


@asynccontextmanager
async def serving(agency: SampleAgency | None) -> AsyncIterator[Client]:
    creators = agency.creators if agency else ()
    directory = Directory.of(
        {"Ana": "201", "Ben": "202"},
        {creator.name: str(300 + n) for n, creator in enumerate(creators)},
        creators,
    )
    app = web.Application()
    clock = AgencyClock(agency.start_at if agency else 0)
    ContactApi(agency, clock=clock, directory=directory).add_routes(app)
    async with TestClient(TestServer(app)) as client:
        yield client


async def post(client: Client, **body: object) -> tuple[int, dict[str, Any]]:
    async with client.post("/sandbox/api/contact", json=body) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    "where", [{"channel": "amber"}, {"channel": "300"}, {"creator": "acct_amber"}], ids=str
)
@pytest.mark.parametrize("user", ["Ana", "202"])
async def test_a_member_of_staff_writes_to_a_fan(where: dict[str, str], user: str) -> None:
    agency = SampleAgency(seed=7, effect=1.0)
    fan = next(fan for fan in agency.creators[0].fans if invented(fan) and leaving(fan))
    async with serving(agency) as client:
        assert await post(client, user=user, fan=str(fan.id), **where) == (200, {"contacted": True})
        assert await post(client, user=user, fan=fan.id, **where) == (200, {"contacted": True})
    assert [(contact.fan_id, contact.outcome) for contact in agency.ground_truth()] == [(fan.id, "kept")]
    assert not leaving(fan)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"user": "Zoe", "channel": "amber", "fan": "1000001"}, 404, "user"),
        ({"user": "Ana", "channel": "fanwatch-notices", "fan": "1000001"}, 404, "channel"),
        ({"user": "Ana", "creator": "acct_nobody", "fan": "1000001"}, 404, "creator"),
        ({"user": "Ana", "channel": "vivian-vip", "fan": "1000001"}, 404, "fan"),
        ({"user": "Ana", "channel": "amber", "fan": "alex"}, 400, "fan"),
        ({"user": "Ana", "channel": "amber"}, 400, "fan"),
        ({"channel": "amber", "fan": "1000001"}, 400, "user"),
        ({"user": "Ana", "fan": "1000001"}, 400, "channel"),
        ({"user": "Ana", "channel": "amber", "creator": "acct_amber", "fan": "1000001"}, 400, "channel"),
        ({"user": ["Ana"], "channel": "amber", "fan": "1000001"}, 400, "user"),
        ({"user": "Ana", "channel": "amber", "fan": "1000001", "text": "hi"}, 400, "text"),
    ],
    ids=str,
)
async def test_a_call_that_makes_no_sense(body: dict[str, object], status: int, field: str) -> None:
    agency = SampleAgency(seed=7, effect=1.0)
    async with serving(agency) as client:
        answered, told = await post(client, **body)
    assert (answered, told["error"]["field"]) == (status, field)
    assert agency.ground_truth() == ()


async def test_nobody_can_be_written_to_in_a_history() -> None:
    async with serving(None) as client:
        status, told = await post(client, user="Ana", channel="amber", fan="1")
    assert (status, told["error"]["code"]) == (409, "replayed_history")


async def test_the_running_sandbox_takes_contacts() -> None:
    sandbox = running("--effect", "1", "--speed", "0", command=bot_command())
    async with sandbox as (_, base), aiohttp.ClientSession(base) as http:
        for user, fan, status in (("Luis", "2900001", 200), ("Luis", "1", 404), ("Nia", "2900001", 404)):
            body = {"user": user, "channel": "vivian-vip", "fan": fan}
            async with http.post("/sandbox/api/contact", json=body) as answer:
                assert answer.status == status


@pytest.mark.parametrize(
    "arguments",
    [["--effect", "1.1"], ["--effect", "-0.1"], ["--effect", "x"], ["--effect", "0.1", "--history", "a.csv"]],
    ids=" ".join,
)
def test_an_effect_that_makes_no_sense(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        read_options([*arguments, "--", "bot"])
    assert refused.value.code == 2


def test_the_effect_of_the_command_line() -> None:
    assert read_options(["--", "bot"]).effect == 0
    assert read_options(["--effect", "0.15", "--", "bot"]).effect == 0.15
