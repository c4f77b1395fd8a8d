"""People who are not the ones asking: what they may see, as Discord has their roles and channels now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import discord

from bot.discord_ui.viewers import RulesSource, viewer_of_member
from bot.domain.models import Viewer

MOST_PEOPLE = 50
MOST_LOOKED_UP = 200
"""Nobody's roles are pushed to us, so each person is one request: no more than this many for one answer."""
_AT_ONCE = 10


class People:
    """Looks people of one server up, each of them anew."""

    def __init__(self, guild: discord.Guild | None, access: RulesSource) -> None:
        self._guild = guild
        self._access = access

    async def member(self, user_id: int) -> discord.Member | None:
        """None: nobody of this server."""
        if self._guild is None:
            return None
        try:
            return await self._guild.fetch_member(user_id)
        except discord.NotFound:
            return None

    async def viewer_of(self, member: discord.Member) -> Viewer:
        return viewer_of_member(member, await self._access.load_rules())

    async def viewer(self, user_id: int) -> Viewer | None:
        """None: nobody of this server, or a bot."""
        found = await self.viewers([user_id])
        return found[0] if found else None

    async def viewers(self, user_ids: Iterable[int], *, role_id: int | None = None) -> list[Viewer]:
        """Who of these are people of this server and, where one is given, have the role.

        At most 50, in the order given; no more than the first 200 are looked up.
        """
        rules = await self._access.load_rules()
        waiting = list(dict.fromkeys(user_ids))[:MOST_LOOKED_UP]
        found: list[Viewer] = []
        while waiting and len(found) < MOST_PEOPLE:
            part, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
            for member in await asyncio.gather(*(self.member(user_id) for user_id in part)):
                if member is None or member.bot:
                    continue
                if role_id is None or any(role.id == role_id for role in member.roles):
                    found.append(viewer_of_member(member, rules))
        return found[:MOST_PEOPLE]
