"""Quiet hours: a lead's for a channel or a person, one's own from /my, and cards that come silently meanwhile."""

from __future__ import annotations

import pytest

from bot.domain.models import AccessTier
from tests.e2e.harness import Json, Reply
from tests.e2e.noting import fields_of, fill
from tests.e2e.office import DAY_S, Office, button, buttons, only, public, restart, sentence
from tests.e2e.reading import text_of
from tests.e2e.refusing import HOME, NEEDS

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = DAY_S
NIGHT = {"from": "22:00", "to": "8:00", "zone": "Europe/Paris"}
ALWAYS = {"from": "0:00", "to": "23:59", "zone": "UTC"}


async def quiet(office: Office, person: str, channel: str, **options: object) -> Reply:
    return office._in_time(await office.box.slash(person, channel, "alerts quiet", dict(options), forge=True))


async def my(office: Office, person: str, channel: str) -> Json:
    return only(office._in_time(await office.box.slash(person, channel, "my", {})))


async def test_in_a_quiet_channel_cards_come_and_nobody_is_mentioned(office: Office) -> None:
    before = {m["id"] for m in await office.box.messages("luna")}
    said = sentence(await quiet(office, "Lea", "luna", **ALWAYS))
    assert said.startswith("Quiet hours of luna: every day from 00:00 to 23:59, UTC time;")
    assert (await office.box.advance(8 * DAY_S)).settled
    fresh = [m for m in public(await office.box.messages("luna")) if m["id"] not in before]
    assert any("🔴 Action" in text_of(m) for m in fresh)
    assert [m["content"] for m in fresh if m["sandbox"]["pinged"]] == []
    held = office.rows(
        "SELECT COUNT(*) FROM episodes WHERE ping_state = 'held' AND creator_id = ?",
        office.creator_id("luna"),
    )
    assert held[0][0] > 0
    # Other channels are as they were.
    assert any(m["sandbox"]["pinged"] for m in public(await office.box.messages("zoe")))


async def test_a_person_may_be_given_hours_by_a_lead_of_theirs(office: Office) -> None:
    ben = office.people["Ben"]
    said = sentence(await quiet(office, "Lea", HOME, who=ben, **NIGHT))
    assert (
        f"Quiet hours of <@{ben}>: every day from 22:00 to 08:00 (over midnight), Europe/Paris time" in said
    )
    assert "Quiet hours: from 22:00" in text_of(await my(office, "Ben", "zoe"))
    listed = text_of(only(await office.box.slash("Lea", HOME, "alerts list", {})))
    assert f"<@{ben}>" in listed
    assert "sees none of your creators" in sentence(
        await quiet(office, "Lea", HOME, who=office.people["Nia"], **NIGHT)
    )
    assert "higher role" in sentence(await quiet(office, "Lea", HOME, who=office.people["Olga"], **NIGHT))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"from": "8", "to": "8:00", "zone": "UTC"}, "same time"),
        ({"from": "banana", "to": "8:00", "zone": "UTC"}, "time of the day"),
        ({"from": "22", "to": "8:00", "zone": "Pariss"}, "`Europe/Paris`"),
        ({"from": "22", "to": "8:00", "zone": "qqqqqq"}, "no such time zone"),
    ],
)
async def test_what_is_wrong_is_said_and_changes_nothing(office: Office, options: Json, says: str) -> None:
    before = office.rows("SELECT COUNT(*) FROM quiet_hours")
    assert says in sentence(await quiet(office, "Lea", "zoe", **options))
    assert office.rows("SELECT COUNT(*) FROM quiet_hours") == before


async def test_zones_are_offered_to_leads_and_nobody_else(office: Office) -> None:
    async def offered(person: str) -> list[str]:
        raw = await office.box.autocomplete(
            person, "luna", "alerts quiet", {"from": "1", "to": "2", "zone": "par"}, "zone", forge=True
        )
        return [str(one["value"]) for one in raw["choices"]]

    assert "Europe/Paris" in await offered("Lea")
    assert await offered("Ana") == await offered("Nia") == []


async def test_ones_own_hours_are_set_and_removed_in_my(office: Office) -> None:
    mine = await my(office, "Ana", "luna")
    assert buttons(mine, "Remove quiet hours") == []
    opened = await office.press("Ana", "luna", mine, button(mine, "Quiet hours"))
    typed = {"from": "23:00", "to": "7", "zone": "asia/manila"}
    wrong = await fill(office, "Ana", "luna", opened, **(typed | {"zone": "Manilla"}))
    assert "`Asia/Manila`" in sentence(wrong)
    opened = await office.press("Ana", "luna", mine, button(mine, "Quiet hours"))
    custom_id = str((opened.modal or {})["custom_id"])
    await restart(office)
    # The form was open while the bot was away.
    reply = office._in_time(
        await office.box.submit("Ana", "luna", custom_id, str(opened.interaction), dict(typed), forge=True)
    )
    assert sentence(reply).startswith(
        "Your quiet hours: every day from 23:00 to 07:00 (over midnight), Asia/Manila"
    )
    again = office._in_time(
        await office.box.submit("Ana", "luna", custom_id, str(opened.interaction), dict(typed), forge=True)
    )
    assert sentence(again) == sentence(reply)
    own = office.rows("SELECT COUNT(*) FROM quiet_hours WHERE user_id = ?", int(office.people["Ana"]))
    assert own == [(1,)]

    mine = await my(office, "Ana", "luna")
    assert "Quiet hours: from 23:00 to 07:00" in text_of(mine)
    filled = fields_of((await office.press("Ana", "luna", mine, button(mine, "Quiet hours"))).modal or {})
    assert filled["zone"]["value"] == "Asia/Manila"
    # Somebody else cannot take them away or set them by a forged press.
    remove = button(mine, "Remove quiet hours")
    gone = sentence(await office.press("Ben", "luna", mine, remove, forge=True))
    assert gone == sentence(await office.press("Ben", "luna", mine, "fw1:quiet_end:j1", forge=True))
    open_form = button(mine, "Quiet hours")
    assert sentence(await office.press("Ben", "luna", mine, open_form, forge=True)) == gone
    assert sentence(await office.press("Nia", "luna", mine, remove, forge=True)) == NEEDS[AccessTier.CHATTER]
    assert "no quiet hours any more" in sentence(await office.press("Ana", "luna", mine, remove))
    assert "over already" in sentence(await office.press("Ana", "luna", mine, remove, forge=True))
