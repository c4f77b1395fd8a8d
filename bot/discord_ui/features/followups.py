"""What the buttons and the form of follow-ups do, and what commands share with them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from bot.discord_ui import followups as ui
from bot.discord_ui import words
from bot.discord_ui.forms import form_id
from bot.discord_ui.notes import render_given_back
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import fan_name
from bot.discord_ui.turn import turn
from bot.discord_ui.undo import render_undoable
from bot.discord_ui.winbacks import QUEUE
from bot.discord_ui.words import followups as say
from bot.discord_ui.words.winbacks import due as due_error
from bot.domain.due import DueError
from bot.domain.followups import FollowupState
from bot.domain.models import AccessTier, Viewer
from bot.domain.pages import ROWS_PER_PAGE
from bot.services.followups import FollowupResult, FollowupService

_line = partial(one_line, is_layout=False)


def added_message(result: FollowupResult) -> RenderedMessage:
    """What came of adding a follow-up, with the way back where it was kept."""
    row = result.followup
    if row is None:
        return _line({"empty": say.EMPTY, "too_long": say.TOO_LONG}.get(result.status, words.NOT_FOUND))
    name = fan_name(row.fan)
    if result.status == "already":
        return _line(say.added_already(name))
    sentence = say.added(name, row.due_at, row.assignee_id or row.created_by, promise=row.promise)
    return ui.render_added(sentence, row)


def sentence_of(result: FollowupResult) -> str:
    """What came of a change."""
    row = result.followup
    if row is None:
        return words.GONE
    name = fan_name(row.fan)
    if result.status == "already" and row.state is not FollowupState.OPEN:
        return say.closed_already(name, row.done_by, row.done_at)
    match result.status:
        case "done":
            return say.done(name, ui.short(row.what))
        case "withdrawn":
            return say.withdrawn(name)
        case "taken":
            return say.taken(name, row.due_at)
        case "put_off":
            return say.put_off(name, row.due_at)
        case "not_yours":
            return say.not_yours(name, row.assignee_id)
        case _:
            return say.put_off_already(name, row.due_at)


async def list_message(
    service: FollowupService, viewer: Viewer, asked: ui.ListFilter, page: int, note: str | None = None
) -> RenderedMessage:
    """A page of follow-ups. Whether the viewer may see somebody else's is for the caller to check."""
    found = await service.list_page(viewer, asked.creator_id, asked.user_id, page, ROWS_PER_PAGE)
    return ui.render_followups(found, asked, viewer.user_id, note=note)


class FollowupFeature:
    """Follow-ups from their buttons. One on a fan the person does not see is answered as one that is gone."""

    def __init__(self, followups: FollowupService) -> None:
        self._followups = followups

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {
            ui.OPEN: Handler(self._open),
            ui.TAKE: Handler(self._take),
            ui.TOMORROW: Handler(self._put_off),
            ui.LIST: Handler(self._list),
            ui.DONE: Handler(self._done),
            ui.WITHDRAW: Handler(self._withdraw),
        }

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {ui.OPEN: Handler(self._added)}

    async def _open(self, press: Press) -> None:
        fan = None
        if press.target.kind == ui.EPISODE:
            fan = await self._followups.fan_of_episode(press.viewer, press.target.card_id)
        if fan is None:
            await press.answer.say(words.GONE)
        else:
            await press.answer.form(ui.add_form(fan, press.target.card_id))

    async def _added(self, press: Press) -> None:
        fan = None
        if press.target.kind == ui.EPISODE:
            fan = await self._followups.fan_of_episode(press.viewer, press.target.card_id)
        what = press.fields.text(ui.WHAT)
        if fan is None:
            await press.answer.say(words.GONE)
            return
        try:
            due_at = await self._followups.read_due(press.fields.text(ui.DUE), fan.fan_account_id)
        except DueError as error:
            await _give_back(press, f"{due_error(error)} {say.YOUR_TEXT}", what)
            return
        # The end of the custom_id is the form's own: the same form sent twice is one follow-up.
        request = f"form-{press.viewer.user_id}-{press.target.card_id}-{form_id(press.target)}"
        result = await self._followups.add(
            press.viewer,
            fan.fan_account_id,
            what,
            due_at,
            press.viewer,
            request,
            promise="promise" in press.fields.chosen(ui.KIND),
        )
        if result.status == "too_long":
            await _give_back(press, say.TOO_LONG, what)
        else:
            await press.answer.send(added_message(result))

    async def _take(self, press: Press) -> None:
        result = await self._followups.take(press.viewer, ui.followup_id(press.target))
        row = result.followup
        if result.status == "already" and row is not None and row.state is FollowupState.OPEN:
            await press.answer.say(say.yours_already(fan_name(row.fan)))
        else:
            await press.answer.send(render_undoable(sentence_of(result), result.action_id))

    async def _put_off(self, press: Press) -> None:
        due_s = ui.shown_due(press.target)
        if due_s is None:
            await press.answer.say(words.GONE)
            return
        result = await self._followups.put_off(press.viewer, ui.followup_id(press.target), due_s)
        await press.answer.send(render_undoable(sentence_of(result), result.action_id))

    async def _withdraw(self, press: Press) -> None:
        result = await self._followups.withdraw(press.viewer, ui.followup_id(press.target))
        if result.status == "withdrawn":
            await turn(press, render_undoable(sentence_of(result), result.action_id))
        else:
            await press.answer.say(sentence_of(result))

    async def _list(self, press: Press) -> None:
        parsed = ui.parse_list(press.target.arg)
        if parsed is None or press.target.kind != QUEUE:
            await press.answer.say(words.GONE)
            return
        asked, page = parsed
        if not may_list(press.viewer, asked.user_id):
            await press.answer.say(say.OTHERS_NEED_LEAD)
            return
        await turn(press, await list_message(self._followups, press.viewer, asked, page))

    async def _done(self, press: Press) -> None:
        result = await self._followups.done(press.viewer, ui.followup_id(press.target))
        sentence = sentence_of(result)
        parsed = ui.parse_list(press.target.arg) if press.target.kind == ui.FOLLOWUP else None
        if parsed is None or result.followup is None or not may_list(press.viewer, parsed[0].user_id):
            await press.answer.send(render_undoable(sentence, result.action_id))
            return
        asked, page = parsed
        await turn(press, await list_message(self._followups, press.viewer, asked, page, sentence))


def may_list(viewer: Viewer, user_id: int | None) -> bool:
    """Whether the viewer may see that person's list (None: everybody's)."""
    return user_id == viewer.user_id or viewer.tier >= AccessTier.LEAD


async def _give_back(press: Press, sentence: str, text: str) -> None:
    for rendered in render_given_back(sentence, text):
        await press.answer.send(rendered)
