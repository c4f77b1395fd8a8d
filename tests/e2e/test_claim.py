"""Claim and Release as people press them: on alert cards, on rows of lists, after restarts, and where nobody may."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

from tests.e2e import ledger
from tests.e2e.harness import Json
from tests.e2e.office import (
    AT_RISK,
    DAY_S,
    EXPIRED,
    Office,
    button,
    buttons,
    eventually,
    fans_on,
    release_of,
    row_button,
    sentence,
    taken,
)
from tests.e2e.reading import (
    CUSTOM_ID,
    Card,
    fingerprint,
    is_private,
    live_cards,
    text_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Nine days at once: each creator has single action cards, a list of expiries and one of fans at risk.
ADVANCE_S = 9 * DAY_S
UPDATED = ("update", "deferred_update")
"""The message that was pressed changes: at once or, where the machine has much to do, after a deferral."""


async def _look(office: Office, channel: str) -> list[str]:
    """What stands in the channel once nothing is owed to it."""

    async def caught_up() -> bool | None:
        return None if office.rows("SELECT id FROM cards WHERE wanted_version > sent_version") else True

    await eventually("every card is shown", caught_up, office.box)
    return [fingerprint(m) for m in await office.box.messages(channel) if not is_private(m)]


# Single alert cards


async def test_the_first_press_wins_and_everybody_sees_who(office: Office) -> None:
    card = await office.card_with("luna", "fan_2488", "a")
    claim = button(card.message, "Claim")
    before = len(office.who("claim"))
    reply = await office.press("Ana", "luna", card.message, claim)
    assert reply.acked in UPDATED
    (now,) = reply.messages
    assert now["id"] == card.message["id"]
    assert f"Claimed by <@{office.people['Ana']}>" in text_of(now)
    assert buttons(now, "Claim") == []
    assert now["sandbox"]["pinged"] == card.message["sandbox"]["pinged"]
    release = release_of(now)
    profile = await office.lookup("Lea", "luna", "fan_2488")
    assert f"claimed by <@{office.people['Ana']}>" in text_of(profile.messages[0])

    # The same person once more, from a client that still shows [Claim]; then somebody else.
    again = await office.press("Ana", "luna", card.message, claim, forge=True)
    assert again.acked in UPDATED or sentence(again)
    told = taken(await office.press("Lea", "luna", card.message, claim, forge=True))
    assert f"<@{office.people['Ana']}>" in told
    assert fingerprint(await office.message("luna", card.message["id"])) == fingerprint(now)
    assert office.who("claim")[before:] == ["Ana"]

    reply = await office.press("Ana", "luna", now, release, forge=True)
    assert reply.acked in UPDATED
    (free,) = reply.messages
    assert fingerprint(free) == fingerprint(card.message)
    again = await office.press("Ana", "luna", now, release, forge=True)
    assert again.acked in UPDATED or sentence(again)
    assert fingerprint(await office.message("luna", card.message["id"])) == fingerprint(card.message)
    assert len(await office.messages_of(card, "luna")) == 1


async def test_ten_presses_at_once_have_one_winner(office: Office) -> None:
    card = await office.card_with("zoe", "fan_2564", "a")
    claim = button(card.message, "Claim")
    before = len(office.who("claim"))
    people = ("Ben", "Lea", "Max", "Olga") * 3
    replies = await asyncio.gather(
        *(office.press(person, "zoe", card.message, claim, forge=True) for person in people)
    )
    (winner,) = office.who("claim")[before:]
    for person, reply in zip(people, replies, strict=True):
        if person == winner:
            assert reply.acked in UPDATED
            (shown,) = reply.messages
            assert shown["id"] == card.message["id"]
        else:
            assert f"<@{office.people[winner]}>" in taken(reply)
    text = text_of(await office.shows("zoe", card.message["id"], "Claimed by"))
    assert f"Claimed by <@{office.people[winner]}>" in text


async def test_a_claim_that_takes_long_is_shown_after_a_deferral(office: Office) -> None:
    card = await office.card_with("zoe", "fan_2599", "a")
    since = await office.box.newest_request()

    async def deferred() -> bool | None:
        lines = await office.box.requests(since)
        return True if any((line["json"] or {}).get("type") == 6 for line in lines) else None

    with closing(sqlite3.connect(ledger.database(office.box.data), isolation_level=None)) as db:
        # Nobody can write until this is over.
        db.execute("BEGIN IMMEDIATE")
        press = asyncio.create_task(
            office.press("Ben", "zoe", card.message, button(card.message, "Claim"), forge=True)
        )
        await eventually("the press is deferred", deferred, office.box)
        db.execute("ROLLBACK")
    reply = await press
    assert reply.acked == "deferred_update"
    (now,) = reply.messages
    assert now["id"] == card.message["id"]
    assert f"Claimed by <@{office.people['Ben']}>" in text_of(now)
    await office.press("Ben", "zoe", now, release_of(now), forge=True)


async def test_another_chatter_is_told_and_a_lead_may_release(office: Office) -> None:
    card = await office.card_with("luna", "fan_3655", "a")
    claim = button(card.message, "Claim")
    (claimed,) = (await office.press("Ana", "luna", card.message, claim)).messages
    release = release_of(claimed)
    before = office.who("release")
    async with office.with_roles("Nia", "Chatter", "Team luna"):
        assert f"<@{office.people['Ana']}>" in taken(
            await office.press("Nia", "luna", card.message, claim, forge=True)
        )
        refused = sentence(await office.press("Nia", "luna", card.message, release, forge=True))
        assert f"<@{office.people['Ana']}>" in refused
        assert "lead" in refused
    assert office.who("release") == before
    assert f"Claimed by <@{office.people['Ana']}>" in text_of(
        await office.message("luna", card.message["id"])
    )
    reply = await office.press("Lea", "luna", card.message, release, forge=True)
    assert fingerprint(reply.messages[0]) == fingerprint(card.message)
    assert office.who("release") == [*before, "Lea"]
    # Free again: the next one gets it.
    async with office.with_roles("Nia", "Chatter", "Team luna"):
        (hers,) = (await office.press("Nia", "luna", card.message, claim)).messages
    assert f"Claimed by <@{office.people['Nia']}>" in text_of(hers)


async def test_a_foreign_card_is_answered_like_one_that_does_not_exist(office: Office) -> None:
    single = await office.card_with("luna", "fan_2590", "a")
    group = await office.list_card("luna", AT_RISK)
    (baseline,) = live_cards(await office.box.messages("luna"), "s")
    own = await office.card_with("zoe", "fan_3660", "a")
    match = CUSTOM_ID.fullmatch(button(single.message, "Claim"))
    assert match is not None
    missing = f"fw1:claim:a{'1' * 12}:{match['arg']}"
    nothing = sentence(await office.press("Ben", "luna", single.message, missing, forge=True))
    look, owed = await _look(office, "luna"), (office.who("claim"), office.who("release"))
    for custom_id in (
        button(single.message, "Claim"),
        button(single.message, "Claim").replace("claim", "release"),
        buttons(group.message, "Claim")[0],
        f"fw1:page:g{group.card}:1",
        button(baseline.message, "Top 10 by money"),
        f"fw1:claim:s{baseline.card}:{match['arg']}",
        f"fw1:details:a{single.card}",
        # A card of one's own around somebody else's fan, and the other way round.
        f"fw1:claim:a{own.card}:{match['arg']}",
        f"fw1:release:a{own.card}:{match['arg']}",
    ):
        for channel, message in (("luna", single.message), ("zoe", own.message)):
            reply = await office.press("Ben", channel, message, custom_id, forge=True)
            assert sentence(reply) == nothing, custom_id
    assert await _look(office, "luna") == look
    assert (office.who("claim"), office.who("release")) == owed
    unseen = await office.box.press("Ben", "luna", single.message["id"], button(single.message, "Claim"))
    assert unseen.error == "not_visible"


async def test_without_a_role_nothing_can_be_pressed(office: Office) -> None:
    single = await office.card_with("luna", "fan_2590", "a")
    (baseline,) = live_cards(await office.box.messages("luna"), "s")
    owed = office.who("claim")
    for custom_id in (
        button(single.message, "Claim"),
        button(baseline.message, "Top 10 by money"),
        "fw1:claim:azzz:1",
    ):
        reply = await office.press("Nia", "luna", single.message, custom_id, forge=True)
        assert "chatter role" in sentence(reply)
    assert office.who("claim") == owed


@pytest.mark.parametrize(
    "custom_id",
    [
        "fw1:snoozle:a2wkq67a14934:1",
        "fw1:claim:a2wkq67a14934",
        "fw1:claim:a2wkq67a14934:%",
        "fw1:claim:azzzzzzzzzzzzz:zzzzzzzzzzzzz",
        "fw1:claim:",
        "fw1:top:s1:999999",
        "fw0:claim:a1:1",
        "fw2:claim:a1:1",
        "fw1:lookup:p0",
    ],
)
async def test_a_stale_button_gets_one_sentence(office: Office, custom_id: str) -> None:
    card = await office.card_with("luna", "fan_2590", "a")
    before = await _look(office, "luna")
    sentence(await office.press("Ana", "luna", card.message, custom_id, forge=True))
    assert await _look(office, "luna") == before


# Lists


async def test_a_row_of_a_list_is_claimed_for_itself(office: Office) -> None:
    card = await office.list_card("mira", EXPIRED)
    first, second = fans_on(card.message)[:2]
    claim = row_button(card.message, first)["custom_id"]
    reply = await office.press("Ana", "mira", card.message, claim)
    assert reply.acked in UPDATED
    (now,) = reply.messages
    assert now["id"] == card.message["id"]
    assert row_button(now, first)["label"] == "Release"
    assert row_button(now, second)["label"] == "Claim"
    assert text_of(now).count(f"Claimed by <@{office.people['Ana']}>") == 1
    assert fans_on(now) == fans_on(card.message)
    told = taken(await office.press("Max", "mira", card.message, claim, forge=True))
    assert f"<@{office.people['Ana']}>" in told
    assert fingerprint(await office.message("mira", card.message["id"])) == fingerprint(now)
    reply = await office.press("Max", "mira", now, row_button(now, first)["custom_id"])
    assert fingerprint(reply.messages[0]) == fingerprint(card.message)


async def _second_page(office: Office, person: str, channel: str, card: Card) -> Json:
    (first,) = (await office.press(person, channel, card.message, button(card.message, "Next"))).messages
    assert is_private(first)
    return first


async def test_a_claim_on_a_private_page_shows_on_the_public_card(office: Office) -> None:
    card = await office.list_card("luna", AT_RISK)
    page = await _second_page(office, "Ana", "luna", card)
    assert "Page 2 of 2" in text_of(page)
    hidden = fans_on(page)[0]
    assert hidden not in fans_on(card.message)
    reply = await office.press("Ana", "luna", page, row_button(page, hidden)["custom_id"])
    assert reply.acked in UPDATED
    (now,) = reply.messages
    assert now["id"] == page["id"]
    assert is_private(now)
    assert row_button(now, hidden)["label"] == "Done"
    # Back on the first page, claim one that the public card shows too.
    (front,) = (await office.press("Ana", "luna", now, button(now, "Previous"))).messages
    assert front["id"] == page["id"]
    assert fans_on(front) == fans_on(card.message)
    seen = fans_on(front)[3]
    claim = row_button(front, seen)["custom_id"]
    (front,) = (await office.press("Ana", "luna", front, claim)).messages
    assert row_button(front, seen)["label"] == "Done"
    public = await office.shows("luna", card.message["id"], f"Claimed by <@{office.people['Ana']}>")
    assert row_button(public, seen)["label"] == "Release"
    assert len(await office.messages_of(card, "luna")) == 1
    # Somebody else, on a page of her own that is older than the claim.
    other = await _second_page(office, "Lea", "luna", card)
    told = taken(await office.press("Lea", "luna", other, claim, forge=True))
    assert f"<@{office.people['Ana']}>" in told
    (other,) = (await office.press("Lea", "luna", other, row_button(other, hidden)["custom_id"])).messages
    assert row_button(other, hidden)["label"] == "Claim"


async def test_a_claim_behind_the_baseline_is_kept_there(office: Office) -> None:
    (baseline,) = live_cards(await office.box.messages("luna"), "s")
    opener = button(baseline.message, "Top 10 by money")
    (page,) = (await office.press("Ana", "luna", baseline.message, opener)).messages
    assert is_private(page)
    fan = fans_on(page)[0]
    claim = row_button(page, fan)["custom_id"]
    (now,) = (await office.press("Ana", "luna", page, claim)).messages
    assert now["id"] == page["id"]
    assert is_private(now)
    assert row_button(now, fan)["label"] == "Done"
    assert f"Claimed by <@{office.people['Ana']}>" in text_of(now)
    (other,) = (await office.press("Lea", "luna", baseline.message, opener)).messages
    assert row_button(other, fan)["label"] == "Release"
    told = taken(await office.press("Max", "luna", other["id"], claim, forge=True))
    assert f"<@{office.people['Ana']}>" in told
    assert "chatter role" in sentence(await office.press("Nia", "luna", page, claim, forge=True))
    nothing = sentence(await office.press("Ben", "luna", page, "fw1:claim:s1:1", forge=True))
    assert sentence(await office.press("Ben", "luna", page, claim, forge=True)) == nothing
    release = row_button(other, fan)["custom_id"]
    (other,) = (await office.press("Lea", "luna", other, release)).messages
    assert row_button(other, fan)["label"] == "Claim"
    assert fingerprint(await office.message("luna", baseline.message["id"])) == fingerprint(baseline.message)


async def test_an_answer_that_arrives_late_does_not_hide_a_later_claim(office: Office) -> None:
    card = await office.list_card("zoe", AT_RISK)
    early, late = fans_on(card.message)[:2]
    before = len(office.who("claim"))
    await office.box.fault("discord", "latency", args={"ms": 600}, match={"path": "callback"})
    first = asyncio.create_task(
        office.press("Ben", "zoe", card.message, row_button(card.message, early)["custom_id"])
    )

    async def written() -> bool | None:
        return True if len(office.who("claim")) > before else None

    await eventually("the first claim is written", written, office.box)
    reply = await office.press("Max", "zoe", card.message, row_button(card.message, late)["custom_id"])
    assert reply.acked in UPDATED
    await first

    async def both() -> Json | None:
        message = await office.message("zoe", card.message["id"])
        labels = [row_button(message, fan)["label"] for fan in (early, late)]
        return message if labels == ["Release", "Release"] else None

    await eventually("both claims are shown", both, office.box)


async def test_presses_on_many_rows_at_once_all_show(office: Office) -> None:
    card = await office.list_card("mira", AT_RISK)
    fans = fans_on(card.message)
    assert len(fans) > 5
    await asyncio.gather(
        *(
            office.press(person, "mira", card.message, row_button(card.message, fan)["custom_id"])
            for person, fan in zip(("Ana", "Lea", "Max", "Olga") * 3, fans, strict=False)
        )
    )

    async def all_claimed() -> Json | None:
        message = await office.message("mira", card.message["id"])
        return message if buttons(message, "Claim") == [] else None

    message = await eventually("every row is claimed", all_claimed, office.box)
    assert text_of(message).count("Claimed by") == len(fans)
