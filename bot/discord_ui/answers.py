"""One interaction, answered once and in time: an answer where it is quick, a deferral where it is not."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import structlog

from bot.discord_ui import words
from bot.discord_ui.limits import DEFER_AFTER_S
from bot.discord_ui.rendered import RenderedMessage

log = structlog.get_logger(__name__)

_UNKNOWN_INTERACTION = 10062
_ALREADY_ANSWERED = 40060


class Answer:
    """Use as `async with Answer(interaction) as answer`; a deferral goes out by itself after 1.5 s.

    A deferral is always private (of a press: without a trace): what the answer will be is not known yet, and the
    first message after a public deferral would be public whatever is asked for.
    """

    def __init__(self, interaction: discord.Interaction, *, defer_after_s: float = DEFER_AFTER_S) -> None:
        self._interaction = interaction
        self._defer_after_s = defer_after_s
        self._deferred = False
        # discord.py marks an interaction as answered once Discord has confirmed it: without a lock a deferral
        # on its way and an answer would both go out.
        self._lock = asyncio.Lock()
        self._guard: asyncio.Task[None] | None = None
        self.given = False
        """Whether people have got an answer (a deferral is none)."""

    async def __aenter__(self) -> Answer:
        self._guard = asyncio.create_task(self._defer_when_slow())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._guard is not None:
            self._guard.cancel()
            await asyncio.gather(self._guard, return_exceptions=True)

    async def update(self, rendered: RenderedMessage) -> bool:
        """Change the message that was pressed. False where Discord no longer takes the answer."""
        async with self._lock:
            fields = _edit_fields(rendered)
            if self._interaction.response.is_done():
                return await self._send(self._interaction.edit_original_response(**fields))
            return await self._send(self._interaction.response.edit_message(**fields))

    async def send(self, rendered: RenderedMessage, *, private: bool = True) -> bool:
        """A message of its own. False where Discord no longer takes the answer."""
        async with self._lock:
            fields = _send_fields(rendered)
            if self._interaction.response.is_done():
                if self._deferred and not private:
                    # The deferral is used up by a private word, so that the next message can be public.
                    self._deferred = False
                    await self._send(self._interaction.edit_original_response(content=words.SHOWN))
                return await self._send(
                    self._interaction.followup.send(ephemeral=private, wait=True, **fields)
                )
            return await self._send(self._interaction.response.send_message(ephemeral=private, **fields))

    async def form(self, modal: discord.ui.Modal) -> bool:
        """Open a form. False where Discord no longer takes it; a form cannot follow a deferral, so say so instead."""
        async with self._lock:
            if not self._interaction.response.is_done():
                # Finished, so that discord.py does not keep it: the router answers submissions.
                modal.stop()
                return await self._send(self._interaction.response.send_modal(modal))
        return await self.say(words.TOO_SLOW_FOR_FORM)

    async def say(self, sentence: str) -> bool:
        """A private sentence."""
        return await self.send(RenderedMessage(sentence, (), None, is_layout=False, live=False))

    async def _send(self, call: Any) -> bool:
        self.given = True
        try:
            await call
        except discord.HTTPException as error:
            # Too late, or answered twice by a retry on the way: nobody is waiting for it any more.
            if error.code not in (_UNKNOWN_INTERACTION, _ALREADY_ANSWERED):
                raise
            log.info("answer_too_late", interaction=self._interaction.id, code=error.code)
            return False
        return True

    async def _defer_when_slow(self) -> None:
        await asyncio.sleep(self._defer_after_s)
        async with self._lock:
            if self._interaction.response.is_done():
                return
            try:
                await self._interaction.response.defer(ephemeral=True)
                self._deferred = True
            except discord.HTTPException as error:
                log.info("deferral_refused", interaction=self._interaction.id, code=error.code)


def _view_fields(rendered: RenderedMessage) -> dict[str, Any]:
    if rendered.view is not None:
        # A finished view is sent but not kept: the router answers presses, and memory stays flat.
        rendered.view.stop()
    return {"allowed_mentions": discord.AllowedMentions.none()}


def _edit_fields(rendered: RenderedMessage) -> dict[str, Any]:
    fields = _view_fields(rendered) | {"view": rendered.view}
    if not rendered.is_layout:
        fields |= {"content": rendered.content, "embeds": list(rendered.embeds)}
    return fields


def _send_fields(rendered: RenderedMessage) -> dict[str, Any]:
    fields = _view_fields(rendered)
    if rendered.view is not None:
        fields["view"] = rendered.view
    if rendered.picture is not None:
        fields["file"] = rendered.picture.file()
    if not rendered.is_layout:
        fields |= {"content": rendered.content, "embeds": list(rendered.embeds)}
    return fields
