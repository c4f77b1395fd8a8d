"""/queue as people use it: the open work of their creators, claimed in place; nobody else's, and private always."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.harness import Json, Reply
from tests.e2e.office import (
    ACK_MS,
    DAY_S,
    Office,
    button,
    buttons,
    eventually,
    fans_on,
    row_button,
    sentence,
    taken,
)
from tests.e2e.reading import components, fingerprint, is_private, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S


async def _queue(
    office: Office, person: str, channel: str, options: Json | None = None, *, forge: bool = False
) -> Reply:
    reply = await office.box.slash(person, channel, "queue", options, forge=forge)
    assert reply.error is None, reply
    assert reply.ack_ms is not None
    assert reply.ack_ms < ACK_MS
    return reply


async def _page(office: Office, person: str, channel: str, options: Json | None = None) -> Json:
    (page,) = (await _queue(office, person, channel, options)).messages
    assert is_private(page)
    return page


def _select(page: Json) -> Json:
    _, found = [item for item in components(page) if item.get("options")]
    return found


def _release(claim: str) -> str:
    """[Release] of the row whose [Claim] this is."""
    return claim.replace("fw1:queue_claim:", "fw1:queue_release:")


def _open(office: Office, *creators: str) -> list[str]:
    """Their fans with open work, most money at risk first."""
    found = office.rows(
        "SELECT f.username, c.name FROM episodes e JOIN fan_accounts f ON f.id = e.fan_account_id"
        " JOIN creators c ON c.id = e.creator_id WHERE e.closed_at IS NULL"
        " ORDER BY coalesce(e.pace_cents, 0) * e.score DESC, e.id"
    )
    return [fan for fan, creator in found if creator in creators]


async def test_a_channels_queue_has_every_open_fan_page_by_page(office: Office) -> None:
    expected = _open(office, "luna")
    assert len(expected) > 10
    page = await _page(office, "Ana", "luna")
    assert f"Queue** · luna · {len(expected)} open, about $" in text_of(page)
    assert "Most money at risk first" in text_of(page)
    seen = fans_on(page)
    (following,) = (await office.press("Ana", "luna", page, button(page, "Next"))).messages
    assert following["id"] == page["id"]
    assert f"Page 2 of {-(-len(expected) // 10)}" in text_of(following)
    assert seen + fans_on(following) == expected[:20]
    # The same order for everybody.
    assert fans_on(await _page(office, "Lea", "luna")) == seen
    assert office.who("view_list")[-3:] == ["Ana", "Ana", "Lea"]


async def test_elsewhere_it_is_of_all_ones_creators_and_says_whose(office: Office) -> None:
    expected = _open(office, "luna", "mira", "zoe")
    page = await _page(office, "Max", "fanwatch-notices")
    assert f"Queue** · all your creators · {len(expected)} open" in text_of(page)
    assert fans_on(page) == expected[:10]
    assert "luna · " in text_of(page)
    named = await _page(office, "Max", "fanwatch-notices", {"creator": "Zoe"})
    assert fans_on(named) == _open(office, "zoe")[:10]


async def test_a_person_may_choose_another_order_in_place(office: Office) -> None:
    page = await _page(office, "Ana", "mira", {"sort": "expiry"})
    assert "Subscription that ends soonest first" in text_of(page)
    rows = office.rows(
        "SELECT f.username FROM episodes e JOIN fan_accounts f ON f.id = e.fan_account_id"
        " WHERE e.closed_at IS NULL AND e.creator_id = ?"
        " ORDER BY e.expired, f.expires_at IS NULL, f.expires_at, e.id LIMIT 10",
        office.creator_id("mira"),
    )
    assert fans_on(page) == [name for (name,) in rows]
    pick = _select(page)["custom_id"]
    (by_score,) = (await office.press("Ana", "mira", page, pick, ["risk"])).messages
    assert by_score["id"] == page["id"]
    assert "Highest churn score first" in text_of(by_score)
    (by_money,) = (
        await office.press("Ana", "mira", by_score, _select(by_score)["custom_id"], ["money"])
    ).messages
    assert fans_on(by_money) == _open(office, "mira")[:10]


async def test_a_claim_stays_on_its_page_and_shows_on_the_fans_card_and_the_board(office: Office) -> None:
    page = await _page(office, "Ana", "luna")
    (page,) = (await office.press("Ana", "luna", page, button(page, "Next"))).messages
    front = await _page(office, "Ana", "luna")
    fan = "fan_2488"
    assert fan in fans_on(front)
    before = len(office.who("claim"))
    claim = row_button(front, fan)["custom_id"]
    reply = await office.press("Ana", "luna", front, claim)
    assert reply.acked == "update"
    (now,) = reply.messages
    assert now["id"] == front["id"]
    assert fans_on(now) == fans_on(front)
    assert row_button(now, fan)["label"] == "Done"
    card = await office.card_with("luna", fan, "a")
    await office.shows("luna", card.message["id"], f"Claimed by <@{office.people['Ana']}>")
    board = await office.card_with("luna", fan, "b")
    await office.shows("luna", board.message["id"], f"Claimed by <@{office.people['Ana']}>")
    # Twice, and somebody else on a page that is older than the claim.
    (again,) = (await office.press("Ana", "luna", front, claim, forge=True)).messages
    assert row_button(again, fan)["label"] == "Done"
    told = taken(await office.press("Lea", "luna", front["id"], claim, forge=True))
    assert f"<@{office.people['Ana']}>" in told
    assert office.who("claim")[before:] == ["Ana"]
    # On the second page a claim stays there.
    hidden = fans_on(page)[0]
    other = row_button(page, hidden)["custom_id"]
    (second,) = (await office.press("Ana", "luna", page, other)).messages
    assert "Page 2 of" in text_of(second)
    assert row_button(second, hidden)["label"] == "Done"
    for message, name, claimed in ((now, fan, claim), (second, hidden, other)):
        (freed,) = (await office.press("Ana", "luna", message, _release(claimed), forge=True)).messages
        assert row_button(freed, name)["label"] == "Claim"


async def test_ten_presses_at_once_have_one_winner(office: Office) -> None:
    pages = {person: await _page(office, person, "zoe") for person in ("Ben", "Lea", "Max", "Olga")}
    fan = fans_on(pages["Ben"])[3]
    before = len(office.who("claim"))
    await asyncio.gather(
        *(
            office.press(person, "zoe", page, row_button(page, fan)["custom_id"], forge=True)
            for person, page in [*pages.items()] * 2
        )
    )
    (winner,) = office.who("claim")[before:]
    page = await _page(office, "Olga", "zoe")
    assert f"Claimed by <@{office.people[winner]}>" in text_of(page)
    await office.press("Olga", "zoe", page, _release(row_button(pages["Ben"], fan)["custom_id"]), forge=True)


async def test_a_foreign_creator_and_a_missing_one_get_the_same_answer(office: Office) -> None:
    missing = sentence(await _queue(office, "Ben", "zoe", {"creator": "nobody"}))
    looks = len(office.who("view_list"))
    assert sentence(await _queue(office, "Ben", "zoe", {"creator": "luna"})) == missing
    page = await _page(office, "Ana", "luna")
    nothing = sentence(await office.press("Ben", "luna", page, "fw1:queue:q1:m0", forge=True))
    claims = office.who("claim")
    pressed = [button(page, "Next"), buttons(page, "Claim")[0]]
    pressed.append(pressed[1].replace("queue_claim", "queue_release"))
    for custom_id in pressed:
        assert sentence(await office.press("Ben", "luna", page, custom_id, forge=True)) == nothing
    assert (
        sentence(await office.press("Ben", "luna", page, _select(page)["custom_id"], ["risk"], forge=True))
        == nothing
    )
    # His own queue around somebody else's fan.
    own = await _page(office, "Ben", "zoe")
    his = buttons(own, "Claim")[0].rpartition("-")[0]
    hers = buttons(page, "Claim")[0].rpartition("-")[2]
    assert sentence(await office.press("Ben", "zoe", own, f"{his}-{hers}", forge=True)) == nothing
    assert office.who("claim") == claims
    assert office.who("view_list")[looks:] == ["Ana", "Ben"]
    # In her channel he would see his own creators at most.
    (mine,) = (await _queue(office, "Ben", "luna", forge=True)).messages
    assert not set(fans_on(mine)) & set(_open(office, "luna"))


async def test_without_a_role_there_is_no_queue(office: Office) -> None:
    assert "chatter role" in sentence(await _queue(office, "Nia", "luna", forge=True))
    page = await _page(office, "Ana", "luna")
    for custom_id in (button(page, "Next"), buttons(page, "Claim")[0]):
        assert "chatter role" in sentence(await office.press("Nia", "luna", page, custom_id, forge=True))


async def test_only_ones_own_creators_are_offered_while_typing(office: Office) -> None:
    for person, names in (("Ana", ["luna", "mira"]), ("Ben", ["zoe"]), ("Max", ["luna", "mira", "zoe"])):
        told = await office.box.autocomplete(
            person, "fanwatch-notices", "queue", {"creator": ""}, "creator", forge=True
        )
        assert [choice["name"] for choice in told["choices"]] == names, told
    told = await office.box.autocomplete("Nia", "luna", "queue", {"creator": ""}, "creator", forge=True)
    assert told["choices"] == []


async def test_a_page_works_after_a_restart(office: Office) -> None:
    page = await _page(office, "Ben", "zoe", {"sort": "risk"})
    await office.box.bot("kill")
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    await office.box.settled()
    (following,) = (await office.press("Ben", "zoe", page, button(page, "Next"))).messages
    assert following["id"] == page["id"]
    assert "Highest churn score first" in text_of(following)
    fan = fans_on(page)[2]
    (claimed,) = (
        await office.press("Ben", "zoe", page, row_button(page, fan)["custom_id"], forge=True)
    ).messages
    assert row_button(claimed, fan)["label"] == "Done"
    await office.press("Ben", "zoe", claimed, _release(row_button(page, fan)["custom_id"]), forge=True)


async def test_a_claim_from_a_page_that_was_deleted_counts_and_is_said(office: Office) -> None:
    page = await _page(office, "Ana", "mira")
    fan = fans_on(page)[0]
    await office.box.fault("discord", "delete", args={"message": page["id"]})
    before = len(office.who("claim"))
    told = await office.press("Ana", "mira", page["id"], row_button(page, fan)["custom_id"], forge=True)
    assert "You have it now." in sentence(told)
    assert office.who("claim")[before:] == ["Ana"]

    async def shown() -> Json | None:
        cards = await office.cards_with("mira", fan, "agb")
        found = [c.message for c in cards if f"Claimed by <@{office.people['Ana']}>" in text_of(c.message)]
        return found[0] if found else None

    await eventually("the claim is seen in public", shown, office.box)
    fresh = await _page(office, "Ana", "mira")
    release = _release(row_button(page, fan)["custom_id"])
    (freed,) = (await office.press("Ana", "mira", fresh, release, forge=True)).messages
    assert row_button(freed, fan)["label"] == "Claim"


async def test_a_made_up_place_is_the_beginning(office: Office) -> None:
    page = await _page(office, "Ana", "luna")
    luna = button(page, "Next").split(":")[2]
    for arg in ("m999999", "z1", "m-1", ""):
        custom_id = f"fw1:queue:{luna}" + (f":{arg}" if arg else "")
        (shown,) = (await office.press("Ana", "luna", page, custom_id, forge=True)).messages
        assert shown["id"] == page["id"]
        assert fans_on(shown)
    assert fingerprint(shown) == fingerprint(page)
