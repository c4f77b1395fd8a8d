"""/alerts as leads use it: mutes that hold news back and let it come, the list with its ends, the drill."""

from __future__ import annotations

import pytest

from bot.domain.models import AccessTier
from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, Office, button, buttons, eventually, only, restart, row_button, sentence
from tests.e2e.reading import live_cards, text_of
from tests.e2e.refusing import HOME, NEEDS, told

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = DAY_S
FAN = "fan_2488"
MUTE = {"until": "in 3 days", "reason": "agency holiday"}


async def alerts(office: Office, person: str, channel: str, name: str, **options: object) -> Reply:
    return office._in_time(
        await office.box.slash(person, channel, f"alerts {name}", dict(options), forge=True)
    )


def alert_cards(messages: list[Json]) -> set[str]:
    return {card.card for card in live_cards(messages, "ag")}


async def test_a_muted_creator_is_silent_and_her_news_comes_afterwards(office: Office) -> None:
    before = alert_cards(await office.box.messages("luna"))
    reply = await alerts(office, "Lea", "luna", "mute", creator="luna", until="in 3 days", reason="holiday")
    assert "**luna** is muted until <t:" in told(reply)
    assert (await office.box.advance(2 * DAY_S)).settled
    assert alert_cards(await office.box.messages("luna")) == before
    assert alert_cards(await office.box.messages("zoe"))

    # The mute outlives a restart, and its end is noticed by the next look at the data.
    await restart(office)
    assert (await office.box.advance(3 * DAY_S)).settled
    after = alert_cards(await office.box.messages("luna"))
    assert after - before
    assert "Nothing is muted" in text_of(only(await alerts(office, "Lea", "luna", "list")))


async def test_the_list_says_what_until_when_why_and_by_whom_and_ends_it(office: Office) -> None:
    assert FAN in told(await alerts(office, "Lea", "luna", "mute", fan=FAN, **MUTE))
    assert "zoe" in told(await alerts(office, "Lea", "zoe", "mute", creator="zoe", **MUTE))
    listed = only(await alerts(office, "Lea", HOME, "list"))
    text = text_of(listed)
    assert "2 mutes" in text
    assert f"agency holiday · by <@{office.people['Lea']}>" in text
    assert "zoe" not in text_of(only(await alerts(office, "Lea", "luna", "list")))
    end = row_button(listed, FAN)["custom_id"]
    # Nobody below a lead ends it, by a forged press neither.
    assert sentence(await office.press("Ana", HOME, listed, end, forge=True)) == NEEDS[AccessTier.LEAD]
    assert f"**{FAN}** is no longer muted" in sentence(await office.press("Lea", HOME, listed, end))
    assert "ended already" in sentence(await office.press("Lea", HOME, listed, end))
    await restart(office)
    assert "ended already" in sentence(await office.press("Max", HOME, listed, end, forge=True))
    assert "**zoe** is no longer muted" in sentence(
        await alerts(office, "Lea", "zoe", "unmute", creator="zoe")
    )
    assert "**zoe** is not muted;" in sentence(await alerts(office, "Lea", "zoe", "unmute", creator="zoe"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"fan": FAN, "creator": "luna"} | MUTE, "not both"),
        ({"fan": FAN, "reason": "x"}, "option `until`"),
        ({"fan": FAN, "until": "in 3 days"}, "option `reason`"),
        ({"fan": FAN, "until": "in 3 days", "reason": "   "}, "option `reason`"),
        ({"fan": FAN, "until": "banana", "reason": "x"}, "cannot be read"),
        ({"fan": FAN, "until": "yesterday", "reason": "x"}, "nothing was changed"),
        ({"fan": FAN, "until": "2199-01-01", "reason": "x"}, "more than a year"),
    ],
)
async def test_what_is_missing_or_wrong_is_said_and_changes_nothing(
    office: Office, options: Json, says: str
) -> None:
    before = office.rows("SELECT COUNT(*) FROM mutes")
    assert says in sentence(await alerts(office, "Lea", "luna", "mute", **options))
    assert office.rows("SELECT COUNT(*) FROM mutes") == before


async def test_a_drill_mentions_who_asked_and_is_closed_once(office: Office) -> None:
    lea = office.people["Lea"]
    sent = sentence(await alerts(office, "Lea", HOME, "test", creator="luna"))
    assert f"<#{office.channels['luna']}>" in sent

    async def drill() -> Json | None:
        found = [
            card
            for card in live_cards(await office.box.messages("luna"), "n")
            if "DRILL" in text_of(card.message)
        ]
        return found[0].message if found else None

    message = await eventually("the drill is posted", drill, office.box)
    assert message["content"].startswith("🧪 DRILL · luna · ")
    assert message["sandbox"]["pinged"] == [f"user:{lea}"]
    right = button(message, "Looks right")
    assert sentence(await office.press("Ana", "luna", message, right, forge=True)) == NEEDS[AccessTier.LEAD]
    # A drill is no trouble of hers.
    assert "drill" not in told(await office.box.slash("Lea", HOME, "status", {})).lower()
    await restart(office)
    assert sentence(await office.press("Lea", "luna", message, right)) == "The drill is closed."
    assert "closed already" in sentence(await office.press("Lea", "luna", message, right, forge=True))
    over = await office.shows("luna", message["id"], "Drill over")
    assert buttons(over, "Looks right") == []
