"""Presses as discord.py delivers them: from the gateway's payload to the router, with its real cache."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import discord
import pytest

from bot.app import FanwatchBot
from bot.discord_ui.cards import RenderedMessage, render
from bot.discord_ui.items import RoutedButton, RoutedSelect
from bot.discord_ui.picks import render_picks
from bot.discord_ui.viewers import viewer_of
from bot.domain.models import AccessTier, Viewer
from bot.domain.views import FanChoice
from bot.services.access import AccessRules
from tests.bot.discord_ui import views
from tests.bot.discord_ui.views import CHAT_URL, grouped, row

GUILD, MEMBER, CHATTERS, AMBER_CHANNEL, BRIAR_CHANNEL = 900, 11, 50, 100, 200
VIEW_CHANNEL = str(1 << 10)


def channel(channel_id: int, *allowed_roles: int) -> dict[str, Any]:
    hidden = {"id": str(GUILD), "type": 0, "allow": "0", "deny": VIEW_CHANNEL}
    shown = [{"id": str(role), "type": 0, "allow": VIEW_CHANNEL, "deny": "0"} for role in allowed_roles]
    return {
        "id": str(channel_id),
        "type": 0,
        "name": f"c{channel_id}",
        "position": 0,
        "permission_overwrites": [hidden, *shown],
    }


def role(role_id: int, permissions: str) -> dict[str, Any]:
    return {
        "id": str(role_id),
        "name": "r",
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 1,
        "permissions": permissions,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


GUILD_CREATE: dict[str, Any] = {
    "id": str(GUILD),
    "name": "Agency",
    "owner_id": "1",
    "roles": [role(GUILD, VIEW_CHANNEL), role(CHATTERS, "0")],
    "channels": [channel(AMBER_CHANNEL, CHATTERS), channel(BRIAR_CHANNEL)],
    "members": [],
    "emojis": [],
    "stickers": [],
    "features": [],
    "verification_level": 0,
    "default_message_notifications": 0,
    "explicit_content_filter": 0,
    "mfa_level": 0,
    "nsfw_level": 0,
    "premium_tier": 0,
    "system_channel_flags": 0,
    "preferred_locale": "en-US",
    "afk_timeout": 60,
    "member_count": 1,
}
USER: dict[str, Any] = {"id": str(MEMBER), "username": "ana", "discriminator": "0", "avatar": None}


class Recorder:
    """Stands in for the router: keeps what reached it."""

    def __init__(self) -> None:
        self.presses: asyncio.Queue[tuple[discord.Interaction, str, tuple[str, ...]]] = asyncio.Queue()

    async def press(self, interaction: discord.Interaction, custom_id: str, values: tuple[str, ...]) -> None:
        self.presses.put_nowait((interaction, custom_id, values))


@pytest.fixture
async def bot() -> AsyncIterator[FanwatchBot]:
    made = FanwatchBot(guild_id=GUILD)
    await made._async_setup_hook()
    made.router = cast("Any", Recorder())
    made.add_dynamic_items(RoutedButton, RoutedSelect)
    made._connection.user = discord.ClientUser(
        state=made._connection, data=cast("Any", USER | {"id": "99", "bot": True})
    )
    made._connection._add_guild_from_data(cast("Any", GUILD_CREATE))
    yield made
    await made.close()


def deliver(
    bot: FanwatchBot, rendered: RenderedMessage, custom_id: str, *, kind: int, values: list[str]
) -> None:
    """A press on a message sent by an earlier process."""
    assert rendered.view is not None
    message = {
        "id": "77",
        "channel_id": str(AMBER_CHANNEL),
        "author": USER,
        "content": rendered.content or "",
        "timestamp": "2026-03-02T08:00:00Z",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
        "flags": 1 << 15 if rendered.is_layout else 0,
        "components": rendered.view.to_components(),
    }
    interaction = {
        "id": "88",
        "application_id": "99",
        "type": 3,
        "token": "t",
        "version": 1,
        "guild_id": str(GUILD),
        "channel_id": str(AMBER_CHANNEL),
        "channel": channel(AMBER_CHANNEL),
        "member": {
            "user": USER,
            "roles": [str(CHATTERS)],
            "joined_at": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
        },
        "message": message,
        "data": {"custom_id": custom_id, "component_type": kind, "values": values},
        "entitlements": [],
        "attachment_size_limit": 0,
        "authorizing_integration_owners": {},
        "context": 0,
        "app_permissions": "0",
        "locale": "en-US",
    }
    bot._connection.parse_interaction_create(cast("Any", interaction))


async def pressed(bot: FanwatchBot) -> tuple[discord.Interaction, str, tuple[str, ...]]:
    presses = cast("Recorder", bot.router).presses
    async with asyncio.timeout(5):
        found = await presses.get()
    # Let everything else that discord.py started for the press end: it must reach the router once only.
    await asyncio.gather(
        *(t for t in asyncio.all_tasks() if t.get_name().startswith(("discord-ui", "discord.py")))
    )
    assert presses.empty()
    return found


def ids(rendered: RenderedMessage) -> list[str]:
    assert rendered.view is not None
    return [
        item.custom_id for item in rendered.view.walk_children() if isinstance(item, discord.ui.DynamicItem)
    ]


async def test_every_button_of_an_alert_card_reaches_the_router_once(bot: FanwatchBot) -> None:
    rendered = render(views.alert(), chat_url=CHAT_URL)
    found = ids(rendered)
    assert len(found) > 1
    for custom_id in found:
        deliver(bot, rendered, custom_id, kind=2, values=[])
        _, arrived, values = await pressed(bot)
        assert (arrived, values) == (custom_id, ())


async def test_every_button_of_a_list_reaches_the_router(bot: FanwatchBot) -> None:
    rendered = render(grouped(tuple(row(n) for n in range(12))), chat_url=CHAT_URL)
    found = ids(rendered)
    assert len(found) == 13
    for custom_id in found:
        is_menu = custom_id.startswith("fw1:pick_")
        deliver(bot, rendered, custom_id, kind=3 if is_menu else 2, values=["1"] if is_menu else [])
        assert (await pressed(bot))[1] == custom_id


async def test_a_button_of_another_version_reaches_the_router(bot: FanwatchBot) -> None:
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Old", custom_id="fw9:whatever"))
    deliver(
        bot, RenderedMessage("x", (), view, is_layout=False, live=True), "fw9:whatever", kind=2, values=[]
    )
    assert (await pressed(bot))[1] == "fw9:whatever"


async def test_a_press_of_what_the_message_does_not_hold_is_answered_too(bot: FanwatchBot) -> None:
    deliver(bot, render(views.alert(), chat_url=CHAT_URL), "fw1:claim:a5:1", kind=2, values=[])
    assert (await pressed(bot))[1] == "fw1:claim:a5:1"


async def test_a_choice_reaches_the_router_with_its_value(bot: FanwatchBot) -> None:
    rendered = render_picks([FanChoice(5, "Amber Vale", views.fan(), 1, "USD", None)])
    deliver(bot, rendered, "fw1:pick_fan:p0", kind=3, values=["f:5"])
    assert (await pressed(bot))[1:] == ("fw1:pick_fan:p0", ("f:5",))


async def test_the_viewer_is_made_of_roles_and_of_the_channels_seen_now(bot: FanwatchBot) -> None:
    met: list[Viewer] = []

    class Rules:
        async def remember(self, viewer: Viewer) -> None:
            met.append(viewer)

        async def load_rules(self) -> AccessRules:
            return AccessRules(
                {CHATTERS: AccessTier.CHATTER}, {1: AMBER_CHANNEL, 2: BRIAR_CHANNEL, 3: 404}, {}
            )

    rendered = render(views.alert(), chat_url=CHAT_URL)
    deliver(bot, rendered, ids(rendered)[0], kind=2, values=[])
    interaction, _, _ = await pressed(bot)
    viewer = await viewer_of(interaction, Rules())
    assert (viewer.user_id, viewer.tier, viewer.creator_ids) == (MEMBER, AccessTier.CHATTER, frozenset({1}))
    assert met == [viewer]
