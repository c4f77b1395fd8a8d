from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from bot.discord_ui.places import (
    CREATOR_PERMISSIONS,
    NOTICE_PERMISSIONS,
    channel_name,
    may_work,
    missing_permissions,
)
from bot.domain.models import AccessTier

CHANNEL = 40
TIERS = {1: AccessTier.CHATTER, 2: AccessTier.LEAD, 3: AccessTier.MANAGER}


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("Luna", "luna"),
        ("Luna  Rose ✨ VIP", "luna-rose-vip"),
        ("../../etc", "etc"),
        ("@everyone", "everyone"),
        ("Зоя", "зоя"),
        ("✨", "creator"),
        ("", "creator"),
        ("x" * 5_000, "x" * 89),
    ],
)
def test_a_channel_is_named_after_her_in_what_discord_takes(name: str, channel: str) -> None:
    assert channel_name(name) == channel


def channel_with(*granted: str) -> Any:
    permissions = discord.Permissions(**dict.fromkeys(granted, True))
    return SimpleNamespace(guild=SimpleNamespace(me=None), permissions_for=lambda _: permissions)


@pytest.mark.parametrize(
    ("granted", "lacking"),
    [
        ((), ["View Channel"]),
        (("view_channel", "read_message_history"), ["Send Messages"]),
        (("view_channel", "send_messages", "read_message_history"), ["Embed Links"]),
        (tuple(NOTICE_PERMISSIONS), []),
    ],
)
def test_only_the_cause_of_what_is_missing_is_named(granted: tuple[str, ...], lacking: list[str]) -> None:
    assert missing_permissions(channel_with(*granted), NOTICE_PERMISSIONS) == lacking


def test_a_creators_channel_needs_threads_too() -> None:
    lacking = missing_permissions(channel_with(*NOTICE_PERMISSIONS), CREATOR_PERMISSIONS)
    assert lacking == ["Create Public Threads", "Send Messages in Threads"]


class Guild:
    """Everybody has the role of their own id; only 1 and 9 see the channel."""

    owner_id = 9

    async def fetch_member(self, user_id: int) -> Any:
        if user_id > 10:
            response = cast("Any", SimpleNamespace(status=404, reason="Not Found"))
            raise discord.NotFound(response, "Unknown Member")
        return SimpleNamespace(id=user_id, bot=user_id == 8, roles=[SimpleNamespace(id=user_id)])

    def get_channel(self, channel_id: int) -> Any:
        if channel_id != CHANNEL:
            return None
        return SimpleNamespace(
            permissions_for=lambda member: discord.Permissions(view_channel=member.id in (1, 9))
        )


@pytest.mark.parametrize(
    ("user_id", "channel_id", "needed", "may"),
    [
        pytest.param(1, CHANNEL, AccessTier.CHATTER, True, id="a role and sight"),
        pytest.param(1, 41, AccessTier.CHATTER, False, id="no such channel"),
        pytest.param(2, CHANNEL, AccessTier.CHATTER, False, id="a role without sight"),
        pytest.param(2, CHANNEL, AccessTier.LEAD, True, id="a lead need not see the channel"),
        pytest.param(1, CHANNEL, AccessTier.LEAD, False, id="a chatter is no lead"),
        pytest.param(3, 41, AccessTier.CHATTER, True, id="a manager sees all"),
        pytest.param(9, 41, AccessTier.LEAD, True, id="whoever owns the server may all"),
        pytest.param(5, CHANNEL, AccessTier.CHATTER, False, id="an unmapped role"),
        pytest.param(8, CHANNEL, AccessTier.CHATTER, False, id="a bot"),
        pytest.param(99, CHANNEL, AccessTier.CHATTER, False, id="nobody of the server"),
    ],
)
async def test_who_may_be_given_a_creators_work(
    user_id: int, channel_id: int, needed: AccessTier, may: bool
) -> None:
    assert await may_work(cast("Any", Guild()), user_id, channel_id, TIERS, needed) is may
