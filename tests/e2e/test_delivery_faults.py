"""Discord and the data API misbehave while cards go out: every card ends up in its channel, once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e import ledger
from tests.e2e.harness import Advance, Json, Sandbox, sandbox
from tests.e2e.office import DAY_S, HISTORY, HOUR_S, Office, eventually
from tests.e2e.reading import deleted, duplicates, is_private, live_cards, text_of
from tests.oracle.oracle import read_history

pytestmark = pytest.mark.asyncio(loop_scope="module")

FANS = frozenset(f"fan_{row.fan}" for row in read_history(HISTORY))
CREATORS = ("luna", "mira", "zoe")
MOST_DAYS = 8
CREATE = {"method": "POST", "path": "/messages"}
EDIT = {"method": "PATCH", "path": "/messages/"}

FAULTS = [
    pytest.param(CREATE, "status", {"code": 500}, id="create-500"),
    pytest.param(CREATE, "status", {"code": 503}, id="create-503"),
    pytest.param(CREATE, "rate_limit", {"retry_after_s": 0.3}, id="create-429"),
    pytest.param(CREATE, "rate_limit", {"retry_after_s": 0.3, "headers": False}, id="create-429-bare"),
    pytest.param(CREATE, "latency", {"ms": 600}, id="create-slow"),
    pytest.param(CREATE, "reset", {"when": "before"}, id="create-lost"),
    pytest.param(CREATE, "reset", {"when": "after"}, id="create-answer-lost"),
    pytest.param(CREATE, "bad_json", {}, id="create-answer-garbled"),
    pytest.param(EDIT, "reset", {"when": "after"}, id="edit-answer-lost"),
    pytest.param(EDIT, "bad_json", {}, id="edit-answer-garbled"),
]


async def _all_messages(office: Office, but: tuple[str, ...] = ()) -> dict[str, list[Json]]:
    return {name: await office.box.messages(name) for name in office.channels if name not in but}


async def _agree(office: Office, but: tuple[str, ...] = ()) -> None:
    """Discord shows what the bot believes it shows: each card once, nobody twice. `but`: channels left out."""
    left_out = [int(office.channels[name]) for name in but]
    rows = [
        (str(message_id), wanted, sent)
        for channel_id, message_id, wanted, sent in office.rows(
            "SELECT channel_id, message_id, wanted_version, sent_version FROM cards WHERE state <> 'gone'"
        )
        if channel_id not in left_out
    ]
    assert [row for row in rows if row[1] > row[2]] == []
    believed = {message_id for message_id, _, _ in rows if message_id != "None"}
    standing: set[str] = set()
    for messages in (await _all_messages(office, but)).values():
        assert duplicates(messages, FANS) == []
        standing |= {m["id"] for m in messages if not deleted(m) and not is_private(m)}
        assert {card.message["id"] for card in live_cards(messages, "agsnb")} <= believed
    assert believed <= standing


async def _fired(box: Sandbox, fault_id: str) -> int:
    return next(int(fault["fired"]) for fault in await box.faults() if fault["id"] == fault_id)


def _tries(requests: list[Json]) -> dict[str, list[Json]]:
    """The creates by their nonce, in order."""
    found: dict[str, list[Json]] = {}
    for line in requests:
        if line["method"] == "POST" and line["path"].endswith("/messages"):
            found.setdefault(line["json"]["nonce"], []).append(line)
    return found


@pytest.mark.parametrize(("match", "kind", "args"), FAULTS)
async def test_one_failure_on_the_way_loses_and_doubles_nothing(
    office: Office, match: Json, kind: str, args: Json
) -> None:
    since = await office.box.newest_request()
    fault = await office.box.fault("discord", kind, args=args, match=match)
    for _ in range(MOST_DAYS):
        step = await office.box.advance(DAY_S, timeout_s=20)
        assert step.settled, office.box.tail()
        if await _fired(office.box, fault):
            break
    assert await _fired(office.box, fault) == 1
    await office.box.clear_faults()
    requests = await office.box.requests(since)
    hit = [line for line in requests if line["fault"] == kind]
    others = [line for line in requests if int(line["status"] or 0) >= 400 and line not in hit]
    assert others == []
    assert len(hit) == 1
    if match is CREATE:
        # Tried again with the same nonce, or found in the channel; never a second message.
        tries = _tries(requests)[hit[0]["json"]["nonce"]]
        done = kind in ("latency", "bad_json") or args.get("when") == "after"
        assert len(tries) == (1 if done else 2)
    await _agree(office)


async def _posted(office: Office, before: set[str]) -> list[Json]:
    """What stands in the channels for everybody and did not before."""
    return [
        message
        for messages in (await _all_messages(office)).values()
        for message in messages
        if message["id"] not in before and not is_private(message) and not deleted(message)
    ]


async def test_a_message_deleted_before_its_answer_is_known_is_posted_anew(office: Office) -> None:
    before = {m["id"] for messages in (await _all_messages(office)).values() for m in messages}
    fault = await office.box.fault("discord", "reset", args={"when": "after"}, match=CREATE)

    async def made() -> str | None:
        lost = {m["id"] for m in await _posted(office, before)}
        lost -= {str(found) for (found,) in office.rows("SELECT message_id FROM cards")}
        return str(lost.pop()) if len(lost) == 1 else None

    for _ in range(MOST_DAYS):
        advance = asyncio.create_task(office.box.advance(DAY_S, timeout_s=20))

        async def fired_or_over(task: asyncio.Task[Advance] = advance) -> bool | None:
            return True if await _fired(office.box, fault) or task.done() else None

        await eventually("the day begins", fired_or_over, office.box)
        if await _fired(office.box, fault):
            break
        await advance
    gone = await eventually("a message whose answer was lost", made, office.box)
    await office.box.fault("discord", "delete", args={"message": gone})
    assert (await advance).settled, office.box.tail()
    assert not [m for m in await _posted(office, before) if m["id"] == gone]
    await office.box.clear_faults()
    await _agree(office)


async def _nobody_is_told(office: Office) -> None:
    for channel in office.channels:
        assert live_cards(await office.box.messages(channel), "n") == []


@pytest.mark.parametrize(
    ("kind", "args", "count"),
    [
        ("bad_json", {}, 0),
        ("status", {"code": 500}, 0),
        ("latency", {"ms": 300}, 5),
    ],
)
async def test_one_failed_poll_is_nobodys_business(office: Office, kind: str, args: Json, count: int) -> None:
    fans = office.rows("SELECT platform_fan_id, username FROM fan_accounts ORDER BY id")
    synced = dict(office.rows("SELECT name, synced_at FROM creators"))
    fault = await office.box.fault("fanapi", kind, args=args, count=count)
    step = await office.box.advance(HOUR_S)
    assert step.settled, office.box.tail()
    assert await _fired(office.box, fault) > 0
    await office.box.clear_faults()
    await _nobody_is_told(office)
    assert office.rows("SELECT platform_fan_id, username FROM fan_accounts ORDER BY id")[: len(fans)] == fans
    profile = await office.lookup("Ana", "luna", "fan_1001")
    assert "Spent in all: $" in text_of(profile.messages[0])
    assert (await office.box.advance(HOUR_S)).settled, office.box.tail()
    await _nobody_is_told(office)
    after = dict(office.rows("SELECT name, synced_at FROM creators"))
    assert all(after[name] > synced[name] for name in CREATORS)
    await _agree(office)


# A person has to mend something


def _a_quarter_of_an_hour_passes(box: Sandbox, creator: str) -> None:
    """Machine time, for the blocked cards of one creator; only while the bot is down."""
    with closing(sqlite3.connect(ledger.database(box.data), timeout=10)) as db, db:
        db.execute(
            "UPDATE cards SET blocked_until = 1 WHERE state = 'blocked'"
            " AND creator_id = (SELECT id FROM creators WHERE name = ?)",
            (creator,),
        )


def _blocked(office: Office) -> dict[str, Counter[str]]:
    """How many blocked cards there are, by creator and reason."""
    found: dict[str, Counter[str]] = {}
    for name, reason in office.rows(
        "SELECT c.name, k.blocked_reason FROM cards k JOIN creators c ON c.id = k.creator_id"
        " WHERE k.state = 'blocked'"
    ):
        found.setdefault(name, Counter())[reason] += 1
    return found


def _owed(office: Office) -> bool:
    """Whether a card is still to be tried."""
    return bool(
        office.rows("SELECT id FROM cards WHERE state <> 'blocked' AND wanted_version > sent_version")
    )


def _but_boards(messages: list[Json]) -> list[Json]:
    """A board is there already, and who may write nothing new may still edit what is theirs."""
    boards = {card.message["id"] for card in live_cards(messages, "b")}
    assert len(boards) == 1
    return [message for message in messages if message["id"] not in boards]


async def test_closed_channels_block_their_own_cards_only(tmp_path: Path) -> None:
    async with sandbox(tmp_path / "data", history=HISTORY, model="reference") as box:
        office = await Office.of(box)
        zoe_before = _but_boards(await box.messages("zoe"))
        await box.fault("discord", "forbid", args={"channel": "zoe", "permission": "SEND_MESSAGES"})
        await box.fault("discord", "delete", args={"channel": "mira"})
        since = await box.newest_request()
        assert not (await box.advance(9 * DAY_S, timeout_s=1)).settled

        async def all_tried() -> bool | None:
            return True if set(_blocked(office)) == {"mira", "zoe"} and not _owed(office) else None

        await eventually("every card was tried", all_tried, box)
        blocked = _blocked(office)
        assert [len(reasons) for reasons in blocked.values()] == [1, 1]
        assert "no longer exists" in next(iter(blocked["mira"]))
        assert "may not write" in next(iter(blocked["zoe"]))
        assert _but_boards(await box.messages("zoe")) == zoe_before
        assert len(live_cards(await box.messages("luna"), "ag")) >= 5
        # Nobody keeps knocking on a closed door.
        assert {len(tries) for tries in _tries(await box.requests(since)).values()} == {1}
        profile = await office.lookup("Ben", "zoe", "fan_2564")
        assert "Spent in all" in text_of(profile.messages[0])

        # Not lost over a restart; sent once the bot may write again and the wait is over.
        await box.bot("kill")
        await box.clear_faults()
        _a_quarter_of_an_hour_passes(box, "zoe")
        await box.bot("start")

        async def caught_up() -> bool | None:
            shown = live_cards(await box.messages("zoe"), "adghn")
            back = set(_blocked(office)) == {"mira"} and len(shown) >= sum(blocked["zoe"].values())
            return True if back and not _owed(office) else None

        await eventually("zoe has her cards", caught_up, box, within=30)
        assert _blocked(office)["mira"] == blocked["mira"]
        pinged = [who for m in await box.messages("zoe") for who in m["sandbox"]["pinged"]]
        assert f"user:{office.people['Ben']}" in pinged
        await _agree(office, but=("mira",))


async def test_a_channel_closed_between_a_create_and_its_answer_gets_no_second_message(
    tmp_path: Path,
) -> None:
    async with sandbox(tmp_path / "data", history=HISTORY, model="reference") as box:
        office = await Office.of(box)
        path = f"/channels/{office.channels['zoe']}/messages"
        await box.fault("discord", "reset", args={"when": "after"}, match={"method": "POST", "path": path})
        await box.fault(
            "discord",
            "forbid",
            args={"channel": "zoe", "permission": "VIEW_CHANNEL"},
            match={"method": "GET", "path": path},
        )
        assert not (await box.advance(9 * DAY_S, timeout_s=1)).settled

        async def all_closed() -> Counter[str] | None:
            return _blocked(office).get("zoe") if not _owed(office) else None

        reasons = await eventually("the channel is closed to every card", all_closed, box)
        assert all("cannot see" in reason for reason in reasons)
        await box.bot("kill")
        await box.clear_faults()
        await box.fault("discord", "forget_nonces")
        _a_quarter_of_an_hour_passes(box, "zoe")
        await box.bot("start")
        await box.settled()
        assert _blocked(office) == {}
        await _agree(office)
