"""The reading and the bookkeeping of the harness itself, on messages and a database written by hand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.e2e import ledger
from tests.e2e.reading import (
    card_of,
    duplicates,
    fingerprint,
    fingerprints,
    foreign,
    live_cards,
    names_in,
    text_of,
)
from tests.oracle.oracle import Event

KNOWN = frozenset({"fan_1", "fan_12", "fan_3"})


def message(
    number: int, *, content: str = "", components: list[Any] | None = None, gone: bool = False, **more: Any
) -> dict[str, Any]:
    return {
        "id": str(10**17 + number),
        "content": content,
        "embeds": more.pop("embeds", []),
        "components": components or [],
        "sandbox": {"deleted": gone, "edits": 0, "ephemeral_for": None, "pinged": [], "silent": True} | more,
    }


def button(custom_id: str, *, disabled: bool = False, label: str = "Claim") -> dict[str, Any]:
    return {
        "type": 1,
        "components": [{"type": 2, "label": label, "custom_id": custom_id, "disabled": disabled}],
    }


def test_names_are_whole_words_with_or_without_backslashes() -> None:
    embed = {"title": "x", "fields": [{"name": "fan_3", "value": "y"}]}
    read = text_of(message(1, content="luna · **fan\\_12** 85", embeds=[embed]))
    assert names_in(read, KNOWN) == {"fan_12", "fan_3"}
    assert names_in("fan_120 xfan_1", KNOWN) == set()


def test_text_of_layouts_is_read_in_depth() -> None:
    section = {"type": 9, "components": [{"type": 10, "content": "fan_1"}], "accessory": {"type": 2}}
    assert names_in(text_of(message(1, components=[{"type": 17, "components": [section]}])), KNOWN) == {
        "fan_1"
    }


def test_a_card_is_live_while_a_button_of_it_works() -> None:
    live = message(1, components=[button("fw1:claim:a1z:9"), button("fw1:claim:a1z:8", disabled=True)])
    off = message(2, components=[button("fw1:claim:g2", disabled=True)])
    gone = message(3, components=[button("fw1:claim:a3")], gone=True)
    private = message(4, components=[button("fw1:claim:a4")], ephemeral_for="user:1")
    baseline = message(5, components=[button("fw1:top:s5:0")])
    plain = message(6, content="fw1:claim:a6", components=[button("other")])
    assert [card.card for card in live_cards([live, off, gone, private, baseline, plain])] == ["1z"]
    assert [card.kind for card in live_cards([baseline], "s")] == ["s"]
    assert card_of(plain) is None


def test_a_fingerprint_masks_ids_and_nothing_else() -> None:
    one = message(1, content="85 <@123456789012345678>", components=[button("fw1:claim:a1:q")])
    two = message(2, content="85 <@923456789012345670>", components=[button("fw1:claim:azz:r")])
    assert fingerprint(one) == fingerprint(two)
    assert fingerprint(one) != fingerprint(message(1, content="86 <@123456789012345678>"))
    assert fingerprint(one) != fingerprint(
        message(1, content="85 <@123456789012345678>", components=[button("fw1:claim:a1:q", label="Done")])
    )
    assert sum(fingerprints([one, two, message(3, gone=True)]).values()) == 2


def test_duplicates_and_strangers_are_found() -> None:
    first = message(1, content="fan_1", components=[button("fw1:claim:a1")])
    second = message(2, content="fan_1", components=[button("fw1:claim:a2")])
    again = message(3, content="fan_3", components=[button("fw1:claim:a2")])
    assert duplicates([first], KNOWN) == []
    assert len(duplicates([first, second], KNOWN)) == 1
    assert "card a2" in duplicates([second, again], KNOWN)
    assert foreign([first, again], KNOWN, frozenset({"fan_1"})) == {"fan_3"}


def test_the_ledger_reads_events_and_tells_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript("""
            CREATE TABLE creators (id, name);
            CREATE TABLE fan_accounts (id, platform_fan_id, username);
            CREATE TABLE episode_events
                (fan_account_id, creator_id, change, tier_before, tier_after, score, at);
            INSERT INTO creators VALUES (1, 'luna');
            INSERT INTO fan_accounts VALUES (7, '12', 'fan_12');
            INSERT INTO episode_events VALUES (7, 1, 'opened', NULL, 'at_risk', 64.4, 1000000);
            INSERT INTO episode_events VALUES (7, 1, 'inhibited', 'at_risk', 'at_risk', 64.4, 1000000);
            INSERT INTO episode_events VALUES (7, 1, 'cleared', 'at_risk', NULL, 12.0, 2500000);
        """)
    found = ledger.recorded(path, [1000, 2000])
    opened = Event(0, "luna", "12", "opened", None, "at_risk", 64.4)
    cleared = Event(1, "luna", "12", "cleared", "at_risk", None, 12.0)
    assert found == [opened, cleared]
    assert ledger.differences(found, [opened, cleared]) == []
    assert ledger.differences(found, [opened])[0].startswith("unexpected")
    assert ledger.differences([opened], [opened, cleared])[0].startswith("missing")
    other = Event(0, "luna", "12", "opened", None, "at_risk", 64.5)
    assert ledger.differences([opened], [other])[0].startswith("score")
