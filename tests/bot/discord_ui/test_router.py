from __future__ import annotations

import asyncio
from typing import Any, cast

import discord
import pytest
import structlog

from bot.discord_ui import custom_ids, words
from bot.discord_ui.cards import render
from bot.discord_ui.features.cards import CardFeature
from bot.discord_ui.features.lookup import LookupFeature
from bot.discord_ui.inflight import InFlight
from bot.discord_ui.router import Router
from bot.domain.models import CardKind
from bot.domain.views import AlertCard, BaselineCard, FanChoice, GroupedCard, NoticeCard
from tests.bot.discord_ui import views
from tests.bot.discord_ui.fakes import (
    CHATTER,
    CREATOR,
    LEAD,
    NOBODY,
    STRANGER,
    FakeDesk,
    FakeFans,
    FakeInteraction,
    FakeRules,
)
from tests.bot.discord_ui.views import CHAT_URL, NOW, row

ALERT, LIST, BASELINE, NOTICE, AGENCY_NOTICE = 1, 2, 3, 4, 5
OTHER = 12_345


@pytest.fixture
def desk() -> FakeDesk:
    rows = tuple(row(n) for n in range(100, 123))
    return FakeDesk(
        cards={
            ALERT: AlertCard(ALERT, "Amber Vale", row(1), NOW),
            LIST: GroupedCard(LIST, "Amber Vale", False, rows, 23, NOW),
            BASELINE: BaselineCard(BASELINE, "Amber Vale", 12, 3, 0, 640, NOW),
            NOTICE: NoticeCard(NOTICE, "stale", "Amber Vale", NOW, NOW, None),
            AGENCY_NOTICE: NoticeCard(AGENCY_NOTICE, "api_down", None, NOW, NOW, None),
        },
        creators=dict.fromkeys((ALERT, LIST, BASELINE, NOTICE), CREATOR),
        rows={BASELINE: tuple(row(n) for n in range(200, 212))},
    )


def make_router(desk: FakeDesk, fans: FakeFans | None = None, **changes: Any) -> Router:
    fields: dict[str, Any] = {
        "guild_id": 900,
        "access": FakeRules(),
        "features": [CardFeature(desk, CHAT_URL), LookupFeature(fans or FakeFans())],
        "in_flight": InFlight(),
    }
    return Router(**(fields | changes))


def episode(number: int) -> int:
    return row(number).episode_id


async def press(
    router: Router, interaction: FakeInteraction, custom_id: str, values: tuple[str, ...] = ()
) -> FakeInteraction:
    await router.press(cast("discord.Interaction", interaction), custom_id, values)
    return interaction


def claim_of(kind: CardKind, card_id: int, number: int, verb: str = custom_ids.CLAIM) -> str:
    return custom_ids.build_episode(verb, kind, card_id, episode(number))


async def test_a_claim_changes_the_card_and_spares_delivery_the_edit(desk: FakeDesk) -> None:
    done = await press(make_router(desk), FakeInteraction(CHATTER), claim_of(CardKind.ALERT, ALERT, 1))
    assert done.kinds == ["update"]
    assert "<@1>" in done.sentence
    assert desk.shown == [(ALERT, render(desk.cards[ALERT], chat_url=CHAT_URL).fingerprint())]


async def test_a_second_press_by_the_same_person_is_safe(desk: FakeDesk) -> None:
    router = make_router(desk)
    for _ in range(2):
        done = await press(router, FakeInteraction(CHATTER), claim_of(CardKind.ALERT, ALERT, 1))
        assert done.kinds == ["update"]
    assert desk.claims == {episode(1): CHATTER.user_id}


async def test_the_second_person_hears_in_private_who_has_it(desk: FakeDesk) -> None:
    router = make_router(desk)
    await press(router, FakeInteraction(LEAD), claim_of(CardKind.ALERT, ALERT, 1))
    late = await press(router, FakeInteraction(CHATTER), claim_of(CardKind.ALERT, ALERT, 1))
    assert late.kinds == ["message"]
    assert late.log[0][1]["ephemeral"] is True
    layout = late.log[0][1]["view"]
    assert "<@2> has this one already." in str(layout.to_components())
    assert "take_over" in str(layout.to_components())


async def test_only_a_lead_releases_what_another_claimed(desk: FakeDesk) -> None:
    router = make_router(desk)
    release = claim_of(CardKind.ALERT, ALERT, 1, custom_ids.RELEASE)
    desk.claims[episode(1)] = 99
    refused = await press(router, FakeInteraction(CHATTER), release)
    assert "belongs to <@99>" in refused.sentence
    allowed = await press(router, FakeInteraction(LEAD), release)
    assert allowed.kinds == ["update"]
    assert desk.claims == {}


@pytest.mark.parametrize(
    ("viewer", "custom_id", "sentence"),
    [
        (NOBODY, claim_of(CardKind.ALERT, ALERT, 1), "This needs the chatter role or higher."),
        (STRANGER, claim_of(CardKind.ALERT, ALERT, 1), words.GONE),
        (CHATTER, claim_of(CardKind.ALERT, 404, 1), words.GONE),
        (STRANGER, custom_ids.build("top", CardKind.BASELINE, BASELINE, "0"), words.GONE),
        (STRANGER, custom_ids.build("details", CardKind.NOTICE, NOTICE), words.GONE),
        (CHATTER, custom_ids.build("page", CardKind.GROUPED, ALERT, "1"), words.GONE),
        (CHATTER, custom_ids.build("top", CardKind.BASELINE, LIST, "1"), words.GONE),
        (CHATTER, custom_ids.build("details", CardKind.NOTICE, ALERT), words.GONE),
        (CHATTER, custom_ids.build("claim", CardKind.ALERT, ALERT), words.GONE),
        (CHATTER, custom_ids.build("claim", CardKind.ALERT, ALERT, "_"), words.GONE),
        (CHATTER, custom_ids.build("dance", CardKind.ALERT, ALERT), words.OUTDATED),
        (CHATTER, "fw2:claim:a1", words.OUTDATED),
    ],
)
async def test_what_is_not_allowed_or_not_there_gets_one_private_sentence(
    desk: FakeDesk, viewer: Any, custom_id: str, sentence: str
) -> None:
    done = await press(make_router(desk), FakeInteraction(viewer), custom_id)
    assert done.kinds == ["message"]
    assert done.log[0][1]["ephemeral"] is True
    assert done.sentence == sentence
    assert desk.claims == {}


async def test_another_server_is_told_that_nothing_is_set_up(desk: FakeDesk) -> None:
    done = await press(
        make_router(desk), FakeInteraction(CHATTER, guild_id=OTHER), claim_of(CardKind.ALERT, ALERT, 1)
    )
    assert done.sentence == words.NOT_SET_UP


async def test_a_pager_on_the_public_list_opens_a_private_page(desk: FakeDesk) -> None:
    custom_id = custom_ids.build("page", CardKind.GROUPED, LIST, "1")
    done = await press(make_router(desk), FakeInteraction(CHATTER), custom_id)
    assert done.kinds == ["message"]
    assert done.log[0][1]["ephemeral"] is True
    assert "Page 2 of 3" in str(done.log[0][1]["view"].to_components())
    assert desk.viewed == [(1, LIST)]


async def test_a_pager_on_a_private_page_turns_in_place(desk: FakeDesk) -> None:
    custom_id = custom_ids.build("page", CardKind.GROUPED, LIST, "99")
    done = await press(make_router(desk), FakeInteraction(CHATTER, ephemeral=True), custom_id)
    assert done.kinds == ["update"]
    assert "Page 3 of 3" in str(done.log[0][1]["view"].to_components())


async def test_a_claim_on_a_private_page_stays_on_that_page_and_leaves_the_public_card_to_delivery(
    desk: FakeDesk,
) -> None:
    custom_id = claim_of(CardKind.GROUPED, LIST, 115)
    done = await press(make_router(desk), FakeInteraction(CHATTER, ephemeral=True), custom_id)
    assert done.kinds == ["update"]
    shown = str(done.log[0][1]["view"].to_components())
    assert "Page 2 of 3" in shown
    assert "Claimed by <@1>" in shown
    assert desk.shown == [(LIST, "")]


async def test_the_top_list_of_a_baseline_can_be_worked_from(desk: FakeDesk) -> None:
    router = make_router(desk)
    top = await press(
        router, FakeInteraction(CHATTER), custom_ids.build("top", CardKind.BASELINE, BASELINE, "0")
    )
    assert top.log[0][1]["ephemeral"] is True
    private = FakeInteraction(CHATTER, ephemeral=True)
    claimed = await press(router, private, claim_of(CardKind.BASELINE, BASELINE, 211))
    assert claimed.kinds == ["update"]
    shown = str(claimed.log[0][1]["view"].to_components())
    assert "Page 2 of 2" in shown
    assert "Claimed by <@1>" in shown


async def test_everybody_with_a_role_may_read_a_notice_of_the_whole_agency(desk: FakeDesk) -> None:
    custom_id = custom_ids.build("details", CardKind.NOTICE, AGENCY_NOTICE)
    done = await press(make_router(desk), FakeInteraction(STRANGER), custom_id)
    assert "`api_down`" in done.sentence


async def test_a_slow_claim_is_deferred_and_then_edits_the_card(desk: FakeDesk) -> None:
    desk.gate = asyncio.Event()
    in_flight = InFlight()
    router = make_router(desk, defer_after_s=0.0, in_flight=in_flight)
    slow = FakeInteraction(CHATTER)
    pressing = asyncio.create_task(press(router, slow, claim_of(CardKind.ALERT, ALERT, 1)))
    await slow.deferred.wait()
    assert in_flight.count == 1
    desk.gate.set()
    await pressing
    assert slow.kinds == ["deferred", "edit"]
    assert await in_flight.drain(0.1)


async def test_a_slow_refusal_is_a_private_follow_up(desk: FakeDesk) -> None:
    desk.gate = asyncio.Event()
    desk.claims[episode(1)] = 99
    slow = FakeInteraction(CHATTER)
    router = make_router(desk, defer_after_s=0.0)
    pressing = asyncio.create_task(press(router, slow, claim_of(CardKind.ALERT, ALERT, 1)))
    await slow.deferred.wait()
    desk.gate.set()
    await pressing
    assert slow.kinds == ["deferred", "followup"]
    assert slow.log[1][1]["ephemeral"] is True


async def test_what_breaks_shows_a_reference_and_nothing_else(desk: FakeDesk) -> None:
    desk.failure = RuntimeError("secret detail")
    with structlog.testing.capture_logs() as logs:
        done = await press(make_router(desk), FakeInteraction(CHATTER), claim_of(CardKind.ALERT, ALERT, 1))
    (entry,) = [line for line in logs if line["event"] == "press_failed"]
    assert done.sentence == f"Something broke (ref {entry['ref']})."
    assert entry["exc_info"] is desk.failure


async def test_a_failed_answer_still_has_delivery_look(desk: FakeDesk) -> None:
    interaction = FakeInteraction(CHATTER)

    async def refuse(**_: Any) -> None:
        raise ConnectionResetError

    interaction.response.edit_message = refuse  # type: ignore[method-assign]
    await press(make_router(desk), interaction, claim_of(CardKind.ALERT, ALERT, 1))
    assert desk.shown == [(ALERT, "")]
    assert interaction.sentence.startswith("Something broke (ref ")


async def test_a_choice_in_a_pick_list_becomes_the_profile(desk: FakeDesk) -> None:
    fans = FakeFans(found=views.profile())
    done = await press(
        make_router(desk, fans), FakeInteraction(CHATTER, ephemeral=True), "fw1:pick_fan:p0", ("f:1",)
    )
    assert fans.asked == [(CHATTER, "f:1")]
    assert done.kinds == ["update"]
    assert len(done.log[0][1]["embeds"]) == 1


@pytest.mark.parametrize(
    ("found", "values", "sentence"),
    [
        (None, ("f:9",), words.NOT_FOUND),
        (None, (), words.NOT_FOUND),
        ([FanChoice(1, "Amber Vale", views.fan(), 1, "USD", None)] * 2, ("joe",), words.PICK_ONE),
    ],
)
async def test_a_choice_that_leads_nowhere_says_so(
    desk: FakeDesk, found: Any, values: tuple[str, ...], sentence: str
) -> None:
    done = await press(
        make_router(desk, FakeFans(found=found)), FakeInteraction(CHATTER), "fw1:pick_fan:p0", values
    )
    assert done.sentence == sentence
    assert done.log[0][1]["ephemeral"] is True


async def test_draining_gives_up_in_time() -> None:
    in_flight = InFlight()
    with in_flight.one():
        assert not await in_flight.drain(0.0)
