"""Follow-ups and ticks on both engines."""

from __future__ import annotations

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from bot.domain.models import CardKind
from bot.domain.playbooks import BUILT_IN, DEFAULT
from bot.domain.views import FollowupCard
from storage import card_views, cards, fan_search, fans, followups, playbooks
from storage.cards import FOLLOWUP, CardPayload, NewCard
from storage.followups import NewFollowup
from storage.tables import episodes, fan_holds
from storage.tx import Tx
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan

ANA, LEA = 301, 302


async def fan_of(agency: Agency) -> int:
    await agency.store.write(lambda tx: fans.apply_fan_page(tx, agency.ava, [fan("1")], NOW, 1))
    async with agency.store.read() as tx:
        (found,) = await fan_search.find_exact(tx, {agency.ava}, "1")
    return found.fan_account_id


async def add(agency: Agency, fan_id: int, request: str, due_at: int, *, promise: bool = False) -> int:
    new = NewFollowup(agency.ava, fan_id, f"do {request}", due_at, ANA, promise, LEA, request)
    return await agency.store.write(lambda tx: followups.add(tx, new, NOW))


async def test_the_next_one_is_what_is_open_and_due_first(agency: Agency) -> None:
    fan_id = await fan_of(agency)
    late, soon = await add(agency, fan_id, "late", NOW + 2 * DAY), await add(agency, fan_id, "soon", NOW)
    async with agency.store.read() as tx:
        due = await followups.find_next(tx, fan_id)
        listed, total = await followups.list_page(tx, {agency.ava}, ANA, offset=0, limit=1)
        assert await followups.list_page(tx, {agency.bea}, None, offset=0, limit=9) == ([], 0)
    assert due is not None
    assert (due.followup_id, due.what, due.promise) == (soon, "do soon", False)
    assert ([one.id for one in listed], total) == ([soon], 2)
    await agency.store.write(lambda tx: followups.change(tx, soon, state="done"))
    async with agency.store.read() as tx:
        due = await followups.find_next(tx, fan_id)
    assert due is not None
    assert due.followup_id == late


async def test_one_request_makes_one(agency: Agency) -> None:
    fan_id = await fan_of(agency)
    await add(agency, fan_id, "same", NOW)
    with pytest.raises(IntegrityError):
        await add(agency, fan_id, "same", NOW)


async def test_what_is_due_waits_for_the_end_of_a_hold_unless_it_was_promised(agency: Agency) -> None:
    fan_id = await fan_of(agency)
    task, promise = (
        await add(agency, fan_id, "task", NOW),
        await add(agency, fan_id, "promise", NOW + 1, promise=True),
    )

    async def hold(tx: Tx) -> int:
        await tx.execute(
            insert(fan_holds).values(
                agency_id=tx.agency_id,
                id=tx.ids.next(),
                creator_id=agency.ava,
                fan_account_id=fan_id,
                until_at=NOW + DAY,
                reason="asked",
                created_by=LEA,
                created_at=NOW,
            )
        )
        card = NewCard(CardKind.NOTICE, agency.ava, 401, CardPayload(followup_id=promise), code=FOLLOWUP)
        return await cards.create_card(tx, card, NOW)

    card_id = await agency.store.write(hold)
    async with agency.store.read() as tx:
        assert [one.id for one in await followups.list_due(tx, NOW + 1)] == [promise]
        assert [one.id for one in await followups.list_due(tx, NOW + DAY)] == [task, promise]
        view = await card_views.load_view(tx, card_id)
    assert isinstance(view, FollowupCard)
    assert (view.on_hold, view.put_off, view.promise, view.state) == (True, True, True, "open")
    await agency.store.write(lambda tx: followups.change(tx, promise, reminded_at=NOW, card_id=card_id))
    async with agency.store.read() as tx:
        view = await card_views.load_view(tx, card_id)
        assert isinstance(view, FollowupCard)
        assert not view.put_off
        assert [one.id for one in await followups.list_due(tx, NOW + DAY)] == [task]


async def test_a_card_without_its_follow_up_shows_nothing(agency: Agency) -> None:
    card = NewCard(CardKind.NOTICE, agency.ava, 401, CardPayload(followup_id=4_242), code=FOLLOWUP)
    card_id = await agency.store.write(lambda tx: cards.create_card(tx, card, NOW))
    async with agency.store.read() as tx:
        assert await card_views.load_view(tx, card_id) is None


async def test_ticks_stay_with_the_version_they_were_made_of(agency: Agency) -> None:
    fan_id = await fan_of(agency)

    async def start(tx: Tx) -> int:
        episode_id = tx.ids.next()
        await tx.execute(
            insert(episodes).values(
                agency_id=tx.agency_id,
                id=episode_id,
                creator_id=agency.ava,
                fan_account_id=fan_id,
                tier="at_risk",
                expired=False,
                opened_at=NOW,
                opened_run_id=1,
                changed_run_id=1,
                score=65.0,
                reasons="[]",
                currency="USD",
                baseline=False,
                ping_wanted=False,
            )
        )
        return episode_id

    episode_id = await agency.store.write(start)

    async def work(tx: Tx) -> int:
        shown, about = await playbooks.load_view(tx, episode_id), await playbooks.find_work(tx, episode_id)
        assert shown is not None
        assert about is not None
        assert (shown.reason, [step.text for step in shown.steps]) == (DEFAULT, list(BUILT_IN[DEFAULT]))
        tick_id = await playbooks.add_tick(tx, about, episode_id, shown, 1, ANA, NOW, 7)
        await playbooks.add_version(tx, DEFAULT, 1, ("Ünïcode 🎉",), LEA, NOW)
        return tick_id

    tick_id = await agency.store.write(work)
    async with agency.store.read() as tx:
        shown = await playbooks.load_view(tx, episode_id)
        assert await playbooks.find_live_tick(tx, episode_id, DEFAULT, 0, 1) == tick_id
        assert await playbooks.load_view(tx, 4_242) is None
    assert shown is not None
    assert [step.ticked_by for step in shown.steps] == [None, ANA, None]
    await agency.store.write(lambda tx: playbooks.set_undone(tx, tick_id, NOW))
    async with agency.store.read() as tx:
        shown = await playbooks.load_view(tx, episode_id)
    assert shown is not None
    assert (shown.version, [step.text for step in shown.steps]) == (1, ["Ünïcode 🎉"])
