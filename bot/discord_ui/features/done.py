"""What [Done] does, wherever it stands: the form, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.discord_ui import custom_ids, words
from bot.discord_ui import done as ui
from bot.discord_ui.custom_ids import parse_id
from bot.discord_ui.forms import form_id
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.safe import fan_name
from bot.discord_ui.undo import render_undoable
from bot.discord_ui.words import desk as say
from bot.domain.desk import Done, Mood, Outcome
from bot.domain.models import Viewer
from bot.services.desk_outcomes import NOTE_CHARS, CloseResult


class Closer(Protocol):
    """The outcome service, as far as closing needs it."""

    async def may_close(self, viewer: Viewer, episode_id: int) -> CloseResult: ...

    async def close(self, viewer: Viewer, episode_id: int, done: Done) -> CloseResult: ...


class DoneFeature:
    """Closing an alert with an outcome. An alert the person does not see is answered as one that is gone."""

    def __init__(self, outcomes: Closer) -> None:
        self._outcomes = outcomes

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {custom_ids.DONE: Handler(self._ask)}

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {custom_ids.DONE: Handler(self._close)}

    async def _ask(self, press: Press) -> None:
        episode_id = parse_id(press.target.arg)
        if episode_id is None:
            await press.answer.say(words.GONE)
            return
        found = await self._outcomes.may_close(press.viewer, episode_id)
        if found.status == "open":
            await press.answer.form(ui.done_form(episode_id))
        else:
            await press.answer.say(refusal(found))

    async def _close(self, press: Press) -> None:
        if press.target.kind != custom_ids.EPISODE:
            await press.answer.say(words.GONE)
            return
        outcome = _outcome(press.fields.chosen(ui.OUTCOME))
        if outcome is None:
            await press.answer.say(say.NAME_AN_OUTCOME)
            return
        episode_id = press.target.card_id
        mood = _mood(press.fields.chosen(ui.MOOD))
        note = press.fields.text(ui.NOTE)[:NOTE_CHARS] or None
        done = Done(outcome, mood, note, form_id(press.target))
        result = await self._outcomes.close(press.viewer, episode_id, done)
        if result.status != "done" or result.rest is None or result.row is None:
            await press.answer.say(refusal(result))
            return
        name, lapsed = fan_name(result.row.fan), result.row.expired
        sentence = say.closed_now(outcome, name, result.rest, lapsed=lapsed, now_ms=result.now_ms)
        await press.answer.send(render_undoable(sentence, result.action_id))


def refusal(result: CloseResult) -> str:
    """Why nothing was closed."""
    match result.status:
        case "again":
            return say.DONE_AGAIN
        case "unclaimed":
            return say.CLAIM_FIRST
        case "not_yours":
            return say.not_yours_to_close(result.by)
        case "closed":
            return words.CLOSED
        case _:
            return words.GONE


def _outcome(chosen: tuple[str, ...]) -> Outcome | None:
    return next((one for one in Outcome if chosen and one.value == chosen[0]), None)


def _mood(chosen: tuple[str, ...]) -> Mood | None:
    return next((one for one in Mood if chosen and one.value == chosen[0]), None)
