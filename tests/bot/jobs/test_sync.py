"""The sync of an agency's creators against a small data API: what is written, what is asked for, who is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.models import TransactionKind
from bot.domain.scoring import reference
from bot.fanapi.errors import (
    CreditsExhaustedError,
    FanApiError,
    KeyRefusedError,
    MalformedAnswerError,
    SessionExpiredError,
    UpstreamError,
)
from bot.jobs.fetching.budget import Budget
from bot.jobs.fetching.second_look import KeepMessages, SecondLook
from bot.jobs.notices import Notices
from bot.jobs.scoring import Scoring
from bot.jobs.sync import FIRST_RETRY_MS, SyncJob
from storage.tables import creators, fan_accounts, fan_names, sync_runs
from storage.tables import transactions as payments
from tests.bot.jobs.desk import Desk, calm, ended
from tests.bot.jobs.fake_api import Account, FakeApi
from tests.storage.conftest import DAY, NOW
from tests.storage.records import payment

HOUR = DAY // 24
AVA, BEA = "acct_ava", "acct_bea"
NOTICE_CHANNEL, AVAS_CHANNEL = 101, 401


@dataclass
class Clock:
    now: int = NOW

    def now_ms(self) -> int:
        return self.now


def _platform() -> dict[str, Account]:
    """Two creators with the same five fans and payments; one payment is of a fan nobody lists."""
    return {
        account_id: Account(
            fans=[calm(n, last_seen_at=NOW - 20 * DAY if n == 5 else NOW) for n in range(5, 0, -1)],
            payments=[
                *(payment(f"t{n}", str(n), occurred_at=NOW - n * HOUR) for n in range(1, 4)),
                payment("t9", "99", occurred_at=NOW - 9 * HOUR),
            ],
            chargebacks=[
                payment("c1", "1", kind=TransactionKind.CHARGEBACK, amount_cents=-500, occurred_at=NOW - HOUR)
            ],
        )
        for account_id in (AVA, BEA)
    }


@dataclass
class Office:
    """The sync of the agency at its desk."""

    desk: Desk
    api: FakeApi = field(default_factory=lambda: FakeApi(_platform()))
    clock: Clock = field(default_factory=Clock)
    scored: list[int] = field(default_factory=list)
    credits_per_day: int = 85
    keep_messages: KeepMessages | None = None
    notices: Notices = field(init=False)

    def __post_init__(self) -> None:
        self.notices = Notices(self.desk.store)

    def job(self) -> SyncJob:
        """As a process just started has it; what is owed lives in the database."""
        store, api = self.desk.store, self.api
        budget = Budget(store, self.credits_per_day)
        look = SecondLook(store, api, budget, self.clock, keep_messages=self.keep_messages)
        return SyncJob(
            store,
            api,
            Scoring(store, reference, wall_ms=lambda: NOW, look=look),
            self.notices,
            self.clock,
            budget=budget,
            on_scored=self.note_scored,
        )

    async def note_scored(self) -> None:
        self.scored.append(self.clock.now)

    async def run(self, now: int | None = None) -> dict[str, int]:
        self.clock.now = self.clock.now if now is None else now
        return await self.job().run_due(self.clock.now)

    async def told(self) -> list[tuple[str, int, bool]]:
        """(code, channel, over) of each notice."""
        return [(c["code"], c["channel_id"], c["closed_at"] is not None) for c in await self.desk.cards("n")]

    async def creator(self, creator_id: int) -> dict[str, Any]:
        return next(row for row in await self.desk.rows(creators) if row["id"] == creator_id)

    async def runs(self, creator_id: int) -> list[tuple[str, str]]:
        return [
            (row["kind"], row["status"]) for row in await self.desk.rows(sync_runs, creator_id=creator_id)
        ]


@pytest_asyncio.fixture
async def office(desk: Desk) -> Office:
    return Office(desk)


def _error(kind: type[FanApiError]) -> FanApiError:
    return kind("no", endpoint="/fans", status=500)


def _only(account_id: str | None, kind: type[FanApiError]) -> Callable[[str | None, str], Exception | None]:
    return lambda of, _: _error(kind) if of == account_id else None


async def test_a_walk_comes_first_then_polls_then_a_walk_a_day(office: Office) -> None:
    ava = office.desk.agency.ava
    assert await office.run() == {"sync": 2}
    assert await office.run(NOW + HOUR - 1) == {}
    assert await office.run(NOW + HOUR) == {"sync": 2}
    assert await office.run(NOW + DAY) == {"sync": 2}

    assert await office.runs(ava) == [("walk", "done"), ("poll", "done"), ("walk", "done")]
    assert office.scored == [NOW] * 2 + [NOW + HOUR] * 2 + [NOW + DAY] * 2
    creator = await office.creator(ava)
    assert (creator["synced_at"], creator["payments_synced_at"]) == (NOW + DAY, NOW + DAY)


async def _facts(office: Office) -> list[list[dict[str, Any]]]:
    """All rows but for which sync has seen them last."""
    tables = [await office.desk.rows(table) for table in (fan_accounts, fan_names, payments)]
    return [[{k: v for k, v in row.items() if k != "seen_run_id"} for row in rows] for rows in tables]


async def test_twice_is_once(office: Office) -> None:
    await office.run()
    rows = await _facts(office)
    content = await office.desk.content(office.desk.agency.ava)
    assert (len(content["fans"]), len(content["payments"])) == (6, 5)

    await office.run(NOW + DAY)
    await office.run(NOW + DAY + HOUR)

    assert await _facts(office) == rows


async def test_a_payment_of_an_unknown_fan_gives_her_an_account(office: Office) -> None:
    await office.run()

    unknown = next(row for row in await office.desk.rows(fan_accounts) if row["platform_fan_id"] == "99")
    assert (unknown["username"], unknown["subscribed"], unknown["paid"]) == ("user99", None, True)
    assert unknown["last_purchase_at"] == NOW - 9 * HOUR


async def test_a_fan_on_two_pages_is_one_fan(office: Office) -> None:
    office.api.repeat_first_of_next_page = True
    await office.run()

    fans = [row["platform_fan_id"] for row in await office.desk.rows(fan_accounts)]
    assert sorted(fans) == sorted(["1", "2", "3", "4", "5", "99"] * 2)
    assert len(await office.desk.rows(payments)) == 10


# A creator's walk asks for three pages of fans, two of payments, one of chargebacks, and for the fan nobody lists.
@pytest.mark.parametrize("page", range(7))
async def test_a_walk_that_fails_at_any_page_goes_on_there(office: Office, page: int) -> None:
    seen = {"calls": 0}

    def fault(account_id: str | None, _: str) -> Exception | None:
        if account_id != BEA:
            return None
        seen["calls"] += 1
        return _error(UpstreamError) if seen["calls"] == page + 1 else None

    office.api.fault = fault
    ava, bea = office.desk.agency.ava, office.desk.agency.bea
    await office.run()
    assert (await office.runs(ava), await office.runs(bea)) == ([("walk", "done")], [("walk", "failed")])

    assert await office.run(NOW + FIRST_RETRY_MS) == {"sync": 1}

    assert await office.runs(bea) == [("walk", "done")]
    assert await office.desk.content(bea) == await office.desk.content(ava)
    # The page that failed and those after it, and for payments nothing before them. Chargebacks have no cursor.
    assert office.api.count()[BEA] == 8


@pytest.mark.parametrize("call", range(2, 14))
async def test_a_walk_killed_at_any_call_goes_on_in_the_next_life(office: Office, call: int) -> None:
    office.api.stuck_at = call
    task = asyncio.create_task(office.run())
    await office.api.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    office.api.stuck_at = None
    await office.run()

    ava, bea = office.desk.agency.ava, office.desk.agency.bea
    assert await office.runs(ava) == await office.runs(bea) == [("walk", "done")]
    content = await office.desk.content(ava)
    assert await office.desk.content(bea) == content
    assert (len(content["fans"]), len(content["payments"]), len(content["scores"])) == (6, 5, 6)
    assert [card["kind"] for card in await office.desk.cards()] == ["s", "s"]


async def test_an_end_is_seen_happening_once(office: Office) -> None:
    platform = office.api.accounts[AVA]
    platform.put(calm(4, expires_at=NOW + DAY // 2))
    await office.run()
    platform.put(ended(4, expires_at=NOW + DAY // 2))

    for hour in (1, 13, 14, 24, 25):
        await office.run(NOW + hour * HOUR)

    assert await office.desk.events("4") == ["expired"]
    (card,) = await office.desk.cards("g", "a")
    assert card["creator_id"] == office.desk.agency.ava


async def test_an_idle_poll_asks_little(office: Office) -> None:
    await office.run()
    office.api.calls.clear()

    await office.run(NOW + HOUR)
    # The list of connections is of a process that has just started.
    assert office.api.count() == {None: 1, AVA: 1, BEA: 1}
    office.api.accounts[AVA].put(calm(3, expires_at=NOW + 2 * DAY))
    office.api.accounts[AVA].payments.append(payment("t10", "3", occurred_at=NOW + HOUR + 1))
    await office.run(NOW + 2 * HOUR)
    office.api.calls.clear()

    await office.run(NOW + 6 * HOUR)

    # New subscriptions are asked for now, and whether the one who ends in two days has switched rebill off.
    assert office.api.count() == {None: 1, AVA: 3, BEA: 2}


async def test_a_poll_finds_payments_renewals_and_their_fans(office: Office) -> None:
    await office.run()
    platform = office.api.accounts[AVA]
    at = NOW + HOUR // 2
    platform.payments.append(payment("t10", "1", amount_cents=7_000, occurred_at=at))
    platform.put(calm(1, total_cents=8_001))
    platform.put(calm(2, renewed_at=at, expires_at=NOW + 90 * DAY))
    platform.put(calm(6, subscribed_at=at))

    await office.run(NOW + HOUR)
    rows = await office.desk.rows(fan_accounts, creator_id=office.desk.agency.ava)
    assert [row["total_cents"] for row in rows if row["platform_fan_id"] == "1"] == [8_001]

    await office.run(NOW + 6 * HOUR)

    rows = await office.desk.rows(fan_accounts, creator_id=office.desk.agency.ava)
    fans = {row["platform_fan_id"]: row for row in rows}
    assert fans["2"]["expires_at"] == NOW + 90 * DAY
    assert fans["6"]["subscribed_at"] == at


# --- trouble --------------------------------------------------------------------------------------------------------


async def test_an_expired_session_pauses_her_alone_with_one_notice(office: Office) -> None:
    office.api.accounts[AVA].authenticated = False
    await office.run()
    await office.run(NOW + HOUR)
    await office.run(NOW + 3 * HOUR)
    assert await office.told() == [("session_expired", AVAS_CHANNEL, False)]
    assert office.api.count()[AVA] == 0
    assert (await office.creator(office.desk.agency.bea))["synced_at"] == NOW + 3 * HOUR

    office.api.accounts[AVA].authenticated = True
    await office.run(NOW + 4 * HOUR)
    assert await office.told() == [("session_expired", AVAS_CHANNEL, True)]
    assert (await office.creator(office.desk.agency.ava))["failed_polls"] == 0


async def test_a_session_that_expires_on_the_way_is_said_at_once(office: Office) -> None:
    office.api.fault = _only(AVA, SessionExpiredError)
    await office.run()
    assert await office.told() == [("session_expired", AVAS_CHANNEL, False)]


async def test_a_connection_that_is_gone_is_said_in_her_channel(office: Office) -> None:
    account = office.api.accounts.pop(AVA)
    await office.run()
    assert await office.told() == [("account_missing", AVAS_CHANNEL, False)]

    office.api.accounts[AVA] = account
    await office.run(NOW + HOUR)
    assert await office.told() == [("account_missing", AVAS_CHANNEL, True)]


@pytest.mark.parametrize("of", [None, AVA])
@pytest.mark.parametrize(
    ("kind", "code"), [(CreditsExhaustedError, "credits_exhausted"), (KeyRefusedError, "key_refused")]
)
async def test_no_credits_and_a_refused_key_are_said_once_for_all(
    office: Office, kind: type[FanApiError], code: str, of: str | None
) -> None:
    office.api.fault = lambda account_id, _: _error(kind) if of is None or account_id is not None else None
    for hour in (0, 1, 2, 3):
        await office.run(NOW + hour * HOUR)
    assert await office.told() == [(code, NOTICE_CHANNEL, False)]

    office.api.fault = lambda *_: None
    await office.run(NOW + 4 * HOUR)
    assert await office.told() == [(code, NOTICE_CHANNEL, True)]


@pytest.mark.parametrize("kind", [UpstreamError, MalformedAnswerError])
async def test_the_third_failed_poll_of_everybody_is_said(office: Office, kind: type[FanApiError]) -> None:
    office.api.fault = lambda *_: _error(kind)
    told = []
    for hour in range(5):
        await office.run(NOW + hour * HOUR)
        told.append(len(await office.told()))
    assert told == [0, 0, 1, 1, 1]
    assert await office.told() == [("api_down", NOTICE_CHANNEL, False)]

    office.api.fault = lambda *_: None
    await office.run(NOW + 5 * HOUR)
    assert await office.told() == [("api_down", NOTICE_CHANNEL, True)]


async def test_one_creator_failing_thrice_is_stale_in_her_channel(office: Office) -> None:
    office.api.fault = _only(AVA, UpstreamError)
    told = []
    for hour in range(4):
        await office.run(NOW + hour * HOUR)
        told.append(len(await office.told()))
    assert told == [0, 0, 1, 1]
    assert await office.told() == [("stale", AVAS_CHANNEL, False)]
    assert (await office.creator(office.desk.agency.bea))["synced_at"] == NOW + 3 * HOUR

    office.api.fault = lambda *_: None
    await office.run(NOW + 4 * HOUR)
    assert await office.told() == [("stale", AVAS_CHANNEL, True)]


async def test_one_creator_failing_between_the_others_polls_is_not_the_whole_api(office: Office) -> None:
    office.api.fault = _only(AVA, UpstreamError)
    await office.run()
    for minutes in (5, 15, 35):
        assert await office.run(NOW + minutes * HOUR // 60) == {"sync": 1}
    assert await office.told() == [("stale", AVAS_CHANNEL, False)]


async def test_tries_come_at_growing_distances_up_to_the_polls(office: Office) -> None:
    office.api.fault = lambda *_: _error(UpstreamError)
    now, waits = NOW, []
    for _ in range(7):
        await office.run(now)
        creator = await office.creator(office.desk.agency.ava)
        due = max(creator["next_poll_at"], creator["next_walk_at"])
        waits.append(due - now)
        now = due
    assert waits == [5 * HOUR // 60, 10 * HOUR // 60, 20 * HOUR // 60, 40 * HOUR // 60, HOUR, HOUR, HOUR]


async def test_a_creator_whose_scoring_breaks_does_not_stop_the_others(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ava = office.desk.agency.ava
    whole = Scoring.run

    async def breaks(self: Scoring, creator: Any, *rest: Any) -> None:
        if creator.id == ava:
            raise ZeroDivisionError
        await whole(self, creator, *rest)

    monkeypatch.setattr(Scoring, "run", breaks)
    await office.run()
    assert (await office.creator(office.desk.agency.bea))["synced_at"] == NOW
    assert (await office.creator(ava))["failed_polls"] == 1
    # Not at once again: a fault of the program would otherwise ask the API each second.
    assert await office.run(NOW + 1_000) == {}

    monkeypatch.undo()
    await office.run(NOW + FIRST_RETRY_MS)
    assert await office.runs(ava) == [("walk", "done")]
