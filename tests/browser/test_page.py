"""The page at a desk and on a phone: reading, claiming, typing commands, looking through other eyes."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from tests.browser.acting import Desk, channel_named, people, sees, who_sees
from tests.e2e import ledger
from tests.e2e.harness import Json, Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FAN, CHANNEL = "quentin_hale", "vivian-vip"


async def _card(box: Sandbox) -> Json:
    """The public action card of the fan."""
    found = [one for one in await box.messages(CHANNEL) if FAN in one["content"]]
    return next(one for one in found if not one["sandbox"]["ephemeral_for"])


async def _chatter(box: Sandbox) -> str:
    return str(who_sees(await box.state(), CHANNEL)["name"])


def _claims(box: Sandbox) -> int:
    """How many claims the bot has written down."""
    ((count,),) = ledger.rows(
        ledger.database(box.data), "SELECT COUNT(*) FROM episode_events WHERE change = 'claimed'"
    )
    return int(count)


async def _release(desk: Desk, card: Locator) -> None:
    """Give the claim back, behind [More], once every press before is answered: older menus stand there, too."""
    menus = desk.page.locator("#messages .private", has_text="Log a contact")
    busy = desk.page.locator("#messages [aria-busy=true]")
    await expect(busy).to_have_count(0)
    before = await menus.count()
    await desk.press(card, "More")
    await expect(menus).to_have_count(before + 1)
    await expect(busy).to_have_count(0)
    await desk.press(menus.last, "Release")
    await expect(menus.last.get_by_role("button", name="Release")).to_have_count(0)
    await expect(card).to_contain_text("not claimed")


async def test_a_card_is_claimed_by_a_click(desk: Desk, box: Sandbox) -> None:
    name = await _chatter(box)
    await desk.work_as(name, CHANNEL)
    card = desk.message(FAN)
    await desk.press(card, "Claim")
    await expect(card).to_contain_text(f"Claimed by @{name}")
    await _release(desk, card)


async def test_a_double_click_claims_once(desk: Desk, box: Sandbox) -> None:
    name = await _chatter(box)
    await desk.work_as(name, CHANNEL)
    before = _claims(box)
    card = desk.message(FAN)
    await card.get_by_role("button", name="Claim").dblclick()
    await expect(card).to_contain_text(f"Claimed by @{name}")
    await expect(card.get_by_role("button", name="Done")).to_be_enabled()
    after = _claims(box)
    await _release(desk, card)
    assert after == before + 1


async def test_a_card_is_claimed_by_keyboard_and_keeps_the_focus(desk: Desk, box: Sandbox) -> None:
    name = await _chatter(box)
    await desk.work_as(name, CHANNEL)
    card = desk.message(FAN)
    await card.get_by_role("button", name="Claim").focus()
    await desk.page.keyboard.press("Enter")
    await expect(card).to_contain_text(f"Claimed by @{name}")
    done = card.get_by_role("button", name="Done")
    await expect(done).to_be_focused()
    await expect(done).to_be_enabled()
    await _release(desk, card)


async def test_another_persons_claim_shows_without_moving_the_reader(desk: Desk, box: Sandbox) -> None:
    state = await box.state()
    name, lead = who_sees(state, CHANNEL)["name"], who_sees(state, CHANNEL, "lead")["name"]
    await desk.work_as(name, CHANNEL)
    await desk.typed.fill("half a thought")
    messages = desk.page.locator("#messages")
    await messages.evaluate("it => it.scrollTo(0, 40)")
    before = await messages.evaluate("it => it.scrollTop")
    claim = next(
        part["custom_id"]
        for row in (await _card(box))["components"]
        for part in row["components"]
        if part.get("label") == "Claim"
    )
    card = (await _card(box))["id"]
    (now,) = (await box.press(lead, CHANNEL, card, claim)).messages
    await expect(desk.message(FAN)).to_contain_text(f"Claimed by @{lead}")
    assert await messages.evaluate("it => it.scrollTop") == before
    await expect(desk.typed).to_have_value("half a thought")
    await expect(desk.typed).to_be_focused()
    more = next(
        part["custom_id"]
        for row in now["components"]
        for part in row["components"]
        if part["label"] == "More"
    )
    await box.press(lead, CHANNEL, card, more.replace("fw1:more:", "fw1:release:"), forge=True)
    await expect(desk.message(FAN)).to_contain_text("not claimed")


async def test_a_fan_is_looked_up_with_the_keyboard_alone(desk: Desk, box: Sandbox) -> None:
    await desk.work_as(await _chatter(box), CHANNEL)
    await desk.typed.focus()
    keyboard = desk.page.keyboard
    await keyboard.type("/look")
    option = desk.suggestions.filter(has_text="/fan lookup")
    await expect(option).to_have_attribute("aria-selected", "true")
    await keyboard.press("Tab")
    # No option must be given, so they are offered, the first one at hand.
    await expect(desk.suggestions.first).to_contain_text("fan (optional)")
    await keyboard.press("Tab")
    await expect(desk.typed).to_have_value("/fan lookup fan:")
    await expect(desk.page.locator(".chip.here")).to_contain_text("fan")
    await expect(desk.page.locator(".chip", has_text="show")).to_contain_text("optional")
    # Nothing typed: the person's top fans. Typed: the one that is meant.
    await expect(desk.suggestions.nth(3)).to_be_visible()
    await keyboard.press("ArrowDown")
    second = desk.suggestions.nth(1)
    await expect(second).to_have_attribute("aria-selected", "true")
    second_id = await second.get_attribute("id")
    await expect(desk.typed).to_have_attribute("aria-activedescendant", str(second_id))
    await keyboard.type("quentin")
    await expect(desk.suggestions).to_have_count(1)
    await expect(desk.suggestions.first).to_contain_text(FAN)
    await keyboard.press("Enter")
    await expect(desk.page.locator(".chip", has_text="fan")).to_contain_text("filled")
    await keyboard.press("Enter")
    answer = desk.private("Churn risk")
    await expect(answer).to_contain_text("Only you can see this")
    await expect(answer).to_contain_text(FAN)
    await expect(desk.typed).to_have_value("")
    await expect(answer).to_be_in_viewport()


async def test_a_private_answer_is_the_askers_alone_and_can_be_dismissed(desk: Desk, box: Sandbox) -> None:
    state = await box.state()
    asker, other = who_sees(state, CHANNEL)["name"], who_sees(state, CHANNEL, "lead")["name"]
    await desk.work_as(asker, CHANNEL)
    answers = desk.page.locator("#messages .private", has_text=FAN)
    before = await answers.count()
    await desk.command("fan lookup", pick={"fan": FAN})
    await expect(answers).to_have_count(before + 1)
    await desk.work_as(other, CHANNEL)
    await expect(desk.message(FAN)).to_be_visible()
    await expect(answers.filter(has_text=f"{asker} used")).to_have_count(0)
    await desk.work_as(asker, CHANNEL)
    await expect(answers).to_have_count(before + 1)
    await answers.last.get_by_role("button", name="Dismiss").click()
    await expect(answers).to_have_count(before)


async def test_nothing_moves_under_a_pointer_that_is_down(desk: Desk, box: Sandbox) -> None:
    state = await box.state()
    await desk.work_as(await _chatter(box), CHANNEL)
    await desk.command("fan lookup", pick={"fan": FAN})
    answers = desk.page.locator("#messages .private", has_text=FAN)
    await expect(desk.private("Churn risk")).to_be_visible()
    before = await answers.count()
    await answers.last.get_by_role("button", name="Dismiss").hover()
    await desk.page.mouse.down()
    text = f"meanwhile {desk.is_phone}"
    await box.say(who_sees(state, CHANNEL, "lead")["name"], CHANNEL, text)
    for _ in range(2):
        await desk.looks()
    await expect(desk.message(text)).to_have_count(0)
    await desk.page.mouse.up()
    await expect(desk.message(text)).to_be_visible()
    await expect(answers).to_have_count(before - 1)


async def test_what_is_missing_is_named_before_anything_is_sent(desk: Desk, box: Sandbox) -> None:
    await desk.work_as(await _chatter(box), CHANNEL)
    sent: list[str] = []
    desk.page.on("request", lambda request: sent.append(request.url))
    await desk.command("winback spread")
    await expect(desk.toast("top is missing")).to_be_visible()
    await desk.command("fan lookup", {"fan": FAN, "show": "perhaps"})
    await expect(desk.toast("show is true or false")).to_be_visible()
    assert not [url for url in sent if url.endswith("/slash")]
    # A notice waits to be read, and Escape takes it away, the newest first.
    await desk.typed.fill("")
    await desk.page.keyboard.press("Escape")
    await expect(desk.toast("show is true or false")).to_have_count(0)
    await expect(desk.toast("top is missing")).to_be_visible()
    await desk.page.keyboard.press("Escape")
    await expect(desk.toast()).to_have_count(0)


async def test_each_person_sees_only_his_channels(desk: Desk, box: Sandbox) -> None:
    state = await box.state()
    owner = next(one for one in people(state, "owner") if one["id"] == state["guild"]["owner_id"])
    chatter = who_sees(state, CHANNEL)
    for member in (owner, chatter):
        await desk.become(member["name"])
        seen = [one["name"] for one in state["channels"] if sees(state, member, one)]
        assert await desk.channels() == seen
    assert len(seen) < len(state["channels"])
    (guest, *_) = people(state, None)
    await desk.become(guest["name"])
    await expect(desk.page.locator("#messages")).to_contain_text(f"{guest['name']} sees no channel")
    await expect(desk.typed).to_be_disabled()


async def test_unread_messages_and_pings_are_counted_for_each_person(desk: Desk, box: Sandbox) -> None:
    state = await box.state()
    (pinged,) = (await _card(box))["sandbox"]["pinged"]
    kind, who = pinged.split(":")
    assert kind == "user"
    reader = next(one for one in state["members"] if one["id"] == who)
    lead = who_sees(state, CHANNEL, "lead")
    elsewhere = next(
        one["name"]
        for one in state["channels"]
        if one["name"] != CHANNEL and sees(state, reader, one) and sees(state, lead, one)
    )
    await desk.become(lead["name"])
    await desk.go(elsewhere)
    await desk.open_channels()
    await expect(desk.entry(CHANNEL)).to_contain_text("new")
    await expect(desk.entry(CHANNEL)).not_to_contain_text("ping")
    await desk.work_as(reader["name"], elsewhere)
    await desk.open_channels()
    await expect(desk.entry(CHANNEL)).to_contain_text("ping")
    await desk.go(CHANNEL)
    await desk.page.locator("#messages").evaluate("it => it.scrollTo(0, it.scrollHeight)")
    await desk.go(elsewhere)
    await desk.open_channels()
    await expect(desk.entry(CHANNEL)).not_to_contain_text("new")
    # Somebody writes there: one message, and one that calls.
    await box.say(lead["name"], CHANNEL, "Anybody there?")
    await expect(desk.entry(CHANNEL)).to_contain_text("1 new")
    await expect(desk.entry(CHANNEL)).not_to_contain_text("ping")
    await box.say(lead["name"], CHANNEL, f"<@{reader['id']}> please look")
    await expect(desk.entry(CHANNEL)).to_contain_text("1 ping")
    await expect(desk.entry(CHANNEL)).to_contain_text("2 new")


async def test_a_message_is_written_and_answered(desk: Desk, box: Sandbox) -> None:
    state = await box.state()
    name = await _chatter(box)
    await desk.work_as(name, CHANNEL)
    hostile = f"<img src=x onerror=alert(1)> [x](javascript:alert(1)) {desk.is_phone}"
    await desk.say(hostile)
    mine = desk.message(hostile)
    await expect(mine).to_contain_text(name)
    assert await mine.locator("img, a").count() == 0
    await mine.hover()
    await mine.get_by_role("button", name="Reply").click()
    await expect(desk.page.locator("#replying")).to_contain_text(f"Answering {name}")
    await desk.say(f"Right you are {desk.is_phone}")
    await expect(desk.message(f"Right you are {desk.is_phone}").locator(".answered")).to_contain_text(name)
    last = (await box.messages(channel_named(state, CHANNEL)["id"]))[-1]
    assert last["message_reference"]["message_id"]


async def test_a_long_channel_shows_the_newest_and_the_earlier_on_request(desk: Desk, box: Sandbox) -> None:
    state = await box.state()
    lead = who_sees(state, CHANNEL, "lead")["name"]
    notices = next(
        one["name"]
        for one in state["channels"]
        if not any(sees(state, member, one) for member in people(state, "chatter"))
    )
    known = [one["content"] for one in await box.messages(notices)]
    for number in range(len([one for one in known if one.startswith("line")]), 130):
        await box.say(lead, notices, f"line {number:03}")
    await desk.work_as(lead, notices)
    messages = desk.page.locator("#messages")
    await expect(messages).to_contain_text("line 129")
    assert "line 000" not in await messages.inner_text()
    await messages.evaluate("it => it.scrollTo(0, 0)")
    await desk.page.get_by_role("button", name="Show earlier messages").click()
    await expect(messages).to_contain_text("line 000")
    text = f"and one more {desk.is_phone}"
    await box.say(lead, notices, text)
    await desk.become(who_sees(state, CHANNEL, "manager")["name"])
    await desk.go(notices)
    await expect(desk.message(text)).to_have_count(1)
    await messages.evaluate("it => it.scrollTo(0, 0)")
    await box.say(lead, notices, text + "!")
    jump = desk.page.get_by_role("button", name="Jump to newest")
    await expect(jump).to_contain_text("1 new")
    await jump.click()
    await expect(desk.message(text + "!")).to_be_in_viewport()
    await expect(jump).to_be_hidden()


async def test_open_chat_writes_to_the_fan_and_not_to_the_web(desk: Desk, box: Sandbox) -> None:
    await desk.work_as(await _chatter(box), CHANNEL)
    await desk.press(desk.message(FAN), "Open chat")
    dialog = desk.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("on the platform")
    await expect(dialog).to_contain_text(FAN)
    await dialog.get_by_label("Your message").fill("Hey")
    await desk.page.keyboard.press("Escape")
    await expect(dialog).to_contain_text("not sent")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_be_hidden()
