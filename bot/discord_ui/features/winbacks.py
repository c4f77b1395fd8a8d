"""What the buttons, menus and forms of winbacks do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import discord

from bot.discord_ui import winback_lists as lists
from bot.discord_ui import winbacks as ui
from bot.discord_ui import words
from bot.discord_ui.people import People
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import fan_name, safe_name
from bot.discord_ui.turn import turn
from bot.discord_ui.viewers import RulesSource
from bot.discord_ui.winback_lists import ListFilter
from bot.discord_ui.words import winbacks as say
from bot.domain.base36 import encode
from bot.domain.desk import Outcome
from bot.domain.due import DueError
from bot.domain.models import AccessTier, Viewer
from bot.domain.pages import ROWS_PER_PAGE
from bot.domain.views import FanChoice
from bot.domain.winbacks import WinbackState
from bot.services.fans import FanService
from bot.services.winback_spreads import MOST_AT_ONCE, MOST_PER_PERSON, SpreadOrder, SpreadService
from bot.services.winbacks import NOTE_CHARS, DoneResult, WinbackService

_line = partial(one_line, is_layout=False)


class WinbackDesk:
    """What commands and presses share: assigning, with every way it can be refused."""

    def __init__(self, winbacks: WinbackService, spreads: SpreadService, access: RulesSource) -> None:
        self.winbacks = winbacks
        self.spreads = spreads
        self.access = access

    def people(self, guild: discord.Guild | None) -> People:
        return People(guild, self.access)

    async def read_due(
        self, text: str | None, *, creator_id: int | None = None, fan_account_id: int | None = None
    ) -> int | None:
        """When that is, by the clock of the creator or of the fan's; None: nothing was typed. Raises DueError."""
        if text is None or not text.strip():
            return None
        return await self.winbacks.read_due(text, creator_id=creator_id, fan_account_id=fan_account_id)

    async def assign(
        self,
        viewer: Viewer,
        fan: FanChoice,
        assignee: Viewer,
        due_at: int | None = None,
        note: str | None = None,
    ) -> str:
        """Ask somebody to win a fan back; the sentence that says what came of it."""
        result = await self.winbacks.assign(viewer, fan.fan_account_id, assignee, due_at, note)
        if result.status == "no_access":
            if assignee.tier < AccessTier.CHATTER:
                return say.lacks_role(assignee.user_id)
            return say.lacks_creator(assignee.user_id, safe_name(fan.creator_name))
        if result.winback is None:
            return words.NOT_FOUND
        name, due = fan_name(fan.fan), result.winback.due_at
        if result.status == "handed_over":
            return say.handed_over(assignee.user_id, result.before, name, due)
        if result.status == "already":
            return say.already(assignee.user_id, name, due)
        if result.status == "changed":
            return say.changed(assignee.user_id, name, due)
        return say.assigned(assignee.user_id, name, due)

    async def list_message(self, viewer: Viewer, asked: ListFilter, page: int) -> RenderedMessage:
        """A page of winbacks. Whether the viewer may see somebody else's is for the caller to check."""
        found = await self.winbacks.list_page(
            viewer, asked.creator_id, asked.user_id, asked.state, page, ROWS_PER_PAGE
        )
        return lists.render_winbacks(found, asked, viewer.user_id)

    def done_message(self, result: DoneResult) -> RenderedMessage:
        """What came of closing a winback, with the way back where it is closed now."""
        if result.winback is None or result.status == "not_found":
            return _line(words.GONE)
        row = result.winback
        name = fan_name(row.fan)
        if result.status == "not_yours":
            return _line(say.not_yours(row.assignee_id, name))
        if result.status == "already" or row.outcome is None:
            return _line(say.done_already(name, row.outcome, row.done_by, row.done_at))
        lines = [say.closed(name, row.outcome)]
        if result.refill is not None:
            lines.append(say.refilled(result.refill.assignee_id, fan_name(result.refill.fan)))
        return lists.render_undo(" ".join(lines), row)

    async def close(
        self, viewer: Viewer, guild: discord.Guild | None, winback_id: int, outcome: Outcome, note: str | None
    ) -> RenderedMessage:
        """Close a winback; the message that says what came of it."""
        people = self.people(guild)
        result = await self.winbacks.close(viewer, winback_id, outcome, note, people.viewer)
        return self.done_message(result)

    async def spread(
        self, viewer: Viewer, guild: discord.Guild | None, order: SpreadOrder, among: Sequence[int]
    ) -> RenderedMessage:
        """Hand out among people and the members of roles (ids of either); the message that says who got what."""
        people = self.people(guild)
        found: dict[int, Viewer] = {}
        for one_id in among:
            role = guild.get_role(one_id) if guild is not None else None
            if role is None:
                asked = await people.viewers([one_id])
            else:
                asked = await people.viewers(await self.spreads.team_ids(), role_id=role.id)
            found |= {one.user_id: one for one in asked}
        result = await self.spreads.spread(viewer, order, list(found.values()))
        if result.status == "nobody":
            return _line(say.NOBODY_ABLE)
        if result.status == "no_candidates":
            return _line(say.NO_CANDIDATES)
        return ui.render_spread(result)


class WinbackFeature:
    """The lists of candidates and winbacks. What a person may not see is answered as gone."""

    def __init__(self, desk: WinbackDesk, fans: FanService) -> None:
        self._desk = desk
        self._fans = fans

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {
            ui.CANDIDATES: Handler(self._candidates, AccessTier.LEAD),
            ui.ASSIGN: Handler(self._ask_whom, AccessTier.LEAD),
            ui.PICK_WHO: Handler(self._assign, AccessTier.LEAD),
            ui.SPREAD: Handler(self._open_spread, AccessTier.LEAD),
            ui.SPREAD_UNDO: Handler(self._undo_spread, AccessTier.LEAD),
            ui.SPREAD_STOP: Handler(self._stop_spread, AccessTier.LEAD),
            lists.LIST: Handler(self._list),
            lists.DONE: Handler(self._open_done),
            lists.UNDO: Handler(self._undo_done),
        }

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {
            ui.SPREAD: Handler(self._spread, AccessTier.LEAD),
            lists.DONE: Handler(self._done),
        }

    async def _candidates(self, press: Press) -> None:
        parsed = ui.parse_filter(press.target.card_id, press.target.arg)
        if parsed is None or press.target.kind != ui.QUEUE:
            await press.answer.say(words.GONE)
            return
        asked, page = parsed
        found = await self._desk.winbacks.candidates(press.viewer, asked, page, ROWS_PER_PAGE)
        await turn(press, ui.render_candidates(found, asked))

    async def _fan(self, press: Press) -> FanChoice | None:
        """The fan a component is about; None: the answer says so."""
        found = []
        if press.target.kind == ui.FAN:
            found = await self._fans.find(press.viewer, f"f:{encode(press.target.card_id)}")
        if len(found) == 1:
            return found[0]
        await press.answer.say(words.GONE)
        return None

    async def _ask_whom(self, press: Press) -> None:
        fan = await self._fan(press)
        if fan is not None:
            await press.answer.send(ui.render_who(fan.fan, fan.fan_account_id))

    async def _assign(self, press: Press) -> None:
        fan = await self._fan(press)
        if fan is None:
            return
        chosen = _ids(press.values[:1])
        people = self._desk.people(press.interaction.guild)
        member = await people.member(chosen[0]) if chosen else None
        if member is None or member.bot:
            await press.answer.say(say.NOT_HERE if member is None else say.NO_BOTS)
            return
        assignee = await people.viewer_of(member)
        await turn(press, _line(await self._desk.assign(press.viewer, fan, assignee)))

    # Spreads

    async def _open_spread(self, press: Press) -> None:
        parsed = ui.parse_filter(press.target.card_id, press.target.arg)
        if parsed is None or press.target.kind != ui.QUEUE:
            await press.answer.say(words.GONE)
            return
        asked, first = parsed
        await press.answer.form(
            ui.spread_form(press.target.card_id, ui.filter_arg(asked, first), max(first, 1))
        )

    async def _spread(self, press: Press) -> None:
        parsed = ui.parse_filter(press.target.card_id, press.target.arg)
        among = _ids(press.fields.chosen(ui.PEOPLE))
        if parsed is None or press.target.kind != ui.QUEUE:
            await press.answer.say(words.GONE)
            return
        top = _number(press.fields.text(ui.TOP), MOST_AT_ONCE)
        per_person = _number(press.fields.text(ui.PER_PERSON), MOST_PER_PERSON)
        if top is None or per_person is None or not among:
            missing = say.BAD_TOP if top is None else say.BAD_PER_PERSON
            await press.answer.say(missing if among else say.NO_PEOPLE)
            return
        asked, _ = parsed
        try:
            due_at = await self._desk.read_due(press.fields.text(ui.DUE), creator_id=asked.creator_id)
        except DueError as error:
            await press.answer.say(say.due(error))
            return
        # The end of the custom_id is the form's own: the same form sent twice is one order.
        request = f"form-{press.viewer.user_id}-{press.target.card_id}-{press.target.arg}"
        order = SpreadOrder(asked, top, per_person, due_at, request)
        guild = press.interaction.guild
        await press.answer.send(await self._desk.spread(press.viewer, guild, order, among))

    async def _undo_spread(self, press: Press) -> None:
        result = await self._desk.spreads.undo(press.viewer, _id_of(press, ui.SPREAD_KIND))
        if result.status == "ended":
            await turn(press, _line(say.spread_undone(result.taken_back, result.kept)))
            return
        await press.answer.say(
            {
                "already": say.SPREAD_UNDONE_ALREADY,
                "not_yours": say.UNDO_NOT_YOURS,
                "too_late": say.UNDO_TOO_LATE,
            }.get(result.status, words.GONE)
        )

    async def _stop_spread(self, press: Press) -> None:
        result = await self._desk.spreads.stop(press.viewer, _id_of(press, ui.SPREAD_KIND))
        if result.status == "ended":
            await press.answer.say(say.spread_stopped(result.kept))
        else:
            await press.answer.say(say.SPREAD_STOPPED_ALREADY if result.status == "already" else words.GONE)

    # What is handed out

    async def _list(self, press: Press) -> None:
        parsed = lists.parse_list(press.target.card_id, press.target.arg)
        if parsed is None or press.target.kind != ui.QUEUE:
            await press.answer.say(words.GONE)
            return
        asked, page = parsed
        if asked.user_id != press.viewer.user_id and press.viewer.tier < AccessTier.LEAD:
            await press.answer.say(say.OTHERS_NEED_LEAD)
            return
        await turn(press, await self._desk.list_message(press.viewer, asked, page))

    async def _open_done(self, press: Press) -> None:
        found = await self._desk.winbacks.find(press.viewer, _id_of(press, ui.WINBACK))
        if found is None or found.state is WinbackState.WITHDRAWN:
            await press.answer.say(words.GONE)
        elif found.assignee_id != press.viewer.user_id and press.viewer.tier < AccessTier.LEAD:
            await press.answer.say(say.not_yours(found.assignee_id, fan_name(found.fan)))
        elif found.state is WinbackState.DONE:
            name = fan_name(found.fan)
            await press.answer.say(say.done_already(name, found.outcome, found.done_by, found.done_at))
        else:
            await press.answer.form(lists.done_form(found))

    async def _done(self, press: Press) -> None:
        chosen = press.fields.chosen(lists.OUTCOME)
        outcome = next((one for one in Outcome if chosen and one.value == chosen[0]), None)
        if outcome is None:
            await press.answer.say(say.NAME_AN_OUTCOME)
            return
        note = press.fields.text(lists.NOTE)[:NOTE_CHARS] or None
        winback_id = _id_of(press, ui.WINBACK)
        message = await self._desk.close(press.viewer, press.interaction.guild, winback_id, outcome, note)
        await press.answer.send(message)

    async def _undo_done(self, press: Press) -> None:
        result = await self._desk.winbacks.undo_close(press.viewer, _id_of(press, ui.WINBACK))
        if result.status == "reopened" and result.winback is not None:
            refill = fan_name(result.refill.fan) if result.refill is not None else None
            sentence = say.reopened(fan_name(result.winback.fan), refill, result.taken_back)
            await turn(press, _line(sentence))
            return
        await press.answer.say(
            {
                "not_done": say.NOT_DONE,
                "not_yours": say.UNDO_NOT_YOURS,
                "too_late": say.UNDO_TOO_LATE,
                "taken": say.UNDO_TAKEN,
            }.get(result.status, words.GONE)
        )


def _id_of(press: Press, kind: str) -> int:
    """The id in a target of that kind; 0, which nothing has, for any other."""
    return press.target.card_id if press.target.kind == kind else 0


def _ids(values: Sequence[str]) -> list[int]:
    """The Discord ids chosen; what is none is left out."""
    return [int(value) for value in values if value.isascii() and value.isdecimal() and len(value) < 20]


def _number(text: str, most: int) -> int | None:
    """A number from 1 to `most`; None for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        return None
    return int(text) if 1 <= int(text) <= most else None
