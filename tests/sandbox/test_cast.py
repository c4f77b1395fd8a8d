"""The planted cast as the data API shows it over its first forty hours, and what the reference formula makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.times import MS_PER_DAY, MS_PER_HOUR, parse
from tests.oracle import formula
from tests.sandbox.agency_client import Api, Json, serving

HOURS = 40
AT_RISK, ACTION = 60, 80
AMBER, VIP, FREE = "acct_amber", "acct_vivian-vip", "acct_freya-free"
HOSTILE = "@everyone_**x**[y](https://evil.example)"
DELETED = "deleted"
ONE_PERSON_ID = 9_000_001
PAGE_OF = {
    "magnus_thorne": AMBER,
    "bruno_castell": AMBER,
    "gideon_farrow": AMBER,
    "hugo_strand": AMBER,
    HOSTILE: AMBER,
    "owen_lark": AMBER,
    "quentin_hale": VIP,
    "walter_brook": VIP,
    "felix_arden": VIP,
    "ruby_sterling": VIP,
    "silas_penn": VIP,
    "oscar_dimm": FREE,
    DELETED: FREE,
    "milo_tatter": FREE,
}
NEVER_ALERTED = sorted(
    set(PAGE_OF) - {"magnus_thorne", "quentin_hale", "felix_arden", HOSTILE} | {"one on amber", "one on free"}
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A fan at a full hour. `eligible` as the product's rules say; `churn` by the reference formula."""

    body: Json
    status: str
    churn: float
    eligible: bool

    @property
    def details(self) -> Json:
        return dict(self.body["subscribedOnData"])


Story = dict[str, dict[int, Moment]]
"""By name, then by hours since the start; hours in which the API shows nothing are missing."""


@dataclass(frozen=True, slots=True)
class Money:
    at: int
    fan_id: int
    cents: int


def _at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


async def _money(api: Api, account: str) -> list[Money]:
    """All payments and chargebacks of the last months, as the API lists them."""
    pages = await api.walk(f"{account}/transactions", limit=100, startDate="2025-12-01")
    moved = [
        Money(_at(row["createdAt"]), row["user"]["id"], round(row["amount"] * 100))
        for page in pages
        for row in page
    ]
    taken = (await api.get(f"{account}/chargebacks", limit=100))["data"]["list"]
    return moved + [
        Money(
            _at(row["createdAt"]), row["payment"]["user"]["id"], -round(float(row["payment"]["amount"]) * 100)
        )
        for row in taken
    ]


def _status(body: Json, now: int) -> str:
    details = body["subscribedOnData"]
    if body["subscribedOnExpiredNow"]:
        return formula.EXPIRED
    soon = _at(details["expiredAt"]) - now <= 7 * MS_PER_DAY
    return formula.EXPIRING_SOON if details["unsubscribeReason"] and soon else formula.ACTIVE


def _moment(body: Json, money: Sequence[Money], now: int) -> Moment:
    def spent(newest: int, oldest: int) -> float:
        first, last = now - oldest * MS_PER_DAY, now - newest * MS_PER_DAY
        return sum(m.cents for m in money if m.fan_id == body["id"] and first < m.at <= last) / 100

    days = (now - _at(body["lastSeen"])) // MS_PER_DAY
    status = _status(body, now)
    total = body["subscribedOnData"]["totalSumm"]
    inputs = formula.Inputs(total, spent(0, 30), spent(30, 60), days, None, None, status)
    eligible = (
        total > 0
        and body["subscribedOn"]
        and body["canReceiveChatMessage"]
        and not (body["isBlocked"] or body["isRestricted"] or body["isPerformer"])
        and "username" in body
    )
    return Moment(body, status, formula.score(inputs, 1, 1).churn_risk, eligible)


async def ids_of(api: Api) -> dict[tuple[str, str], int]:
    """The platform ids of the cast by account and name, from a walk over all fans."""
    found: dict[tuple[str, str], int] = {
        (AMBER, "one on amber"): ONE_PERSON_ID,
        (FREE, "one on free"): ONE_PERSON_ID,
    }
    for account in (AMBER, VIP, FREE):
        for page in await api.walk(f"{account}/fans/all"):
            for fan in page:
                name = fan.get("username")
                if PAGE_OF.get(name) == account:
                    found[account, name] = fan["id"]
                elif name is None and (fan["subscribedOnData"] or {}).get("messagesSumm") == 150:
                    found[account, DELETED] = fan["id"]
    return found


async def read_story(seed: int) -> Story:
    """Ask for the whole cast at every full hour."""
    bodies: dict[str, dict[int, Json]] = {}
    async with serving(SampleAgency(seed=seed)) as api:
        start = api.clock.now()
        ids = await ids_of(api)
        for hour in range(HOURS + 1):
            for account in (AMBER, VIP, FREE):
                names = {number: name for (page, name), number in ids.items() if page == account}
                query = ",".join(map(str, names))
                async with await api.ask(f"{account}/users/list", ids=query) as answer:
                    if answer.status != 200:
                        assert account == FREE, await answer.text()
                        continue
                    fans = (await answer.json())["data"]
                for fan in fans.values():
                    bodies.setdefault(names[fan["id"]], {})[hour] = fan
            api.clock.change(advance_ms=MS_PER_HOUR)
        money = {account: await _money(api, account) for account in (AMBER, VIP, FREE)}
    accounts = {name: account for account, name in ids}
    return {
        name: {
            hour: _moment(body, money[accounts[name]], start + hour * MS_PER_HOUR)
            for hour, body in hours.items()
        }
        for name, hours in bodies.items()
    }


@pytest.fixture(scope="module")
def story() -> Story:
    return asyncio.run(read_story(7))


def hours_above(moments: dict[int, Moment], threshold: int) -> list[int]:
    return [hour for hour, moment in moments.items() if moment.eligible and moment.churn > threshold]


def test_everybody_is_there(story: Story) -> None:
    assert set(story) == {*PAGE_OF, "one on amber", "one on free"}


@pytest.mark.parametrize("name", ["magnus_thorne", "quentin_hale", "felix_arden", HOSTILE, *NEVER_ALERTED])
def test_nobody_planted_is_above_a_threshold_at_the_start(story: Story, name: str) -> None:
    first = story[name][0]
    assert not (first.eligible and first.churn > AT_RISK)


@pytest.mark.parametrize("name", NEVER_ALERTED)
def test_who_is_never_alerted(story: Story, name: str) -> None:
    assert hours_above(story[name], AT_RISK) == []


def test_the_whale_is_at_risk_from_eleven_on_and_never_an_action_item(story: Story) -> None:
    whale = story["magnus_thorne"]
    assert hours_above(whale, AT_RISK) == list(range(3, HOURS + 1))
    assert hours_above(whale, ACTION) == []
    assert (round(whale[2].churn, 1), round(whale[3].churn, 1)) == (59.8, 64.4)
    assert {moment.status for moment in whale.values()} == {formula.ACTIVE}
    ends = _at(whale[0].details["expiredAt"])
    assert ends - parse("2026-03-02T08:00:00Z") > 14 * MS_PER_DAY, "in the middle of a period"


@pytest.mark.parametrize("seed", [1, 7, 20])
async def test_the_whale_is_among_the_top_hundredth_of_the_page(seed: int) -> None:
    async with serving(SampleAgency(seed=seed)) as api:
        top = (await api.get(f"{AMBER}/fans/top"))["data"]["users"]
        names = [fan.get("username") for fan in top]
        assert names.index("magnus_thorne") < 620 // 100


def test_rebill_off_with_three_days_left_is_an_action_item_at_nine(story: Story) -> None:
    leaving = story["quentin_hale"]
    assert round(leaving[0].churn) == 53
    assert round(leaving[1].churn) == 93
    assert leaving[0].details["unsubscribeReason"] == ""
    assert leaving[1].details["unsubscribeReason"] != ""
    assert hours_above(leaving, ACTION) == list(range(1, HOURS + 1))


def test_the_hostile_name_is_an_action_item_at_twelve(story: Story) -> None:
    hostile = story[HOSTILE]
    assert round(hostile[3].churn) == 53
    assert round(hostile[4].churn) == 93
    assert hours_above(hostile, ACTION) == list(range(4, HOURS + 1))
    name = hostile[0].body["name"]
    assert all(part in name for part in ("\u202e", "\u200f", "<@&1>", "`", "*", "https://"))


def test_the_loyal_one_pays_every_month_and_little_else(story: Story) -> None:
    details = story["walter_brook"][0].details
    assert details["subscribesSumm"] == 249.9
    assert details["totalSumm"] - details["subscribesSumm"] == pytest.approx(20)
    assert max(moment.churn for moment in story["walter_brook"].values()) < 40


def test_the_never_payer_would_be_flagged_had_he_ever_paid(story: Story) -> None:
    silent = story["oscar_dimm"]
    assert min(moment.churn for moment in silent.values()) > AT_RISK
    assert {(moment.details["totalSumm"], moment.status) for moment in silent.values()} == {
        (0, formula.ACTIVE)
    }


def test_the_binge_buyer_spends_less_and_stays(story: Story) -> None:
    binge = story["bruno_castell"]
    assert all(15 < moment.churn < 30 for moment in binge.values()), (
        "30 for the decline, less for being there"
    )


def test_the_resubscriber_expires_in_the_afternoon_and_is_back_at_night(story: Story) -> None:
    back = story["felix_arden"]
    assert [hour for hour, moment in back.items() if moment.status == formula.EXPIRED] == list(range(8, 15))
    assert {back[hour].status for hour in range(8)} == {formula.EXPIRING_SOON}
    assert back[8].churn > ACTION
    assert max(back[hour].churn for hour in range(8)) < AT_RISK
    assert max(back[hour].churn for hour in range(15, HOURS + 1)) < 50, "the episode clears"
    assert back[15].details["subscribeAt"] == "2026-03-02T22:40:00+00:00"


def test_a_chargeback_takes_75_dollars_off_the_lifetime(story: Story) -> None:
    robbed = story["gideon_farrow"]
    totals = {hour: robbed[hour].details["totalSumm"] for hour in (0, 4, 5, 9, 10)}
    assert totals[0] == totals[4]
    assert totals[4] - totals[5] == pytest.approx(75)
    assert totals[10] - totals[9] == pytest.approx(20), "he buys again, which is what a poll looks at"


async def test_the_daily_walk_of_the_second_day_finds_the_chargeback() -> None:
    async with serving(SampleAgency(seed=7)) as api:
        api.clock.change(advance_ms=MS_PER_DAY)
        query = {"start_date": "2026-03-01 08:00:00", "end_date": "2026-03-03 08:00:00", "limit": 100}
        rows = (await api.get(f"{AMBER}/chargebacks", **query))["data"]["list"]
        found = [row for row in rows if row["payment"]["user"].get("username") == "gideon_farrow"]
        assert [(row["createdAt"], row["payment"]["amount"]) for row in found] == [
            ("2026-03-02T13:00:00+00:00", 75)
        ]


def test_one_person_is_on_two_pages_under_one_id(story: Story) -> None:
    amber, free = story["one on amber"][0].body, story["one on free"][0].body
    assert [(fan["id"], fan["username"], fan["name"]) for fan in (amber, free)] == [
        (ONE_PERSON_ID, "dexter_vane", "Dexter Vane")
    ] * 2
    assert amber["subscribedOnData"]["subscribesSumm"] > 0 == free["subscribedOnData"]["subscribesSumm"]
    periods = [fan["subscribedOnData"]["subscribes"][0] for fan in (amber, free)]
    assert periods[0]["id"] != periods[1]["id"]


async def test_one_person_on_two_pages_is_walked_and_paid_for_on_each() -> None:
    async with serving(SampleAgency(seed=7)) as api:
        own: list[set[str]] = []
        for account in (AMBER, FREE):
            walked = [fan["id"] for page in await api.walk(f"{account}/fans/all") for fan in page]
            assert walked.count(ONE_PERSON_ID) == 1
            pages = await api.walk(f"{account}/transactions", limit=100, startDate="2025-10-01")
            own.append({row["id"] for page in pages for row in page if row["user"]["id"] == ONE_PERSON_ID})
            periods = (await api.get(f"{account}/fans/{ONE_PERSON_ID}/subscriptions-history"))["data"]["list"]
            assert len(periods) == 4
        assert own[0]
        assert own[1]
        assert not own[0] & own[1]


@pytest.mark.parametrize(
    ("name", "flag"),
    [("hugo_strand", "isBlocked"), ("ruby_sterling", "isPerformer"), (DELETED, "canReceiveChatMessage")],
)
def test_who_would_be_an_action_item_but_cannot_be_worked_with(story: Story, name: str, flag: str) -> None:
    for moment in story[name].values():
        assert moment.churn > ACTION
        assert moment.body["subscribedOn"]
        assert moment.details["totalSumm"] > 0
        assert moment.body[flag] is (flag != "canReceiveChatMessage")


def test_the_deleted_fan_has_an_id_and_no_name(story: Story) -> None:
    body = story[DELETED][0].body
    assert body.keys().isdisjoint({"username", "name"})
    assert body["id"] == 3_900_003


def test_the_promised_the_waiting_and_the_time_waster_are_no_alerts(story: Story) -> None:
    for name in ("owen_lark", "silas_penn"):
        assert max(moment.churn for moment in story[name].values()) < 30
        assert story[name][0].details["messagesSumm"] > 0
    assert max(moment.churn for moment in story["milo_tatter"].values()) < 30
    waster = story["milo_tatter"][0].details
    assert (waster["totalSumm"], waster["duration"]) == (0, "9 months")


async def test_a_session_expires_at_hour_three_and_is_back_at_half_past_one() -> None:
    async with serving(SampleAgency(seed=7)) as api:

        async def shown() -> tuple[bool, int, Any]:
            accounts = {account["id"]: account["is_authenticated"] for account in await api.get("accounts")}
            assert all(accounts[account] for account in accounts if account != FREE)
            async with await api.ask(f"{FREE}/fans/all") as answer:
                body = await answer.json()
                return accounts[FREE], answer.status, body.get("error", {}).get("code")

        seen: dict[str, tuple[bool, int, Any]] = {}
        for time, minutes in (("10:59", 179), ("11:00", 1), ("13:29", 149), ("13:30", 1)):
            api.clock.change(advance_ms=minutes * 60_000)
            seen[time] = await shown()
        assert seen["10:59"] == seen["13:30"] == (True, 200, None)
        assert seen["11:00"] == seen["13:29"] == (False, 400, "account_session_expired")


def test_the_cast_is_the_same_on_every_seed(story: Story) -> None:
    other = asyncio.run(read_story(8))
    assert {name: {h: m.churn for h, m in hours.items()} for name, hours in other.items()} == {
        name: {h: m.churn for h, m in hours.items()} for name, hours in story.items()
    }
    for name, hours in story.items():
        assert other[name][0].body == hours[0].body


@pytest.mark.parametrize("seed", range(1, 31))
def test_a_poll_reaches_those_whose_rebill_goes_off(seed: int) -> None:
    """A poll looks again at the ten whose periods end soonest, of those whose rebill was on when last seen."""
    agency = SampleAgency(seed=seed)
    for page, name, hour in ((1, "quentin_hale", 1), (0, HOSTILE, 4)):
        ending = sorted(
            (fan.periods[-1].ends_at, fan.id, fan.username)
            for fan in agency.creators[page].fans
            if fan.subscribed
            and fan.periods[-1].cancelled_at is None
            and fan.periods[-1].ends_at > agency.start_at + hour * MS_PER_HOUR
        )
        assert name in [username for _, _, username in ending[:10]]
