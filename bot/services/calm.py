"""What people keep quiet: mutes, holds, quiet hours; and the drill that shows what an alert looks like."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.calm import QuietHours
from bot.domain.due import parse_due
from bot.domain.models import AccessTier, CardKind, Viewer
from bot.domain.pages import fit
from bot.domain.views import FanLabel, Owner
from bot.services.records import append, keep
from storage import cards, desk_actions, fans, holds, mentions, mutes, quiet_hours, roster, waiting, zones
from storage.cards import CardPayload, NewCard
from storage.desk_actions import TargetKind
from storage.engine import AgencyStore, Tx
from storage.holds import FanHold
from storage.ids import machine_ms
from storage.mutes import Mute
from storage.quiet_hours import QuietRow

REASON_CHARS = 200
DRILL = "drill"
Kind = Literal["mute", "hold", "quiet"]
EndStatus = Literal["ended", "already", "not_found"]


@dataclass(frozen=True, slots=True)
class QuietItem:
    """One row of what is kept quiet. `reason` is hostile text, `until_at` None: until somebody ends it.

    A mute has a creator and perhaps a fan; a hold both; quiet hours a creator or a person (`user_id`), and `hours`.
    """

    kind: Kind
    id: int
    creator_name: str | None
    fan: FanLabel | None
    user_id: int | None
    until_at: int | None
    reason: str
    by: int
    hours: QuietHours | None = None


@dataclass(frozen=True, slots=True)
class QuietPage:
    """One page of them, from 0; the counts are of all pages. `creator_id` None: of all the viewer's creators."""

    creator_id: int | None
    items: tuple[QuietItem, ...]
    page: int
    pages: int
    mutes: int
    holds: int
    quiet: int


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an [End]. `item`: what has ended, or had already."""

    status: EndStatus
    item: QuietItem | None = None


_NOT_FOUND = Ended("not_found")


class CalmService:
    """Within what the viewer sees; the tier is checked by whoever calls. What is foreign is answered as missing."""

    def __init__(
        self,
        store: AgencyStore,
        clock: Clock,
        *,
        wake_delivery: Callable[[], Awaitable[None]],
        wall_ms: Callable[[], int] = machine_ms,
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake_delivery = wake_delivery
        self._wall_ms = wall_ms

    async def read_until(
        self, text: str, *, creator_id: int | None = None, fan_account_id: int | None = None
    ) -> int:
        """The instant meant, by the clock of the creator (or the fan's), else of the agency. Raises DueError."""
        async with self._store.read() as tx:
            if fan_account_id is not None:
                creator_id = await fans.creator_of_fan(tx, fan_account_id)
            zone = ZoneInfo(await zones.read_zone_name(tx, creator_id))
        # The parser builds its tables at the first call: not on the event loop.
        return await asyncio.to_thread(parse_due, text, self._clock.now_ms(), zone)

    async def creator_of(self, viewer: Viewer, fan_account_id: int) -> int | None:
        """Whose fan it is; None: nobody's whom the viewer sees."""
        async with self._store.read() as tx:
            found = await fans.creator_of_fan(tx, fan_account_id)
        return found if found in viewer.creator_ids else None

    async def load_page(self, viewer: Viewer, creator_id: int | None, page: int, page_size: int) -> QuietPage:
        """What is muted, on hold and quiet, of one creator or (None) of all the viewer's; the look is on record."""
        seen = viewer.creator_ids if creator_id is None else viewer.creator_ids & {creator_id}
        ids = sorted(seen)
        async with self._store.read() as tx:
            names = {one.id: one.name for one in await roster.list_creators(tx)}
            muted = [_of_mute(one, names) for one in await mutes.list_open(tx, ids)]
            held = [_of_hold(one, names) for one in await holds.list_open(tx, ids)]
            people = {None, *await _people_of(tx, viewer, ids)}
            known = people | await _people_of(tx, viewer, sorted(viewer.creator_ids))
            quiet = [
                _of_quiet(one, names)
                for one in await quiet_hours.list_open(tx, ids)
                if one.user_id in people or (one.user_id not in known and _answers_for(viewer, one))
            ]
        items = [*held, *muted, *quiet]
        if creator_id is None or seen:
            now = self._clock.now_ms()
            await self._store.write(
                lambda tx: append(tx, viewer, "view_quiet", "creator", creator_id, creator_id, now)
            )
        page, pages = fit(page, len(items), page_size)
        shown = tuple(items[page * page_size : (page + 1) * page_size])
        return QuietPage(creator_id, shown, page, pages, len(muted), len(held), len(quiet))

    # Mutes

    async def mute(
        self, viewer: Viewer, creator_id: int, fan_account_id: int | None, until_at: int, reason: str
    ) -> int | None:
        """Nothing new is said of the fan, or (None) of any fan of the creator; the mute's id.

        None: there is no such fan or creator.
        """
        now = self._clock.now_ms()

        async def write(tx: Tx) -> int | None:
            if not await _sees(tx, viewer, creator_id, fan_account_id):
                return None
            waits = await waiting.load(tx, creator_id, fan_account_id)
            mute_id = await mutes.set_mute(
                tx, creator_id, fan_account_id, until_at, reason[:REASON_CHARS], viewer.user_id, now
            )
            await _keep(tx, viewer, "mute", "mute", mute_id, creator_id, now, waits)
            return mute_id

        return await self._store.write(write)

    async def unmute(self, viewer: Viewer, creator_id: int, fan_account_id: int | None) -> Ended:
        async with self._store.read() as tx:
            if not await _sees(tx, viewer, creator_id, fan_account_id):
                return _NOT_FOUND
            found = await mutes.find_open(tx, creator_id, fan_account_id)
        return Ended("already") if found is None else await self.end_mute(viewer, found.id)

    async def end_mute(self, viewer: Viewer, mute_id: int) -> Ended:
        now = self._clock.now_ms()

        async def write(tx: Tx) -> Ended:
            found = await mutes.find(tx, mute_id)
            if found is None or found.creator_id not in viewer.creator_ids:
                return _NOT_FOUND
            item = _of_mute(found, await _names(tx))
            waits = await waiting.load(tx, found.creator_id, found.fan_account_id)
            if not await mutes.end(tx, mute_id, viewer.user_id, now):
                return Ended("already", item)
            await mentions.release_held(
                tx, now, creator_id=found.creator_id, fan_account_id=found.fan_account_id
            )
            await _keep(tx, viewer, "mute_end", "mute", mute_id, found.creator_id, now, waits)
            return Ended("ended", item)

        return await self._store.write(write)

    # Holds

    async def hold(
        self, viewer: Viewer, fan_account_id: int, until_at: int | None, reason: str
    ) -> int | None:
        """Nobody is to contact the fan; again changes it. The hold's id; None: there is no such fan."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> int | None:
            creator_id = await fans.creator_of_fan(tx, fan_account_id)
            if creator_id is None or creator_id not in viewer.creator_ids:
                return None
            waits = await waiting.load(tx, creator_id, fan_account_id)
            hold_id = await holds.set_hold(
                tx, creator_id, fan_account_id, until_at, reason[:REASON_CHARS], viewer.user_id, now
            )
            await _keep(tx, viewer, "hold", "hold", hold_id, creator_id, now, waits)
            return hold_id

        done = await self._store.write(write)
        await self._wake_delivery()
        return done

    async def end_hold(self, viewer: Viewer, hold_id: int) -> Ended:
        now = self._clock.now_ms()

        async def write(tx: Tx) -> Ended:
            found = await holds.find(tx, hold_id)
            if found is None or found.creator_id not in viewer.creator_ids:
                return _NOT_FOUND
            item = _of_hold(found, await _names(tx))
            if found.ended_at is not None:
                return Ended("already", item)
            waits = await waiting.load(tx, found.creator_id, found.fan_account_id)
            await holds.end(tx, found, viewer.user_id, now)
            await mentions.release_held(tx, now, fan_account_id=found.fan_account_id)
            await _keep(tx, viewer, "hold_end", "hold", hold_id, found.creator_id, now, waits)
            return Ended("ended", item)

        done = await self._store.write(write)
        await self._wake_delivery()
        return done

    # Quiet hours

    async def own_hours(self, viewer: Viewer) -> QuietRow | None:
        async with self._store.read() as tx:
            return await quiet_hours.find_open(tx, user_id=viewer.user_id)

    async def set_hours(
        self,
        viewer: Viewer,
        hours: QuietHours,
        *,
        creator_id: int | None = None,
        user_id: int | None = None,
    ) -> bool:
        """Of a creator's channel or of a person; the same once more changes nothing. False: there is no such creator.

        Whose hours one may set is for the caller to check.
        """
        now = self._clock.now_ms()

        async def write(tx: Tx) -> bool:
            if creator_id is not None and creator_id not in viewer.creator_ids:
                return False
            before = await quiet_hours.find_open(tx, creator_id=creator_id, user_id=user_id)
            if before is not None and before.hours == hours:
                return True
            waits = await waiting.load(tx, creator_id)
            row_id = await quiet_hours.set_hours(
                tx, hours, viewer.user_id, now, creator_id=creator_id, user_id=user_id
            )
            # What the former hours held and these do not comes now; the rest is held anew.
            await mentions.release_held(tx, now, creator_id=creator_id, user_id=user_id)
            await _keep(tx, viewer, "quiet", "quiet", row_id, creator_id, now, waits)
            return True

        return await self._store.write(write)

    async def end_hours(self, viewer: Viewer, row_id: int) -> Ended:
        """One's own anybody may; others' a lead of theirs, those of a channel a lead who sees it."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> Ended:
            found = await quiet_hours.find(tx, row_id)
            if found is None or not await may_end_hours(tx, viewer, found):
                return _NOT_FOUND
            item = _of_quiet(found, await _names(tx))
            waits = await waiting.load(tx, found.creator_id)
            if not await quiet_hours.remove(tx, row_id, now):
                return Ended("already", item)
            await mentions.release_held(tx, now, creator_id=found.creator_id, user_id=found.user_id)
            await _keep(tx, viewer, "quiet_end", "quiet", row_id, found.creator_id, now, waits)
            return Ended("ended", item)

        return await self._store.write(write)

    # Drills

    async def drill(self, viewer: Viewer, creator_id: int) -> int | None:
        """Post a drill in her channel that mentions the viewer; the channel. None: there is no such creator.

        One that is open is posted again.
        """
        now, wall = self._clock.now_ms(), self._wall_ms()
        me = Owner("user", viewer.user_id)

        async def write(tx: Tx) -> int | None:
            creator = await roster.get_creator(tx, creator_id)
            if creator is None or creator_id not in viewer.creator_ids:
                return None
            await mentions.call_drill(tx, me, creator_id, now)
            card_id = await cards.find_notice(tx, DRILL, creator_id)
            if card_id is not None:
                await cards.repost(tx, card_id, me, ping=True, scored_wall_at=wall)
            else:
                card = NewCard(
                    CardKind.NOTICE,
                    creator_id,
                    creator.channel_id,
                    CardPayload(),
                    code=DRILL,
                    mention=me,
                    ping=True,
                )
                await cards.create_card(tx, card, now)
            await append(tx, viewer, "drill", "creator", creator_id, creator_id, now)
            return creator.channel_id

        channel_id = await self._store.write(write)
        await self._wake_delivery()
        return channel_id

    async def close_drill(self, viewer: Viewer, card_id: int) -> Literal["closed", "already", "not_found"]:
        now = self._clock.now_ms()

        async def write(tx: Tx) -> Literal["closed", "already", "not_found"]:
            found = await cards.find_drill(tx, card_id)
            if found is None or found.creator_id not in viewer.creator_ids:
                return "not_found"
            if not await cards.resolve_notices(tx, [DRILL], found.creator_id, now):
                return "already"
            await append(tx, viewer, "drill_close", "card", card_id, found.creator_id, now)
            return "closed"

        status = await self._store.write(write)
        await self._wake_delivery()
        return status


async def _keep(
    tx: Tx,
    viewer: Viewer,
    action: str,
    kind: TargetKind,
    target_id: int,
    creator_id: int | None,
    now: int,
    waits: dict[int, desk_actions.Work],
) -> None:
    """`waits`: the clocks as they were before, which an undo puts back."""
    await keep(tx, viewer, action, kind, target_id, creator_id, now, before=waits, after={}, count=1)


async def _sees(tx: Tx, viewer: Viewer, creator_id: int, fan_account_id: int | None) -> bool:
    if creator_id not in viewer.creator_ids:
        return False
    if fan_account_id is None:
        return await roster.get_creator(tx, creator_id) is not None
    return await fans.creator_of_fan(tx, fan_account_id) == creator_id


async def _people_of(tx: Tx, viewer: Viewer, creator_ids: list[int]) -> set[int]:
    """Who works for these creators, as far as it is known, and the viewer."""
    chatters, leads = await roster.list_chatters(tx), await roster.list_leads(tx)
    found = {viewer.user_id}
    for creator_id in creator_ids:
        found |= chatters.get(creator_id, frozenset()) | leads.get(creator_id, frozenset())
    if viewer.tier >= AccessTier.MANAGER:
        found |= set(await roster.list_members(tx))
    return found


async def may_end_hours(tx: Tx, viewer: Viewer, row: QuietRow) -> bool:
    """One's own anybody may; others' a lead of theirs or who set them, those of a channel a lead who sees it."""
    if viewer.tier < AccessTier.LEAD:
        return row.user_id == viewer.user_id
    if row.user_id is None:
        return row.creator_id in viewer.creator_ids
    people = await _people_of(tx, viewer, sorted(viewer.creator_ids))
    return row.user_id in people or _answers_for(viewer, row)


def _answers_for(viewer: Viewer, row: QuietRow) -> bool:
    """Whose hours they are may not be known yet: whoever set them sees and ends them, and so does a manager."""
    return viewer.tier >= AccessTier.MANAGER or row.set_by == viewer.user_id


async def _names(tx: Tx) -> dict[int, str]:
    return {one.id: one.name for one in await roster.list_creators(tx)}


def _of_mute(one: Mute, names: dict[int, str]) -> QuietItem:
    name = names.get(one.creator_id)
    return QuietItem("mute", one.id, name, one.fan, None, one.until_at, one.reason, one.created_by)


def _of_hold(one: FanHold, names: dict[int, str]) -> QuietItem:
    hold = one.hold
    return QuietItem(
        "hold", one.id, names.get(one.creator_id), one.fan, None, hold.until_at, hold.reason, hold.by
    )


def _of_quiet(one: QuietRow, names: dict[int, str]) -> QuietItem:
    name = None if one.creator_id is None else names.get(one.creator_id)
    return QuietItem("quiet", one.id, name, None, one.user_id, None, "", one.set_by, one.hours)
