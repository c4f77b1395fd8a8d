"""/undo as people use it: from the list, from what is suggested, bulk as a whole, and by whom it may."""

from __future__ import annotations

import pytest

from bot.domain.base36 import encode
from tests.e2e.harness import Json
from tests.e2e.office import (
    DAY_S,
    HOUR_S,
    Office,
    button,
    buttons,
    only,
    restart,
    row_button,
    sentence,
)
from tests.e2e.reading import text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
CLAIMED, LAST, NOTED = "fan_2488", "fan_2599", "fan_1001"


async def listed(office: Office, person: str, channel: str) -> Json:
    return only(await office.box.slash(person, channel, "undo"))


async def suggested(office: Office, person: str, channel: str, typed: str = "") -> list[Json]:
    raw = await office.box.autocomplete(person, channel, "undo", {"action": typed}, "action")
    assert raw["error"] is None, raw
    return list(raw["choices"])


def newest_action(office: Office) -> str:
    return encode(int(office.rows("SELECT MAX(id) FROM desk_actions")[0][0]))


async def test_nothing_done_says_so(office: Office) -> None:
    assert "There is nothing to undo" in text_of(await listed(office, "Ana", "luna"))
    assert await suggested(office, "Ana", "luna") == []


async def test_a_claim_is_undone_from_the_list_after_a_restart_and_twice(office: Office) -> None:
    card = await office.card_with("luna", CLAIMED, "a")
    timers = (
        "SELECT id, escalate_from_at, escalation_stage, remind_at, claimed_by, owner_id FROM episodes"
        " WHERE fan_account_id = ? ORDER BY id"
    )
    on = "SELECT COUNT(*) FROM shift_sessions WHERE ended_at IS NULL"
    fan = office.fan_account_id(CLAIMED.removeprefix("fan_"))
    before = office.rows(timers, fan)
    await office.press("Ana", "luna", card.message, button(card.message, "Claim"))
    assert office.rows("SELECT COUNT(*) FROM episodes WHERE claimed_by IS NOT NULL") == [(1,)]
    assert office.rows(on) == [(1,)]
    found = await listed(office, "Ana", "luna")
    assert f"Claimed **{CLAIMED}** (luna) · just now" in text_of(found)
    # Hours of the agency's clock are nothing to the ten minutes.
    assert (await office.box.advance(HOUR_S)).settled
    await restart(office)

    press = row_button(found, CLAIMED)["custom_id"]
    # By somebody who does not see luna, by somebody without a role: as if there were no such thing.
    here = (await office.box.messages("zoe"))[0]
    assert "no such thing" in sentence(await office.press("Ben", "zoe", here, press, forge=True))
    assert "chatter role" in sentence(await office.press("Nia", "luna", card.message, press, forge=True))
    assert office.rows("SELECT COUNT(*) FROM episodes WHERE claimed_by IS NOT NULL") == [(1,)]

    (turned,) = (await office.press("Ana", "luna", found, press)).messages
    assert turned["id"] == found["id"]
    assert f"Undone: Claimed **{CLAIMED}** (luna)." in text_of(turned)
    free = await office.shows("luna", card.message["id"], "not claimed")
    assert buttons(free, "Claim")
    assert office.rows(timers, fan) == before
    # The shift that the claim had begun is gone with it: nobody is on, so the alert goes to nobody else.
    assert office.rows(on) == [(0,)]
    assert (await office.box.advance(2 * HOUR_S)).settled
    assert office.rows(timers, fan) == before
    told = sentence(await office.press("Ana", "luna", turned, press, forge=True))
    assert told == "That was undone already; nothing was changed."
    assert office.who("undo") == ["Ana"]
    assert "There is nothing to undo" in text_of(await listed(office, "Ana", "luna"))


async def test_who_stands_above_undoes_the_latest_on_an_alert(office: Office) -> None:
    card = await office.card_with("zoe", LAST, "a")
    await office.press("Ben", "zoe", card.message, button(card.message, "Claim"))
    fan = office.fan_account_id(LAST.removeprefix("fan_"))
    ((episode,),) = office.rows("SELECT id FROM episodes WHERE fan_account_id = ? AND closed_at IS NULL", fan)
    press = f"fw1:undo_last:i{encode(episode)}"
    # A deleted card takes nothing from it.
    await office.box.fault("discord", "delete", args={"message": card.message["id"]})
    told = sentence(await office.press("Lea", "zoe", card.message, press, forge=True))
    assert told == f"Undone: Claimed **{LAST}** (zoe)."
    told = sentence(await office.press("Lea", "zoe", card.message, press, forge=True))
    assert told == "That was undone already; nothing was changed."
    assert office.rows("SELECT claimed_by FROM episodes WHERE id = ?", episode) == [(None,)]
    (event,) = office.rows(
        "SELECT code, actor_id FROM episode_events WHERE change = 'undone' AND episode_id = ?", episode
    )
    assert event == ("claim", int(office.people["Lea"]))


async def test_twenty_winbacks_are_taken_back_at_once(office: Office) -> None:
    options = {"top": 20, "among": office.people["Ana"], "per_person": 20, "creator": "luna"}
    handed = only(await office.box.slash("Lea", "luna", "winback spread", options))
    ((many,),) = office.rows("SELECT COUNT(*) FROM winbacks WHERE state = 'open'")
    assert many > 3
    assert f"Handed out {many} winbacks" in text_of(handed)
    (choice,) = await suggested(office, "Lea", "luna", "handed out")
    assert choice["name"] == f"Handed out {many} winbacks (luna) · just now"
    assert await suggested(office, "Ana", "luna", "handed out") == []
    # Whom they were handed to has not done it.
    reply = await office.box.slash("Ana", "luna", "undo", {"action": choice["value"]})
    assert "somebody of a higher tier" in sentence(reply)
    told = sentence(await office.box.slash("Lea", "luna", "undo", {"action": choice["value"]}))
    assert told == f"Undone: Handed out {many} winbacks (luna)."
    assert office.rows("SELECT COUNT(*) FROM winbacks WHERE state = 'open'") == [(0,)]
    undo = await office.press("Lea", "luna", handed, button(handed, "Undo"))
    assert "has been undone already" in sentence(undo)


async def test_notes_and_settings_are_undone_alike(office: Office) -> None:
    options = {"fan": NOTED, "text": "Writes at night"}
    await office.box.slash("Ana", "luna", "note add", options)
    note = newest_action(office)
    changed = {"creator": "luna", "timezone": "Asia/Manila"}
    await office.box.slash("Max", "luna", "creator settings", changed)
    setting = newest_action(office)
    zone = "SELECT timezone FROM creators WHERE name = 'luna'"
    assert office.rows(zone) == [("Asia/Manila",)]
    told = sentence(await office.box.slash("Ana", "luna", "undo", {"action": f"x:{setting}"}))
    assert "somebody of a higher tier" in told
    told = sentence(await office.box.slash("Max", "luna", "undo", {"action": f"x:{setting}"}))
    assert told == "Undone: Changed the settings of luna."
    assert office.rows(zone) == [(None,)]
    told = sentence(await office.box.slash("Ana", "luna", "undo", {"action": f"x:{note}"}))
    assert told == f"Undone: Added a note on **{NOTED}** (luna)."
    assert office.rows("SELECT COUNT(*) FROM notes WHERE deleted_at IS NULL") == [(0,)]
    for nonsense in ("banana", "x:", "x:zzzzzzzzzzzzz", f"f:{note}", "x:1"):
        told = sentence(await office.box.slash("Ana", "luna", "undo", {"action": nonsense}))
        assert told == "There is no such thing to undo; nothing was changed."
