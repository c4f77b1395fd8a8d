"""The first day, before anybody has set up a shift: every action item has an owner, and people can see who it is."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from tests.e2e import ledger
from tests.e2e.harness import sandbox
from tests.e2e.office import (
    DAY_S,
    HISTORY,
    HOUR_S,
    Office,
    button,
    buttons,
    fans_on,
    only,
    row_button,
)
from tests.e2e.reading import components, live_cards, text_of
from tests.e2e.refusing import told

ITEMS = (
    "SELECT c.name, e.baseline, e.owner_kind, e.owner_id FROM episodes e JOIN creators c ON c.id = e.creator_id"
    " WHERE e.closed_at IS NULL AND e.tier = 'action'"
)
CHATTERS = {"luna": "Ana", "mira": "Ana", "zoe": "Ben"}
"""Who has the creators of the small history by default."""


def owners(office: Office, creator: str | None = None) -> list[tuple[bool, str | None]]:
    """(whether the baseline found it, the owner's name) of every open action item; None: it is nobody's, or a role's."""
    names = {int(user_id): name for name, user_id in office.people.items()}
    return [
        (bool(baseline), names.get(owner_id) if kind == "user" else None)
        for name, baseline, kind, owner_id in office.rows(ITEMS)
        if creator in (None, name)
    ]


async def queue_rows(office: Office, person: str, creator: str) -> dict[str, str]:
    """Each fan of a creator's queue with the text of the row, all pages."""
    channel, found = office.channels[creator], {}
    page = only(await office.box.slash(person, channel, "queue", {"creator": creator}))
    while True:
        rows = [text_of({"components": [item]}) for item in components(page) if item.get("accessory")]
        found |= dict(zip(fans_on(page), rows, strict=True))
        if not buttons(page, "Next"):
            return found
        page = only(await office.press(person, channel, page, button(page, "Next")))


def new_items(office: Office, creator: str) -> list[tuple[str, str | None, int | None]]:
    """(fan, kind and id of the owner) of the open action items that no baseline has found."""
    return office.rows(
        "SELECT f.username, e.owner_kind, e.owner_id FROM episodes e"
        " JOIN fan_accounts f ON f.id = e.fan_account_id WHERE e.creator_id = ?"
        " AND e.closed_at IS NULL AND e.tier = 'action' AND NOT e.baseline",
        office.creator_id(creator),
    )


@asynccontextmanager
async def without(folder: Path, *tables: str) -> AsyncIterator[Office]:
    """The seventh day of an agency where nobody is a creator's default chatter, and where these tables are empty."""
    async with sandbox(folder / "data", history=HISTORY, model="reference") as box:
        office = await Office.of(box)
        await box.bot("kill")
        with closing(sqlite3.connect(ledger.database(box.data), timeout=10)) as db, db:
            db.execute("UPDATE creators SET default_chatter_id = NULL")
            for table in tables:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - named below
        await box.bot("start")
        await box.until("connected", lambda state: bool(state["bot"]["connected"]))
        await box.settled()
        assert (await box.advance(6 * DAY_S)).settled
        assert office.rows("SELECT count(*) FROM shift_sessions") == [(0,)]
        yield office


async def test_without_any_shift_each_item_is_the_default_chatters(tmp_path: Path) -> None:
    async with sandbox(tmp_path / "data", history=HISTORY, model="reference") as box:
        office = await Office.of(box)
        at_first = owners(office)
        assert at_first, "the baseline has no action item"
        for creator, chatter in CHATTERS.items():
            assert {name for _, name in owners(office, creator)} <= {chatter}
        assert (await box.advance(5 * DAY_S)).settled
        assert office.rows("SELECT count(*) FROM shift_sessions") == [(0,)]
        for creator, chatter in CHATTERS.items():
            found = owners(office, creator)
            assert found, creator
            assert {name for _, name in found} == {chatter}
            # In Discord: those who read the queue see whose it is, and who has it is called in the channel.
            whose = f"For <@{office.people[chatter]}>, not claimed"
            items = {
                name
                for (name,) in office.rows(
                    "SELECT f.username FROM episodes e JOIN fan_accounts f ON f.id = e.fan_account_id"
                    " WHERE e.creator_id = ? AND e.closed_at IS NULL AND e.tier = 'action'",
                    office.creator_id(creator),
                )
            }
            shown = await queue_rows(office, "Lea", creator)
            assert {fan for fan, row in shown.items() if whose in row} == items
            cards = live_cards(await box.messages(office.channels[creator]), "ag")
            called = {one for card in cards for one in card.message["sandbox"]["pinged"]}
            assert called == {f"user:{office.people[chatter]}"}
        assert any(not baseline for baseline, _ in owners(office))


async def test_a_creator_that_nobody_is_planned_for_has_owners_too(tmp_path: Path) -> None:
    """nova-new has neither shifts nor a history; her team's default chatter has what comes."""
    async with sandbox(tmp_path / "data") as box:
        office = await Office.of(box)
        for hours in (1, 36):
            assert (await box.advance(hours * HOUR_S)).settled
            found = owners(office)
            assert found
            assert None not in {name for _, name in found}
        planned = office.rows(
            "SELECT count(*) FROM shifts s JOIN creators c ON c.id = s.creator_id WHERE c.name = 'nova-new'"
        )
        assert planned == [(0,)]
        assert {name for _, name in owners(office, "nova-new")} == {"Ana"}


@pytest.mark.parametrize(
    ("tables", "owner"), [((), "user:Lea"), (("creator_leads",), "role:Chatter")], ids=["lead", "role"]
)
async def test_without_a_default_chatter_it_goes_to_the_next_who_is_named(
    tmp_path: Path, tables: tuple[str, ...], owner: str
) -> None:
    async with without(tmp_path, *tables) as office:
        kind, _, name = owner.partition(":")
        who = (office.people if kind == "user" else office.roles)[name]
        mention = f"<@{who}>" if kind == "user" else f"<@&{who}>"
        for creator in ("luna", "zoe"):
            items = new_items(office, creator)
            assert items, creator
            assert {(kind, owner_id) for _, kind, owner_id in items} == {(kind, int(who))}
            shown = await queue_rows(office, "Lea", creator)
            for fan, _, _ in items:
                assert f"For {mention}, not claimed" in shown[fan]
            cards = live_cards(await office.box.messages(creator), "ag")
            called = {one for card in cards for one in card.message["sandbox"]["pinged"]}
            assert called == {f"{kind}:{who}"}
        assert "All well" in told(await office.box.slash("Max", "luna", "status", {}))


async def test_where_nobody_at_all_is_named_the_queue_has_it_and_the_status_says_what_to_do(
    tmp_path: Path,
) -> None:
    async with without(tmp_path, "creator_leads", "role_tiers") as office:
        for creator in ("luna", "zoe"):
            items = new_items(office, creator)
            assert items, creator
            assert {owner_id for _, _, owner_id in items} == {None}
            # Whoever owns the server may do everything without a role.
            shown = await queue_rows(office, "Olga", creator)
            for fan, _, _ in items:
                assert "Not claimed" in shown[fan]
            status = told(await office.box.slash("Olga", creator, "status", {}))
            assert (
                f"Nobody is called for {creator}'s alerts while nobody is on shift; "
                "choose the role of the chatters, or her default chatter, with /setup." in status
            )
        # What is there for somebody to take is taken as ever, by whoever may.
        page = only(await office.box.slash("Olga", office.channels["luna"], "queue", {"creator": "luna"}))
        fan = fans_on(page)[0]
        claimed = only(await office.press("Olga", "luna", page, row_button(page, fan)["custom_id"]))
        assert row_button(claimed, fan)["label"] == "Done"
