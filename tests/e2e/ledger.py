"""The bot's own record of what it decided, read from its database, set against the oracle's."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg

from tests.oracle.oracle import Event, Moment

RULED = ("opened", "raised", "lowered", "cleared", "expired")
SCORE_TOLERANCE = 1e-6

_EVENTS = """
SELECT e.at, c.name, f.{fan}, e.change, e.tier_before, e.tier_after, e.score
FROM episode_events e
JOIN fan_accounts f ON f.id = e.fan_account_id
JOIN creators c ON c.id = e.creator_id
ORDER BY e.at
"""


def database(data: Path) -> Path:
    """The bot's SQLite file under the sandbox's data folder."""
    return data / "fanwatch.db"


def connect(path: Path) -> sqlite3.Connection:
    """Read-only, so that a test can never stand in the bot's way for longer than a read."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)


def rows(source: Path | str, query: str) -> list[tuple[Any, ...]]:
    """What a query gives of a SQLite file or, where `source` is an address, of a PostgreSQL database."""
    if isinstance(source, Path):
        with closing(connect(source)) as db:
            return list(db.execute(query))

    async def ask() -> list[tuple[Any, ...]]:
        session = await asyncpg.connect(source)
        try:
            return [tuple(row) for row in await session.fetch(query)]
        finally:
            await session.close()

    # A loop of its own: whoever asks is in the middle of one, and not waiting for it.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(ask())).result()


def recorded(source: Path | str, at: Sequence[int]) -> list[Event]:
    """The ruled events of the database; each belongs to the last look of `at` (UTC seconds) not after it.

    Fans are named as the history names them: the username `fan_<fan>` without its prefix.
    """
    named = "username"
    if isinstance(source, Path):
        columns = {row[1] for row in rows(source, "PRAGMA table_info(fan_accounts)")}
        named = "username" if "username" in columns else "platform_fan_id"
    found = []
    for at_ms, creator, fan, change, before, after, score in rows(source, _EVENTS.format(fan=named)):
        if change not in RULED:
            continue
        look = max((k for k, instant in enumerate(at) if instant * 1000 <= at_ms), default=-1)
        found.append(Event(look, creator, str(fan).removeprefix("fan_"), change, before, after, score))
    return found


def _key(event: Event) -> tuple[int, str, str, str, str | None, str | None]:
    return (event.look, event.creator, event.fan, event.change, event.tier_before, event.tier_after)


def differences(found: Iterable[Event], wanted: Iterable[Event], limit: int = 12) -> list[str]:
    """What one has and the other lacks, and scores that differ; empty when they agree."""
    found, wanted = list(found), list(wanted)
    have = Counter(_key(event) for event in found)
    want = Counter(_key(event) for event in wanted)
    lines = [f"missing   {key}" for key in sorted((want - have).elements(), key=str)]
    lines += [f"unexpected {key}" for key in sorted((have - want).elements(), key=str)]
    scores = {_key(event): event.score for event in wanted}
    for event in found:
        wished = scores.get(_key(event))
        if wished is not None and event.score is not None and abs(event.score - wished) > SCORE_TOLERANCE:
            lines.append(f"score of {_key(event)}: {event.score}, not {wished}")
    more = [f"... and {len(lines) - limit} more"] if len(lines) > limit else []
    return lines[:limit] + more


def disagreements(source: Path | str, moments: Sequence[Moment]) -> list[str]:
    """How the database differs from the oracle over all of `moments`, which must begin with the baseline."""
    found = recorded(source, [moment.at for moment in moments])
    return differences(found, [event for moment in moments for event in moment.events])


def open_fans(moment: Moment, creator: str) -> set[str]:
    """Usernames with an open episode at a creator's."""
    return {f"fan_{fan}" for owner, fan in moment.open if owner == creator}


def known_fans(moments: Iterable[Moment]) -> dict[str, frozenset[str]]:
    """Every username by creator, over all looks."""
    found: dict[str, set[str]] = {}
    for moment in moments:
        for creator, fan in moment.looks:
            found.setdefault(creator, set()).add(f"fan_{fan}")
    return {creator: frozenset(names) for creator, names in found.items()}
