"""The report of a headless run: cards counted from requests, duplicates and foreign names from messages."""

from __future__ import annotations

import json
from typing import Any

from bot.sandbox.agency.model import Creator, Fan
from bot.sandbox.report import (
    CardCounts,
    SeenMessage,
    cards_of,
    count_cards,
    count_duplicates,
    count_foreign_names,
    usernames,
    words,
)

KNOWN = {"fan_1": {"acct_a"}, "fan_2": {"acct_a"}, "fan_3": {"acct_b"}, "lee.x": {"acct_b"}}
CHANNELS = {"10": "acct_a", "20": "acct_b"}


def button(custom_id: str, *, disabled: bool = False) -> dict[str, Any]:
    return {"type": 1, "components": [{"type": 2, "custom_id": custom_id, "disabled": disabled}]}


def message(channel: str, *texts: str, cards: tuple[str, ...] = (), live: bool = True) -> SeenMessage:
    return SeenMessage(channel, frozenset(cards), live, texts)


def request(
    method: str,
    path: str,
    *components: dict[str, Any],
    status: int | None = 200,
    answered: str | None = None,
) -> bytes:
    line = {
        "method": method,
        "path": f"/api/v10{path}",
        "json": {"components": list(components)} if components else {"content": "x"},
        "status": status,
        "response": {"id": answered} if answered else None,
    }
    return json.dumps(line).encode()


def test_cards_are_read_from_custom_ids_wherever_they_sit() -> None:
    accessory = {"type": 9, "components": [], "accessory": {"type": 2, "custom_id": "fw1:open:g9z:3"}}
    tree = [button("fw1:claim:a1k", disabled=True), {"type": 17, "components": [accessory]}]
    assert cards_of(tree) == (frozenset({"a1k", "g9z"}), True)
    assert cards_of([button("fw1:claim:a1k", disabled=True)]) == (frozenset({"a1k"}), False)
    assert cards_of([button("fw1:claim:x1k"), button("fw2:claim:a1k"), button("fw1:a1k")]) == (
        frozenset(),
        True,
    )
    assert cards_of(None) == (frozenset(), False)


def test_cards_are_created_edited_reposted_and_refused() -> None:
    lines = [
        request("POST", "/channels/10/messages", button("fw1:claim:a1"), answered="100"),
        request("POST", "/channels/10/messages", button("fw1:claim:a1"), answered="100"),  # its nonce again
        request("PATCH", "/channels/10/messages/100", button("fw1:claim:a1")),
        request("POST", "/channels/10/messages", button("fw1:claim:a1"), answered="101"),
        request("PATCH", "/channels/10/messages/100"),  # the old one becomes a link
        request("POST", "/channels/10/messages", button("fw1:claim:a2"), status=429),
        request("POST", "/channels/10/messages", button("fw1:claim:a2"), status=500),
        request("POST", "/channels/10/messages", button("fw1:claim:a2"), status=None),
        request("POST", "/channels/10/messages", button("fw1:claim:a2"), answered="102"),
        request("POST", "/channels/10/messages", answered="103"),  # no card
        request("PATCH", "/channels/10/messages/103"),
        request("GET", "/channels/10/messages/100"),
        request("POST", "/channels/10/messages/100/threads", button("fw1:claim:a3"), answered="9"),
    ]
    assert count_cards(lines) == CardCounts(created=2, edited=2, reposted=1, failed=1 + 1)


def test_names_are_whole_words_without_backslashes() -> None:
    assert {"fan_1"} <= words(["**fan\\_1** is leaving"])
    assert "lee.x" in words(["see lee.x."])
    assert not {"fan_1"} & words(["fan_12 and xfan_1"])


def test_duplicates_are_cards_twice_and_names_on_two_cards() -> None:
    two_of_one = [message("10", "fan_1", cards=("a1",)), message("10", "fan_1", cards=("a1",))]
    assert count_duplicates(two_of_one, KNOWN) == 1
    one_dead = [message("10", "fan_1", cards=("a1",)), message("10", "fan_1", cards=("a1",), live=False)]
    assert count_duplicates(one_dead, KNOWN) == 0
    name_twice = [message("10", "fan_1", cards=("a1",)), message("10", "fan_1 fan_2", cards=("g2",))]
    assert count_duplicates(name_twice, KNOWN) == 1
    board = [message("10", "fan_1", cards=("a1",)), message("10", "fan_1", cards=("b2",))]
    assert count_duplicates(board, KNOWN) == 0, "a board repeats names by nature"
    baseline_twice = [message("10", cards=("s1",)), message("10", cards=("s1",))]
    assert count_duplicates(baseline_twice, KNOWN) == 1
    elsewhere = [message("10", "fan_1", cards=("a1",)), message("20", "fan_1", cards=("a2",))]
    assert count_duplicates(elsewhere, KNOWN) == 0


def test_foreign_names_are_those_of_another_creators_fans() -> None:
    messages = [
        message("10", "fan_1, fan\\_3 and nobody", live=False),
        message("10", "fan_3 again"),
        message("20", "fan_3 and lee.x"),
        message("30", "fan_1 in the notices"),
    ]
    assert count_foreign_names(messages, KNOWN, CHANNELS) == 1
    assert count_foreign_names([message("20", "fan_1 fan_2")], KNOWN, CHANNELS) == 2


def test_usernames_of_all_creators() -> None:
    def creator(account: str, *names: str | None) -> Creator:
        made = Creator(account, 1, account, account, 0, 0)
        for number, name in enumerate(names):
            made.add_fan(Fan(number, name, name, 0))
        return made

    known = usernames([creator("acct_a", "one", "both", None), creator("acct_b", "both")])
    assert known == {"one": {"acct_a"}, "both": {"acct_a", "acct_b"}}
