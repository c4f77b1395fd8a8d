"""The digest of a morning as people read and press it: one a day, silent, and the same after whatever happens."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from bot.discord_ui import words
from bot.discord_ui.words import digests as say
from tests.e2e import ledger
from tests.e2e.harness import Json
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
)
from tests.e2e.reading import Card, deleted, is_private, live_cards, names_in, text_of
from tests.e2e.timing import now_ms

pytestmark = pytest.mark.asyncio(loop_scope="module")

CREATORS = ("luna", "mira", "zoe")
NOTICES = "fanwatch-notices"


async def digests(office: Office, channel: str) -> list[Card]:
    return live_cards(await office.box.messages(channel), "d")


async def newest(office: Office, channel: str) -> Card:
    return (await digests(office, channel))[-1]


async def advance(office: Office, seconds: int) -> None:
    assert (await office.box.advance(seconds)).settled, office.box.tail()


def kept(office: Office) -> list[tuple[object, ...]]:
    return office.rows("SELECT creator_id, day, figures, card_id FROM digests ORDER BY day, creator_id")


async def by(office: Office, day: int, hour: int) -> None:
    """Let time pass up to that hour of a day, unless it is later; day 0 begins with the history.

    The history begins at midnight UTC, which is the agency's zone.
    """
    ((first,),) = office.rows("SELECT MIN(started_at) FROM sync_runs")
    left_s = first // 1_000 // DAY_S * DAY_S + day * DAY_S + hour * HOUR_S - await now_ms(office) // 1_000
    if left_s > 0:
        await advance(office, left_s)


async def after_the_jump(office: Office) -> None:
    """The first digest has come, and nine days later that of the last day."""
    await by(office, 0, 9)
    await by(office, 9, 9)


async def test_the_first_comes_at_eight_and_each_channel_has_one_in_silence(office: Office) -> None:
    await advance(office, 8 * HOUR_S - 60)
    for channel in (*CREATORS, NOTICES):
        assert await digests(office, channel) == []
    await advance(office, 60)
    for channel in (*CREATORS, NOTICES):
        (card,) = await digests(office, channel)
        assert card.message["sandbox"]["silent"]
        assert card.message["sandbox"]["pinged"] == []
        who = say.AGENCY if channel == NOTICES else channel
        assert text_of(card.message).startswith(f"\n**Digest** · {who} · ")
    assert len(kept(office)) == 4


async def test_a_restart_at_that_very_moment_makes_no_second_one(office: Office) -> None:
    await by(office, 0, 8)
    before = kept(office)
    shown = {channel: [card.message["id"] for card in await digests(office, channel)] for channel in CREATORS}
    await restart(office)
    await advance(office, HOUR_S)
    assert kept(office) == before
    for channel, ids in shown.items():
        assert [card.message["id"] for card in await digests(office, channel)] == ids


async def test_a_jump_of_days_makes_one_of_the_last_day(office: Office) -> None:
    await by(office, 0, 9)
    before = len(kept(office))
    await advance(office, 9 * DAY_S)
    made = kept(office)[before:]
    assert len(made) == 4
    assert len({day for _, day, _, _ in made}) == 1
    for channel in CREATORS:
        assert len(await digests(office, channel)) == 2
    # Nobody of another creator is in it, and in the agency's nobody at all.
    everybody = {name for (name,) in office.rows("SELECT username FROM fan_accounts")}
    for channel in (*CREATORS, NOTICES):
        found = names_in(text_of((await newest(office, channel)).message), everybody)
        own: set[str] = set()
        if channel != NOTICES:
            query = "SELECT username FROM fan_accounts WHERE creator_id = ?"
            own = {name for (name,) in office.rows(query, office.creator_id(channel))}
        assert found <= own


async def test_the_morning_after_counts_what_happened(office: Office) -> None:
    """It is 09:00. What the jump has opened is news of the day that begins now."""
    await after_the_jump(office)
    card = await office.card_with("luna", "fan_2488", "a")
    await office.press("Ana", "luna", card.message, button(card.message, "Claim"))
    opened = office.rows(
        "SELECT COUNT(DISTINCT v.episode_id) FROM episode_events v JOIN score_runs r ON r.id = v.run_id"
        " WHERE v.creator_id = ? AND v.change IN ('opened', 'raised', 'expired') AND NOT r.baseline",
        office.creator_id("luna"),
    )[0][0]
    await advance(office, 23 * HOUR_S)
    figures = _figures(office, "luna")
    assert figures["claimed"] == 1
    assert figures.get("action", 0) + figures.get("at_risk", 0) >= opened > 0
    text = text_of((await newest(office, "luna")).message)
    assert "**New:** " in text
    assert "1 claimed" in text
    assert "**Waits longest for a claim:** " in text
    whole = text_of((await newest(office, NOTICES)).message)
    assert "• luna " in whole.replace("*", "")
    assert "1 claimed" in whole


def _figures(office: Office, creator: str) -> Json:
    query = "SELECT figures FROM digests WHERE creator_id = ? ORDER BY day DESC LIMIT 1"
    return dict(json.loads(office.rows(query, office.creator_id(creator))[0][0]))


async def test_queue_opens_for_whom_it_is_and_for_nobody_else(office: Office) -> None:
    await after_the_jump(office)
    card = await newest(office, "luna")
    custom_id = button(card.message, "Queue")
    for _ in range(2):
        page = only(await office.press("Ana", "luna", card.message, custom_id))
        assert "**Queue** · luna · " in text_of(page)
    assert sentence(await office.press("Ben", "luna", card.message, custom_id, forge=True)) == words.GONE
    nobody = sentence(await office.press("Nia", "luna", card.message, custom_id, forge=True))
    assert nobody == "This needs the chatter role or higher."
    whole = await newest(office, NOTICES)
    page = only(await office.press("Max", NOTICES, whole.message, button(whole.message, "Queue")))
    assert "**Queue** · all your creators · " in text_of(page)


async def test_whom_nobody_was_called_for_can_be_claimed_from_a_private_list(office: Office) -> None:
    await after_the_jump(office)
    chosen = await _leave_unmentioned(office, "luna", 12)
    await advance(office, DAY_S)
    # The day's look at the data has closed or lowered some before the digest.
    still = office.rows(
        "SELECT f.username FROM episodes e JOIN fan_accounts f ON f.id = e.fan_account_id"
        " WHERE e.creator_id = ? AND e.closed_at IS NULL AND e.tier = 'action'",
        office.creator_id("luna"),
    )
    fans = chosen & {row[0] for row in still}
    left = len(fans)
    assert left > 1
    card = await newest(office, "luna")
    assert f"**Nobody was called for {left} action items**" in text_of(card.message)
    assert office.rows("SELECT COUNT(*) FROM episodes WHERE ping_state = 'digest'") == [(0,)]
    custom_id = button(card.message, say.SHOW_THEM)
    listed = only(await office.press("Ana", "luna", card.message, custom_id))
    assert is_private(listed)
    assert f"{left} open now" in text_of(listed)
    seen = names_in(text_of(listed), fans)
    assert len(seen) == min(left, 10)
    fan = sorted(seen)[0]
    claim = row_button(listed, fan)["custom_id"]
    reply = await office.press("Ana", "luna", listed, claim)
    assert reply.acked == "update"
    (now,) = reply.messages
    assert row_button(now, fan)["label"] == "Release"
    (again,) = (await office.press("Ana", "luna", listed, claim, forge=True)).messages
    assert row_button(again, fan)["label"] == "Release"
    taken = text_of(only(await office.press("Lea", "luna", card.message, claim, forge=True)))
    assert f"<@{office.people['Ana']}>" in taken
    for pressed in (custom_id, claim, row_button(now, fan)["custom_id"]):
        refused = sentence(await office.press("Ben", "luna", card.message, pressed, forge=True))
        assert refused == words.GONE

    await restart(office)
    (freed,) = (await office.press("Ana", "luna", now, row_button(now, fan)["custom_id"])).messages
    assert row_button(freed, fan)["label"] == "Claim"
    if left > 10:
        (second,) = (await office.press("Ana", "luna", freed, button(freed, "Next"))).messages
        assert len(buttons(second, "Claim")) == left - 10
        seen |= names_in(text_of(second), fans)
    assert seen == fans


async def _leave_unmentioned(office: Office, creator: str, number: int) -> set[str]:
    """As if the budget of mentions had been used up: so many of her episodes are action items of the digest."""
    await office.box.bot("kill")
    path = ledger.database(office.box.data)
    with closing(sqlite3.connect(path, timeout=10)) as db, db:
        rows = db.execute(
            "SELECT e.id, f.username FROM episodes e JOIN fan_accounts f ON f.id = e.fan_account_id"
            " WHERE e.creator_id = ? AND e.closed_at IS NULL AND e.claimed_by IS NULL"
            " ORDER BY e.score DESC, e.id LIMIT ?",
            (office.creator_id(creator), number),
        ).fetchall()
        db.executemany(
            "UPDATE episodes SET ping_state = 'digest', tier = 'action' WHERE id = ?",
            [(row[0],) for row in rows],
        )
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    return {str(row[1]) for row in rows}


async def test_one_that_somebody_deletes_comes_back_as_it_was(office: Office) -> None:
    await after_the_jump(office)
    await _leave_unmentioned(office, "luna", 12)
    await advance(office, DAY_S)
    card = await newest(office, "luna")
    await office.box.fault("discord", "delete", args={"message": card.message["id"]})

    async def again() -> Card | None:
        found = [one for one in await digests(office, "luna") if one.card == card.card]
        return found[0] if found and found[0].message["id"] != card.message["id"] else None

    back = await eventually("the digest is there again", again, office.box)
    assert text_of(back.message) == text_of(card.message)
    assert back.message["sandbox"]["silent"]
    assert deleted(await office.message("luna", card.message["id"]))
    page = only(
        await office.press("Ana", "luna", card.message, button(card.message, say.SHOW_THEM), forge=True)
    )
    assert say.LEFT_HEADER in text_of(page)
