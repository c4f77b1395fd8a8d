"""What a person does on the page, found as a person finds it: by label, role and text."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.e2e.harness import Json

README = Path(__file__).parents[2] / "README.md"
VIEW_CHANNEL = 1 << 10
_BEGUN = re.compile(r" [\w-]+:$")
NOTHING: Mapping[str, str] = {}


def sees(state: Json, member: Json, channel: Json) -> bool:
    """Whether a member sees a channel, by Discord's rule."""
    if member["id"] == state["guild"]["owner_id"]:
        return True
    own = {state["guild"]["id"], *member["roles"]}
    bits = 0
    for role in state["roles"]:
        bits |= int(role["permissions"]) if role["id"] in own else 0
    for group in ({state["guild"]["id"]}, set(member["roles"]), {member["id"]}):
        found = [one for one in channel["permission_overwrites"] if one["id"] in group]
        for one in found:
            bits &= ~int(one["deny"])
        for one in found:
            bits |= int(one["allow"])
    return bool(bits & VIEW_CHANNEL)


def channel_named(state: Json, name: str) -> Json:
    return next(dict(one) for one in state["channels"] if one["name"] == name)


def people(state: Json, tier: str | None) -> list[Json]:
    """Everybody of a tier; None = the people without a role."""
    return [one for one in state["members"] if one["tier"] == tier and one["id"] != state["bot"]["id"]]


def who_sees(state: Json, channel: str, tier: str = "chatter") -> Json:
    """Somebody of the tier who sees the channel."""
    wanted = channel_named(state, channel)
    return next(one for one in people(state, tier) if sees(state, one, wanted))


@dataclass(frozen=True, slots=True)
class Desk:
    """One person at the page. Everything waits until it can be done, and fails when it cannot."""

    page: Page
    is_phone: bool

    async def ready(self) -> None:
        """Until the messages of the first channel are there, or it is clear that there is none."""
        shown = self.page.locator("#messages .top, #messages .none")
        await expect(shown.first).to_be_visible()
        await expect(self.page.locator("#messages")).not_to_contain_text("Reading…")

    async def picture(self, name: str) -> None:
        """Keep what is on show where FANWATCH_PICTURES names a folder and the README shows that picture."""
        file = f"{name}-{'phone' if self.is_phone else 'desktop'}.png"
        if (folder := os.environ.get("FANWATCH_PICTURES")) and file in README.read_text(encoding="utf-8"):
            await self.page.mouse.move(0, 0)
            await self.page.screenshot(path=Path(folder) / file)

    async def fits(self) -> None:
        """Nothing is wider than the window."""
        width, room = await self.page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert width <= room
        inside, room = await self.page.locator("#messages").evaluate("it => [it.scrollWidth, it.clientWidth]")
        assert inside <= room

    # Who and where

    async def open_channels(self) -> None:
        """The list of channels and people, which a phone keeps in a drawer."""
        if self.is_phone and not await self._is_drawer_open():
            await self.page.get_by_role("button", name="Channels").click()

    async def close_channels(self) -> None:
        if self.is_phone and await self._is_drawer_open():
            await self.page.locator("#drawer-close").click()

    async def _is_drawer_open(self) -> bool:
        return await self.page.locator("#drawer-open").get_attribute("aria-expanded") == "true"

    async def become(self, name: str) -> None:
        """Look through another person's eyes; the list of channels stays open on a phone."""
        await self.open_channels()
        select = self.page.get_by_label("You are")
        option = select.locator("option", has_text=f"{name} (")
        await select.select_option(value=await option.get_attribute("value"))
        await self.ready()

    def entry(self, place: str) -> Locator:
        """A channel's or thread's entry in the list."""
        label = self.page.locator(".label").get_by_text(place, exact=True)
        return self.page.locator("#channels button", has=label)

    async def go(self, place: str) -> None:
        """Open a channel or thread by its name."""
        await self.open_channels()
        await self.entry(place).click()
        await expect(self.page.locator("#title")).to_contain_text(place)
        await self.ready()

    async def work_as(self, name: str, place: str) -> None:
        await self.become(name)
        await self.go(place)

    async def channels(self) -> list[str]:
        """The names in the list, top to bottom."""
        await self.open_channels()
        found = await self.page.locator("#channels .label").all_inner_texts()
        await self.close_channels()
        return found

    # Reading

    def message(self, text: str) -> Locator:
        """The newest public message on show that holds a text."""
        return self.page.locator("#messages [data-message]:not(.private)", has_text=text).last

    def private(self, text: str = "") -> Locator:
        """The newest private answer that holds a text."""
        return self.page.locator("#messages .private", has_text=text).last

    def toast(self, text: str = "") -> Locator:
        return self.page.locator(".toast", has_text=text).last

    async def looks(self) -> None:
        """Until the page has looked once more at what is new."""
        async with self.page.expect_response(lambda answer: "since_version" in answer.url):
            pass

    # Acting

    async def press(self, message: Locator, label: str) -> None:
        await message.get_by_role("button", name=label, exact=True).first.click()

    async def choose(self, message: Locator, placeholder: str, label: str) -> None:
        """Choose in a menu of a message."""
        await message.get_by_label(placeholder).select_option(label=label)

    async def thread(self, message: Locator) -> None:
        """Open the thread that a message began or announces."""
        await message.locator(".thread-row").click()

    async def apps(self, message: Locator, command: str) -> None:
        """Use a command on a message."""
        await message.hover()
        await message.get_by_role("button", name="Apps for this message").click()
        await self.page.get_by_role("menuitem", name=command).click()

    @property
    def typed(self) -> Locator:
        return self.page.get_by_role("combobox", name="Message or command")

    @property
    def suggestions(self) -> Locator:
        """What the list over the composer offers."""
        return self.page.get_by_role("listbox", name="Suggestions").get_by_role("option")

    async def say(self, text: str) -> None:
        await self.typed.fill(text)
        await self.send()

    async def send(self) -> None:
        await self.page.get_by_role("button", name="Send", exact=True).click()

    async def command(
        self, path: str, options: Mapping[str, str] = NOTHING, *, pick: Mapping[str, str] = NOTHING
    ) -> None:
        """Type a command and send it.

        `options` are sent as typed; each of `pick` is typed and the first suggestion that holds it taken.
        """
        text = f"/{path} "
        for name, value in pick.items():
            text += f"{name}:{value}"
            await self.typed.fill(text)
            await self.suggestions.filter(has_text=value).first.click()
            # What the page begins by itself, the next required option, is typed here too where it is given.
            text = _BEGUN.sub("", (await self.typed.input_value()).rstrip()) + " "
        text += " ".join(f"{name}:{value}" for name, value in options.items())
        await self.typed.fill(text)
        await self.send()
        await expect(self.page.locator("#messages .waiting")).to_have_count(0)

    async def fill(self, fields: Mapping[str, str], *, submit: bool = True) -> None:
        """Fill the open form by its labels; texts for texts, the visible name for a choice."""
        form = self.page.get_by_role("dialog")
        for label, value in fields.items():
            field = form.get_by_label(label)
            if await field.evaluate("it => it.tagName") == "SELECT":
                await field.select_option(label=value)
            else:
                await field.fill(value)
        if submit:
            await form.get_by_role("button", name="Submit").click()
            await expect(form).to_be_hidden()

    async def advance(self, label: str) -> None:
        """Jump ahead in agency time by a button's label, until the bot has settled."""
        if self.is_phone and not await self.page.locator("#clock").is_visible():
            await self.page.get_by_role("button", name="Time").click()
        await self.page.get_by_role("button", name=label).click()
        await expect(self.page.locator("#settled")).to_have_attribute("data-state", "settled", timeout=60_000)
