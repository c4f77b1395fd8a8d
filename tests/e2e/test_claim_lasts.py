"""Cards outlive messages and processes: a bot that is killed, a card somebody deletes, a message left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness import Json, sandbox
from tests.e2e.office import (
    AT_RISK,
    DAY_S,
    EXPIRED,
    HISTORY,
    Office,
    button,
    eventually,
    fans_on,
    release_of,
    restart,
    row_button,
    sentence,
)
from tests.e2e.reading import Card, deleted, fingerprint, is_private, live_cards, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Nine days at once: each creator has single action cards, a list of expiries and one of fans at risk.
ADVANCE_S = 9 * DAY_S


async def test_buttons_work_after_a_sigkill(office: Office) -> None:
    card = await office.card_with("zoe", "fan_2599", "a")
    group = await office.list_card("zoe", EXPIRED)
    await restart(office)
    (claimed,) = (await office.press("Ben", "zoe", card.message, button(card.message, "Claim"))).messages
    fan = fans_on(group.message)[0]
    row = row_button(group.message, fan)["custom_id"]
    (rows,) = (await office.press("Ben", "zoe", group.message, row)).messages
    assert row_button(rows, fan)["label"] == "Release"
    await restart(office)
    assert fingerprint(await office.message("zoe", card.message["id"])) == fingerprint(claimed)
    assert fingerprint(await office.message("zoe", group.message["id"])) == fingerprint(rows)
    (free,) = (await office.press("Ben", "zoe", claimed, release_of(claimed), forge=True)).messages
    assert fingerprint(free) == fingerprint(card.message)


async def _reposted(office: Office, channel: str, card: Card) -> Json:
    async def look() -> Json | None:
        found = [m for m in await office.messages_of(card, channel) if m["id"] != card.message["id"]]
        return found[0] if found else None

    return await eventually(f"{card.kind}{card.card} is posted again", look, office.box)


async def test_a_deleted_card_is_posted_again_once(office: Office) -> None:
    card = await office.card_with("mira", "fan_2516", "a")
    (claimed,) = (await office.press("Ana", "mira", card.message, button(card.message, "Claim"))).messages
    await office.box.fault("discord", "delete", args={"message": card.message["id"]})
    anew = await _reposted(office, "mira", card)
    assert f"Claimed by <@{office.people['Ana']}>" in text_of(anew)
    assert anew["sandbox"]["silent"]
    assert anew["sandbox"]["pinged"] == []
    # A press that was on its way to the old one does its work and says so.
    release = release_of(claimed)
    told = await office.press("Ana", "mira", card.message["id"], release, forge=True)
    sentence(told)
    await office.shows("mira", anew["id"], "not claimed")
    assert office.who("release")[-1] == "Ana"
    (now,) = (await office.press("Ana", "mira", anew, button(card.message, "Claim"))).messages
    assert now["id"] == anew["id"]
    assert [m["id"] for m in await office.messages_of(card, "mira")] == [anew["id"]]
    await restart(office)
    assert [m["id"] for m in await office.messages_of(card, "mira")] == [anew["id"]]
    assert deleted(await office.message("mira", card.message["id"]))


async def test_a_deleted_list_and_baseline_are_posted_again_once(office: Office) -> None:
    group = await office.list_card("mira", AT_RISK)
    (baseline,) = live_cards(await office.box.messages("zoe"), "s")
    await office.box.fault("discord", "delete", args={"message": group.message["id"]})
    await office.box.fault("discord", "delete", args={"message": baseline.message["id"]})
    again = await _reposted(office, "mira", group)
    assert text_of(again) == text_of(group.message)
    again = await _reposted(office, "zoe", baseline)
    (page,) = (await office.press("Ben", "zoe", again, button(again, "Top 10 by money"))).messages
    assert is_private(page)
    assert len(await office.messages_of(group, "mira")) == 1


async def test_a_card_deleted_while_the_bot_is_down_is_posted_again(office: Office) -> None:
    card = await office.card_with("mira", "fan_2539", "a")
    await office.box.bot("kill")
    await office.box.fault("discord", "delete", args={"message": card.message["id"]})
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    told = await office.press("Ana", "mira", card.message["id"], button(card.message, "Claim"), forge=True)
    sentence(told)
    anew = await _reposted(office, "mira", card)
    assert f"Claimed by <@{office.people['Ana']}>" in text_of(anew)
    assert len(await office.messages_of(card, "mira")) == 1


async def test_an_old_message_of_a_card_never_comes_back_to_life(tmp_path: Path) -> None:
    """A tier that rises pings, so the card gets a new message; a press may still come from the old one."""
    async with sandbox(tmp_path / "data", history=HISTORY, model="reference") as box:
        office = await Office.of(box)
        for days in (9, 23, *[1] * 8):
            assert (await box.advance(days * DAY_S)).settled, box.tail()
            moved = [m for m in await box.messages("luna") if "Moved to a newer card" in text_of(m)]
            if moved:
                break
        old = moved[-1]
        new_id = text_of(old).rpartition("/")[2].strip()
        new = await office.message("luna", new_id)
        claim = button(new, "Claim")
        told = await office.press("Ana", "luna", old, claim, forge=True)
        sentence(told)
        assert fingerprint(await office.message("luna", old["id"])) == fingerprint(old)
        now = await office.shows("luna", new_id, f"Claimed by <@{office.people['Ana']}>")
        (free,) = (await office.press("Ana", "luna", now, release_of(now), forge=True)).messages
        assert fingerprint(free) == fingerprint(new)
