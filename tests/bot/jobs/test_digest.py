"""Digests on real storage: one a morning, of the last day, the same for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.domain.base36 import encode
from bot.domain.desk import DeskRules
from bot.domain.models import MS_PER_HOUR
from bot.domain.shifts import PlannedShift
from bot.domain.views import DigestCard
from bot.jobs.delivery import Delivery
from bot.jobs.digest import DigestJob
from storage import card_views, claims, digests, settings, shifts
from storage.engine import Tx
from storage.tables import episodes, followups, mutes, outcomes, scores
from tests.bot.jobs.desk import Desk, calm, leaving
from tests.bot.jobs.fake_discord import FakeDiscord, Message
from tests.storage.conftest import DAY, NOW

ANA, LEA = 301, 302
RULES = DeskRules()
HOUR = MS_PER_HOUR
MORNING = NOW - HOUR + DAY
"""08:00 in Paris on 3 March; NOW is 09:00 there on the 2nd."""
NOTICES = 101
CALM = [calm(1), calm(2)]


class Press:
    """What a morning brings, and the Discord it stands in."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.store = desk.store
        self.ava = desk.agency.ava
        self.bea = desk.agency.bea
        self.discord = FakeDiscord()

    async def tick(self, now_ms: int) -> dict[str, int]:
        """As a process just started does it; then everything that is owed is delivered."""
        ran = await DigestJob(self.store, RULES).run_due(now_ms)
        delivery = Delivery(
            self.store,
            self.discord,
            guild_id=100,
            chat_url="https://example.com/{fan_id}",
            wall_ms=lambda: NOW,
            first_retry_s=0.001,
        )
        async with asyncio.timeout(20):
            await delivery.drain()
        return ran

    async def cards(self) -> list[dict[str, Any]]:
        return await self.desk.cards("d")

    async def view(self, creator_id: int | None, day: str = "2026-03-03") -> DigestCard:
        (card,) = [
            card for card in await self.cards() if (card["creator_id"], card["code"]) == (creator_id, day)
        ]
        async with self.store.read() as tx:
            found = await card_views.load_view(tx, card["id"])
        assert isinstance(found, DigestCard)
        return found

    def message(self, view: DigestCard) -> Message:
        (found,) = self.discord.of_card(encode(view.card_id))
        return found

    async def add(self, table: Any, creator_id: int, **values: Any) -> None:
        await self.store.write(
            lambda tx: tx.execute(
                table.insert().values(
                    agency_id=tx.agency_id, id=tx.ids.next(), creator_id=creator_id, **values
                )
            )
        )

    async def set_episode(self, fan: str, **values: Any) -> dict[str, Any]:
        episode = (await self.desk.episodes())[fan]
        await self.store.write(
            lambda tx: tx.execute(
                episodes.update()
                .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == episode["id"])
                .values(**values)
            )
        )
        return episode

    async def close(self, fan: str, outcome: str, at: int, **values: Any) -> None:
        episode = (await self.desk.episodes())[fan]
        given: dict[str, Any] = {
            "fan_account_id": episode["fan_account_id"],
            "episode_id": episode["id"],
            "outcome": outcome,
            "closed_by": ANA,
            "closed_at": at,
            "score": 80.0,
            "pace_cents": 40_000,
            "currency": "USD",
        }
        await self.add(outcomes, self.ava, **(given | values))


@pytest.fixture
def press(desk: Desk) -> Press:
    return Press(desk)


async def test_before_the_first_baseline_there_is_none_and_then_one_a_morning(press: Press) -> None:
    assert await press.tick(MORNING) == {}
    await press.desk.start(CALM)
    # The moment of that day was before the baseline.
    assert await press.tick(NOW) == {}
    assert await press.tick(MORNING - 1) == {}

    assert await press.tick(MORNING) == {"digests": 2}

    found = {(card["creator_id"], card["channel_id"], card["code"]) for card in await press.cards()}
    assert found == {(press.ava, 401, "2026-03-03"), (None, NOTICES, "2026-03-03")}
    message = press.message(await press.view(press.ava))
    assert (message.silent, message.mention) == (True, None)
    assert "A quiet day" in message.text
    for later in (MORNING, MORNING + HOUR, MORNING + DAY - 1):
        assert await press.tick(later) == {}
    assert await press.tick(MORNING + DAY) == {"digests": 2}


async def test_a_jump_of_three_days_makes_one_of_the_last_day(press: Press) -> None:
    await press.desk.start(CALM)
    await press.tick(MORNING)
    assert await press.tick(MORNING + 3 * DAY + HOUR) == {"digests": 2}
    view = await press.view(press.ava, "2026-03-06")
    assert (view.figures.since, view.figures.until) == (MORNING + 2 * DAY, MORNING + 3 * DAY + HOUR)
    assert await press.tick(MORNING + 4 * DAY) == {"digests": 2}
    following = await press.view(press.ava, "2026-03-07")
    assert following.figures.since == view.figures.until


async def test_clocks_and_zones_that_change_make_no_second_one_of_a_day(press: Press) -> None:
    await press.desk.start(CALM)
    await press.tick(MORNING)
    await press.store.write(lambda tx: settings.set_timezone(tx, "America/New_York"))
    # 08:00 of the same date comes once more there.
    assert await press.tick(MORNING + 6 * HOUR) == {}
    await press.store.write(lambda tx: settings.set_timezone(tx, "Asia/Tokyo"))
    assert await press.tick(MORNING - HOUR) == {}
    assert await press.tick(MORNING + 16 * HOUR) == {"digests": 2}


async def test_who_retires_has_none_and_a_later_baseline_keeps_none_waiting(press: Press) -> None:
    await press.desk.start(CALM)
    await press.desk.start([calm(3)], creator_id=press.bea)
    await press.desk.set_creator(press.bea, retired_at=NOW)
    await press.desk.set_creator(press.ava, baseline_done_at=None, baseline_cause="thresholds")
    await press.tick(MORNING)
    assert {card["creator_id"] for card in await press.cards()} == {press.ava, None}


async def test_a_claim_that_was_taken_back_is_not_counted(press: Press) -> None:
    await press.desk.start([calm(1), calm(2), leaving(3)])
    later = MORNING + 9 * DAY
    await press.tick(later - DAY)
    await press.desk.score(later - 2 * HOUR)
    found = await press.desk.episodes()

    async def work(tx: Tx) -> None:
        one = (await claims.find_work(tx, found["1"]["id"]), await claims.find_work(tx, found["2"]["id"]))
        for work in one:
            assert work is not None
            assert (await claims.claim(tx, work.id, ANA, later - HOUR))[0] == "claimed"
            await claims.append_work_event(tx, work, "undone", ANA, later - HOUR, code="claim")
        assert (await claims.release(tx, found["2"]["id"], ANA, later, may_release_others=False))[
            0
        ] == "released"
        assert (await claims.claim(tx, found["2"]["id"], LEA, later - 1))[0] == "claimed"

    await press.store.write(work)
    await press.tick(later)
    assert (await press.view(press.ava, "2026-03-12")).figures.claimed == 1


async def test_an_undo_takes_nothing_from_the_day_after_its_claim(press: Press) -> None:
    await press.desk.start([calm(1), leaving(3)])
    later = MORNING + 9 * DAY
    await press.desk.score(later - 2 * HOUR)
    episode_id = (await press.desk.episodes())["1"]["id"]

    async def claim(user_id: int, at: int, *, undone: bool = False) -> None:
        async def write(tx: Tx) -> None:
            work = await claims.find_work(tx, episode_id)
            assert work is not None
            if undone:
                await claims.append_work_event(tx, work, "undone", user_id, at, code="claim")
                await claims.set_work(tx, episode_id, claimed_by=None)
            else:
                assert (await claims.claim(tx, episode_id, user_id, at))[0] == "claimed"

        await press.store.write(write)

    await claim(ANA, later - 1)
    await press.tick(later)
    await claim(ANA, later + 1, undone=True)
    await claim(LEA, later + HOUR)
    await press.tick(later + DAY)
    told = [(await press.view(press.ava, day)).figures.claimed for day in ("2026-03-12", "2026-03-13")]
    assert told == [1, 1]


async def test_it_counts_what_happened_and_says_what_waits(press: Press) -> None:
    records = [calm(1), calm(2), leaving(3, expires_at=NOW + 11 * DAY), leaving(4)]
    await press.desk.start(records)
    later = MORNING + 9 * DAY
    await press.tick(later - DAY)
    await press.desk.score(later - 2 * HOUR)
    two = (await press.desk.episodes())["2"]
    await press.store.write(lambda tx: claims.claim(tx, two["id"], ANA, later - HOUR))
    await press.close("1", "kept", later - HOUR)
    await press.close("2", "lost", later - HOUR, pace_cents=None)
    await press.close("2", "lost", later - 1, currency="EUR")
    await press.close("2", "kept", later - 1, undone_at=later - 1)
    await press.close("2", "kept", later)

    await press.tick(later)

    figures = (await press.view(press.ava, "2026-03-12")).figures
    assert (figures.at_risk, figures.action, figures.claimed, figures.open) == (2, 2, 1, 4)
    assert figures.outcomes == {"kept": 1, "lost": 2}
    assert (figures.saved_cents, figures.lost_cents) == ({"USD": 40_000}, {"EUR": 40_000})
    assert figures.oldest is not None
    assert figures.oldest.since == later - 2 * HOUR
    assert figures.endings_in_all == 2
    assert [one.ends_at for one in figures.endings] == [NOW + 11 * DAY, NOW + 12 * DAY]
    text = press.message(await press.view(press.ava, "2026-03-12")).text
    assert "2 action items and 2 at risk" in text
    assert "user3" in text
    agencys = press.message(await press.view(None, "2026-03-12")).text
    assert "Ava" in agencys
    assert "user3" not in agencys


async def test_what_nobody_can_be_called_about_yet_has_waited_since_it_was_opened(press: Press) -> None:
    await press.desk.start([leaving(3), leaving(4)])
    later = MORNING + 9 * DAY
    await press.desk.score(later - 2 * HOUR)
    # Her channel is quiet until the afternoon.
    put_off = await press.set_episode("3", opened_at=later - 3 * HOUR, escalate_from_at=later + 6 * HOUR)
    await press.set_episode("4", escalate_from_at=later - HOUR)
    await press.tick(later)
    oldest = (await press.view(press.ava, "2026-03-12")).figures.oldest
    assert oldest is not None
    assert (oldest.episode_id, oldest.since) == (put_off["id"], later - 3 * HOUR)


async def test_what_was_told_stays_although_everything_changes(press: Press) -> None:
    await press.desk.start([leaving(3)])
    await press.desk.score(MORNING + 9 * DAY - HOUR)
    await press.tick(MORNING + 9 * DAY)
    before = await press.view(press.ava, "2026-03-12")
    text = press.message(before).text
    await press.set_episode("3", claimed_by=ANA, closed_at=MORNING + 9 * DAY, pace_cents=1)
    await press.tick(MORNING + 9 * DAY + HOUR)
    after = await press.view(press.ava, "2026-03-12")
    assert after == before
    assert press.message(after).text == text


async def test_whom_nobody_was_called_for_is_told_once(press: Press) -> None:
    await press.desk.start([leaving(3), leaving(4)])
    await press.desk.score(MORNING + 9 * DAY - HOUR)
    left = await press.set_episode("3", ping_state="digest")
    await press.set_episode("4", ping_state="held", ping_due_at=MORNING + 10 * DAY)
    await press.tick(MORNING + 9 * DAY)
    first = await press.view(press.ava, "2026-03-12")
    assert first.figures.unmentioned == (left["id"],)
    assert "Show them" in press.message(first).text
    assert (await press.view(None, "2026-03-12")).figures.unmentioned == (left["id"],)
    states = {fan: row["ping_state"] for fan, row in (await press.desk.episodes()).items()}
    assert states == {"3": None, "4": "held"}
    await press.tick(MORNING + 10 * DAY)
    assert (await press.view(press.ava, "2026-03-13")).figures.unmentioned == ()


async def test_who_was_claimed_and_who_is_only_at_risk_is_no_action_item_nobody_was_called_for(
    press: Press,
) -> None:
    await press.desk.start([leaving(3), leaving(4), leaving(5)])
    await press.desk.score(MORNING + 9 * DAY - HOUR)
    await press.set_episode("3", ping_state="digest", claimed_by=ANA)
    await press.set_episode("4", ping_state="digest", tier="at_risk")
    left = await press.set_episode("5", ping_state="digest")
    await press.tick(MORNING + 9 * DAY)
    assert (await press.view(press.ava, "2026-03-12")).figures.unmentioned == (left["id"],)


async def test_hidden_fans_stay_hidden_also_once_claimed(press: Press) -> None:
    await press.desk.start([leaving(3)])
    await press.desk.set_creator(press.ava, name_mode="hidden")
    await press.desk.score(MORNING + 9 * DAY - HOUR)
    await press.tick(MORNING + 9 * DAY)
    await press.set_episode("3", claimed_by=ANA)
    view = await press.view(press.ava, "2026-03-12")
    assert "user3" not in press.message(view).text
    assert {label.username for label in view.fans.values()} == {None}


async def test_follow_ups_mutes_and_gaps_of_the_day_are_said(press: Press) -> None:
    await press.desk.start(CALM)
    (fan, *_) = [row["fan_account_id"] for row in await press.desk.rows(scores)]
    known: dict[str, Any] = {"fan_account_id": fan, "what": "x", "created_by": LEA, "created_at": NOW}
    for number, (due, promise, state) in enumerate(
        [
            (MORNING - HOUR, True, "open"),
            (MORNING + 15 * HOUR, False, "open"),
            # After midnight in Paris.
            (MORNING + 16 * HOUR, False, "open"),
            (MORNING, False, "done"),
        ]
    ):
        await press.add(
            followups, press.ava, due_at=due, promise=promise, state=state, request=str(number), **known
        )
    for until, ended in ((None, None), (MORNING - 1, None), (None, NOW)):
        await press.add(
            mutes, press.ava, fan_account_id=fan, until_at=until, reason="x", created_by=LEA,
            created_at=NOW, ended_at=ended,
        )  # fmt: skip
    day = PlannedShift(ANA, frozenset(range(1, 8)), 8 * 60, 20 * 60, "Europe/Paris")
    await press.store.write(lambda tx: shifts.add_shift(tx, press.ava, day, NOW))
    await press.tick(MORNING)
    figures = (await press.view(press.ava)).figures
    assert (figures.followups, figures.promises, figures.late) == (2, 1, 1)
    assert (figures.muted, figures.muted_whole, figures.held) == (1, 0, 0)
    assert [(gap.starts_at, gap.ends_at) for gap in figures.gaps] == [
        (MORNING + 12 * HOUR, MORNING + 16 * HOUR)
    ]
    text = press.message(await press.view(press.ava)).text
    assert "2 follow-ups due today** (1 promise, 1 late already)" in text


async def test_one_creators_trouble_keeps_the_others_no_digest(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    await press.desk.start(CALM)
    await press.desk.start([calm(3)], creator_id=press.bea)
    job = DigestJob(press.store, RULES)
    real = digests.compute

    async def breaks(tx: Any, creator_id: int, *args: Any, **given: Any) -> Any:
        if creator_id == press.ava:
            raise RuntimeError("no")
        return await real(tx, creator_id, *args, **given)

    with monkeypatch.context() as patch:
        patch.setattr(digests, "compute", breaks)
        assert await job.run_due(MORNING) == {"digests": 1}
        assert await job.run_due(MORNING + 1) == {}
    assert await job.run_due(MORNING + HOUR) == {"digests": 2}
    assert len(await press.cards()) == 3
