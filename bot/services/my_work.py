"""/my: what one person has claimed, is asked to win back, and has to follow up."""

from __future__ import annotations

from dataclasses import dataclass

from bot.clock import Clock
from bot.domain.followups import Followup
from bot.domain.models import Viewer
from bot.domain.my_work import Task, by_urgency
from bot.domain.pages import fit
from bot.domain.winbacks import Hook, Winback
from bot.services.records import append
from storage import card_views, followups, hooks, my_work, on_shift, quiet_hours, roster, winbacks
from storage.engine import AgencyStore, Tx
from storage.quiet_hours import QuietRow
from storage.score_inputs import read_paces


@dataclass(frozen=True, slots=True)
class WorkPage:
    """One page of somebody's work, most urgent first; the counts are of all pages. `hooks` by fan account id."""

    tasks: tuple[Task, ...]
    hooks: dict[int, Hook]
    page: int
    pages: int
    claims: int
    winbacks: int
    overdue: int
    now_ms: int
    on_shift: tuple[tuple[str, int], ...] = ()
    """(creator, until when) for whom the person is on shift."""
    quiet: QuietRow | None = None
    """The quiet hours of whose work it is."""
    followups: int = 0


class MyWorkService:
    """Shows only work on fans that the viewer may see, whosever work it is."""

    def __init__(self, store: AgencyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def card_of(self, episode_id: int) -> int | None:
        """The card that shows an episode; None where there is none. Checks no access."""
        async with self._store.read() as tx:
            found = await card_views.creator_of_episode(tx, episode_id)
        return None if found is None else found[1]

    async def load(self, viewer: Viewer, user_id: int, page: int, page_size: int) -> WorkPage:
        """The page (from 0, brought into range) of what `user_id` has to do; the look is on record."""
        now = self._clock.now_ms()
        async with self._store.read() as tx:
            claimed = await my_work.list_claims(tx, user_id, viewer.creator_ids)
            asked = await winbacks.list_open_of_user(tx, user_id, viewer.creator_ids)
            due = await followups.list_open_of_user(tx, user_id, viewer.creator_ids)
            asked_for: list[Winback | Followup] = [*asked, *due]
            paces = await read_paces(tx, [one.fan_account_id for one in asked_for])
            tasks = [
                *(Task(one, one.pace_cents) for one in claimed),
                *(Task(one, paces.get(one.fan_account_id)) for one in asked_for),
            ]
            on = await self._on_shift(tx, viewer, user_id)
            ranked = by_urgency(tasks, now)
            page, pages = fit(page, len(ranked), page_size)
            shown = ranked[page * page_size : (page + 1) * page_size]
            quiet = await quiet_hours.find_open(tx, user_id=user_id)
            starts = await hooks.read_hooks(
                tx, [task.work.fan_account_id for task in shown if isinstance(task.work, Winback)]
            )
        await self._store.write(
            lambda tx: append(tx, viewer, "view_work", "member", user_id, None, self._clock.now_ms())
        )
        overdue = sum(one.overdue(now) for one in asked_for)
        return WorkPage(
            tuple(shown),
            starts,
            page,
            pages,
            len(claimed),
            len(asked),
            overdue,
            now,
            on,
            quiet,
            followups=len(due),
        )

    async def _on_shift(self, tx: Tx, viewer: Viewer, user_id: int) -> tuple[tuple[str, int], ...]:
        until = {one.creator_id: one.until_at for one in await on_shift.list_of(tx, user_id)}
        seen = until.keys() & viewer.creator_ids
        if not seen:
            return ()
        return tuple((one.name, until[one.id]) for one in await roster.list_creators(tx) if one.id in seen)
