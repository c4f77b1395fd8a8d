"""What the buttons of /alerts, of quiet hours and of a drill do."""

from __future__ import annotations

from collections.abc import Mapping

from bot.discord_ui import calm as ui
from bot.discord_ui import words
from bot.discord_ui.custom_ids import parse_page
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.turn import turn
from bot.discord_ui.words import calm as say
from bot.discord_ui.words.setup import unknown_zone
from bot.domain.calm import QuietHours
from bot.domain.models import AccessTier
from bot.domain.pages import ROWS_PER_PAGE
from bot.domain.shift_work import parse_minute
from bot.domain.zones import close_zones, find_zone
from bot.services.calm import CalmService, Ended


def read_hours(starts: str, ends: str, zone: str) -> QuietHours | str:
    """The hours that were typed, or the sentence that says what is wrong with them."""
    begins, over = parse_minute(starts), parse_minute(ends, is_end=True)
    if begins is None or over is None:
        return say.NO_TIME
    if begins == over:
        return say.SAME_TIME
    found = find_zone(zone)
    if found is None:
        return unknown_zone(close_zones(zone))
    return QuietHours(begins, over, found)


class CalmFeature:
    """Within what the viewer sees. What is foreign, or gone, is answered alike."""

    def __init__(self, calm: CalmService) -> None:
        self._calm = calm

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {
            ui.LIST: Handler(self._list, AccessTier.LEAD),
            ui.END_MUTE: Handler(self._end_mute, AccessTier.LEAD),
            ui.END_HOLD: Handler(self._end_hold, AccessTier.LEAD),
            # One's own anybody may remove.
            ui.END_QUIET: Handler(self._end_quiet),
            ui.OWN_QUIET: Handler(self._open_form),
            ui.DRILL_OK: Handler(self._close_drill, AccessTier.LEAD),
        }

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {ui.OWN_QUIET: Handler(self._set_own)}

    async def _list(self, press: Press) -> None:
        creator_id = press.target.card_id or None
        found = await self._calm.load_page(
            press.viewer, creator_id, parse_page(press.target.arg), ROWS_PER_PAGE
        )
        await turn(press, ui.render_quiet(found))

    async def _end_mute(self, press: Press) -> None:
        await _tell(press, await self._calm.end_mute(press.viewer, press.target.card_id), say.MUTE_GONE)

    async def _end_hold(self, press: Press) -> None:
        await _tell(press, await self._calm.end_hold(press.viewer, press.target.card_id), say.HOLD_GONE)

    async def _end_quiet(self, press: Press) -> None:
        await _tell(press, await self._calm.end_hours(press.viewer, press.target.card_id), say.HOURS_GONE)

    async def _open_form(self, press: Press) -> None:
        if press.target.kind != ui.PRIVATE or press.target.card_id != press.viewer.user_id:
            await press.answer.say(words.GONE)
            return
        own = await self._calm.own_hours(press.viewer)
        await press.answer.form(ui.quiet_form(press.viewer.user_id, None if own is None else own.hours))

    async def _set_own(self, press: Press) -> None:
        if press.target.kind != ui.PRIVATE or press.target.card_id != press.viewer.user_id:
            await press.answer.say(words.GONE)
            return
        fields = press.fields
        hours = read_hours(fields.text(ui.FROM), fields.text(ui.TO), fields.text(ui.ZONE))
        if isinstance(hours, str):
            await press.answer.say(hours)
            return
        await self._calm.set_hours(press.viewer, hours, user_id=press.viewer.user_id)
        await press.answer.say(say.quiet_set(say.YOURS, hours))

    async def _close_drill(self, press: Press) -> None:
        status = await self._calm.close_drill(press.viewer, press.target.card_id)
        sentences = {"closed": say.DRILL_CLOSED, "already": say.DRILL_GONE, "not_found": words.GONE}
        await press.answer.say(sentences[status])


async def _tell(press: Press, ended: Ended, already: str) -> None:
    if ended.status == "not_found" or ended.item is None:
        await press.answer.say(words.GONE)
    elif ended.status == "already":
        await press.answer.say(already)
    else:
        await press.answer.say(ended_words(ended, press.viewer.user_id))


def ended_words(ended: Ended, viewer_id: int) -> str:
    """What to say of what has just ended."""
    item = ended.item
    assert item is not None  # noqa: S101 - whoever asks has looked
    name = ui.item_name(item)
    if item.kind == "mute":
        return say.unmuted(name)
    if item.kind == "hold":
        return say.hold_ended(name)
    return say.own_quiet_removed() if item.user_id == viewer_id else say.quiet_removed(name)
