"""What the buttons of /shift do: turn pages, take a row out of a plan."""

from __future__ import annotations

from collections.abc import Mapping

from bot.discord_ui import shifts as ui
from bot.discord_ui import words
from bot.discord_ui.custom_ids import parse_page
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.rendered import one_line
from bot.discord_ui.safe import safe_name
from bot.discord_ui.turn import turn
from bot.discord_ui.words import shifts as say
from bot.domain.models import AccessTier
from bot.domain.pages import ROWS_PER_PAGE
from bot.services.shifts import ShiftService


class ShiftFeature:
    """Pages of who is on and of plans, and [Remove]."""

    def __init__(self, shifts: ShiftService) -> None:
        self._shifts = shifts

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {
            ui.WHO: Handler(self._who),
            ui.PLAN: Handler(self._plan, AccessTier.LEAD),
            ui.UNPLAN: Handler(self._unplan, AccessTier.LEAD),
        }

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {}

    async def _who(self, press: Press) -> None:
        creator_id = press.target.card_id or None
        page = parse_page(press.target.arg)
        if press.target.kind != ui.QUEUE or (
            creator_id is not None and creator_id not in press.viewer.creator_ids
        ):
            await press.answer.say(words.GONE)
            return
        found = await self._shifts.who(press.viewer, creator_id, page, ui.WHO_ROWS)
        await turn(press, ui.render_who(found, creator_id))

    async def _plan(self, press: Press) -> None:
        found = None
        if press.target.kind == ui.CREATOR:
            page = parse_page(press.target.arg)
            found = await self._shifts.load_plan(press.viewer, press.target.card_id, page, ROWS_PER_PAGE)
        if found is None:
            await press.answer.say(words.GONE)
            return
        await turn(press, ui.render_plan(found))

    async def _unplan(self, press: Press) -> None:
        if press.target.kind != ui.SHIFT:
            await press.answer.say(words.GONE)
            return
        result = await self._shifts.remove(press.viewer, press.target.card_id)
        if result.planned is None:
            await press.answer.say(words.GONE)
        elif result.status == "already":
            await press.answer.say(say.REMOVED_ALREADY)
        else:
            name = await self._shifts.name_of(press.viewer, result.planned.creator_id)
            text = say.removed(safe_name(name, 24), result.planned.shift, result.gaps, result.still_on)
            await turn(press, one_line(text, is_layout=True))
