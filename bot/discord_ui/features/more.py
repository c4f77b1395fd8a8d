"""What the private menu about an alert does. An alert the person does not see is answered as one that is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from bot.discord_ui import custom_ids, words
from bot.discord_ui import more as ui
from bot.discord_ui.custom_ids import parse_id
from bot.discord_ui.features.claiming import claim, release
from bot.discord_ui.people import People
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.safe import safe_name
from bot.discord_ui.turn import turn
from bot.discord_ui.viewers import RulesSource
from bot.discord_ui.words import desk as say
from bot.discord_ui.words.calm import ON_HOLD
from bot.domain.models import AccessTier, Viewer
from bot.domain.more import EpisodeMenu, Why
from bot.services.desk_outcomes import CloseResult, ContactResult
from bot.services.ports import Desk


class Outcomes(Protocol):
    """The outcome service, as far as the menu needs it."""

    async def menu(self, viewer: Viewer, episode_id: int) -> EpisodeMenu | None: ...

    async def why(self, viewer: Viewer, episode_id: int) -> Why | None: ...

    async def may_close(self, viewer: Viewer, episode_id: int) -> CloseResult: ...

    async def log_contact(self, viewer: Viewer, episode_id: int) -> ContactResult: ...

    async def say_useless(self, viewer: Viewer, episode_id: int, *, useless: bool) -> bool: ...


class MoreFeature:
    """The menu, and what stands in it beside what other parts of the bot answer."""

    def __init__(self, desk: Desk, outcomes: Outcomes, access: RulesSource) -> None:
        self._desk = desk
        self._outcomes = outcomes
        self._access = access

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {
            custom_ids.MORE: _on_episode(self._show),
            ui.BACK: _on_episode(self._show),
            custom_ids.PICK_EPISODE: Handler(self._picked),
            ui.WHY: _on_episode(self._why),
            ui.CLAIM: _on_episode(self._claim),
            ui.RELEASE: _on_episode(self._release),
            ui.TAKE_OVER: _on_episode(self._ask_take_over),
            ui.TAKE_OVER_YES: Handler(self._take_over),
            ui.PICK_ASSIGNEE: _on_episode(self._assign, AccessTier.LEAD),
            ui.CONTACT: _on_episode(self._log_contact),
            ui.NOT_USEFUL: _on_episode(self._not_useful),
            ui.USEFUL: _on_episode(self._useful),
        }

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {}

    async def _picked(self, press: Press) -> None:
        """One row of a list. A list is no menu: it stays, and the menu opens beside it."""
        episode_id = parse_id(press.values[0]) if press.values else None
        menu = None if episode_id is None else await self._menu(press, episode_id)
        if menu is not None:
            await press.answer.send(ui.render_menu(menu, press.viewer))

    async def _show(self, press: Press, episode_id: int, said: str | None = None) -> None:
        menu = await self._menu(press, episode_id, said)
        if menu is not None:
            await turn(press, ui.render_menu(menu, press.viewer, said))

    async def _menu(self, press: Press, episode_id: int, said: str | None = None) -> EpisodeMenu | None:
        """The menu of an open episode; None: there is none, and the answer says so."""
        menu = await self._outcomes.menu(press.viewer, episode_id)
        if menu is None:
            await press.answer.say(words.GONE)
        elif menu.row.tier is None:
            await press.answer.say(said or words.CLOSED)
        else:
            return menu
        return None

    async def _why(self, press: Press, episode_id: int) -> None:
        why = await self._outcomes.why(press.viewer, episode_id)
        if why is None:
            await press.answer.say(words.GONE)
        else:
            await turn(press, ui.render_why(why))

    async def _claim(self, press: Press, episode_id: int) -> None:
        done = await claim(self._desk, press, episode_id)
        if done is not None:
            await self._changed(press, episode_id, done)

    async def _release(self, press: Press, episode_id: int) -> None:
        done = await release(self._desk, press, episode_id)
        if done is not None:
            await self._changed(press, episode_id, done)

    async def _ask_take_over(self, press: Press, episode_id: int) -> None:
        menu = await self._menu(press, episode_id)
        if menu is None:
            return
        if menu.row.claimed_by in (None, press.viewer.user_id):
            # Nobody is asked for what nobody else has.
            await turn(press, ui.render_menu(menu, press.viewer))
        else:
            await turn(press, ui.render_take_over(menu))

    async def _take_over(self, press: Press) -> None:
        if press.target.kind != custom_ids.EPISODE:
            await press.answer.say(words.GONE)
            return
        episode_id, holder_id = press.target.card_id, parse_id(press.target.arg)
        result = await self._desk.take_over(press.viewer, episode_id, holder_id)
        match result.status:
            case "claimed" | "already_yours":
                await self._changed(press, episode_id, words.CLAIMED)
            case "taken":
                await self._ask_take_over(press, episode_id)
            case "closed":
                await press.answer.say(words.CLOSED)
            case "on_hold":
                await press.answer.say(ON_HOLD)
            case "not_found":
                await press.answer.say(words.GONE)

    async def _assign(self, press: Press, episode_id: int) -> None:
        chosen = press.values[0] if press.values else ""
        if not (chosen.isascii() and chosen.isdecimal() and len(chosen) < 20):
            await press.answer.say(say.NOBODY_CHOSEN)
            return
        if (await self._outcomes.may_close(press.viewer, episode_id)).status == "not_found":
            # Before anybody is looked up: what is foreign and what is missing are to be answered alike.
            await press.answer.say(words.GONE)
            return
        assignee = await People(press.interaction.guild, self._access).viewer(int(chosen))
        if assignee is None:
            await press.answer.say(say.UNKNOWN_PERSON)
            return
        result = await self._desk.assign(press.viewer, episode_id, assignee)
        match result.status:
            case "assigned":
                await self._changed(press, episode_id, say.assigned(assignee.user_id, result.not_called))
            case "already":
                await self._show(press, episode_id, say.assigned_already(assignee.user_id))
            case "no_access":
                await press.answer.say(say.no_access(assignee.user_id, safe_name(result.creator_name)))
            case "closed":
                await press.answer.say(words.CLOSED)
            case "on_hold":
                await press.answer.say(ON_HOLD)
            case "not_found":
                await press.answer.say(words.GONE)

    async def _log_contact(self, press: Press, episode_id: int) -> None:
        result = await self._outcomes.log_contact(press.viewer, episode_id)
        if result.at is None:
            await press.answer.say(words.GONE)
            return
        logged = result.status == "logged"
        await self._show(press, episode_id, say.CONTACT_LOGGED if logged else say.contact_already(result.at))

    async def _not_useful(self, press: Press, episode_id: int) -> None:
        if await self._outcomes.say_useless(press.viewer, episode_id, useless=True):
            await self._show(press, episode_id, say.SAID_USELESS)
        else:
            await press.answer.say(words.GONE)

    async def _useful(self, press: Press, episode_id: int) -> None:
        if await self._outcomes.say_useless(press.viewer, episode_id, useless=False):
            await self._show(press, episode_id, say.TAKEN_BACK)
        else:
            await press.answer.say(words.GONE)

    async def _changed(self, press: Press, episode_id: int, said: str) -> None:
        """The menu as it is now; the card that everybody sees is for delivery."""
        await self._desk.show_changes()
        await self._show(press, episode_id, said)


def _on_episode(
    run: Callable[[Press, int], Awaitable[None]], needs: AccessTier = AccessTier.CHATTER
) -> Handler:
    """Of a press whose argument is an episode, on a card or in private."""

    async def guarded(press: Press) -> None:
        episode_id = parse_id(press.target.arg)
        if episode_id is None:
            await press.answer.say(words.GONE)
        else:
            await run(press, episode_id)

    return Handler(guarded, needs)
