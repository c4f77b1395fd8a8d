"""What a claim that is taken back leaves of the shift that it began, and of the shift before that."""

from __future__ import annotations

import pytest

from bot.discord_ui.undo import outcome
from bot.domain.desk import MS_PER_MINUTE
from bot.domain.models import MS_PER_HOUR
from bot.domain.snoozing import SnoozeFor
from bot.jobs.shifts import ShiftsJob
from storage.tables import mentions
from tests.bot.services.test_shift_undo import Office, office
from tests.bot.services.test_shifts import ANA_ID, BEN_ID, LEA_ID, START
from tests.storage.conftest import agency, database_url, postgres_server, postgres_url, storage

__all__ = ["agency", "database_url", "office", "postgres_server", "postgres_url", "storage"]


@pytest.mark.parametrize("how", ["claim", "take_over", "assign", "take_one", "take_all"])
async def test_a_claim_that_is_undone_leaves_nobody_on_shift(office: Office, how: str) -> None:
    (alert,) = await office.open(1)
    if how in ("take_one", "take_all"):
        await office.claim(BEN_ID, alert)
        await office.shifts.end(office.ben)
        await office.shifts.take(office.lea, await office.card(), alert if how == "take_one" else None)
    elif how == "claim":
        await office.cards.claim(office.lea, alert)
    elif how == "take_over":
        await office.cards.take_over(office.lea, alert, None)
    else:
        await office.cards.assign(office.lea, alert, office.lea)
    assert await office.on(office.ava) == [LEA_ID]
    office.now += MS_PER_HOUR
    assert (await office.take_back(LEA_ID)).status == "undone"
    assert await office.on(office.ava) == []
    assert await office.worked_ms() == 0
    # It may begin again.
    await office.cards.claim(office.lea, alert)
    assert await office.on(office.ava) == ([LEA_ID] if how in ("claim", "take_over", "assign") else [])


async def test_who_has_another_claim_there_stays_on_until_that_is_undone_too(office: Office) -> None:
    first, second, _ = await office.open()
    await office.cards.claim(office.ana, first)
    await office.cards.claim(office.ana, second)
    assert (await office.take_back(ANA_ID, 1)).status == "undone"
    assert await office.on(office.ava) == [ANA_ID]
    assert (await office.take_back(ANA_ID)).status == "undone"
    assert await office.on(office.ava) == []


async def test_who_was_on_before_or_has_worked_on_others_since_stays_on(office: Office) -> None:
    first, second, third = await office.open()
    await office.shifts.start(office.ben, {office.ava})
    await office.cards.claim(office.ben, first)
    await office.take_back(BEN_ID)
    assert await office.on(office.ava) == [BEN_ID]

    await office.cards.claim(office.ana, second)
    await office.cards.claim(office.ana, third)
    await office.cards.release(office.ana, third)
    # What she has released again was work all the same.
    await office.take_back(ANA_ID, 2)
    assert sorted(await office.on(office.ava)) == [ANA_ID, BEN_ID]


async def test_who_has_said_so_meanwhile_stays_on(office: Office) -> None:
    (alert,) = await office.open(1)
    await office.cards.claim(office.ana, alert)
    (told,) = await office.shifts.start(office.ana, {office.ava})
    assert told.already
    assert (await office.take_back(ANA_ID)).status == "undone"
    assert await office.on(office.ava) == [ANA_ID]


async def _left_and_back(office: Office, *kept: int, alert: int) -> int:
    """Ana ends her shift with these claims, and ten minutes later claims another by mistake; her hand-over's card."""
    await office.shifts.start(office.ana, {office.ava})
    if kept:
        await office.claim(ANA_ID, *kept)
    office.now += MS_PER_HOUR
    await office.shifts.end(office.ana)
    card = await office.card()
    office.now += 10 * MS_PER_MINUTE
    assert (await office.cards.claim(office.ana, alert)).status == "claimed"
    await ShiftsJob(office.store).run_due(office.now)
    assert (await office.view(office.ben)).is_done
    office.now += MS_PER_MINUTE
    return card


async def test_who_had_gone_and_claims_by_mistake_is_gone_again_with_what_they_left(office: Office) -> None:
    first, second, third = await office.open()
    card = await _left_and_back(office, first, second, alert=third)
    assert (await office.take_back(ANA_ID)).status == "undone"
    assert await office.on(office.ava) == []
    # The hand-over waits again, and goes on waiting.
    await ShiftsJob(office.store).run_due(office.now)
    left = await office.view(office.ben)
    assert ([row.episode_id for row in left.rows], left.is_done) == ([first, second], False)
    taken = await office.shifts.take(office.ben, card, first)
    assert (taken.status, taken.count) == ("taken", 1)
    # The other one lapses two hours after the end of the shift, as if nobody had come back.
    end = START + MS_PER_HOUR
    await ShiftsJob(office.store).run_due(end + 2 * MS_PER_HOUR - 1)
    assert await office.claimers() == [BEN_ID, ANA_ID, None]
    await ShiftsJob(office.store).run_due(end + 2 * MS_PER_HOUR)
    assert await office.claimers() == [BEN_ID, None, None]
    assert (await office.view(office.ben)).taken == ((BEN_ID, 1),)


async def test_what_was_to_lapse_meanwhile_lapses_with_the_undo(office: Office) -> None:
    first, second = await office.open(2)
    await _left_and_back(office, first, alert=second)
    office.now = START + 4 * MS_PER_HOUR
    await ShiftsJob(office.store).run_due(office.now)
    assert await office.claimers() == [ANA_ID, ANA_ID]
    await office.take_back(ANA_ID)
    await ShiftsJob(office.store).run_due(office.now)
    assert await office.claimers() == [None, None]


async def test_a_hand_over_without_claims_waits_again_too(office: Office) -> None:
    first, second = await office.open(2)
    assert (await office.snoozing.snooze(office.ben, first, SnoozeFor.HOUR)).status == "snoozed"
    await _left_and_back(office, alert=second)
    await office.take_back(ANA_ID)
    await ShiftsJob(office.store).run_due(office.now)
    assert not (await office.view(office.ben)).is_done


async def test_who_was_given_another_since_stays_on(office: Office) -> None:
    first, second, third = await office.open()
    await _left_and_back(office, first, alert=second)
    await office.cards.assign(office.lea, third, office.ana)
    await office.take_back(ANA_ID)
    assert await office.on(office.ava) == [ANA_ID]
    assert (await office.view(office.ben)).is_done


@pytest.mark.parametrize("how", ["claim", "take_over", "assign", "take_one", "take_all"])
@pytest.mark.parametrize("woken", [True, False])
async def test_what_a_claim_woke_sleeps_on_when_it_is_undone(office: Office, how: str, woken: bool) -> None:
    first, second, other = await office.open()
    asleep = await office.sleeps(other)
    await office.shown()
    if how in ("take_one", "take_all"):
        await office.claim(ANA_ID, first, second)
        await office.shifts.end(office.ana)
        await office.shifts.take(office.ben, await office.card(), first if how == "take_one" else None)
    elif how == "claim":
        await office.cards.claim(office.ben, first)
    elif how == "take_over":
        await office.cards.take_over(office.ben, first, None)
    else:
        await office.cards.assign(office.ben, first, office.ben)
    assert (await office.work(other))["snoozed_until"] == office.now
    office.now += MS_PER_MINUTE
    if woken:
        await office.wakes()
        assert (await office.work(other))["snoozed_until"] is None
    told = outcome(await office.take_back(BEN_ID))
    assert await office.on(office.ava) == []
    assert await office.work(other) == asleep
    await office.wakes()
    assert await office.work(other) == asleep
    # It names the claims alone.
    assert told.startswith("Undone: ")
    assert told.endswith("2 alerts (Ava)." if how == "take_all" else "** (Ava).")


async def test_to_claim_what_one_let_sleep_until_then_calls_nobody_and_can_be_undone(office: Office) -> None:
    alert, *_ = await office.open()
    asleep = await office.sleeps(alert)
    await office.shown()
    office.now += MS_PER_HOUR
    assert (await office.cards.claim(office.ben, alert)).status == "claimed"
    claimed = await office.work(alert)
    assert (claimed["claimed_by"], claimed["snoozed_until"], claimed["snoozed_by"]) == (BEN_ID, None, None)
    # Of what they have they are reminded as of any claim.
    assert claimed["remind_at"] == office.now + office.desk.rules.remind_claim_ms
    called = await office.desk.rows(mentions)
    office.now += MS_PER_MINUTE
    await office.wakes()
    assert await office.desk.rows(mentions) == called
    assert (await office.take_back(BEN_ID)).status == "undone"
    assert await office.work(alert) == asleep
    assert await office.on(office.ava) == []


async def test_what_a_claim_woke_stays_awake_for_as_long_as_the_shift_goes_on(office: Office) -> None:
    first, second, other = await office.open()
    asleep = await office.sleeps(other)
    await office.shown()
    await office.cards.claim(office.ben, first)
    await office.cards.claim(office.ben, other)
    await office.cards.claim(office.ben, second)
    await office.take_back(BEN_ID, 2)
    assert await office.on(office.ava) == [BEN_ID]
    await office.take_back(BEN_ID, 1)
    assert (await office.work(other))["claimed_by"] is None
    assert (await office.work(other))["snoozed_until"] == office.now
    told = outcome(await office.take_back(BEN_ID))
    assert told.endswith("(Ava).")
    assert await office.on(office.ava) == []
    assert await office.work(other) == asleep


async def test_the_claim_that_is_undone_last_may_be_of_what_was_woken(office: Office) -> None:
    first, _, other = await office.open()
    asleep = await office.sleeps(other)
    await office.shown()
    await office.cards.claim(office.ben, first)
    office.now += MS_PER_MINUTE
    await office.wakes()
    await office.cards.claim(office.ben, other)
    await office.take_back(BEN_ID, 1)
    assert outcome(await office.take_back(BEN_ID)).endswith("(Ava).")
    assert await office.work(other) == asleep


async def test_what_somebody_has_changed_of_what_a_claim_woke_is_named_beside_it(office: Office) -> None:
    first, second, other = await office.open()
    await office.sleeps(other)
    await office.shown()
    await office.claim(ANA_ID, first, second)
    await office.shifts.end(office.ana)
    await office.shifts.take(office.ben, await office.card(), None)
    await office.wakes()
    await office.cards.claim(office.lea, other)
    await office.cards.release(office.ben, second)
    # The menu of what it woke does not offer it: nothing was taken over there.
    last = await office.undoing.undo_last(office.ben, other)
    assert last.line is not None
    assert last.line.action == "snooze"
    (took,) = [one for one in await office.done(BEN_ID) if one.action == "take_all"]
    told = outcome(await office.undoing.undo(office.ben, took.id))
    assert told.startswith(
        "Undone: Took over 2 alerts (Ava). 1 of 2 are as they were. 1 alert stays as it is."
    )
    assert told.count("changed since by") == 2
    assert (await office.work(other))["claimed_by"] == LEA_ID
