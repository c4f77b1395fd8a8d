"""What the buttons and the form of snoozing do."""

from __future__ import annotations

from collections.abc import Mapping

from bot.discord_ui import snoozing as ui
from bot.discord_ui import words
from bot.discord_ui.custom_ids import parse_id
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.safe import fan_name
from bot.discord_ui.turn import turn
from bot.discord_ui.undo import render_undoable
from bot.discord_ui.words import snooze as say
from bot.domain.due import DueError
from bot.domain.models import CardKind
from bot.domain.snoozing import SnoozeFor
from bot.services.snoozing import REASON_CHARS, SnoozeResult, SnoozeService

_CARDS = frozenset(kind.value for kind in CardKind)


class SnoozeFeature:
    """Snooze and wake. An alert that the person does not see is answered as one that is gone."""

    def __init__(self, snoozing: SnoozeService) -> None:
        self._snoozing = snoozing

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {
            ui.SNOOZE: Handler(self._ask),
            ui.SNOOZE_FOR: Handler(self._snooze),
            ui.SNOOZE_OTHER: Handler(self._open_form),
            ui.WAKE: Handler(self._wake),
        }

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {ui.SNOOZE_FORM: Handler(self._submitted)}

    async def _ask(self, press: Press) -> None:
        result = await self._snoozing.look(press.viewer, _episode_of(press))
        if result.status != "may" or result.sleeper is None:
            await press.answer.say(_refusal(result))
        else:
            await turn(press, ui.render_ask(result.sleeper))

    async def _open_form(self, press: Press) -> None:
        episode_id = _episode_of(press)
        result = await self._snoozing.look(press.viewer, episode_id)
        if result.status == "may":
            await press.answer.form(ui.other_form(episode_id))
        else:
            await press.answer.say(_refusal(result))

    async def _snooze(self, press: Press) -> None:
        choice = next((one for one in say.CHOICES if one.value == press.target.arg), None)
        if choice is None:
            await press.answer.say(words.GONE)
            return
        await _told(press, await self._snoozing.snooze(press.viewer, _episode_of(press), choice))

    async def _submitted(self, press: Press) -> None:
        episode_id = _episode_of(press)
        result = await self._snoozing.look(press.viewer, episode_id)
        if result.status != "may":
            await press.answer.say(_refusal(result))
            return
        try:
            until_at = await self._snoozing.read_until(episode_id, press.fields.text(ui.WHEN))
        except DueError as error:
            await press.answer.say(say.due(error))
            return
        reason = press.fields.text(ui.REASON)[:REASON_CHARS] or None
        done = await self._snoozing.snooze(
            press.viewer, episode_id, SnoozeFor.CUSTOM, until_at=until_at, reason=reason
        )
        await _told(press, done)

    async def _wake(self, press: Press) -> None:
        result = await self._snoozing.wake(press.viewer, _episode_of(press))
        if result.status == "woken" and result.sleeper is not None:
            sentence = say.woken(fan_name(result.sleeper.fan))
            await turn(press, render_undoable(sentence, result.action_id))
        else:
            await press.answer.say(_refusal(result))


async def _told(press: Press, result: SnoozeResult) -> None:
    """What came of a snooze, in place of the question."""
    snooze = result.sleeper.snooze if result.sleeper is not None else None
    if result.status in ("snoozed", "already") and result.sleeper is not None and snooze is not None:
        sentence = say.snoozed(fan_name(result.sleeper.fan), snooze.until_at, snooze.until_shift)
        await turn(press, render_undoable(sentence, result.action_id))
    else:
        await press.answer.say(_refusal(result))


def _refusal(result: SnoozeResult) -> str:
    match result.status:
        case "closed":
            return words.CLOSED
        case "not_yours":
            return say.not_yours(result.sleeper.claimed_by if result.sleeper is not None else None)
        case "not_snoozed":
            return say.NOT_SNOOZED
        case _:
            return words.GONE


def _episode_of(press: Press) -> int:
    """The episode a component is about: its target, or on a card its argument; 0, which nothing has, for any other."""
    if press.target.kind == ui.EPISODE:
        return press.target.card_id
    return (parse_id(press.target.arg) or 0) if press.target.kind in _CARDS else 0
