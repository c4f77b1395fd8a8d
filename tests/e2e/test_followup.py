"""/followup and its reminders, as people use them."""

from __future__ import annotations

import pytest

from bot.discord_ui import words
from bot.domain.base36 import encode
from tests.e2e.harness import Json, Reply
from tests.e2e.noting import fill
from tests.e2e.office import (
    DAY_S,
    HOUR_S,
    Office,
    button,
    buttons,
    eventually,
    only,
    restart,
    row_button,
    sentence,
    undoable,
)
from tests.e2e.reading import live_cards, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
FAN, FAN_ID, OTHER, ZOE_FAN = "fan_2488", "2488", "fan_1001", "fan_3285"
NOTICES = "fanwatch-notices"


async def slash(
    office: Office,
    person: str,
    command: str,
    *,
    channel: str = "luna",
    forge: bool = False,
    **options: object,
) -> Reply:
    reply = await office.box.slash(person, channel, f"followup {command}", dict(options), forge=forge)
    return office._in_time(reply)


async def reminders(office: Office, what: str) -> list[Json]:
    """The live cards that remind of it."""
    found = live_cards(await office.box.messages("luna"), "n")
    return [one.message for one in found if what in text_of(one.message)]


async def reminder(office: Office, what: str) -> Json:
    """The live card that reminds of it."""

    async def look() -> Json | None:
        found = await reminders(office, what)
        return found[0] if found else None

    return await eventually(f"a reminder of {what}", look, office.box)


def state(office: Office, what: str) -> tuple[str, int]:
    (found,) = office.rows("SELECT state, assignee_id FROM followups WHERE what = ?", what)
    return found[0], found[1]


async def test_a_promise_is_on_the_card_the_lookup_and_the_own_lists(office: Office) -> None:
    what = "Send the *red* set @everyone"
    kept = only(await slash(office, "Ana", "add", fan=FAN, what=what, due="in 2 hours", promise=True))
    assert f"Promise for **{FAN}**: <@{office.people['Ana']}> is reminded" in text_of(kept).replace("\\", "")
    assert button(kept, "Withdraw")
    card = await office.card_with("luna", FAN, "a")
    await office.shows("luna", card.message["id"], "⏰ Promise due <t:", "*red* set")
    assert "⏰ Promise due" in text_of(only(await office.lookup("Lea", "luna", FAN)))
    mine = only(await office.box.slash("Ana", "luna", "my", {}))
    assert "1 follow-up**" in text_of(mine)
    assert row_button(mine, FAN)["label"] == "Done"
    listed = only(await slash(office, "Ana", "list"))
    assert "**1 open follow-up** · yours" in text_of(listed)
    assert "@everyone" not in text_of(listed)
    told = await office.box.autocomplete("Ana", "luna", "followup done", {"id": "red"}, "id")
    assert [choice["name"].split(" · ")[0] for choice in told["choices"]] == [FAN]
    # Another chatter sees neither hers nor this creator's.
    assert "team leads and higher" in sentence(
        await slash(office, "Ben", "list", channel="zoe", who=office.people["Ana"])
    )
    assert FAN not in text_of(only(await slash(office, "Ben", "list", channel="zoe")))
    theirs = only(await slash(office, "Lea", "list", who=office.people["Ana"]))
    assert FAN in text_of(theirs).replace("\\", "")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "Name a fan"),
        ({"fan": FAN}, "option `what`"),
        ({"fan": FAN, "what": "x"}, "option `due`"),
        ({"fan": FAN, "what": "x", "due": "whenever"}, "cannot be read"),
        ({"fan": FAN, "what": "x", "due": "yesterday"}, "has passed"),
        ({"fan": FAN, "what": "x", "due": "in 3 days", "who": "Ben"}, "may not see this fan"),
        ({"fan": FAN, "what": "x", "due": "in 3 days", "who": "Nia"}, "may not see this fan"),
        ({"fan": ZOE_FAN, "what": "x", "due": "in 3 days"}, words.NOT_FOUND),
    ],
)
async def test_what_is_missing_or_may_not_be_is_one_sentence(
    office: Office, options: dict[str, str], says: str
) -> None:
    before = office.rows("SELECT * FROM followups")
    given = {key: office.people[value] if key == "who" else value for key, value in options.items()}
    assert says in sentence(await slash(office, "Ana", "add", **given))
    assert office.rows("SELECT * FROM followups") == before


async def test_the_form_of_an_alert_keeps_one_follow_up_however_often_it_is_sent(office: Office) -> None:
    card = await office.card_with("luna", FAN, "a")
    (found,) = office.rows(
        "SELECT id FROM episodes WHERE fan_account_id = ? AND closed_at IS NULL",
        office.fan_account_id(FAN_ID),
    )
    opened = await office.press("Ana", "luna", card.message, f"fw1:followup:i{encode(found[0])}", forge=True)
    bad = await fill(office, "Ana", "luna", opened, what="From the form", due="whenever", kind=["promise"])  # type: ignore[arg-type]
    assert "From the form" in text_of(only(bad))
    await restart(office)
    fields = {"what": "From the form", "due": "in 3 days", "kind": ["promise"]}
    kept = await fill(office, "Ana", "luna", opened, forge=True, **fields)  # type: ignore[arg-type]
    assert "Promise for" in text_of(only(kept))
    twice = await fill(office, "Ana", "luna", opened, forge=True, **fields)  # type: ignore[arg-type]
    assert "kept already" in sentence(twice)
    assert office.rows("SELECT promise FROM followups WHERE what = 'From the form'") == [(1,)]


async def test_a_reminder_comes_once_after_a_restart_and_a_jump_and_is_worked_from_its_card(
    office: Office,
) -> None:
    what = "Ask about his exam"
    told = only(await slash(office, "Ana", "add", fan=FAN, what=what, due="in 1 hour"))
    await restart(office)
    # Nobody is on shift: it waits, but no longer than twelve hours.
    assert (await office.box.advance(3 * HOUR_S)).settled
    assert await reminders(office, what) == []
    assert (await office.box.advance(2 * DAY_S)).settled
    card = await reminder(office, what)
    assert text_of(card).split("\n")[0].strip().startswith("⏰ Follow-up due · luna · ")
    assert card["sandbox"]["pinged"] == [f"user:{office.people['Ana']}"]
    assert buttons(card, "Done") and buttons(card, "Tomorrow") and buttons(card, "Take it")  # noqa: PT018
    assert (await office.box.advance(HOUR_S)).settled
    assert [one["id"] for one in await reminders(office, what)] == [card["id"]]

    # Who may not, and what is not there.
    missing = sentence(await office.press("Ben", "luna", card, "fw1:fu_done:n1:1", forge=True))
    for label in ("Done", "Tomorrow", "Take it"):
        one = button(card, label)
        assert sentence(await office.press("Ben", "luna", card, one, forge=True)) == missing == words.GONE
        assert "chatter role" in sentence(await office.press("Nia", "luna", card, one, forge=True))

    # Taken, twice; then the one who had it may not close it.
    assert "You have the follow-up" in undoable(
        await office.press("Lea", "luna", card, button(card, "Take it"))
    )
    again = await office.press("Lea", "luna", card, button(card, "Take it"), forge=True)
    assert "already" in sentence(again)
    assert state(office, what) == ("open", int(office.people["Lea"]))
    refused = sentence(await office.press("Ana", "luna", card, button(card, "Done"), forge=True))
    assert f"is with <@{office.people['Lea']}>" in refused

    # Put off, twice: one day, on another card; the old one is one line.
    later = button(card, "Tomorrow")
    assert "comes again" in undoable(await office.press("Lea", "luna", card, later))
    assert "already" in sentence(await office.press("Lea", "luna", card, later, forge=True))
    over = await office.shows("luna", card["id"], "put off")
    assert list(over.get("components") or ()) == []
    assert (await office.box.advance(2 * DAY_S)).settled
    anew = await reminder(office, what)
    assert anew["id"] != card["id"]
    assert anew["sandbox"]["pinged"] == [f"user:{office.people['Lea']}"]

    # Deleted, it comes back; done after a restart, twice.
    await office.box.fault("discord", "delete", args={"message": anew["id"]})

    async def posted_again() -> Json | None:
        found = [one for one in await reminders(office, what) if one["id"] != anew["id"]]
        return found[0] if found else None

    back = await eventually("the reminder is posted again", posted_again, office.box)
    await restart(office)
    finish = button(back, "Done")
    said = undoable(await office.press("Lea", "luna", anew["id"], finish, forge=True))
    assert said.startswith("✅ Done")
    again = await office.press("Lea", "luna", back, finish, forge=True)
    assert "done already" in sentence(again)
    await office.shows("luna", back["id"], "✅ Follow-up done", f"<@{office.people['Lea']}>")
    assert office.who("done_followup") == ["Lea"]
    assert office.rows("SELECT source FROM contacts WHERE source = 'followup'") == [("followup",)]

    # What was offered when it was added is over too.
    told_now = sentence(await office.press("Ana", "luna", told, button(told, "Withdraw"), forge=True))
    assert "done already" in told_now


async def test_from_a_list_one_after_the_other_is_done_in_place(office: Office) -> None:
    for number in range(2):
        await slash(office, "Lea", "add", fan=OTHER, what=f"Number {number}", due=f"in {number + 2} days")
    listed = only(await slash(office, "Lea", "list", who=office.people["Lea"]))
    first = buttons(listed, "Done")
    done = await office.press("Lea", "luna", listed, first[0])
    assert done.acked == "update"
    assert "Number 0" in text_of(only(done)).split("open follow-up")[0]
    assert "**1 open follow-up**" in text_of(only(done))
    typed = sentence(await slash(office, "Lea", "done", id="number 1", note="He liked it"))
    assert typed.startswith("✅ Done")
    assert "No open follow-up" in sentence(await slash(office, "Lea", "done", id="number 1"))
    assert office.rows("SELECT done_note FROM followups WHERE what = 'Number 1'") == [("He liked it",)]


async def test_who_was_removed_meanwhile_is_not_called(office: Office) -> None:
    what = "Tell him the date"
    await slash(office, "Ana", "add", fan=OTHER, what=what, due="in 1 hour")
    async with office.with_roles("Ana"):
        assert (await office.box.advance(DAY_S)).settled
        card = await reminder(office, what)
        assert card["sandbox"]["pinged"] == [f"user:{office.people['Lea']}"]
