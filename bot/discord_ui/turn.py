"""Changing a private message in place, and what to do where that cannot be."""

from __future__ import annotations

import discord

from bot.discord_ui.press import Press
from bot.discord_ui.rendered import RenderedMessage

_UNKNOWN_MESSAGE = 10008


async def turn(press: Press, rendered: RenderedMessage) -> None:
    """Show it in place of the pressed message where that is private, else privately beside it.

    A public message stays as it is for the others; one that somebody has dismissed meanwhile is answered anew.
    """
    if press.on_private_message:
        try:
            await press.answer.update(rendered)
            return
        except discord.NotFound as error:
            if error.code != _UNKNOWN_MESSAGE:
                raise
    await press.answer.send(rendered)
