"""Private pages that turn into one another."""

from __future__ import annotations

import discord

from bot.discord_ui.press import Press
from bot.discord_ui.rendered import RenderedMessage

_UNKNOWN_MESSAGE = 10008


async def turn(press: Press, rendered: RenderedMessage) -> None:
    """Make the private message that was pressed this; anew where somebody has deleted it, or where it is not ours."""
    if not press.on_private_message:
        await press.answer.send(rendered)
        return
    try:
        await press.answer.update(rendered)
    except discord.NotFound as error:
        if error.code != _UNKNOWN_MESSAGE:
            raise
        await press.answer.send(rendered)
