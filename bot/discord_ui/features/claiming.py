"""Claim and Release, wherever their buttons stand."""

from __future__ import annotations

from bot.discord_ui import words
from bot.discord_ui.more import render_taken
from bot.discord_ui.press import Press
from bot.discord_ui.words import calm
from bot.services.ports import Desk


async def claim(desk: Desk, press: Press, episode_id: int | None) -> str | None:
    """Claim for who pressed; what to say where it cannot be shown. None: not theirs, and the answer says why."""
    if episode_id is None:
        await press.answer.say(words.GONE)
        return None
    result = await desk.claim(press.viewer, episode_id)
    match result.status:
        case "claimed" | "already_yours":
            return words.CLAIMED
        case "taken":
            await press.answer.send(render_taken(episode_id, result.by))
        case "on_hold":
            await press.answer.say(calm.ON_HOLD)
        case "closed":
            await press.answer.say(words.CLOSED)
        case "not_found":
            await press.answer.say(words.GONE)
    return None


async def release(desk: Desk, press: Press, episode_id: int | None) -> str | None:
    """Give a claim back; what to say where it cannot be shown. None: it stays, and the answer says why."""
    if episode_id is None:
        await press.answer.say(words.GONE)
        return None
    result = await desk.release(press.viewer, episode_id)
    match result.status:
        case "released" | "not_claimed":
            return words.RELEASED
        case "not_yours":
            await press.answer.say(words.not_yours(result.by))
        case "closed":
            await press.answer.say(words.CLOSED)
        case "not_found":
            await press.answer.say(words.GONE)
    return None
