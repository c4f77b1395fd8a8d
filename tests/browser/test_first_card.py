"""A newcomer's first minutes: the page stands at 08:00, and an hour later the first action card is out."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.acting import who_sees
from tests.browser.conftest import SIZES, Open
from tests.e2e.harness import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FAN, CHANNEL = "quentin_hale", "vivian-vip"


@pytest.mark.parametrize("size", SIZES)
async def test_the_first_action_card_comes_with_time(fresh_box: Sandbox, at_desk: Open, size: str) -> None:
    chatter = who_sees(await fresh_box.state(), CHANNEL)
    async with at_desk(fresh_box, size) as desk:
        await desk.work_as(chatter["name"], CHANNEL)
        assert await desk.page.locator("#messages", has_text=FAN).count() == 0
        await expect(desk.page.locator("#now")).to_contain_text("08:00")
        await desk.advance("+1 h")
        await expect(desk.page.locator("#now")).to_contain_text("09:00")
        card = desk.message(FAN)
        await expect(card).to_contain_text("Action")
        await expect(card.get_by_role("button", name="Claim")).to_be_enabled()
        # Told to whoever does not see it, in words.
        await expect(desk.page.locator("#announcer")).to_contain_text(FAN)
