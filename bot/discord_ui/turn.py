"""Changing a private message in place, and what to do where that cannot be."""

from __future__ import annotations

import discord

from bot.discord_ui.press import Press
from bot.discord_ui.rendered import RenderedMessage

UNKNOWN_MESSAGE = 10008


async def turn(press: Press, rendered: RenderedMessage) -> None:
    """Show it in place of the pressed message where that is private, else privately beside it.

    A public message stays as it is for the others; one that somebody has dismissed meanwhile is answered anew. So is one
    that is a layout where `rendered` is none: Discord never lets a layout hold text again.
    """
    fits = press.on_private_message and (rendered.is_layout or not press.on_layout)
    if not (fits and await replace(press, rendered)):
        await press.answer.send(rendered)


async def replace(press: Press, rendered: RenderedMessage) -> bool:
    """Show it in place of the pressed message; False: that is gone, and nothing has been answered yet."""
    try:
        await press.answer.update(rendered)
    except discord.NotFound as error:
        if error.code != UNKNOWN_MESSAGE:
            raise
        return False
    return True
