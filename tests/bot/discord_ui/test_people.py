"""Looking people up: who counts, and how many requests that may take."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import discord

from bot.discord_ui.people import MOST_LOOKED_UP, MOST_PEOPLE, People
from bot.domain.models import AccessTier
from bot.services.access import AccessRules

CHATTER_ROLE, TEAM_ROLE, CHANNEL, CREATOR = 50, 51, 60, 7
GONE, BOT = 13, 14


class Guild:
    """Knows everybody but GONE; BOT is one. Even ids are in the team."""

    owner_id = 1

    def __init__(self) -> None:
        self.asked: list[int] = []

    def get_channel(self, channel_id: int) -> Any:
        return SimpleNamespace(
            permissions_for=lambda member: SimpleNamespace(view_channel=member.id % 2 == 0)
        )

    async def fetch_member(self, user_id: int) -> Any:
        self.asked.append(user_id)
        if user_id == GONE:
            response: Any = SimpleNamespace(status=404, reason="Not Found")
            raise discord.NotFound(response, {"code": 10007, "message": "Unknown Member"})
        roles = [CHATTER_ROLE, *([TEAM_ROLE] if user_id % 2 == 0 else [])]
        return SimpleNamespace(
            id=user_id, bot=user_id == BOT, guild=self, roles=[SimpleNamespace(id=role) for role in roles]
        )


class Rules:
    async def load_rules(self) -> AccessRules:
        return AccessRules({CHATTER_ROLE: AccessTier.CHATTER}, {CREATOR: CHANNEL}, {})


async def test_a_person_is_seen_with_the_roles_and_channels_of_now() -> None:
    people = People(cast("Any", Guild()), Rules())
    sees, blind = await people.viewer(20), await people.viewer(21)
    assert sees is not None
    assert blind is not None
    assert (sees.tier, sees.creator_ids) == (AccessTier.CHATTER, {CREATOR})
    assert (blind.tier, blind.creator_ids) == (AccessTier.CHATTER, frozenset())


async def test_who_has_left_and_bots_are_nobody() -> None:
    people = People(cast("Any", Guild()), Rules())
    assert (await people.viewer(GONE), await people.viewer(BOT)) == (None, None)
    assert await people.viewers([GONE, 20, BOT, 20]) == [await people.viewer(20)]
    assert await People(None, Rules()).viewer(20) is None


async def test_of_a_role_only_its_members_count() -> None:
    people = People(cast("Any", Guild()), Rules())
    assert [one.user_id for one in await people.viewers([30, 31, 32], role_id=TEAM_ROLE)] == [30, 32]


async def test_many_people_are_cut_off_before_they_cost_too_many_requests() -> None:
    guild = Guild()
    found = await People(cast("Any", guild), Rules()).viewers(range(100, 1_000), role_id=TEAM_ROLE)
    assert len(found) == MOST_PEOPLE
    assert len(guild.asked) < MOST_LOOKED_UP
    guild.asked.clear()
    assert await People(cast("Any", guild), Rules()).viewers(range(100, 1_000), role_id=999) == []
    assert len(guild.asked) == MOST_LOOKED_UP
