"""The board of a channel as people see and press it: one, live, silent, and back where somebody deletes it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from tests.e2e import ledger
from tests.e2e.harness import Json, Sandbox, sandbox
from tests.e2e.office import (
    DAY_S,
    HISTORY,
    HOUR_S,
    Office,
    button,
    buttons,
    eventually,
    fans_on,
    release_of,
    restart,
    row_button,
    sentence,
    taken,
)
from tests.e2e.reading import Card, deleted, fingerprint, is_private, live_cards, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Nine days at once: each creator has single action cards, a list of expiries and one of fans at risk.
ADVANCE_S = 9 * DAY_S
CREATORS = ("luna", "mira", "zoe")


async def _board(office: Office, channel: str) -> Card:
    (found,) = live_cards(await office.box.messages(channel), "b")
    return found


async def test_each_channel_has_one_silent_board_with_what_is_open(office: Office) -> None:
    for creator in CREATORS:
        board = await _board(office, creator)
        assert board.message["sandbox"]["silent"]
        assert board.message["sandbox"]["pinged"] == []
        (open_count,) = office.rows(
            "SELECT count(*) FROM episodes WHERE closed_at IS NULL AND creator_id = ?",
            office.creator_id(creator),
        )[0]
        text = text_of(board.message)
        assert f"Board** · {creator} · {open_count} open, about $" in text
        assert "on shift" not in text
        expected = office.rows(
            "SELECT f.username FROM episodes e JOIN fan_accounts f ON f.id = e.fan_account_id"
            " WHERE e.closed_at IS NULL AND e.creator_id = ?"
            " ORDER BY coalesce(e.pace_cents, 0) * coalesce(e.shown_score, e.score) DESC, e.id LIMIT 8",
            office.creator_id(creator),
        )
        assert fans_on(board.message) == [name for (name,) in expected]
    assert live_cards(await office.box.messages("fanwatch-notices"), "b") == []


async def test_a_claim_on_the_board_shows_there_and_on_the_fans_card(office: Office) -> None:
    board = await _board(office, "luna")
    card = await office.card_with("luna", "fan_2488", "a")
    claim = row_button(board.message, "fan_2488")["custom_id"]
    before = len(office.who("claim"))
    reply = await office.press("Ana", "luna", board.message, claim)
    assert reply.acked == "update"
    (now,) = reply.messages
    assert now["id"] == board.message["id"]
    assert row_button(now, "fan_2488")["label"] == "Release"
    assert f"Claimed by <@{office.people['Ana']}>" in text_of(now)
    assert fans_on(now) == fans_on(board.message)
    await office.shows("luna", card.message["id"], f"Claimed by <@{office.people['Ana']}>")
    # Once more, and somebody else.
    again = await office.press("Ana", "luna", board.message, claim, forge=True)
    assert again.acked == "update" or sentence(again)
    told = taken(await office.press("Lea", "luna", board.message, claim, forge=True))
    assert f"<@{office.people['Ana']}>" in told
    assert office.who("claim")[before:] == ["Ana"]
    # Given back on the card, it is free on the board.
    shown = await office.message("luna", card.message["id"])
    await office.press("Lea", "luna", shown, release_of(shown), forge=True)

    async def free() -> Json | None:
        message = await office.message("luna", board.message["id"])
        return message if row_button(message, "fan_2488")["label"] == "Claim" else None

    message = await eventually("the board shows it free", free, office.box)
    assert fans_on(message) == fans_on(board.message)
    # The claim has begun a shift, and that goes on.
    assert f"On now: <@{office.people['Ana']}>" in text_of(message)


async def test_a_foreign_board_is_answered_like_one_that_does_not_exist(office: Office) -> None:
    board = await _board(office, "luna")
    claim, queue = buttons(board.message, "Claim")[0], button(board.message, "Whole queue")
    nothing = sentence(await office.press("Ben", "luna", board.message, "fw1:claim:b1:1", forge=True))
    owed = office.who("claim")
    for custom_id in (claim, queue, claim.replace("claim", "release"), "fw1:queue:b1"):
        told = await office.press("Ben", "luna", board.message, custom_id, forge=True)
        assert sentence(told) == nothing, custom_id
        refused = await office.press("Nia", "luna", board.message, custom_id, forge=True)
        assert "chatter role" in sentence(refused)
    assert office.who("claim") == owed
    assert fingerprint(await office.message("luna", board.message["id"])) == fingerprint(board.message)


async def test_the_whole_queue_is_a_private_answer(office: Office) -> None:
    board = await _board(office, "zoe")
    reply = await office.press("Ben", "zoe", board.message, button(board.message, "Whole queue"))
    (page,) = reply.messages
    assert is_private(page)
    assert "Queue** · zoe ·" in text_of(page)
    assert fans_on(page)[:3] == fans_on(board.message)[:3]
    assert fingerprint(await office.message("zoe", board.message["id"])) == fingerprint(board.message)


async def test_a_board_works_after_a_restart_and_is_not_posted_again(office: Office) -> None:
    board = await _board(office, "zoe")
    fan = fans_on(board.message)[5]
    await restart(office)
    claim = row_button(board.message, fan)["custom_id"]
    (now,) = (await office.press("Ben", "zoe", board.message, claim)).messages
    assert row_button(now, fan)["label"] == "Release"
    await restart(office)
    again = await _board(office, "zoe")
    assert again.message["id"] == board.message["id"]
    assert fingerprint(again.message) == fingerprint(now)
    await office.press("Ben", "zoe", now, row_button(now, fan)["custom_id"])


async def test_a_deleted_board_comes_back_once(office: Office) -> None:
    board = await _board(office, "mira")
    fan = fans_on(board.message)[0]
    claim = row_button(board.message, fan)["custom_id"]
    await office.box.fault("discord", "delete", args={"message": board.message["id"]})

    async def back() -> Card | None:
        found = live_cards(await office.box.messages("mira"), "b")
        return found[0] if found else None

    anew = await eventually("the board is back", back, office.box)
    assert anew.card == board.card
    assert anew.message["id"] != board.message["id"]
    assert anew.message["sandbox"]["silent"]
    assert text_of(anew.message) == text_of(board.message)
    # A press that was on its way to the old one does its work and says so.
    sentence(await office.press("Ana", "mira", board.message["id"], claim, forge=True))
    now = await office.shows("mira", anew.message["id"], f"Claimed by <@{office.people['Ana']}>")
    await restart(office)
    assert [card.message["id"] for card in live_cards(await office.box.messages("mira"), "b")] == [
        anew.message["id"]
    ]
    await office.press("Ana", "mira", now, row_button(now, fan)["custom_id"])


async def test_a_closed_channel_blocks_its_board_and_no_other(office: Office) -> None:
    mira, zoe = await _board(office, "mira"), await _board(office, "zoe")
    path = f"/channels/{office.channels['zoe']}/messages/"
    await office.box.fault(
        "discord",
        "forbid",
        args={"channel": "zoe", "permission": "VIEW_CHANNEL"},
        match={"method": "PATCH", "path": path},
        count=20,
    )
    fan = fans_on(zoe.message)[0]
    page = (await office.press("Max", "zoe", zoe.message, button(zoe.message, "Whole queue"))).messages[0]
    (now,) = (await office.press("Max", "zoe", page, row_button(page, fan)["custom_id"])).messages
    assert row_button(now, fan)["label"] == "Done"

    async def blocked() -> set[str] | None:
        found = {
            kind
            for (kind,) in office.rows(
                "SELECT kind FROM cards WHERE state = 'blocked' AND creator_id = ?", office.creator_id("zoe")
            )
        }
        return found if "b" in found else None

    await eventually("the board is blocked", blocked, office.box)
    other = fans_on(mira.message)[0]
    (claimed,) = (
        await office.press("Max", "mira", mira.message, row_button(mira.message, other)["custom_id"])
    ).messages
    assert row_button(claimed, other)["label"] == "Release"
    await office.press("Max", "mira", claimed, row_button(claimed, other)["custom_id"])
    # Once the bot may again and the wait is over, it catches up.
    await office.box.bot("kill")
    await office.box.clear_faults()
    with closing(sqlite3.connect(ledger.database(office.box.data), timeout=10)) as db, db:
        db.execute("UPDATE cards SET blocked_until = 1 WHERE state = 'blocked'")
    await office.box.bot("start")
    await office.shows("zoe", zoe.message["id"], f"Claimed by <@{office.people['Max']}>")
    assert (await _board(office, "zoe")).message["id"] == zoe.message["id"]


# Shifts


@asynccontextmanager
async def _planned(folder: Path, *shifts: Json) -> AsyncIterator[Office]:
    plan = folder / "shifts.json"
    plan.write_text(json.dumps(shifts))
    launcher = ("-m", "tests.e2e.shift_sandbox", str(plan))
    async with sandbox(folder / "data", history=HISTORY, model="reference", launcher=launcher) as box:
        yield await Office.of(box)


async def _hours(box: Sandbox, hours: int) -> None:
    assert (await box.advance(hours * HOUR_S)).settled, box.tail()


async def _moved(office: Office, channel: str) -> list[Json]:
    messages = await office.box.messages(channel)
    return [m for m in messages if "Moved to a newer card" in text_of(m) and not deleted(m)]


EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


async def test_a_shift_that_begins_has_the_board_posted_again_in_silence_and_once(tmp_path: Path) -> None:
    # The history begins at midnight UTC.
    day = {"creator": "luna", "user": "Ana", "days": EVERY_DAY, "from": "09:00", "to": "17:00", "zone": "UTC"}
    late = day | {"user": "Lea", "from": "18:00", "to": "02:00"}
    async with _planned(tmp_path, day, late) as office:
        box, ana, lea = office.box, office.people["Ana"], office.people["Lea"]
        first = await _board(office, "luna")
        assert re.search(rf"On now: <@{lea}> until <t:\d+:t>", text_of(first.message))
        await _hours(box, 8)
        still = await _board(office, "luna")
        assert still.message["id"] == first.message["id"]
        assert re.search(rf"Nobody on now; next: <@{ana}> <t:\d+:R>", text_of(still.message))
        other = await _board(office, "zoe")

        await _hours(box, 2)

        second = await _board(office, "luna")
        assert second.card == first.card
        assert second.message["id"] != first.message["id"]
        assert second.message["sandbox"]["silent"]
        assert second.message["sandbox"]["pinged"] == []
        assert re.search(rf"On now: <@{ana}> until <t:\d+:t>", text_of(second.message))
        assert [m["id"] for m in await _moved(office, "luna")] == [first.message["id"]]
        assert second.message["id"] in text_of((await _moved(office, "luna"))[0])
        assert (await _board(office, "zoe")).message["id"] == other.message["id"]

        await restart(office)
        await _hours(box, 1)
        assert (await _board(office, "luna")).message["id"] == second.message["id"]

        # Lea's shift begins while the bot is down.
        await box.bot("kill")
        await box.advance(8 * HOUR_S, timeout_s=1)
        await box.bot("start")
        await box.until("connected", lambda state: bool(state["bot"]["connected"]))
        await box.settled()
        third = await _board(office, "luna")
        assert third.message["id"] != second.message["id"]
        assert f"On now: <@{lea}>" in text_of(third.message)
        assert len(await _moved(office, "luna")) == 2
