"""What people come for, done on the page: answer an alert and leave a note, spread winbacks, open a fan in a thread."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.acting import Desk, people, who_sees
from tests.browser.conftest import SIZES, Open
from tests.e2e.harness import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FAN, CHANNEL = "quentin_hale", "vivian-vip"
NOTE = "Likes the lake pictures. Ask about his trip."


@pytest.mark.parametrize("size", SIZES)
async def test_a_chatter_claims_the_first_card_and_leaves_a_note(
    fresh_box: Sandbox, at_desk: Open, size: str
) -> None:
    assert (await fresh_box.advance(3600)).settled, fresh_box.tail()
    chatter = who_sees(await fresh_box.state(), CHANNEL)["name"]
    async with at_desk(fresh_box, size) as desk:
        await desk.work_as(chatter, CHANNEL)
        card = desk.message(FAN)
        await card.scroll_into_view_if_needed()
        await desk.picture("first-card")
        await desk.press(card, "Claim")
        await expect(card).to_contain_text(f"Claimed by @{chatter}")
        await desk.press(card, "Note")
        await desk.fill({"Note": NOTE})
        await expect(desk.private("Noted for")).to_be_visible()
        await expect(desk.message(FAN)).to_contain_text("Likes the lake pictures")
        # The board shows the claim too, and the note can be read by whoever comes next.
        await expect(desk.message("Board")).to_contain_text("Claimed by")
        await desk.command("note list", pick={"fan": FAN})
        await expect(desk.private("1 note")).to_contain_text("Ask about his trip")
        await desk.picture("notes")


async def test_a_lead_sees_who_is_worth_winning_back_and_spreads_them(desk: Desk, box: Sandbox) -> None:
    state = await box.state()
    lead = who_sees(state, CHANNEL, "lead")["name"]
    await desk.work_as(lead, CHANNEL)
    await desk.command("winback candidates", pick={"creator": CHANNEL})
    found = desk.private("candidates")
    await expect(found).to_contain_text("hold")
    await found.scroll_into_view_if_needed()
    await desk.picture("winback-candidates")
    chatter = who_sees(state, CHANNEL)["name"]
    await desk.command("winback spread", {"top": "6", "per_person": "2"}, pick={"among": chatter})
    told = desk.private("handed out")
    await expect(told).to_contain_text(chatter)
    await desk.work_as(chatter, CHANNEL)
    await desk.command("my")
    mine = desk.private("winback")
    await expect(mine.get_by_role("button", name="Done")).to_have_count(2)
    # Put things back for the next size.
    await desk.work_as(lead, CHANNEL)
    await desk.press(desk.private("handed out"), "Undo")
    await expect(desk.private("Undone").or_(desk.private("taken back")).first).to_be_visible()


async def test_a_manager_opens_a_fan_in_a_thread_and_asks_there(desk: Desk, box: Sandbox) -> None:
    manager = people(await box.state(), "manager")[0]["name"]
    await desk.work_as(manager, CHANNEL)
    await desk.command("fan thread", pick={"fan": FAN})
    await expect(desk.private("thread")).to_be_visible()
    await desk.open_channels()
    entry = desk.page.locator("#channels button").filter(has_text=re.compile("quentin"))
    await entry.click()
    await desk.ready()
    await expect(desk.message("Churn risk")).to_contain_text(FAN)
    # In the thread the fan need not be named.
    await desk.command("fan lookup")
    await expect(desk.private("Churn risk")).to_contain_text(FAN)
    await desk.picture("thread")


async def test_the_whole_queue_is_worked_from_the_board(desk: Desk, box: Sandbox) -> None:
    chatter = who_sees(await box.state(), CHANNEL)["name"]
    await desk.work_as(chatter, CHANNEL)
    board = desk.message("Board")
    await board.scroll_into_view_if_needed()
    await desk.press(board, "Whole queue")
    queue = desk.private("open")
    await expect(queue).to_contain_text(FAN)
