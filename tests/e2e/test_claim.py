"""Claim and Release as people press them: on alert cards, on rows of lists, after restarts, and where nobody may."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.harness import Json, Reply, sandbox
from tests.e2e.office import (
    DAY_S,
    HISTORY,
    Office,
    button,
    buttons,
    eventually,
    row_button,
    sentence,
)
from tests.e2e.reading import (
    CUSTOM_ID,
    Card,
    components,
    deleted,
    fingerprint,
    is_private,
    live_cards,
    text_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Nine days at once: each creator has single action cards, a list of expiries and one of fans at risk.
ADVANCE_S = 9 * DAY_S
EXPIRED, AT_RISK = "subscriptions ended", "newly at risk"


async def _list_card(office: Office, channel: str, what: str) -> Card:
    cards = [c for c in live_cards(await office.box.messages(channel), "g") if what in text_of(c.message)]
    (card,) = cards
    return card


def _fans(message: Json) -> list[str]:
    """The fans of a list's rows, top to bottom."""
    return [
        next(iter(names))
        for item in components(message)
        if item.get("accessory")
        and (names := {w for w in text_of({"components": [item]}).split("**") if w.startswith("fan_")})
    ]


def _claims(office: Office, action: str = "claim") -> list[str]:
    return [who for who, _, _ in office.audit(action)]


async def _look(office: Office, channel: str) -> list[str]:
    return [fingerprint(m) for m in await office.box.messages(channel) if not is_private(m)]


# Single alert cards


async def test_the_first_press_wins_and_everybody_sees_who(office: Office) -> None:
    card = await office.card_with("luna", "fan_2488", "a")
    claim = button(card.message, "Claim")
    before = len(_claims(office))
    reply = await office.press("Ana", "luna", card.message, claim)
    assert reply.acked == "update"
    (now,) = reply.messages
    assert now["id"] == card.message["id"]
    assert f"Claimed by <@{office.people['Ana']}>" in text_of(now)
    assert buttons(now, "Claim") == []
    assert now["sandbox"]["pinged"] == card.message["sandbox"]["pinged"]
    release = button(now, "Release")
    profile = await office.lookup("Lea", "luna", "fan_2488")
    assert f"claimed by <@{office.people['Ana']}>" in text_of(profile.messages[0])

    # The same person once more, from a client that still shows [Claim]; then somebody else.
    again = await office.press("Ana", "luna", card.message, claim, forge=True)
    assert again.acked == "update" or sentence(again)
    told = sentence(await office.press("Lea", "luna", card.message, claim, forge=True))
    assert f"<@{office.people['Ana']}>" in told
    assert fingerprint(await office.message("luna", card.message["id"])) == fingerprint(now)
    assert _claims(office)[before:] == ["Ana"]

    reply = await office.press("Ana", "luna", now, release)
    assert reply.acked == "update"
    (free,) = reply.messages
    assert fingerprint(free) == fingerprint(card.message)
    again = await office.press("Ana", "luna", now, release, forge=True)
    assert again.acked == "update" or sentence(again)
    assert fingerprint(await office.message("luna", card.message["id"])) == fingerprint(card.message)
    assert len(await office.messages_of(card, "luna")) == 1


async def test_ten_presses_at_once_have_one_winner(office: Office) -> None:
    card = await office.card_with("zoe", "fan_2564", "a")
    claim = button(card.message, "Claim")
    before = len(_claims(office))
    people = ("Ben", "Lea", "Max", "Olga") * 3
    replies = await asyncio.gather(
        *(office.press(person, "zoe", card.message, claim, forge=True) for person in people)
    )
    (winner,) = _claims(office)[before:]
    for person, reply in zip(people, replies, strict=True):
        if person == winner:
            assert reply.acked == "update" or sentence(reply)
        else:
            assert f"<@{office.people[winner]}>" in sentence(reply)
    text = text_of(await office.shows("zoe", card.message["id"], "Claimed by"))
    assert f"Claimed by <@{office.people[winner]}>" in text


async def test_another_chatter_is_told_and_a_lead_may_release(office: Office) -> None:
    card = await office.card_with("luna", "fan_3655", "a")
    claim = button(card.message, "Claim")
    (claimed,) = (await office.press("Ana", "luna", card.message, claim)).messages
    release = button(claimed, "Release")
    before = _claims(office, "release")
    async with office.with_roles("Nia", "Chatter", "Team luna"):
        assert f"<@{office.people['Ana']}>" in sentence(
            await office.press("Nia", "luna", card.message, claim, forge=True)
        )
        refused = sentence(await office.press("Nia", "luna", card.message, release))
        assert f"<@{office.people['Ana']}>" in refused
        assert "lead" in refused
    assert _claims(office, "release") == before
    assert f"Claimed by <@{office.people['Ana']}>" in text_of(
        await office.message("luna", card.message["id"])
    )
    reply = await office.press("Lea", "luna", card.message, release)
    assert fingerprint(reply.messages[0]) == fingerprint(card.message)
    assert _claims(office, "release") == [*before, "Lea"]
    # Free again: the next one gets it.
    async with office.with_roles("Nia", "Chatter", "Team luna"):
        (taken,) = (await office.press("Nia", "luna", card.message, claim)).messages
    assert f"Claimed by <@{office.people['Nia']}>" in text_of(taken)


async def test_a_foreign_card_is_answered_like_one_that_does_not_exist(office: Office) -> None:
    single = await office.card_with("luna", "fan_2590", "a")
    group = await _list_card(office, "luna", AT_RISK)
    (baseline,) = live_cards(await office.box.messages("luna"), "s")
    own = await office.card_with("zoe", "fan_3660", "a")
    match = CUSTOM_ID.fullmatch(button(single.message, "Claim"))
    assert match is not None
    missing = f"fw1:claim:a{'1' * 12}:{match['arg']}"
    nothing = sentence(await office.press("Ben", "luna", single.message, missing, forge=True))
    look, owed = await _look(office, "luna"), (_claims(office), _claims(office, "release"))
    for custom_id in (
        button(single.message, "Claim"),
        button(single.message, "Claim").replace("claim", "release"),
        buttons(group.message, "Claim")[0],
        f"fw1:page:g{group.card}:1",
        button(baseline.message, "Top 10 by money"),
        f"fw1:claim:s{baseline.card}:{match['arg']}",
        f"fw1:details:a{single.card}",
        # A card of one's own around somebody else's fan, and the other way round.
        f"fw1:claim:a{own.card}:{match['arg']}",
        f"fw1:release:a{own.card}:{match['arg']}",
    ):
        for channel, message in (("luna", single.message), ("zoe", own.message)):
            reply = await office.press("Ben", channel, message, custom_id, forge=True)
            assert sentence(reply) == nothing, custom_id
    assert await _look(office, "luna") == look
    assert (_claims(office), _claims(office, "release")) == owed
    unseen = await office.box.press("Ben", "luna", single.message["id"], button(single.message, "Claim"))
    assert unseen.error == "not_visible"


async def test_without_a_role_nothing_can_be_pressed(office: Office) -> None:
    single = await office.card_with("luna", "fan_2590", "a")
    (baseline,) = live_cards(await office.box.messages("luna"), "s")
    owed = _claims(office)
    for custom_id in (
        button(single.message, "Claim"),
        button(baseline.message, "Top 10 by money"),
        "fw1:claim:azzz:1",
    ):
        reply = await office.press("Nia", "luna", single.message, custom_id, forge=True)
        assert "chatter role" in sentence(reply)
    assert _claims(office) == owed


@pytest.mark.parametrize(
    "custom_id",
    [
        "fw1:snoozle:a2wkq67a14934:1",
        "fw1:claim:a2wkq67a14934",
        "fw1:claim:a2wkq67a14934:%",
        "fw1:claim:azzzzzzzzzzzzz:zzzzzzzzzzzzz",
        "fw1:claim:",
        "fw1:top:s1:999999",
        "fw0:claim:a1:1",
        "fw2:claim:a1:1",
        "fw1:lookup:p0",
    ],
)
async def test_a_stale_button_gets_one_sentence(office: Office, custom_id: str) -> None:
    card = await office.card_with("luna", "fan_2590", "a")
    before = await _look(office, "luna")
    sentence(await office.press("Ana", "luna", card.message, custom_id, forge=True))
    assert await _look(office, "luna") == before


# Lists


async def test_a_row_of_a_list_is_claimed_for_itself(office: Office) -> None:
    card = await _list_card(office, "mira", EXPIRED)
    first, second = _fans(card.message)[:2]
    claim = row_button(card.message, first)["custom_id"]
    reply = await office.press("Ana", "mira", card.message, claim)
    assert reply.acked == "update"
    (now,) = reply.messages
    assert now["id"] == card.message["id"]
    assert row_button(now, first)["label"] == "Release"
    assert row_button(now, second)["label"] == "Claim"
    assert text_of(now).count(f"Claimed by <@{office.people['Ana']}>") == 1
    assert _fans(now) == _fans(card.message)
    told = sentence(await office.press("Max", "mira", card.message, claim, forge=True))
    assert f"<@{office.people['Ana']}>" in told
    assert fingerprint(await office.message("mira", card.message["id"])) == fingerprint(now)
    reply = await office.press("Max", "mira", now, row_button(now, first)["custom_id"])
    assert fingerprint(reply.messages[0]) == fingerprint(card.message)


async def _second_page(office: Office, person: str, channel: str, card: Card) -> Json:
    (first,) = (await office.press(person, channel, card.message, button(card.message, "Next"))).messages
    assert is_private(first)
    return first


async def test_a_claim_on_a_private_page_shows_on_the_public_card(office: Office) -> None:
    card = await _list_card(office, "luna", AT_RISK)
    page = await _second_page(office, "Ana", "luna", card)
    assert "Page 2 of 2" in text_of(page)
    hidden = _fans(page)[0]
    assert hidden not in _fans(card.message)
    reply = await office.press("Ana", "luna", page, row_button(page, hidden)["custom_id"])
    assert reply.acked == "update"
    (now,) = reply.messages
    assert now["id"] == page["id"]
    assert is_private(now)
    assert row_button(now, hidden)["label"] == "Release"
    # Back on the first page, claim one that the public card shows too.
    (front,) = (await office.press("Ana", "luna", now, button(now, "Previous"))).messages
    assert front["id"] == page["id"]
    assert _fans(front) == _fans(card.message)
    seen = _fans(front)[3]
    claim = row_button(front, seen)["custom_id"]
    (front,) = (await office.press("Ana", "luna", front, claim)).messages
    assert row_button(front, seen)["label"] == "Release"
    public = await office.shows("luna", card.message["id"], f"Claimed by <@{office.people['Ana']}>")
    assert row_button(public, seen)["label"] == "Release"
    assert len(await office.messages_of(card, "luna")) == 1
    # Somebody else, on a page of her own that is older than the claim.
    other = await _second_page(office, "Lea", "luna", card)
    told = sentence(await office.press("Lea", "luna", other, claim, forge=True))
    assert f"<@{office.people['Ana']}>" in told
    (other,) = (await office.press("Lea", "luna", other, row_button(other, hidden)["custom_id"])).messages
    assert row_button(other, hidden)["label"] == "Claim"


async def test_a_claim_behind_the_baseline_is_kept_there(office: Office) -> None:
    (baseline,) = live_cards(await office.box.messages("luna"), "s")
    opener = button(baseline.message, "Top 10 by money")
    (page,) = (await office.press("Ana", "luna", baseline.message, opener)).messages
    assert is_private(page)
    fan = _fans(page)[0]
    claim = row_button(page, fan)["custom_id"]
    (now,) = (await office.press("Ana", "luna", page, claim)).messages
    assert now["id"] == page["id"]
    assert is_private(now)
    assert row_button(now, fan)["label"] == "Release"
    assert f"Claimed by <@{office.people['Ana']}>" in text_of(now)
    (other,) = (await office.press("Lea", "luna", baseline.message, opener)).messages
    assert row_button(other, fan)["label"] == "Release"
    told = sentence(await office.press("Max", "luna", other["id"], claim, forge=True))
    assert f"<@{office.people['Ana']}>" in told
    assert "chatter role" in sentence(await office.press("Nia", "luna", page, claim, forge=True))
    nothing = sentence(await office.press("Ben", "luna", page, "fw1:claim:s1:1", forge=True))
    assert sentence(await office.press("Ben", "luna", page, claim, forge=True)) == nothing
    release = row_button(other, fan)["custom_id"]
    (other,) = (await office.press("Lea", "luna", other, release)).messages
    assert row_button(other, fan)["label"] == "Claim"
    assert fingerprint(await office.message("luna", baseline.message["id"])) == fingerprint(baseline.message)


async def test_an_answer_that_arrives_late_does_not_hide_a_later_claim(office: Office) -> None:
    card = await _list_card(office, "zoe", AT_RISK)
    early, late = _fans(card.message)[:2]
    before = len(_claims(office))
    await office.box.fault("discord", "latency", args={"ms": 600}, match={"path": "callback"})
    first = asyncio.create_task(
        office.press("Ben", "zoe", card.message, row_button(card.message, early)["custom_id"])
    )

    async def written() -> bool | None:
        return True if len(_claims(office)) > before else None

    await eventually("the first claim is written", written, office.box)
    reply = await office.press("Max", "zoe", card.message, row_button(card.message, late)["custom_id"])
    assert reply.acked == "update"
    await first

    async def both() -> Json | None:
        message = await office.message("zoe", card.message["id"])
        labels = [row_button(message, fan)["label"] for fan in (early, late)]
        return message if labels == ["Release", "Release"] else None

    await eventually("both claims are shown", both, office.box)


async def test_presses_on_many_rows_at_once_all_show(office: Office) -> None:
    card = await _list_card(office, "mira", AT_RISK)
    fans = _fans(card.message)
    assert len(fans) > 5
    await asyncio.gather(
        *(
            office.press(person, "mira", card.message, row_button(card.message, fan)["custom_id"])
            for person, fan in zip(("Ana", "Lea", "Max", "Olga") * 3, fans, strict=False)
        )
    )

    async def all_claimed() -> Json | None:
        message = await office.message("mira", card.message["id"])
        return message if buttons(message, "Claim") == [] else None

    message = await eventually("every row is claimed", all_claimed, office.box)
    assert text_of(message).count("Claimed by") == len(fans)


# What happens to messages and processes


async def _restart(office: Office) -> None:
    await office.box.bot("kill")
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    await office.box.settled()


async def test_buttons_work_after_a_sigkill(office: Office) -> None:
    card = await office.card_with("zoe", "fan_2599", "a")
    group = await _list_card(office, "zoe", EXPIRED)
    await _restart(office)
    (claimed,) = (await office.press("Ben", "zoe", card.message, button(card.message, "Claim"))).messages
    fan = _fans(group.message)[0]
    row = row_button(group.message, fan)["custom_id"]
    (rows,) = (await office.press("Ben", "zoe", group.message, row)).messages
    assert row_button(rows, fan)["label"] == "Release"
    await _restart(office)
    assert fingerprint(await office.message("zoe", card.message["id"])) == fingerprint(claimed)
    assert fingerprint(await office.message("zoe", group.message["id"])) == fingerprint(rows)
    (free,) = (await office.press("Ben", "zoe", claimed, button(claimed, "Release"))).messages
    assert fingerprint(free) == fingerprint(card.message)


async def _reposted(office: Office, channel: str, card: Card) -> Json:
    async def look() -> Json | None:
        found = [m for m in await office.messages_of(card, channel) if m["id"] != card.message["id"]]
        return found[0] if found else None

    return await eventually(f"{card.kind}{card.card} is posted again", look, office.box)


async def test_a_deleted_card_is_posted_again_once(office: Office) -> None:
    card = await office.card_with("mira", "fan_2516", "a")
    (claimed,) = (await office.press("Ana", "mira", card.message, button(card.message, "Claim"))).messages
    await office.box.fault("discord", "delete", args={"message": card.message["id"]})
    anew = await _reposted(office, "mira", card)
    assert f"Claimed by <@{office.people['Ana']}>" in text_of(anew)
    assert anew["sandbox"]["silent"]
    assert anew["sandbox"]["pinged"] == []
    # A press that was on its way to the old one does its work and says so.
    release = button(claimed, "Release")
    told = await office.press("Ana", "mira", card.message["id"], release, forge=True)
    sentence(told)
    await office.shows("mira", anew["id"], "not claimed")
    assert _claims(office, "release")[-1] == "Ana"
    (now,) = (await office.press("Ana", "mira", anew, button(card.message, "Claim"))).messages
    assert now["id"] == anew["id"]
    assert [m["id"] for m in await office.messages_of(card, "mira")] == [anew["id"]]
    await _restart(office)
    assert [m["id"] for m in await office.messages_of(card, "mira")] == [anew["id"]]
    assert deleted(await office.message("mira", card.message["id"]))


async def test_a_deleted_list_and_baseline_are_posted_again_once(office: Office) -> None:
    group = await _list_card(office, "mira", AT_RISK)
    (baseline,) = live_cards(await office.box.messages("zoe"), "s")
    await office.box.fault("discord", "delete", args={"message": group.message["id"]})
    await office.box.fault("discord", "delete", args={"message": baseline.message["id"]})
    again = await _reposted(office, "mira", group)
    assert text_of(again) == text_of(group.message)
    again = await _reposted(office, "zoe", baseline)
    (page,) = (await office.press("Ben", "zoe", again, button(again, "Top 10 by money"))).messages
    assert is_private(page)
    assert len(await office.messages_of(group, "mira")) == 1


async def test_a_card_deleted_while_the_bot_is_down_is_posted_again(office: Office) -> None:
    card = await office.card_with("mira", "fan_2539", "a")
    await office.box.bot("kill")
    await office.box.fault("discord", "delete", args={"message": card.message["id"]})
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    told: Reply = await office.press(
        "Ana", "mira", card.message["id"], button(card.message, "Claim"), forge=True
    )
    sentence(told)
    anew = await _reposted(office, "mira", card)
    assert f"Claimed by <@{office.people['Ana']}>" in text_of(anew)
    assert len(await office.messages_of(card, "mira")) == 1


async def test_an_old_message_of_a_card_never_comes_back_to_life(tmp_path: Path) -> None:
    """A tier that rises pings, so the card gets a new message; a press may still come from the old one."""
    async with sandbox(tmp_path / "data", history=HISTORY, model="reference") as box:
        office = await Office.of(box)
        for days in (9, 23, *[1] * 8):
            assert (await box.advance(days * DAY_S)).settled, box.tail()
            moved = [m for m in await box.messages("luna") if "Moved to a newer card" in text_of(m)]
            if moved:
                break
        old = moved[-1]
        new_id = text_of(old).rpartition("/")[2].strip()
        new = await office.message("luna", new_id)
        claim = button(new, "Claim")
        told = await office.press("Ana", "luna", old, claim, forge=True)
        sentence(told)
        assert fingerprint(await office.message("luna", old["id"])) == fingerprint(old)
        now = await office.shows("luna", new_id, f"Claimed by <@{office.people['Ana']}>")
        (free,) = (await office.press("Ana", "luna", now, button(now, "Release"))).messages
        assert fingerprint(free) == fingerprint(new)
