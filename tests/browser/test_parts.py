"""Everything a bot may show: drawn, pressed, chosen, filled in. A bot of our own shows it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from tests.browser.acting import Desk, people, who_sees
from tests.e2e.harness import Sandbox, sandbox

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

COMMAND = (sys.executable, "-m", "tests.browser.showcase_bot")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """The sample agency's guild with the showcase bot in it, its commands registered."""
    async with sandbox(tmp_path_factory.mktemp("box") / "data", command=COMMAND) as running:
        await running.until("the commands are there", lambda state: len(state["commands"]) > 5)
        yield running


async def _start(desk: Desk, box: Sandbox) -> tuple[str, str]:
    """A chatter at the first channel with the showcase: (name, channel)."""
    state = await box.state()
    channel = state["channels"][0]["name"]
    name = who_sees(state, channel)["name"]
    await desk.work_as(name, channel)
    await expect(desk.message("Controls")).to_be_visible()
    return name, channel


async def test_everything_is_drawn(desk: Desk, box: Sandbox) -> None:
    await _start(desk, box)
    controls = desk.message("Controls")
    for label in ("primary one", "secondary one", "success one", "danger one"):
        await expect(controls.get_by_role("button", name=label)).to_be_enabled()
    await expect(controls.get_by_role("button", name="Not now")).to_be_disabled()
    link = controls.get_by_role("link", name="Web page")
    await expect(link).to_have_attribute("href", "https://example.com/page")
    layout = desk.message("Layout")
    await expect(layout.get_by_role("img", name="A dot", exact=True)).to_be_visible()
    await expect(layout.get_by_role("img", name="Gallery dot")).to_be_visible()
    await expect(layout.get_by_role("separator")).to_be_visible()
    for name in ("A dot", "Gallery dot"):
        width = await layout.get_by_role("img", name=name, exact=True).evaluate("it => it.naturalWidth")
        assert width == 1, "the picture itself was loaded"
    embed = desk.message("An embed")
    await expect(embed).to_contain_text("At the foot")
    await expect(embed.get_by_role("img", name="photo.png")).to_be_visible()
    async with desk.page.expect_download() as started:
        await embed.get_by_role("link", name="notes.txt").click()
    path = await (await started.value).path()
    assert await asyncio.to_thread(path.read_bytes) == b"x"


async def test_menus_send_what_was_chosen(desk: Desk, box: Sandbox) -> None:
    name, channel = await _start(desk, box)
    controls = desk.message("Controls")
    await desk.choose(controls, "Choose a person", f"@{name}")
    await expect(desk.private("Chosen: ")).to_contain_text(name)
    await desk.choose(controls, "Choose a channel", f"#{channel}")
    await expect(desk.private("Chosen: ")).to_contain_text(channel)
    await desk.choose(desk.message("Layout"), "Choose a role", "@Chatter")
    await expect(desk.private("Chosen: ")).to_contain_text("Chatter")
    some = controls.get_by_label("Choose some")
    await some.select_option(label=["One", "Three"])
    await desk.press(controls, "Choose these")
    await expect(desk.private("Chosen: ")).to_contain_text("one, three")


async def test_a_menu_in_use_stays_when_its_message_changes(desk: Desk, box: Sandbox) -> None:
    name, channel = await _start(desk, box)
    controls = desk.message("Controls")
    some = controls.get_by_label("Choose some")
    await some.select_option(label=["Two"])
    await some.focus()
    message = await controls.get_attribute("data-message")
    before = await controls.inner_text()
    await box.press(name, channel, str(message), "primary")
    await expect(controls).not_to_have_text(before)
    await expect(controls).to_contain_text("edited")
    await expect(some).to_be_focused()
    assert await some.evaluate("it => [...it.selectedOptions].map(one => one.label)") == ["Two"]


async def test_a_press_on_its_way_is_shown_and_not_sent_twice(desk: Desk, box: Sandbox) -> None:
    await _start(desk, box)
    controls = desk.message("Controls")
    sent: list[str] = []
    desk.page.on("request", lambda one: sent.append(one.url) if one.url.endswith("/press") else None)
    await box.fault("discord", "latency", args={"ms": 700}, match={"path": "callback"})
    button = controls.get_by_role("button", name="danger one")
    await button.click()
    await expect(button).to_have_attribute("aria-busy", "true")
    await button.dispatch_event("click")
    await controls.get_by_role("button", name="success one").dispatch_event("click")
    await expect(button).to_be_enabled()
    await expect(button).not_to_have_attribute("aria-busy", "true")
    assert len(sent) == 1


async def test_a_command_is_filled_with_every_kind_of_option(desk: Desk, box: Sandbox) -> None:
    name, channel = await _start(desk, box)
    await desk.command(
        "echo",
        {"text": "hello there", "count": "3", "loud": "yes", "kind": "cold"},
        pick={"who": f"@{name}", "where": f"#{channel}", "role": "@Lead"},
    )
    await expect(desk.private("hello there")).to_contain_text(
        f"hello there | 3 | True | {name} | {channel} | Lead | cold |"
    )
    await desk.command("echo", {"text": "x", "count": "12"})
    await expect(desk.toast("count is a whole number from 1 up to 9")).to_be_visible()
    await desk.command("echo", {"text": "x", "who": "nobody of that name"})
    await expect(desk.toast("who: nothing here is called")).to_be_visible()


async def test_a_picked_name_is_never_read_as_another_option(desk: Desk, box: Sandbox) -> None:
    await _start(desk, box)
    await desk.command("echo", {"text": "safe"}, pick={"fan": "evil"})
    await expect(desk.private("safe")).to_contain_text(
        "safe | 1 | False | None | None | None |  | id of evil"
    )


async def test_only_the_newest_completion_is_shown(desk: Desk, box: Sandbox) -> None:
    await _start(desk, box)
    await box.fault("discord", "latency", args={"ms": 900}, match={"path": "callback"})
    async with desk.page.expect_request("**/autocomplete"):
        await desk.typed.fill("/echo fan:old")
    await desk.typed.fill("/echo fan:new")
    await expect(desk.suggestions.first).to_contain_text("new loud")
    await box.fault("discord", "latency", args={"ms": 1}, match={"path": "callback"})
    await expect(desk.suggestions).to_have_count(1)


async def test_a_form_is_checked_kept_and_sent(desk: Desk, box: Sandbox) -> None:
    name, _ = await _start(desk, box)
    await desk.command("form")
    form = desk.page.get_by_role("dialog", name="A form with everything")
    await expect(form.get_by_label("Text")).to_have_value("as it was")
    await desk.fill({"Title": "ab"}, submit=False)
    await form.get_by_role("button", name="Submit").click()
    await expect(form).to_contain_text("Write at least 3 characters.")
    await expect(form).to_contain_text("Choose something.")
    await expect(form.get_by_label("Title")).to_be_focused()
    await desk.page.keyboard.press("Escape")
    await expect(form).to_contain_text("not sent")
    await desk.fill({"Title": "abcdefgh", "Kind": "Limit", "Who": f"@{name}"})
    await expect(desk.private("Form: ")).to_contain_text("abcdefgh / as it was / ['limit'] /")
    await expect(desk.private("Form: ")).to_contain_text(name)


async def test_a_message_has_its_commands(desk: Desk, box: Sandbox) -> None:
    await _start(desk, box)
    await desk.apps(desk.message("An embed"), "Quote")
    await expect(desk.private("Quoted")).to_contain_text("Quoted Fanwatch")
    await desk.apps(desk.message("An embed"), "Save with a form")
    await desk.fill({"Title": "by menu", "Kind": "Like"})
    await expect(desk.private("Form: by menu")).to_be_visible()


async def test_the_bot_is_shown_thinking(desk: Desk, box: Sandbox) -> None:
    name, channel = await _start(desk, box)
    await desk.typed.fill("/slow ")
    await desk.send()
    thinking = desk.page.get_by_text("is thinking…")
    await expect(thinking).to_be_visible()
    await box.say(name, channel, f"<@{(await box.state())['bot']['id']}> go")
    await expect(desk.private("Done at last")).to_be_visible()
    await expect(thinking).to_have_count(0)


async def test_no_answer_is_said_and_can_be_dismissed(desk: Desk, box: Sandbox) -> None:
    await _start(desk, box)
    await desk.command("silent")
    told = desk.toast("did not answer")
    await expect(told).to_be_visible()
    await told.get_by_role("button", name="Dismiss").focus()
    await desk.page.keyboard.press("Enter")
    await expect(told).to_have_count(0)


async def test_writing_to_a_fan_is_passed_on(desk: Desk, box: Sandbox) -> None:
    name, channel = await _start(desk, box)
    state = await box.state()
    ids = {one["name"]: one["id"] for one in [*state["members"], *state["channels"]]}
    sent: list[object] = []

    async def contact(route: Route) -> None:
        sent.append(route.request.post_data_json)
        await route.fulfill(json={"contacted": True})

    await desk.page.route("**/sandbox/api/contact", contact)
    await desk.press(desk.message("Controls"), "Open chat")
    await desk.page.get_by_role("button", name="Send to the fan").click()
    await expect(desk.toast("on its way to fan 4711")).to_be_visible()
    await expect(desk.page.get_by_role("dialog")).to_be_hidden()
    assert sent == [{"user": ids[name], "channel": ids[channel], "fan": "4711"}]

    await desk.page.unroute("**/sandbox/api/contact")
    await desk.page.route("**/sandbox/api/contact", lambda route: route.fulfill(status=404, body="Not Found"))
    await desk.press(desk.message("Controls"), "Open chat")
    await desk.page.get_by_role("button", name="Send to the fan").click()
    told = desk.toast("cannot pass messages on")
    # Within reach although the dialog is still open.
    await told.get_by_role("button", name="Dismiss").click()
    await expect(told).to_have_count(0)
    await desk.page.get_by_role("button", name="Cancel").click()
    await expect(desk.page.get_by_role("dialog")).to_have_count(0)
    await expect(desk.toast("on its way")).to_be_visible()


async def test_relative_times_count_by_agency_time(desk: Desk, box: Sandbox) -> None:
    await _start(desk, box)
    ends = desk.message("An embed").locator(".stamp")
    before = await ends.inner_text()
    await box.advance(2 * 86_400, timeout_s=0)
    await expect(ends).not_to_have_text(before)


async def test_time_runs_and_stands(desk: Desk, box: Sandbox) -> None:
    await _start(desk, box)
    now = desk.page.locator("#now")
    before = await now.inner_text()
    if desk.is_phone:
        await desk.page.get_by_role("button", name="Time").click()
    await desk.page.get_by_label("Speed").select_option("3600")
    await expect(now).to_have_text(before)
    await desk.page.get_by_role("button", name="Run").click()
    await expect(now).not_to_have_text(before)
    assert (await box.state())["clock"]["rate"] == 3600
    await desk.page.get_by_role("button", name="Pause").click()
    await expect(desk.page.get_by_role("button", name="Run")).to_be_visible()
    assert (await box.state())["clock"]["rate"] == 0


async def test_an_advance_is_shown_while_it_runs(desk: Desk, box: Sandbox) -> None:
    await _start(desk, box)
    if desk.is_phone:
        await desk.page.get_by_role("button", name="Time").click()
    held = asyncio.Event()

    async def later(route: Route) -> None:
        await held.wait()
        answer = {"now": "2026-03-02T08:15:00Z", "version": 2, "settled": False, "ran": {}, "wall_ms": 1}
        await route.fulfill(json=answer)

    await desk.page.route("**/sandbox/api/clock", later)
    button = desk.page.get_by_role("button", name="+15 min")
    await button.click()
    await expect(desk.page.locator("#progress")).to_contain_text("Advancing")
    await expect(desk.page.get_by_role("progressbar")).to_be_visible()
    await expect(button).to_be_disabled()
    held.set()
    await expect(desk.toast("has not settled")).to_be_visible()
    await expect(button).to_be_enabled()


async def test_commands_of_others_are_not_offered(desk: Desk, box: Sandbox) -> None:
    await _start(desk, box)
    await desk.typed.fill("/")
    await expect(desk.suggestions.filter(has_text="/echo")).to_be_visible()
    await expect(desk.suggestions.filter(has_text="/secret")).to_have_count(0)
    await desk.become(people(await box.state(), "owner")[0]["name"])
    await desk.close_channels()
    await desk.typed.fill("/s")
    await expect(desk.suggestions.filter(has_text="/secret")).to_be_visible()


async def test_threads_stand_under_their_channel(desk: Desk, box: Sandbox) -> None:
    await _start(desk, box)
    live, past = f"live {desk.is_phone}", f"past {desk.is_phone}"
    await desk.command("thread", {"name": live})
    await desk.command("thread", {"name": past, "archive": "true"})
    await expect(desk.message(f"About {past}").locator(".thread-row")).to_contain_text("archived thread")
    await desk.open_channels()
    await expect(desk.entry(live)).to_be_visible()
    await expect(desk.entry(past)).to_have_count(0)
    await desk.close_channels()
    await desk.thread(desk.message(f"About {live}"))
    await expect(desk.page.locator("#title")).to_contain_text(live)
    await expect(desk.message(f"Inside {live}")).to_be_visible()
    await desk.go((await box.state())["channels"][0]["name"])
    await desk.thread(desk.message(f"About {past}"))
    await expect(desk.page.locator("#title")).to_contain_text("archived")
    await expect(desk.message(f"Inside {past}")).to_be_visible()
    await desk.say("Back again")
    await expect(desk.page.locator("#title")).not_to_contain_text("archived")
