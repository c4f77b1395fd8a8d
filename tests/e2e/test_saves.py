"""/report saves and /report team: what came of contact, for leads, in sentences that say what is not known yet."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from bot.discord_ui.words import saves as say
from tests.e2e import ledger
from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, Office, button, only, restart, sentence
from tests.e2e.reading import is_private, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
NO_CREATOR = "No creator by that name among yours."
HOME = "fanwatch-notices"
FAN = "fan_2488"


async def report(
    office: Office, person: str, what: str = "saves", options: Json | None = None, *, channel: str = HOME
) -> Reply:
    return office._in_time(
        await office.box.slash(person, channel, f"report {what}", options or {}, forge=True)
    )


async def test_nothing_to_compare_is_said_and_a_claim_alone_counts_for_nothing(office: Office) -> None:
    card = await office.card_with("luna", FAN, "a")
    await office.press("Ana", "luna", card.message, button(card.message, "Claim"))
    message = only(await report(office, "Lea", channel="luna"))
    assert message["embeds"][0]["title"].startswith("Saves · luna · ")
    text = text_of(message)
    assert say.NO_CASES in text
    assert "**Claims:** 1, typically less than a minute after the alert." in text
    team = text_of(only(await report(office, "Lea", "team")))
    assert "Too few cases for a rank" in team
    assert f"<@{office.people['Ana']}> · 1 claim" in team


async def test_a_contact_makes_a_case_that_runs_for_30_days_and_then_counts(office: Office) -> None:
    await _write_to(office, FAN, "Ana")
    text = text_of(only(await report(office, "Lea", options={"creator": "luna"})))
    assert "0 cases whose 30 days are over, 1 still running" in text
    assert "Difference: not enough cases yet (0 of 20)." in text
    assert say.COMPARISON in text
    assert (await office.box.advance(31 * DAY_S, timeout_s=150)).settled, office.box.tail()
    text = text_of(only(await report(office, "Lea", options={"creator": "luna"})))
    assert "1 case whose 30 days are over" in text
    assert "Received: $" in text
    assert "not enough cases yet (1 of 20)" in text
    # Another creator's lead report has none of it, all of them together have.
    assert say.NO_CASES in text_of(only(await report(office, "Lea", options={"creator": "zoe"})))
    before = text_of(only(await report(office, "Max")))
    assert "1 case whose 30 days are over" in before
    await restart(office)
    assert text_of(only(await report(office, "Max"))) == before
    team = text_of(only(await report(office, "Lea", "team")))
    assert f"<@{office.people['Ana']}> · 1 case, $" in team


async def _write_to(office: Office, fan: str, person: str) -> None:
    """As if the person had logged a contact now, through whatever form of the desk."""
    await office.box.bot("kill")
    with closing(sqlite3.connect(ledger.database(office.box.data), timeout=10)) as db, db:
        (row,) = db.execute(
            "SELECT e.agency_id, e.creator_id, e.fan_account_id, e.claimed_at FROM episodes e"
            " JOIN fan_accounts f ON f.id = e.fan_account_id WHERE f.username = ?",
            (fan,),
        ).fetchall()
        agency, creator, account, claimed_at = row
        db.execute(
            "INSERT INTO contacts (agency_id, id, creator_id, fan_account_id, user_id, source, at)"
            " VALUES (?, 1, ?, ?, ?, 'logged', ?)",
            (agency, creator, account, int(office.people[person]), claimed_at),
        )
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    await office.box.settled()


async def test_who_may_not_see_it_is_refused_in_the_usual_words(office: Office) -> None:
    for what in ("saves", "team"):
        assert sentence(await report(office, "Ana", what)) == "This needs the lead role or higher."
        assert sentence(await report(office, "Nia", what)) == "This needs the chatter role or higher."
    assert sentence(await report(office, "Lea", options={"creator": "nobody"})) == NO_CREATOR


async def test_what_cannot_be_read_is_answered_by_a_sentence(office: Office) -> None:
    for options, said in (
        ({"from": "whenever"}, say.PROBLEMS["unreadable"]),
        ({"to": "2099-01-01"}, say.PROBLEMS["unreadable"]),
        ({"from": "today", "to": "yesterday"}, say.PROBLEMS["backwards"]),
        ({"from": "2001-01-01"}, say.PROBLEMS["too_long"]),
        ({"from": "9" * 300}, say.PROBLEMS["unreadable"]),
    ):
        assert sentence(await report(office, "Lea", options=options)) == said
    for typed in ("ages", "0 days", "2099-01", "x" * 300):
        assert sentence(await report(office, "Lea", "team", {"period": typed})) == say.NO_SUCH_PERIOD


async def test_times_are_offered_to_leads_alone_and_answers_are_private(office: Office) -> None:
    for person, expected in (("Lea", 4), ("Ana", 0)):
        raw = await office.box.autocomplete(
            person, "luna", "report team", {"period": ""}, "period", forge=True
        )
        assert raw["error"] is None
        assert len(raw["choices"]) == expected
    for typed in ("30 days", "this month", "last month"):
        (message,) = (await report(office, "Lea", "team", {"period": typed})).messages
        assert is_private(message)
