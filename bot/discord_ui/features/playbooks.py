"""What the buttons and the form of playbooks do."""

from __future__ import annotations

from collections.abc import Mapping

from bot.discord_ui import playbooks as ui
from bot.discord_ui import words
from bot.discord_ui.custom_ids import parse_page
from bot.discord_ui.forms import form_arg
from bot.discord_ui.notes import render_given_back
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.turn import turn
from bot.discord_ui.undo import render_undoable
from bot.discord_ui.words import playbooks as say
from bot.domain.models import AccessTier
from bot.services.playbooks import EditResult, PlaybookService


class PlaybookFeature:
    """Ticking steps, and the form that leads write them in. An alert that is not for the person is answered as gone."""

    def __init__(self, playbooks: PlaybookService) -> None:
        self._playbooks = playbooks

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {ui.OPEN: Handler(self._open), ui.TICK: Handler(self._tick)}

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {ui.EDIT: Handler(self._edited, AccessTier.LEAD)}

    async def _open(self, press: Press) -> None:
        found = None
        if press.target.kind == ui.EPISODE:
            found = await self._playbooks.load_for_episode(press.viewer, press.target.card_id)
        if found is None:
            await press.answer.say(words.GONE)
        else:
            await press.answer.send(ui.render_ticks(found))

    async def _tick(self, press: Press) -> None:
        asked = ui.parse_tick(press.target.arg)
        if asked is None or press.target.kind != ui.EPISODE:
            await press.answer.say(words.GONE)
            return
        result = await self._playbooks.tick(
            press.viewer,
            press.target.card_id,
            asked.reason,
            asked.version,
            asked.step,
            wanted=asked.wanted,
        )
        if result.shown is None:
            await press.answer.say(words.GONE)
            return
        note = {"closed": say.CLOSED, "stale": say.TICK_STALE}.get(result.status)
        await turn(press, ui.render_ticks(result.shown, note=note))

    async def _edited(self, press: Press) -> None:
        reason = ui.reason_of(press.target.kind, press.target.card_id)
        if reason is None:
            await press.answer.say(words.GONE)
            return
        text = press.fields.text(ui.STEPS)
        version = parse_page(form_arg(press.target))
        result = await self._playbooks.edit(press.viewer, reason, version, text)
        await _answer(press, result, reason, text)


async def _answer(press: Press, result: EditResult, reason: str, text: str) -> None:
    if result.status == "saved":
        await press.answer.send(render_undoable(say.saved(reason), result.action_id))
    elif result.status == "unchanged":
        await press.answer.say(say.unchanged(reason))
    elif result.status == "not_found":
        await press.answer.say(words.GONE)
    else:
        sentence = say.STALE if result.error is None else say.unfit(result.error)
        if not text:
            await press.answer.say(sentence)
            return
        for rendered in render_given_back(sentence, text):
            await press.answer.send(rendered)
