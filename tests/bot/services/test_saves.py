"""The reports about saves on real storage: what is a case, whose fans are counted, what was received."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any

import pytest

from bot.domain.models import AccessTier, TransactionKind, TransactionRecord, Viewer
from bot.domain.saves import Share
from bot.services.saves import Period, SavesService
from storage import roster, saves, transactions
from storage.saves import SaveFacts
from storage.tables import contacts, episode_events, episodes, fan_accounts, outcomes
from tests.bot.jobs.conftest import agency, database_url, desk, postgres_server, postgres_url, storage
from tests.bot.jobs.desk import Desk, calm
from tests.storage.conftest import DAY, NOW
from tests.storage.records import payment

__all__ = ["agency", "database_url", "desk", "postgres_server", "postgres_url", "storage"]

ANA, BEN, LEA = 301, 303, 302
HOUR = 3_600_000
MINUTE = 60_000
START = NOW - 60 * DAY
"""Alerts open here, so that 30 days after a contact are over by NOW."""
SPAN = (NOW - 90 * DAY, NOW)


@dataclass
class Team:
    """Fans at risk, and what people did about them."""

    desk: Desk
    now: int = NOW
    _numbers: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.store = self.desk.store
        self.ava, self.bea = self.desk.agency.ava, self.desk.agency.bea
        self.service = SavesService(self.store, self)

    def now_ms(self) -> int:
        return self.now

    async def fan(self, number: int, *, paid: int | None = 9_000, creator_id: int | None = None) -> int:
        """A fan who paid that in the 90 days before START; None: nothing is known. Her account's id."""
        creator = creator_id or self.ava
        await self.desk.keep([calm(number)], creator_id=creator)
        if paid is not None:
            await self.pay(number, paid, START - DAY, creator_id=creator)
        rows = await self.desk.rows(fan_accounts, creator_id=creator)
        return int(next(row["id"] for row in rows if row["platform_fan_id"] == str(number)))

    async def pay(
        self, number: int, cents: int, at: int, *, creator_id: int | None = None, **values: Any
    ) -> None:
        record: TransactionRecord = payment(
            f"t{next(self._numbers)}", str(number), amount_cents=cents, occurred_at=at, **values
        )
        await self.store.write(
            lambda tx: transactions.apply_transactions(tx, creator_id or self.ava, [record], NOW)
        )

    async def insert(self, table: Any, **values: Any) -> int:
        async def write(tx: Any) -> int:
            given = tx.ids.next()
            await tx.execute(table.insert().values(agency_id=tx.agency_id, id=given, **values))
            return int(given)

        return await self.store.write(write)

    async def alert(
        self,
        fan_id: int,
        at: int = START,
        *,
        score: float = 75.0,
        creator_id: int | None = None,
        code: str | None = None,
    ) -> int:
        episode_id = await self.insert(
            episodes,
            creator_id=creator_id or self.ava,
            fan_account_id=fan_id,
            tier="at_risk",
            opened_at=at,
            opened_run_id=1,
            changed_run_id=1,
            score=score,
            reasons="[]",
            currency="USD",
        )
        await self.happen(
            episode_id, fan_id, "opened", at, score=score, before=None, creator_id=creator_id, code=code
        )
        return episode_id

    async def happen(
        self,
        episode_id: int,
        fan_id: int,
        change: str,
        at: int,
        *,
        by: int | None = None,
        score: float = 75.0,
        before: str | None = "at_risk",
        creator_id: int | None = None,
        code: str | None = None,
    ) -> None:
        await self.insert(
            episode_events,
            episode_id=episode_id,
            creator_id=creator_id or self.ava,
            fan_account_id=fan_id,
            change=change,
            tier_before=before,
            tier_after=None if change in ("cleared", "done") else "at_risk",
            score=score,
            actor_id=by,
            code=code,
            at=at,
        )

    async def write_to(
        self, fan_id: int, by: int, at: int, *, creator_id: int | None = None, **values: Any
    ) -> None:
        await self.insert(
            contacts,
            creator_id=creator_id or self.ava,
            fan_account_id=fan_id,
            user_id=by,
            source="logged",
            at=at,
            **values,
        )

    async def facts(self, *creator_ids: int, span: tuple[int, int] = SPAN) -> SaveFacts:
        async with self.store.read() as tx:
            everybody = [one.id for one in await roster.list_creators(tx)]
            return await saves.read_facts(tx, creator_ids or (self.ava,), everybody, *span, self.now)


@pytest.fixture
def team(desk: Desk) -> Team:
    return Team(desk)


async def worked(team: Team, number: int, **values: Any) -> tuple[int, int]:
    """A fan Ana claimed an hour after the alert and wrote to two hours after it: (fan, episode)."""
    fan_id = await team.fan(number, **values)
    episode_id = await team.alert(fan_id)
    await team.happen(episode_id, fan_id, "claimed", START + HOUR, by=ANA)
    await team.write_to(fan_id, ANA, START + 2 * HOUR)
    return fan_id, episode_id


async def test_a_case_receives_what_was_paid_in_the_30_days_after_the_first_contact(team: Team) -> None:
    await worked(team, 1)
    first = START + 2 * HOUR
    for at, cents, net in (
        (first, 1, 1),
        (first + 1, 1_000, 800),
        (first + 30 * DAY, 2_000, 1_600),
        (first + 30 * DAY + 1, 50_000, 1),
    ):
        await team.pay(1, cents, at, net_cents=net)
    (case,) = (await team.facts()).cases
    assert (case.received_cents, case.net_cents, case.pace_cents) == (3_000, 2_400, round(9_001 / 3))
    assert (case.score, case.expired, case.currency) == (75.0, False, "USD")
    assert case.shares == (Share(ANA, 2),)


async def test_nothing_below_zero_is_expected_of_a_fan_who_took_more_back_than_she_paid(team: Team) -> None:
    await worked(team, 1)
    await team.pay(1, -30_000, START - 9 * DAY, kind=TransactionKind.CHARGEBACK)
    (case,) = (await team.facts()).cases
    assert case.pace_cents == 0


async def test_a_claim_without_contact_and_a_contact_without_claim_count_for_nothing(team: Team) -> None:
    await worked(team, 1)
    only_claimed = await team.fan(2)
    await team.happen(await team.alert(only_claimed), only_claimed, "claimed", START, by=ANA)
    only_written = await team.fan(3)
    await team.alert(only_written)
    await team.write_to(only_written, ANA, START + HOUR)
    undone = await team.fan(4)
    await team.happen(await team.alert(undone), undone, "claimed", START, by=ANA)
    await team.write_to(undone, ANA, START + HOUR, undone_at=START + 2 * HOUR)
    before = await team.fan(5)
    await team.happen(await team.alert(before), before, "claimed", START, by=ANA)
    await team.write_to(before, ANA, START - 1)
    facts = await team.facts()
    assert len(facts.cases) == 1
    assert len(facts.claimed) == 4
    # Nobody who was written to is one to compare with; of the fifth that was before her alert.
    assert len(facts.comparables) == 3


async def test_a_case_belongs_to_the_period_of_its_first_contact_and_runs_on_for_30_days(team: Team) -> None:
    fan_id, _ = await worked(team, 1)
    await team.write_to(fan_id, BEN, NOW - DAY)
    assert len((await team.facts(span=(START, START + DAY))).cases) == 1
    assert (await team.facts(span=(NOW - 2 * DAY, NOW))).cases == ()
    team.now = START + 2 * HOUR + 30 * DAY - 1
    (running,) = (await team.facts(span=(START, team.now))).cases
    assert (running.received_cents, running.net_cents) == (None, None)


async def again(team: Team, fan_id: int, episode_id: int, day: int, by: int) -> None:
    """The alert ends an hour before that day, comes back, and somebody claims it and writes."""
    at = START + day * DAY
    await team.happen(episode_id, fan_id, "cleared", at - HOUR)
    await team.happen(episode_id, fan_id, "opened", at, score=92.0, before=None)
    await team.happen(episode_id, fan_id, "claimed", at, by=by, score=92.0)
    await team.write_to(fan_id, by, at + 2 * HOUR)


async def test_a_fan_who_comes_back_within_30_days_is_the_same_case_and_her_payment_counts_once(
    team: Team,
) -> None:
    fan_id, episode_id = await worked(team, 1)
    await again(team, fan_id, episode_id, 4, BEN)
    await again(team, fan_id, episode_id, 8, LEA)
    await team.pay(1, 10_000, START + 9 * DAY)
    (case,) = (await team.facts()).cases
    assert (case.received_cents, case.score) == (10_000, 75.0)
    assert {(one.user_id, one.weight) for one in case.shares} == {(ANA, 2), (BEN, 2), (LEA, 2)}
    # The later contacts alone are in this period; the case is not.
    assert (await team.facts(span=(START + 3 * DAY, NOW))).cases == ()


async def test_after_the_30_days_the_same_row_opened_again_is_a_case_of_its_own(team: Team) -> None:
    fan_id, episode_id = await worked(team, 1)
    await again(team, fan_id, episode_id, 29, LEA)
    await again(team, fan_id, episode_id, 30, BEN)
    team.now = NOW + DAY
    await team.pay(1, 10_000, START + 30 * DAY + 2 * HOUR)
    await team.pay(1, 700, START + 30 * DAY + 2 * HOUR + 1)
    assert [(case.score, case.received_cents, case.shares) for case in (await team.facts()).cases] == [
        (75.0, 10_000, (Share(ANA, 2), Share(LEA, 2))),
        (92.0, 700, (Share(BEN, 2),)),
    ]


async def test_a_payment_of_a_comparable_fan_counts_once(team: Team) -> None:
    await worked(team, 1)
    fan_id = await team.fan(2, paid=None)
    await team.pay(2, 9_000, NOW - 80 * DAY)
    episode_id = await team.alert(fan_id, NOW - 70 * DAY)
    for day in (62, 58, 35):
        await team.happen(episode_id, fan_id, "cleared", NOW - (day + 1) * DAY)
        await team.happen(episode_id, fan_id, "opened", NOW - day * DAY, before=None)
    await team.pay(2, 700, NOW - 50 * DAY)
    assert sorted(one.received_cents for one in (await team.facts()).comparables) == [0, 700]


async def test_those_who_carried_it_share_it_up_to_its_close(team: Team) -> None:
    fan_id, episode_id = await worked(team, 1)
    await team.happen(episode_id, fan_id, "released", START + 3 * HOUR, by=ANA)
    await team.happen(episode_id, fan_id, "claimed", START + 3 * HOUR, by=BEN)
    await team.happen(episode_id, fan_id, "released", START + 3 * HOUR + 29 * MINUTE, by=BEN)
    await team.happen(episode_id, fan_id, "claimed", START + 4 * HOUR, by=LEA)
    await team.happen(episode_id, fan_id, "done", START + 5 * HOUR, by=LEA)
    await team.write_to(fan_id, BEN, START + 6 * HOUR)
    (case,) = (await team.facts()).cases
    assert case.shares == (Share(ANA, 2), Share(LEA, 1))


async def test_comparable_fans_are_those_still_at_risk_when_others_were_written_to(team: Team) -> None:
    await worked(team, 1)
    stays = await team.fan(2)
    await team.alert(stays, score=82.0)
    await team.pay(2, 700, START + 3 * HOUR)
    back = await team.fan(3)
    await team.happen(await team.alert(back), back, "cleared", START + HOUR)
    recent = await team.fan(4)
    await team.alert(recent, NOW - 30 * DAY)
    unpaid = await team.fan(5, paid=None)
    await team.alert(unpaid)
    elsewhere = await team.fan(6, creator_id=team.bea)
    await team.alert(elsewhere, creator_id=team.bea)
    facts = await team.facts()
    found = sorted((one.score, one.pace_cents, one.received_cents) for one in facts.comparables)
    assert found == [(75.0, 3_000, 0), (82.0, 3_000, 700)]


async def test_a_viewer_has_only_their_own_creators_in_it(team: Team) -> None:
    await worked(team, 1)
    other = await team.fan(2, creator_id=team.bea)
    episode_id = await team.alert(other, creator_id=team.bea)
    await team.happen(episode_id, other, "claimed", START, by=BEN, creator_id=team.bea)
    await team.write_to(other, BEN, START + HOUR, creator_id=team.bea)
    await team.alert(await team.fan(3))
    lead = Viewer(LEA, AccessTier.LEAD, frozenset({team.ava}))
    period = Period(date(2025, 12, 3), date(2026, 3, 2))
    mine = await team.service.saves(lead, None, period)
    assert [one.cases for one in mine.estimates] == [1]
    assert (await team.service.saves(lead, team.bea, period)).estimates == ()
    of_lead = await team.service.team(lead, period)
    assert ([one.user_id for one in of_lead.people], of_lead.comparable) == ([ANA], {"USD": 1})
    manager = Viewer(LEA, AccessTier.MANAGER, frozenset({team.ava, team.bea}))
    assert {one.user_id for one in (await team.service.team(manager, period)).people} == {ANA, BEN}
    told = (await team.service.saves(manager, None, period)).creators
    assert [(one.name, one.part.cases) for one in told] == [("Ava", 1), ("Bea", 1)]
    assert (mine.creators, (await team.service.saves(manager, team.bea, period)).creators) == ((), ())
    assert (await team.service.saves(manager, team.bea, period)).creator == "Bea"


async def test_claims_and_outcomes_of_the_period_are_told_with_their_people(team: Team) -> None:
    fan_id, episode_id = await worked(team, 1)
    known: dict[str, Any] = {
        "creator_id": team.ava, "fan_account_id": fan_id, "episode_id": episode_id, "score": 75.0,
        "currency": "USD",
    }  # fmt: skip
    for outcome, by, at, undone in (
        ("kept", ANA, START, None),
        ("kept", LEA, START, None),
        ("lost", ANA, START, START),
        ("lost", ANA, NOW - 100 * DAY, None),
    ):
        await team.insert(outcomes, outcome=outcome, closed_by=by, closed_at=at, undone_at=undone, **known)
    lead = Viewer(LEA, AccessTier.LEAD, frozenset({team.ava}))
    period = Period(date(2025, 12, 3), date(2026, 3, 2))
    report = await team.service.saves(lead, team.ava, period)
    assert (report.claims, report.minutes_to_claim, report.outcomes) == (1, 60.0, {"kept": 2})
    ana, lea = (await team.service.team(lead, period)).people
    assert (ana.user_id, ana.claims, ana.outcomes) == (ANA, 1, {"kept": 1})
    assert (lea.user_id, lea.carried, lea.outcomes) == (LEA, (), {"kept": 1})


async def test_the_claim_of_what_a_first_import_has_found_counts_without_its_wait(team: Team) -> None:
    silent = await team.fan(2)
    episode_id = await team.alert(silent, START - 9 * DAY, code="baseline")
    await team.happen(episode_id, silent, "claimed", START, by=ANA)
    lead = Viewer(LEA, AccessTier.LEAD, frozenset({team.ava}))
    period = Period(date(2025, 12, 3), date(2026, 3, 2))
    report = await team.service.saves(lead, team.ava, period)
    assert (report.claims, report.minutes_to_claim) == (1, None)
    await worked(team, 1)
    report = await team.service.saves(lead, team.ava, period)
    assert (report.claims, report.minutes_to_claim) == (2, 60.0)
    (ana,) = (await team.service.team(lead, period)).people
    assert (ana.claims, ana.minutes_to_claim) == (2, 60.0)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, Period(date(2025, 12, 3), date(2026, 3, 2))),
        (" ", "yesterday", Period(date(2025, 12, 2), date(2026, 3, 1))),
        ("2026-01-05", "2026-02-01", Period(date(2026, 1, 5), date(2026, 2, 1))),
        ("2026-02-02", "2026-02-01", "backwards"),
        ("2024-02-02", "2026-02-01", "too_long"),
        ("tomorrow", None, "unreadable"),
        (None, "whenever", "unreadable"),
    ],
)
async def test_days_are_read_as_people_write_them(
    team: Team, first: str | None, last: str | None, expected: object
) -> None:
    assert await team.service.read_span(first, last) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (None, Period(date(2025, 12, 3), date(2026, 3, 2))),
        ("30 days", Period(date(2026, 2, 1), date(2026, 3, 2))),
        ("last 7 d", Period(date(2026, 2, 24), date(2026, 3, 2))),
        ("this month", Period(date(2026, 3, 1), date(2026, 3, 2))),
        ("Last Month", Period(date(2026, 2, 1), date(2026, 2, 28))),
        ("2026-01", Period(date(2026, 1, 1), date(2026, 1, 31))),
        ("0 days", None),
        ("999 days", None),
        ("2027-01", None),
        ("ages", None),
    ],
)
async def test_a_time_is_read_as_people_write_it(team: Team, typed: str | None, expected: object) -> None:
    assert await team.service.read_period(typed) == expected
