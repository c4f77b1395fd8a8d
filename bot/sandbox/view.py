"""What the runner reads off the simulated Discord: ids for the roster, messages for the report and the last
state.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.discord import Discord
from bot.sandbox.report import SeenMessage, cards_of
from bot.sandbox.roster import DiscordIds


def ids_of(discord: Discord) -> DiscordIds:
    """The ids of the guild as it was built."""
    ids = discord.ids
    return DiscordIds(
        guild_id=str(ids.guild),
        roles={name: str(number) for name, number in ids.roles.items()},
        members={name: str(number) for name, number in ids.members.items()},
        channels={name: str(number) for name, number in ids.channels.items()},
    )


def seen_messages(discord: Discord) -> list[SeenMessage]:
    """The bot's messages that stand in a channel or thread now and everybody there can read."""
    found: list[SeenMessage] = []
    for channel_id in discord.channel_ids():
        place = discord.thread_parent(channel_id) or channel_id
        for message in discord.messages(channel_id):
            if message.deleted or not message.author.bot or message.ephemeral_for is not None:
                continue
            cards, live = cards_of(message.components)
            found.append(SeenMessage(str(place), cards, live, tuple(discord.message_texts(message))))
    return found


def final_state(discord: Discord) -> dict[str, Any]:
    """`GET state`, with every message ever written beside it, by channel id, oldest first."""
    messages = {
        str(channel_id): [message.to_sandbox_json() for message in discord.messages(channel_id)]
        for channel_id in discord.channel_ids()
    }
    return {"state": discord.state(), "messages": messages}
