"""What the buttons and forms of notes do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.discord_ui import custom_ids, notes
from bot.discord_ui import words as common
from bot.discord_ui.custom_ids import parse_id, parse_page
from bot.discord_ui.forms import form_arg, form_id
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.turn import turn
from bot.discord_ui.words import notes as words
from bot.domain.models import Viewer
from bot.domain.notes import NOTE_CHARS, NoteOrigin
from bot.domain.views import FanChoice
from bot.services.notes import NoteResult, NoteService


class FanFinder(Protocol):
    """The fan service, as far as forms need it."""

    async def find(self, viewer: Viewer, value: str) -> list[FanChoice]: ...


class NoteFeature:
    """Notes from their buttons. A note of a fan the person does not see is answered as one that is gone."""

    def __init__(self, service: NoteService, fans: FanFinder) -> None:
        self._notes = service
        self._fans = fans

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {
            custom_ids.NOTE: Handler(self._write_from_card),
            notes.LIST: Handler(self._list),
            notes.OPEN: Handler(self._open),
            notes.HISTORY: Handler(self._history),
            notes.VERSION: Handler(self._version),
            notes.EDIT: Handler(self._edit),
            notes.DELETE: Handler(self._delete),
            notes.RESTORE: Handler(self._restore),
        }

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {
            notes.ADD: Handler(self._added),
            notes.EDIT: Handler(self._edited),
            notes.SAVE: Handler(self._saved_message),
        }

    async def _write_from_card(self, press: Press) -> None:
        episode_id = parse_id(press.target.arg)
        fan = None if episode_id is None else await self._notes.fan_of_episode(press.viewer, episode_id)
        if fan is None:
            await press.answer.say(common.GONE)
        else:
            await press.answer.form(notes.add_form(fan))

    async def _list(self, press: Press) -> None:
        page = parse_page(press.target.arg)
        shown = await self._notes.list_page(press.viewer, press.target.card_id, page)
        await _turn(press, None if shown is None else notes.render_list(shown))

    async def _open(self, press: Press) -> None:
        page, part = notes.two_numbers(press.target.arg)
        found = await self._notes.load(press.viewer, press.target.card_id)
        if found is None:
            await press.answer.say(words.GONE)
            return
        guild_id = press.interaction.guild_id
        await _turn(press, notes.render_note(*found, guild_id=guild_id, page=page, part=part))

    async def _history(self, press: Press) -> None:
        history = await self._notes.load_history(press.viewer, press.target.card_id)
        page = parse_page(press.target.arg)
        await _turn(press, None if history is None else notes.render_history(history, page))

    async def _version(self, press: Press) -> None:
        number, part = notes.two_numbers(press.target.arg)
        history = await self._notes.load_history(press.viewer, press.target.card_id)
        await _turn(press, None if history is None else notes.render_version(history, number, part))

    async def _edit(self, press: Press) -> None:
        result = await self._notes.load_for_edit(press.viewer, press.target.card_id)
        if result.status == "unchanged" and result.note is not None and result.fan is not None:
            await press.answer.form(notes.edit_form(result.note, result.fan))
        else:
            await press.answer.say(sentence_of(result))

    async def _delete(self, press: Press) -> None:
        result = await self._notes.delete(press.viewer, press.target.card_id)
        if result.status == "deleted" and result.note is not None and result.fan is not None:
            await _turn(press, notes.render_deleted(result.note, result.fan))
        else:
            await press.answer.say(sentence_of(result))

    async def _restore(self, press: Press) -> None:
        await self._show(press, await self._notes.restore(press.viewer, press.target.card_id))

    async def _edited(self, press: Press) -> None:
        text = press.fields.text(notes.TEXT_FIELD)
        version = parse_page(form_arg(press.target))
        result = await self._notes.edit(press.viewer, press.target.card_id, text, version)
        if result.status in ("saved", "unchanged"):
            await self._show(press, result)
        elif result.status in ("empty", "too_long"):
            await press.answer.say(sentence_of(result))
        else:
            await _give_back(press, sentence_of(result), text)

    async def _show(self, press: Press, result: NoteResult) -> None:
        """The note in full, where the press was; or why there is nothing to show."""
        if result.status in ("saved", "unchanged", "restored") and result.note and result.fan:
            guild_id = press.interaction.guild_id
            await _turn(press, notes.render_note(result.note, result.fan, guild_id=guild_id))
        else:
            await press.answer.say(sentence_of(result))

    async def _added(self, press: Press) -> None:
        origin = NoteOrigin("form", form_id=form_id(press.target))
        await self._add(press, press.target.card_id, origin)

    async def _saved_message(self, press: Press) -> None:
        message_id, typed = parse_id(form_arg(press.target)), press.fields.text(notes.FAN_FIELD)
        if message_id is None:
            await _give_back(press, common.OUTDATED, press.fields.text(notes.TEXT_FIELD))
            return
        found = await self._find(press, typed)
        if len(found) != 1:
            why = common.AMBIGUOUS_IN_FORM if found else common.NOT_FOUND
            await _give_back(press, f"{why} {words.YOUR_TEXT}", press.fields.text(notes.TEXT_FIELD))
            return
        origin = NoteOrigin(
            "message", form_id(press.target), channel_id=press.interaction.channel_id, message_id=message_id
        )
        await self._add(press, found[0].fan_account_id, origin)

    async def _find(self, press: Press, typed: str) -> list[FanChoice]:
        # What the form was filled with means that very fan, though another creator may have one of that name.
        offered = await self._notes.find_fan(press.viewer, press.target.card_id)
        if offered is not None and notes.offered_name(offered) == typed:
            return [offered]
        return await self._fans.find(press.viewer, typed)

    async def _add(self, press: Press, fan_account_id: int, origin: NoteOrigin) -> None:
        text = press.fields.text(notes.TEXT_FIELD)
        result = await self._notes.add(press.viewer, fan_account_id, text, origin)
        if result.status == "saved" and result.note is not None and result.fan is not None:
            await press.answer.send(notes.render_noted(result.note, result.fan))
        elif result.status == "not_found":
            await _give_back(press, f"{common.NOT_FOUND} {words.YOUR_TEXT}", text)
        else:
            await press.answer.say(sentence_of(result))


def sentence_of(result: NoteResult) -> str:
    """Why nothing was changed, or what there is to say of a change that shows nothing."""
    match result.status:
        case "empty":
            return words.EMPTY
        case "too_long":
            return words.too_long(NOTE_CHARS, result.chars)
        case "stale":
            return words.STALE
        case "noted_already":
            return words.NOTED_ALREADY
        case "too_late":
            return words.TOO_LATE
        case "not_yours" if result.note is not None:
            return words.not_yours(result.note.author_id)
        case _:
            return words.GONE


async def _give_back(press: Press, sentence: str, text: str) -> None:
    for rendered in notes.render_given_back(sentence, text):
        await press.answer.send(rendered)


async def _turn(press: Press, rendered: RenderedMessage | None) -> None:
    """`turn`, where there is something to show; None: it is gone."""
    if rendered is None:
        await press.answer.say(words.GONE)
    else:
        await turn(press, rendered)
