"""Do not contact: what the card, the board, the queue and a lookup say, what is refused, and how it ends."""

from __future__ import annotations

import pytest

from bot.domain.models import AccessTier
from tests.e2e.harness import Reply
from tests.e2e.office import DAY_S, Office, button, eventually, only, restart, sentence
from tests.e2e.reading import live_cards, text_of
from tests.e2e.refusing import NEEDS, told

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
FAN, OTHER = "fan_2488", "fan_3655"
MARK = "⛔ Do not contact"


async def hold(office: Office, person: str, fan: str | None = FAN, **options: object) -> Reply:
    given = dict(options) if fan is None else {"fan": fan, **options}
    return office._in_time(await office.box.slash(person, "luna", "fan hold", given, forge=True))


async def test_a_hold_is_seen_everywhere_refuses_claims_and_ends(office: Office) -> None:
    card = await office.card_with("luna", FAN, "a")
    reply = await hold(office, "Lea", reason="asked for a **break** @everyone")
    assert f"Nobody is to contact **{FAN}** until somebody ends it" in told(reply)
    end = button(reply.messages[0], "End hold")
    shown = await office.shows("luna", card.message["id"], MARK)
    first, second = shown["content"].split("\n")[:2]
    assert first.startswith(f"{MARK} until further notice: ")
    assert first.endswith(f"(by <@{office.people['Lea']}>)")
    assert "@everyone" not in first
    assert FAN in second
    assert shown["sandbox"]["pinged"] == card.message["sandbox"]["pinged"]

    claim = button(shown, "Claim")
    assert "not to be contacted" in sentence(await office.press("Ana", "luna", shown, claim))
    assert office.rows(
        "SELECT claimed_by FROM episodes WHERE fan_account_id = ?", office.fan_account_id("2488")
    ) == [(None,)]
    queue = text_of(only(await office.box.slash("Ana", "luna", "queue", {})))
    assert queue.count(MARK) == 1
    assert MARK in text_of((await office.lookup("Ana", "luna", FAN)).messages[0])

    async def on_board() -> bool | None:
        (board,) = live_cards(await office.box.messages("luna"), "b")
        return True if MARK in text_of(board.message) else None

    await eventually("the board says so", on_board, office.box)

    await restart(office)
    message = reply.messages[0]
    assert sentence(await office.press("Ana", "luna", message, end, forge=True)) == NEEDS[AccessTier.LEAD]
    assert f"The hold on **{FAN}** is over" in sentence(
        await office.press("Lea", "luna", message, end, forge=True)
    )
    assert "ended already" in sentence(await office.press("Lea", "luna", message, end, forge=True))

    async def free() -> bool | None:
        return True if MARK not in text_of(await office.message("luna", card.message["id"])) else None

    await eventually("the card is as before", free, office.box)
    now = await office.message("luna", card.message["id"])
    (claimed,) = (await office.press("Ana", "luna", now, button(now, "Claim"))).messages
    assert "Claimed by" in text_of(claimed)


async def test_a_second_hold_changes_the_first_and_its_time_ends_it(office: Office) -> None:
    card = await office.card_with("luna", OTHER, "a")
    told(await hold(office, "Lea", OTHER, reason="first"))
    await office.shows("luna", card.message["id"], "further notice: first")
    told(await hold(office, "Lea", OTHER, until="in 2 days", reason="second"))
    await office.shows("luna", card.message["id"], f"{MARK} until <t:", "second")
    assert (await office.box.advance(3 * DAY_S)).settled
    assert MARK not in text_of(await office.message("luna", card.message["id"]))
    open_ones = office.rows("SELECT COUNT(*) FROM fan_holds WHERE ended_at IS NULL")
    assert open_ones == [(0,)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "option `reason`"),
        ({"reason": "x", "until": "banana"}, "cannot be read"),
        ({"reason": "x", "until": "1 hour ago"}, "nothing was changed"),
    ],
)
async def test_what_is_wrong_is_said_and_changes_nothing(
    office: Office, options: dict[str, str], says: str
) -> None:
    before = office.rows("SELECT COUNT(*) FROM fan_holds")
    assert says in sentence(await hold(office, "Lea", FAN, **options))
    assert office.rows("SELECT COUNT(*) FROM fan_holds") == before
