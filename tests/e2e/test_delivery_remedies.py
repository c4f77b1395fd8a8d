"""What people see where Discord will not take a card: its channel is deleted or closed, its message too old to edit."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.harness import Json, sandbox
from tests.e2e.noting import note
from tests.e2e.office import (
    DAY_S,
    HISTORY,
    HOUR_S,
    Office,
    button,
    buttons,
    eventually,
    only,
    public,
)
from tests.e2e.reading import deleted, live_cards, names_in, text_of
from tests.e2e.refusing import told
from tests.e2e.test_delivery_faults import FANS

HOME = "fanwatch-notices"
AWAY_S = 3 * DAY_S
"""Long enough for people to be called in mira's and in zoe's channel, if they could be."""


@asynccontextmanager
async def office_in(folder: Path) -> AsyncIterator[Office]:
    async with sandbox(folder / "data", history=HISTORY, model="reference") as box:
        await box.settled()
        assert (await box.advance(6 * DAY_S)).settled, box.tail()
        yield await Office.of(box)


def pinged(messages: list[Json]) -> list[str]:
    return [who for message in messages for who in message["sandbox"]["pinged"]]


def calls(office: Office, creator: str) -> Counter[tuple[str, str | None]]:
    """(whom, which fan's, None: of several fans or none) of every mention that the bot has counted for a creator."""
    return Counter(
        (f"{kind}:{discord_id}", name)
        for kind, discord_id, name in office.rows(
            "SELECT m.kind, m.discord_id, f.username FROM mentions m"
            " LEFT JOIN fan_accounts f ON f.id = m.fan_account_id WHERE m.creator_id = ?",
            office.creator_id(creator),
        )
    )


def called_once(messages: list[Json], wanted: Counter[tuple[str, str | None]]) -> None:
    """These messages call whom they are to, each on the one card of the fan that it is about, and nobody else."""
    assert Counter(pinged(messages)) == Counter(who for who, _ in wanted.elements())
    cards = [card.message for card in live_cards(messages)]
    for who, fan in wanted:
        if fan is not None:
            assert [pinged([one]) for one in cards if names_in(text_of(one), {fan})] == [[who]], fan


async def notices(office: Office, what: str) -> list[Json]:
    return [m for m in public(await office.box.messages(HOME)) if what in text_of(m)]


async def one_notice(office: Office, what: str) -> Json:
    async def look() -> Json | None:
        found = await notices(office, what)
        assert len(found) < 2
        return found[0] if found else None

    return await eventually(f"a notice: {what}", look, office.box)


def shown_once(messages: list[Json]) -> None:
    """No card in two live messages, no fan on two cards."""
    cards = live_cards(messages, "agbsn")
    assert len({(card.kind, card.card) for card in cards}) == len(cards)
    names = [name for card in live_cards(messages) for name in FANS if name in text_of(card.message).split()]
    assert len(set(names)) == len(names)


async def caught_up(office: Office) -> None:
    async def look() -> bool | None:
        behind = "SELECT id FROM cards WHERE state <> 'gone' AND wanted_version > sent_version"
        return None if office.rows(behind) else True

    await eventually("no card is behind", look, office.box, within=20)


async def test_cards_follow_their_creator_out_of_a_channel_that_was_deleted(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        box = office.box
        before = live_cards(await box.messages("mira"))
        work = {(card.kind, card.card) for card in before}
        assert {card.kind for card in before} == {"a", "g"}
        called = calls(office, "mira")
        called_once(await box.messages("mira"), called)
        await box.fault("discord", "delete", args={"channel": "mira"})
        notice = await one_notice(office, "channel is gone")
        assert "mira" in text_of(notice)
        assert "/creator settings" in text_of(notice)
        assert pinged([notice]) == []
        await box.advance(AWAY_S, timeout_s=5)
        await one_notice(office, "channel is gone")
        owed = calls(office, "mira") - called
        assert owed, "nothing was found that anybody is to be called for"

        # The notice channel is nobody's: it serves as her new one.
        place = office.channels[HOME]
        asked = await box.slash("Max", HOME, "creator settings", {"creator": "mira", "channel": place})
        assert f"mira: channel <#{office.channels['mira']}> → <#{place}>." in text_of(only(asked))
        await caught_up(office)
        assert (await box.advance(60)).settled, box.tail()
        here = await box.messages(HOME)
        # Whoever is to be called for what was found meanwhile is, here and once; for nothing else anybody is.
        assert calls(office, "mira") == called + owed
        called_once(here, owed)
        shown_once(here)
        open_cards = {
            (kind, message_id)
            for kind, message_id in office.rows(
                "SELECT DISTINCT k.kind, k.message_id FROM cards k JOIN episodes e ON e.card_id = k.id"
                " WHERE e.closed_at IS NULL AND k.creator_id = ?",
                office.creator_id("mira"),
            )
        }
        assert {(c.kind, int(c.message["id"])) for c in live_cards(here)} == open_cards
        kept = [c for c in live_cards(here) if (c.kind, c.card) in work]
        assert len(kept) >= len(work) // 2
        assert all(pinged([c.message]) == [] and c.message["sandbox"]["silent"] for c in kept)
        assert len(live_cards(here, "b")) == 1
        over = await one_notice(office, "channel is gone")
        assert "Over" in text_of(over)


async def test_a_lost_permission_is_named_once_and_cards_go_on_when_it_is_back(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        box = office.box
        before, called = await box.messages("zoe"), calls(office, "zoe")
        await box.fault("discord", "forbid", args={"channel": "zoe", "permission": "SEND_MESSAGES"})
        await box.advance(AWAY_S, timeout_s=5)
        notice = await one_notice(office, "closed to Fanwatch")
        assert "zoe" in text_of(notice)
        assert "Fanwatch lacks: Send Messages." in text_of(notice)
        details = only(await office.press("Max", HOME, notice, button(notice, "Details")))
        assert "Send Messages" in text_of(details)
        assert len([m for m in await box.messages("zoe") if not deleted(m)]) == len(
            [m for m in before if not deleted(m)]
        )

        await box.clear_faults()
        await caught_up(office)
        await office.shows(HOME, notice["id"], "Over")
        messages = await box.messages("zoe")
        shown_once(messages)
        known = {m["id"] for m in before}
        assert [c for c in live_cards(messages) if c.message["id"] not in known]
        # Whoever was to be called was, once for each card.
        owed = calls(office, "zoe") - called
        assert owed, "nothing was found that anybody is to be called for"
        called_once([m for m in messages if m["id"] not in known], owed)
        assert office.rows("SELECT id FROM cards WHERE ping_wanted") == []


async def test_messages_too_old_to_be_edited_are_posted_again_in_silence(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        box = office.box
        found = live_cards(await box.messages("luna"), "a")[:3]
        fans = [names_in(text_of(card.message), FANS).pop() for card in found]
        assert len(fans) == 3
        limit = {"edits": 1, "window_s": 6, "age_s": 0}
        await box.fault("discord", "old_edit_limit", args=limit, count=0)
        since = await box.newest_request()
        for fan in fans:
            told(await note(office, "Ana", "luna", fan, "Writes at night"))

        async def noted() -> dict[str, Json] | None:
            cards = live_cards(await box.messages("luna"), "a")
            shown = {c.card: c.message for c in cards if "Writes at night" in text_of(c.message)}
            return shown if len(shown) == 3 else None

        shown = await eventually("every card with its note", noted, box)
        anew = [card for card in found if shown[card.card]["id"] != card.message["id"]]
        # The first edit is still taken; the others are posted again, and one refusal was enough to know.
        assert len(anew) == 2
        assert all(shown[card.card]["sandbox"]["silent"] for card in anew)
        assert pinged([shown[card.card] for card in anew]) == []
        lines = await box.requests(since)
        assert (
            len([line for line in lines if line["method"] == "POST" and "nonce" in (line["json"] or {})]) == 2
        )
        # The old ones become links as soon as they may be edited again.
        for card in anew:
            await office.shows("luna", card.message["id"], "Moved to a newer card")
        await caught_up(office)
        shown_once(await box.messages("luna"))
        refused = [line for line in await box.requests(since) if line["status"] == 429]
        assert 1 <= len(refused) <= 10, "knocking without an end"


async def test_a_message_deleted_while_the_bot_is_down_comes_back_silently(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        box = office.box
        before = await box.messages("luna")
        cards = live_cards(before, "agb")
        assert {card.kind for card in cards} == {"a", "g", "b"}
        await box.bot("kill")
        for card in cards:
            await box.fault("discord", "delete", args={"message": card.message["id"]})
        await box.bot("start")
        assert (await box.advance(HOUR_S)).settled, box.tail()
        # The bot learns of it where it has something to show: each card comes back with the news of a fan on it.
        for card in cards:
            fans = sorted(names_in(text_of(card.message), FANS))
            if card.kind != "b":
                told(await note(office, "Ana", "luna", fans[0], "Writes at night"))
                claim = buttons(card.message, "Claim")[0]
                await office.press("Ana", "luna", before[0], claim, forge=True)

        async def returned() -> bool | None:
            there = {(card.kind, card.card) for card in live_cards(await box.messages("luna"), "agb")}
            return True if there >= {(card.kind, card.card) for card in cards} else None

        await eventually("every card is there again", returned, box)
        await caught_up(office)
        messages = await box.messages("luna")
        shown_once(messages)
        known = {message["id"] for message in before}
        anew = [message for message in public(messages) if message["id"] not in known]
        assert len(anew) >= len(cards)
        assert pinged(anew) == []
        assert all(message["sandbox"]["silent"] for message in anew)
