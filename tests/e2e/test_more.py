"""[More]: everything else that can be done about an alert, in private."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Json
from tests.e2e.office import (
    AT_RISK,
    DAY_S,
    Office,
    button,
    buttons,
    eventually,
    fans_on,
    only,
    restart,
    sentence,
    taken,
    verb_of,
)
from tests.e2e.reading import components, deleted, fingerprint, is_private, live_cards, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S


def menus(message: Json) -> list[Json]:
    """The select menus of a message."""
    return [item for item in components(message) if item.get("type") in (3, 5)]


async def press(office: Office, person: str, channel: str, message: Json, label: str) -> Json:
    """Press a button of a private message, which turns in place."""
    reply = await office.press(person, channel, message, button(message, label))
    assert reply.acked == "update"
    return only(reply)


async def test_why_shows_every_input_and_leads_back(office: Office) -> None:
    card = await office.card_with("luna", "fan_2488", "a")
    menu = await office.menu("Ana", "luna", card.message)
    shown = text_of(await press(office, "Ana", "luna", menu, "Why"))
    for what in (
        "Spent in the last 30 days",
        "Spent in the 30 days before",
        "Spent in all",
        "Last active",
        "Messages in 30 days",
        "PPV unlocked",
        "Subscription",
        "Together",
        "by model reference, version",
    ):
        assert what in shown, what
    why = only(await office.press("Ana", "luna", menu, button(menu, "Why"), forge=True))
    back = await press(office, "Ana", "luna", why, "Back")
    assert text_of(back) == text_of(menu)
    assert office.who("view_why")[:2] == ["Ana", "Ana"]
    assert "view_alert" in {a for (a,) in office.rows("SELECT DISTINCT action FROM audit_log")}


async def test_claim_release_and_done_are_in_the_menu(office: Office) -> None:
    card = await office.card_with("luna", "fan_2590", "a")
    menu = await office.menu("Ana", "luna", card.message)
    claimed = await press(office, "Ana", "luna", menu, "Claim")
    assert "You have it now." in text_of(claimed)
    assert buttons(claimed, "Done")
    await office.shows("luna", card.message["id"], f"Claimed by <@{office.people['Ana']}>")
    free = await press(office, "Ana", "luna", claimed, "Release")
    assert "Released." in text_of(free)

    async def as_before() -> bool | None:
        now = await office.message("luna", card.message["id"])
        return True if fingerprint(now) == fingerprint(card.message) else None

    await eventually("the card is free again", as_before, office.box)
    again = only(await office.press("Ana", "luna", free, button(claimed, "Release"), forge=True))
    assert "Released." in text_of(again)
    assert office.who("release") == ["Ana"]


async def test_a_claim_is_taken_over_after_a_question(office: Office) -> None:
    card = await office.card_with("zoe", "fan_2564", "a")
    claim = button(card.message, "Claim")
    await office.press("Ben", "zoe", card.message, claim)
    reply = await office.press("Lea", "zoe", card.message, claim, forge=True)
    assert f"<@{office.people['Ben']}> has this one already." in taken(reply)
    asked = await press(office, "Lea", "zoe", only(reply), "Take over")
    assert f"<@{office.people['Ben']}> has **fan_2564**" in text_of(asked)
    kept = await press(office, "Lea", "zoe", asked, "Leave it")
    assert f"Claimed by <@{office.people['Ben']}>" in text_of(kept)
    # Meanwhile it goes to Max: the question is put anew, about him.
    theirs = await press(office, "Lea", "zoe", kept, "Take over")
    menu = await office.menu("Max", "zoe", await office.shows("zoe", card.message["id"], "Claimed by"))
    his = await press(office, "Max", "zoe", await press(office, "Max", "zoe", menu, "Take over"), "Take over")
    assert "You have it now." in text_of(his)
    anew = await press(office, "Lea", "zoe", theirs, "Take over")
    assert f"<@{office.people['Max']}> has **fan_2564**" in text_of(anew)
    hers = await press(office, "Lea", "zoe", anew, "Take over")
    assert "You have it now." in text_of(hers)
    await office.shows("zoe", card.message["id"], f"Claimed by <@{office.people['Lea']}>")
    assert office.who("take_over") == ["Max", "Lea"]
    # Nobody was called for it: whoever takes something over knows.
    assert [m["id"] for m in await office.messages_of(card, "zoe")] == [card.message["id"]]
    twice = only(await office.press("Lea", "zoe", hers, button(anew, "Take over"), forge=True))
    assert "You have it now." in text_of(twice)
    assert office.who("take_over") == ["Max", "Lea"]


async def test_a_lead_assigns_and_the_person_is_called(office: Office) -> None:
    card = await office.card_with("luna", "fan_3655", "a")
    # Somebody whose budget of mentions the days before have not used up.
    menu = await office.menu("Lea", "luna", card.message)
    (people,) = menus(menu)
    done = await office.press("Lea", "luna", menu, people["custom_id"], [office.people["Max"]])
    assert f"<@{office.people['Max']}> has it now." in text_of(only(done))

    async def posted() -> Json | None:
        found = [m for m in await office.messages_of(card, "luna") if m["id"] != card.message["id"]]
        return found[0] if found else None

    anew = await eventually("the card is posted again", posted, office.box)
    assert anew["sandbox"]["pinged"] == [f"user:{office.people['Max']}"]
    assert f"Claimed by <@{office.people['Max']}>" in text_of(anew)
    again = await office.press("Lea", "luna", menu, people["custom_id"], [office.people["Max"]], forge=True)
    assert "has it already" in text_of(only(again))
    assert [m["id"] for m in await office.messages_of(card, "luna")] == [anew["id"]]
    # Ben cannot see luna, Nia has no role.
    for person in ("Ben", "Nia"):
        told = await office.press(
            "Lea", "luna", menu, people["custom_id"], [office.people[person]], forge=True
        )
        assert sentence(told).startswith(f"<@{office.people[person]}> cannot see luna's fans")
    refused = await office.press("Ana", "luna", anew, people["custom_id"], [office.people["Ana"]], forge=True)
    assert sentence(refused) == "This needs the lead role or higher."
    assert office.who("assign") == ["Lea"]
    # A chatter's own menu has nobody to choose.
    assert menus(await office.menu("Ana", "luna", anew)) == []


async def test_what_people_think_and_whom_they_wrote_to_is_kept_once(office: Office) -> None:
    card = await office.card_with("mira", "fan_2516", "a")
    menu = await office.menu("Ana", "mira", card.message)
    said = await press(office, "Ana", "mira", menu, "Not useful")
    again = only(await office.press("Ana", "mira", said, button(menu, "Not useful"), forge=True))
    assert text_of(again) == text_of(said)
    fan = office.fan_account_id("2516")
    feedback = "SELECT COUNT(*) FROM alert_feedback WHERE fan_account_id = ? AND undone_at IS NULL"
    assert office.rows(feedback, fan) == [(1,)]
    back = await press(office, "Ana", "mira", said, "Useful after all")
    assert buttons(back, "Not useful")
    assert office.rows(feedback, fan) == [(0,)]
    logged = await press(office, "Ana", "mira", back, "Log a contact")
    assert "Logged" in text_of(logged)
    again = await press(office, "Ana", "mira", logged, "Log a contact")
    assert "logged already" in text_of(again)
    assert office.rows("SELECT source FROM contacts WHERE fan_account_id = ?", fan) == [("logged",)]


async def test_each_row_of_a_list_leads_to_its_menu(office: Office) -> None:
    card = await office.list_card("luna", AT_RISK)
    (page,) = (await office.press("Ana", "luna", card.message, button(card.message, "Next"))).messages
    queue = only(await office.box.slash("Ana", "luna", "queue", {}))
    for message in (card.message, page, queue):
        select = next(one for one in menus(message) if ":pick_episode:" in one["custom_id"])
        fans = fans_on(message)
        assert [option["label"].partition(" ")[0] for option in select["options"]] == fans
        value = select["options"][-1]["value"]
        opened = only(await office.press("Ana", "luna", message, select["custom_id"], [value]))
        assert opened["id"] != message["id"]
        assert fans[-1] in text_of(opened)
        assert buttons(opened, "Log a contact")


async def test_the_menu_works_after_a_restart_and_without_its_card(office: Office) -> None:
    card = await office.card_with("mira", "fan_2539", "a")
    menu = await office.menu("Ana", "mira", card.message)
    await restart(office)
    why = await press(office, "Ana", "mira", menu, "Why")
    await office.box.fault("discord", "delete", args={"message": card.message["id"]})

    async def gone() -> bool | None:
        return True if deleted(await office.message("mira", card.message["id"])) else None

    await eventually("the card is deleted", gone, office.box)
    again = only(
        await office.press("Ana", "mira", card.message["id"], button(card.message, "More"), forge=True)
    )
    assert is_private(again)
    claimed = await press(office, "Ana", "mira", await press(office, "Ana", "mira", why, "Back"), "Claim")
    assert "You have it now." in text_of(claimed)


async def test_an_alert_is_snoozed_and_woken_from_its_menu(office: Office) -> None:
    card = await office.card_with("luna", "fan_2590", "a")
    menu = await office.menu("Lea", "luna", card.message)
    question = only(await office.press("Lea", "luna", menu, button(menu, "Snooze")))
    only(await office.press("Lea", "luna", question, button(question, "1 hour")))
    menu = await office.menu("Lea", "luna", await office.message("luna", card.message["id"]))
    woken = only(await office.press("Lea", "luna", menu, button(menu, "Wake")))
    assert "is awake again" in text_of(woken)


async def test_a_foreign_alert_has_no_menu(office: Office) -> None:
    card = await office.card_with("luna", "fan_2590", "a")
    (baseline,) = live_cards(await office.box.messages("zoe"), "s")
    menu = await office.menu("Lea", "luna", card.message)
    before = office.rows("SELECT COUNT(*) FROM desk_actions")
    pressed = [button(menu, label) for label in ("Why", "Claim", "Log a contact", "Not useful")]
    for custom_id in (button(card.message, "More"), verb_of(card.message, "take_over"), *pressed):
        told = await office.press("Ben", "zoe", baseline.message, custom_id, forge=True)
        assert "no longer here" in sentence(told), custom_id
        told = await office.press("Nia", "luna", card.message, custom_id, forge=True)
        assert "chatter role" in sentence(told), custom_id
    assert office.rows("SELECT COUNT(*) FROM desk_actions") == before
