"""/shift as people use it: come on, go off, see who is on, plan the week; what the board and /my then say."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from bot.domain.models import AccessTier
from tests.e2e.harness import Json, Reply
from tests.e2e.office import (
    DAY_S,
    HOUR_S,
    Office,
    button,
    buttons,
    eventually,
    only,
    release_of,
    restart,
    sentence,
)
from tests.e2e.reading import Card, live_cards, text_of
from tests.e2e.refusing import HOME, NEEDS

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S


async def shift(
    office: Office,
    person: str,
    what: str,
    options: Json | None = None,
    *,
    channel: str = "luna",
    forge: bool = False,
) -> Reply:
    return office._in_time(
        await office.box.slash(person, channel, f"shift {what}", options or {}, forge=forge)
    )


async def _board(office: Office, channel: str) -> Card:
    (found,) = live_cards(await office.box.messages(channel), "b")
    return found


async def _board_says(office: Office, channel: str, text: str) -> Card:
    async def look() -> Card | None:
        found = live_cards(await office.box.messages(channel), "b")
        return found[0] if len(found) == 1 and text in text_of(found[0].message) else None

    return await eventually(f"the board of {channel} says {text}", look, office.box)


async def _hour(office: Office) -> int:
    """The hour of the day in UTC by the agency's clock."""
    return datetime.fromisoformat((await office.box.state())["clock"]["now"]).astimezone(UTC).hour


async def test_a_shift_begins_shows_on_the_board_and_ends(office: Office) -> None:
    ana = office.people["Ana"]
    before = await _board(office, "luna")
    told = sentence(await shift(office, "Ana", "start"))
    assert re.fullmatch(r"You are on shift for luna until <t:\d+:t>\.", told)
    # Once more changes nothing.
    assert "You are already on shift for luna" in sentence(await shift(office, "Ana", "start"))
    assert office.who("shift_start") == ["Ana"]
    assert (await office.box.advance(1)).settled
    after = await _board_says(office, "luna", f"On now: <@{ana}> until")
    assert after.message["id"] != before.message["id"]
    assert after.message["sandbox"]["silent"]
    assert after.message["sandbox"]["pinged"] == []
    mine = await office.box.slash("Ana", "luna", "my")
    assert "You are on for luna until" in text_of(only(mine))
    who = text_of(only(await shift(office, "Ben", "who", channel="zoe")))
    assert f"<@{ana}>" not in who
    who = text_of(only(await shift(office, "Lea", "who", channel=HOME)))
    assert f"luna** · <@{ana}> until" in who
    assert "No shifts are planned" in who
    assert "there was nothing to hand over" in sentence(await shift(office, "Ana", "end"))
    assert sentence(await shift(office, "Ana", "end")).startswith("You are not on shift")
    assert live_cards(await office.box.messages("luna"), "h") == []
    assert (await office.box.advance(1)).settled
    assert "On now" not in text_of((await _board(office, "luna")).message)


async def test_creators_are_named_by_commas_and_foreign_ones_are_not_known(office: Office) -> None:
    nobody = sentence(await shift(office, "Ben", "start", {"creators": "nobody"}, channel="zoe"))
    assert sentence(await shift(office, "Ben", "start", {"creators": "zoe, luna"}, channel="zoe")) == nobody
    assert office.rows("SELECT 1 FROM shift_sessions WHERE user_id = ?", int(office.people["Ben"])) == []
    told = sentence(await shift(office, "Lea", "start", {"creators": "luna, Zoe"}, channel=HOME))
    assert re.fullmatch(r"You are on shift for luna, zoe until <t:\d+:t>\.", told)
    assert "luna, zoe" in sentence(await shift(office, "Lea", "end", channel=HOME))
    # Without any, all of one's own.
    assert "luna, mira, zoe" in sentence(await shift(office, "Lea", "start", channel=HOME))
    await shift(office, "Lea", "end", channel=HOME)

    async def offered(person: str, typed: str) -> list[str]:
        found = await office.box.autocomplete(
            person, "luna", "shift start", {"creators": typed}, "creators", forge=True
        )
        return [one["value"] for one in found["choices"]]

    assert await offered("Lea", "") == ["luna", "mira", "zoe"]
    assert await offered("Lea", "luna, z") == ["luna, zoe"]
    assert await offered("Lea", "luna, l") == []
    assert await offered("Ben", "") == ["zoe"]
    assert await offered("Nia", "") == []


async def test_claiming_begins_a_shift_and_the_next_item_is_theirs(office: Office) -> None:
    card = await office.card_with("zoe", "fan_2599", "a")
    await office.press("Ben", "zoe", card.message, button(card.message, "Claim"))
    board = await _board_says(office, "zoe", f"On now: <@{office.people['Ben']}> until")
    assert (await office.box.advance(1)).settled
    # The board stays where it is: Ben has it before him.
    assert (await _board(office, "zoe")).message["id"] == board.message["id"]
    now = await office.card_with("zoe", "fan_2599", "a")
    await office.press("Ben", "zoe", now.message, release_of(now.message), forge=True)
    await shift(office, "Ben", "end", channel="zoe")


async def test_a_plan_is_read_back_and_can_be_removed(office: Office) -> None:
    ana = office.people["Ana"]
    whole = {"creator": "mira", "who": ana, "days": "mon-fri", "from": "22:00", "to": "06:00", "zone": "utc"}
    message = only(await shift(office, "Lea", "plan", whole, channel="mira"))
    text = text_of(message)
    assert "ends the next day at 06:00" in text
    assert "Mon-Fri from 22:00" in text
    assert "Nobody is planned for" in text
    remove = button(message, "Remove")
    again = text_of(only(await shift(office, "Lea", "plan", whole, channel="mira")))
    assert "planned already" in again
    listed = only(await shift(office, "Lea", "plan", {"creator": "mira"}, channel="mira"))
    assert len(buttons(listed, "Remove")) == 1
    assert f"<@{ana}> Mon-Fri 22:00-06:00 (UTC), ends the next day" in text_of(listed)
    assert office.who("shift_plan") == ["Lea"]
    # A chatter may neither plan nor remove; another lead's foreign plan does not exist.
    refused = NEEDS[AccessTier.LEAD]
    assert sentence(await shift(office, "Ana", "plan", whole, channel="mira", forge=True)) == refused
    assert sentence(await office.press("Ana", "mira", message, remove, forge=True)) == refused
    await restart(office)
    done = await office.press("Lea", "mira", message, remove, forge=True)
    assert "Removed from mira's plan" in text_of(done.messages[0])
    assert "removed from the plan already" in sentence(
        await office.press("Lea", "mira", message, remove, forge=True)
    )
    empty = await shift(office, "Lea", "plan", {"creator": "mira"}, channel="mira")
    assert "No shifts are planned for her" in text_of(only(empty))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"zone": "Europe/Lisboa"}, "Europe/Lisbon"),
        ({"zone": None}, "option `zone`"),
        ({"days": "someday"}, "option `days`"),
        ({"days": None}, "option `days`"),
        ({"from": "25:00"}, "no time of day"),
        ({"from": None}, "options `from` and `to`"),
        ({"to": "22:00"}, "cannot end at the time it begins"),
        ({"from": "00:00", "to": "00:00"}, "cannot end at the time it begins"),
        ({"who": None}, "option `who`"),
        ({"who": "Nia"}, "nothing was planned"),
    ],
)
async def test_what_is_missing_or_wrong_is_named_and_nothing_is_planned(
    office: Office, change: Json, says: str
) -> None:
    whole = {
        "creator": "mira",
        "who": "Ana",
        "days": "daily",
        "from": "22:00",
        "to": "06:00",
        "zone": "UTC",
    } | change
    given = {key: office.people.get(value, value) for key, value in whole.items() if value is not None}
    before = office.rows("SELECT id FROM shifts")
    assert says in sentence(await shift(office, "Lea", "plan", given, channel="mira"))
    assert office.rows("SELECT id FROM shifts") == before


async def test_a_whole_day_is_planned_from_0_to_24(office: Office) -> None:
    whole = {"creator": "mira", "who": office.people["Ana"], "days": "daily", "zone": "UTC"}
    message = only(
        await shift(office, "Lea", "plan", whole | {"from": "00:00", "to": "24:00"}, channel="mira")
    )
    assert "The coming week is covered." in text_of(message)
    assert office.rows("SELECT starts_minute, ends_minute FROM shifts WHERE removed_at IS NULL") == [(0, 0)]
    await office.press("Lea", "mira", message, button(message, "Remove"), forge=True)


async def test_a_planned_shift_begins_and_ends_by_itself(office: Office) -> None:
    ben, hour = office.people["Ben"], await _hour(office)
    span = {"from": f"{(hour + 1) % 24:02}:00", "to": f"{(hour + 4) % 24:02}:00"}
    whole = {"creator": "zoe", "who": ben, "days": "daily", "zone": "UTC"} | span
    message = only(await shift(office, "Lea", "plan", whole, channel="zoe"))
    assert (await office.box.advance(1)).settled
    await _board_says(office, "zoe", f"Nobody on now; next: <@{ben}>")
    before = await _board(office, "zoe")
    assert (await office.box.advance(HOUR_S)).settled
    after = await _board_says(office, "zoe", f"On now: <@{ben}> until")
    assert "not seen yet" in text_of(after.message)
    assert after.message["id"] != before.message["id"]
    assert "not seen yet" in text_of(only(await shift(office, "Lea", "who", channel="zoe")))
    # Whatever he does shows that he is there.
    await office.box.slash("Ben", "zoe", "queue")
    assert (await office.box.advance(1)).settled
    assert "not seen yet" not in text_of((await _board(office, "zoe")).message)
    await restart(office)
    assert (await office.box.advance(3 * HOUR_S)).settled
    await _board_says(office, "zoe", "Nobody on now")
    await office.press("Lea", "zoe", message, button(message, "Remove"), forge=True)


async def test_a_jump_over_a_whole_shift_leaves_nothing_behind(office: Office) -> None:
    ben, hour = office.people["Ben"], await _hour(office)
    span = {"from": f"{(hour + 2) % 24:02}:00", "to": f"{(hour + 4) % 24:02}:00"}
    whole = {"creator": "zoe", "who": ben, "days": "daily", "zone": "UTC"} | span
    message = only(await shift(office, "Lea", "plan", whole, channel="zoe"))
    assert (await office.box.advance(1)).settled
    sessions = office.rows("SELECT COUNT(*) FROM shift_sessions")
    board = await _board(office, "zoe")
    assert (await office.box.advance(8 * HOUR_S)).settled
    assert office.rows("SELECT COUNT(*) FROM shift_sessions") == sessions
    assert (await _board(office, "zoe")).message["id"] == board.message["id"]
    await office.press("Lea", "zoe", message, button(message, "Remove"), forge=True)
