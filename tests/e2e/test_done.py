"""[Done]: an alert is closed with an outcome, once, by whoever has it, and its card shrinks to one line."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.e2e.harness import Json, Reply
from tests.e2e.office import (
    AT_RISK,
    DAY_S,
    Office,
    button,
    buttons,
    fans_on,
    only,
    restart,
    row_button,
    sentence,
    verb_of,
)
from tests.e2e.reading import components, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
KEPT = {"outcome": ["kept"], "mood": ["cold"], "note": "He @everyone liked it"}


async def claimed(office: Office, person: str, channel: str, fan: str) -> Json:
    card = await office.card_with(channel, fan, "a")
    (now,) = (await office.press(person, channel, card.message, button(card.message, "Claim"))).messages
    return now


async def opened(office: Office, person: str, channel: str, message: Json) -> Reply:
    reply = await office.press(person, channel, message, button(message, "Done"))
    assert reply.modal is not None
    return reply


async def handed_in(
    office: Office, person: str, channel: str, form: Reply, fields: Json, *, forge: bool = False
) -> Reply:
    assert form.modal is not None
    custom_id, opener = str(form.modal["custom_id"]), str(form.interaction)
    return await office.box.submit(person, channel, custom_id, opener, fields, forge=forge)


def outcomes(office: Office, fan: str) -> list[Sequence[object]]:
    """(outcome, mood, note) of what was closed about a fan and not undone."""
    return office.rows(
        "SELECT outcome, mood, note FROM outcomes WHERE fan_account_id = ? AND undone_at IS NULL",
        office.fan_account_id(fan.removeprefix("fan_")),
    )


@pytest.mark.parametrize(
    ("fan", "outcome", "line", "back"),
    [
        ("fan_2488", "kept", "✅ Saved · luna · fan_2488", "It comes back"),
        ("fan_3655", "waiting", "⏳ Contacted, waiting · luna · fan_3655", "It comes back"),
        ("fan_2590", "false_alarm", "🔕 False alarm · luna · fan_2590", "It comes back"),
    ],
)
async def test_a_closed_card_is_one_line_and_says_what_brings_it_back(
    office: Office, fan: str, outcome: str, line: str, back: str
) -> None:
    now = await claimed(office, "Ana", "luna", fan)
    form = await opened(office, "Ana", "luna", now)
    told = only(await handed_in(office, "Ana", "luna", form, KEPT | {"outcome": [outcome]}))
    assert back in text_of(told)
    assert "is closed" in text_of(told)
    assert [item["label"] for item in components(told) if "label" in item] == ["Undo"]
    left = await office.shows("luna", now["id"], line, f"by <@{office.people['Ana']}>", "after the alert")
    assert list(components(left)) == []
    assert left["embeds"] == []
    assert outcomes(office, fan) == [(outcome, "cold", "He @everyone liked it")]
    # The same form once more, and [Done] on what is closed already.
    again = sentence(await handed_in(office, "Ana", "luna", form, KEPT, forge=True))
    assert "handed in already" in again
    over = sentence(await office.press("Ana", "luna", left, button(now, "Done"), forge=True))
    assert "closed already" in over
    assert len(outcomes(office, fan)) == 1
    profile = text_of((await office.lookup("Lea", "luna", fan)).messages[0])
    assert f"Mood last time: cold, <@{office.people['Ana']}>" in profile
    assert "Desk: nothing open" in profile


async def test_only_whoever_has_it_or_a_lead_gets_the_form(office: Office) -> None:
    card = await office.card_with("zoe", "fan_2564", "a")
    done = verb_of(card.message, "done")
    assert "claim it first" in sentence(await office.press("Ben", "zoe", card.message, done, forge=True))
    now = await claimed(office, "Ben", "zoe", "fan_2564")
    form = await opened(office, "Ben", "zoe", now)
    async with office.with_roles("Nia", "Chatter", "Team zoe"):
        refused = sentence(await office.press("Nia", "zoe", now, done, forge=True))
        assert f"<@{office.people['Ben']}>" in refused
        assert "lead" in refused
        # Ben's form, handed in by somebody else.
        refused = sentence(await handed_in(office, "Nia", "zoe", form, KEPT, forge=True))
        assert f"<@{office.people['Ben']}>" in refused
    assert "no longer here" in sentence(await office.press("Ana", "zoe", now, done, forge=True))
    assert "no longer here" in sentence(await handed_in(office, "Ana", "zoe", form, KEPT, forge=True))
    assert "chatter role" in sentence(await office.press("Nia", "zoe", now, done, forge=True))
    assert outcomes(office, "fan_2564") == []
    theirs = await opened(office, "Lea", "zoe", now)
    only(await handed_in(office, "Lea", "zoe", theirs, KEPT))
    assert len(outcomes(office, "fan_2564")) == 1


async def test_without_an_outcome_nothing_is_closed(office: Office) -> None:
    now = await claimed(office, "Ana", "mira", "fan_2516")
    form = await opened(office, "Ana", "mira", now)
    for chosen in ([], ["great"]):
        told = sentence(await handed_in(office, "Ana", "mira", form, {"outcome": chosen}, forge=True))
        assert "without an outcome nothing is closed" in told
    assert outcomes(office, "fan_2516") == []
    assert buttons(await office.message("mira", now["id"]), "Done")


async def test_whose_role_is_gone_meanwhile_changes_nothing(office: Office) -> None:
    now = await claimed(office, "Ana", "mira", "fan_2539")
    form = await opened(office, "Ana", "mira", now)
    async with office.with_roles("Ana"):
        refused = sentence(await handed_in(office, "Ana", "mira", form, KEPT, forge=True))
    assert refused == "This needs the chatter role or higher."
    assert outcomes(office, "fan_2539") == []
    assert buttons(await office.message("mira", now["id"]), "Done")


async def test_a_form_from_before_a_restart_still_closes(office: Office) -> None:
    now = await claimed(office, "Ben", "zoe", "fan_2599")
    form = await opened(office, "Ben", "zoe", now)
    await restart(office)
    told = only(await handed_in(office, "Ben", "zoe", form, {"outcome": ["lost"]}))
    assert "❌ Lost" in text_of(told)
    await office.shows("zoe", now["id"], "❌ Lost · zoe · fan_2599")
    assert outcomes(office, "fan_2599") == [("lost", None, None)]


async def test_a_card_whose_message_was_deleted_is_closed_all_the_same(office: Office) -> None:
    now = await claimed(office, "Ben", "zoe", "fan_3660")
    form = await opened(office, "Ben", "zoe", now)
    await office.box.fault("discord", "delete", args={"message": now["id"]})
    only(await handed_in(office, "Ben", "zoe", form, KEPT, forge=True))
    assert len(outcomes(office, "fan_3660")) == 1


async def test_a_row_of_a_list_is_closed_from_its_private_page_and_from_my(office: Office) -> None:
    card = await office.list_card("luna", AT_RISK)
    card_rows = office.rows("SELECT id FROM episodes WHERE card_id = ?", int(card.card, 36))
    (page,) = (await office.press("Ana", "luna", card.message, button(card.message, "Next"))).messages
    # The private pages have the first one too.
    (page,) = (await office.press("Ana", "luna", page, button(page, "Previous"))).messages
    first, second = fans_on(page)[:2]
    for fan in (first, second):
        (page,) = (await office.press("Ana", "luna", page, row_button(page, fan)["custom_id"])).messages
    form = await office.press("Ana", "luna", page, row_button(page, first)["custom_id"])
    only(await handed_in(office, "Ana", "luna", form, KEPT))
    mine = only(await office.box.slash("Ana", "luna", "my", {}))
    form = await office.press("Ana", "luna", mine, row_button(mine, second)["custom_id"])
    only(await handed_in(office, "Ana", "luna", form, KEPT))
    left = len(card_rows) - 2
    shown = await office.shows("luna", card.message["id"], f"{left} of {len(card_rows)} fans")
    assert not {first, second} & set(fans_on(shown))
    assert (len(outcomes(office, first)), len(outcomes(office, second))) == (1, 1)
