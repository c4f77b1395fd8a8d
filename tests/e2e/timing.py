"""Snoozes and shifts at an office: the custom_ids behind the buttons, who is on, and how often a card was posted."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from typing import Any

from bot.domain.base36 import encode
from tests.e2e import ledger
from tests.e2e.harness import Json, Reply
from tests.e2e.office import HOUR_S, Office, restart
from tests.e2e.reading import Card, is_private

MINUTE_S = 60


async def now_ms(office: Office) -> int:
    """Agency time."""
    now = datetime.fromisoformat((await office.box.state())["clock"]["now"])
    return round(now.timestamp() * 1000)


def episode_of(office: Office, card: Card) -> dict[str, Any]:
    """The open episode on an alert card, by the names of its columns."""
    names = [row[1] for row in office.rows("PRAGMA table_info(episodes)")]
    query = "SELECT * FROM episodes WHERE card_id = ? AND closed_at IS NULL"
    (row,) = office.rows(query, int(card.card, 36))
    return dict(zip(names, row, strict=True))


def changes(office: Office, card: Card) -> list[tuple[str, str | None]]:
    """(change, code) of what people and the time have done to the episode, scoring runs left out."""
    query = "SELECT change, code FROM episode_events WHERE episode_id = ? AND run_id IS NULL ORDER BY id"
    return [(change, code) for change, code in office.rows(query, episode_of(office, card)["id"])]


def on_card(office: Office, card: Card, verb: str) -> str:
    """The custom_id of a button of the card itself."""
    return f"fw1:{verb}:a{card.card}:{encode(episode_of(office, card)['id'])}"


def of_episode(office: Office, card: Card, verb: str, arg: str | None = None) -> str:
    """The custom_id of a button, or of a form, on the private question."""
    return f"fw1:{verb}:i{encode(episode_of(office, card)['id'])}" + (f":{arg}" if arg is not None else "")


async def ask(office: Office, person: str, channel: str, card: Card) -> Json:
    """Press [Snooze] on a card; the private question for how long."""
    reply = await office.press(person, channel, card.message, on_card(office, card, "snooze"), forge=True)
    (question,) = reply.messages
    assert is_private(question)
    return question


async def snooze(office: Office, person: str, channel: str, card: Card, choice: str) -> Reply:
    """Press [Snooze] on a card and a time on the question; `choice` 1h, shift or 3d."""
    question = await ask(office, person, channel, card)
    return await office.press(person, channel, question, of_episode(office, card, "snooze_for", choice))


async def put_on_shift(office: Office, person: str, creator: str, hours: float) -> None:
    """The person is on for the creator from now on; the bot is restarted for it."""
    now = await now_ms(office)
    await office.box.bot("kill")
    with closing(sqlite3.connect(ledger.database(office.box.data), timeout=10)) as db, db:
        (agency_id,) = db.execute("SELECT id FROM agencies").fetchone()
        (last,) = db.execute(
            "SELECT max(id) FROM (SELECT id FROM episodes UNION SELECT id FROM shift_sessions)"
        ).fetchone()
        db.execute(
            "INSERT INTO shift_sessions"
            " (agency_id, id, creator_id, user_id, source, started_at, until_at, seen_at)"
            " VALUES (?, ?, ?, ?, 'start', ?, ?, ?)",
            (
                agency_id,
                last + 1,
                office.creator_id(creator),
                int(office.people[person]),
                now,
                now + round(hours * HOUR_S) * 1000,
                now,
            ),
        )
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    await office.box.settled()


async def pass_minutes(office: Office, minutes: int, *, killed: bool = False) -> None:
    """Let time pass in one step; `killed`: the bot is killed and started again before."""
    if killed:
        await restart(office)
    assert (await office.box.advance(minutes * MINUTE_S)).settled, office.box.tail()


async def present(office: Office, channel: str, card: Card) -> Json:
    """The one live message of a card."""
    (message,) = await office.messages_of(card, channel)
    return message


def pinged(message: Json) -> list[str]:
    """The ids of the people and roles that the message has notified."""
    return [str(one).rpartition(":")[2] for one in message["sandbox"]["pinged"]]


def times_posted(office: Office, card: Card) -> int:
    return int(office.rows("SELECT incarnation FROM cards WHERE id = ?", int(card.card, 36))[0][0])
