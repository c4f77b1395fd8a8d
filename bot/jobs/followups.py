"""Reminds of follow-ups when they are due: once each, as soon as somebody is there to read it.

Where nobody may be called then, the card goes out silently and its mention follows on a new message of the same card.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.domain.desk import DeskRules
from bot.domain.followups import may_go_out
from bot.domain.models import CardKind
from bot.domain.views import Owner
from storage import card_views, cards, followups, mentions, on_shift, roster, routing
from storage.cards import FOLLOWUP, CardPayload, NewCard
from storage.engine import AgencyStore, Tx
from storage.followups import DueReminder

log = structlog.get_logger(__name__)

StillWorks = Callable[[int, int], Awaitable[bool]]
"""Whether a person (by Discord id) may see the fans of a creator as Discord has things now."""


class FollowupsJob:
    """The reminders of one agency. A follow-up that is due keeps in its row whether it was reminded of."""

    def __init__(self, store: AgencyStore, rules: DeskRules, *, still_works: StillWorks) -> None:
        self._store = store
        self._rules = rules
        self._still_works = still_works

    async def run_due(self, now_ms: int) -> dict[str, int]:
        """Post a card for each follow-up that is due, while somebody is on shift or it has waited for twelve hours.

        How many cards were posted, those that now call somebody included.
        """
        async with self._store.read() as tx:
            ready = await self._ready(tx, now_ms)
        if not ready:
            return {}
        # Discord is asked before anything is written: nobody tells us who has left.
        asked = {(one.assignee_id, one.creator_id) for one in ready if one.assignee_id is not None}
        gone = {pair for pair in asked if not await self._still_works(*pair)}

        async def write(tx: Tx) -> int:
            # What was closed or put off since is left out.
            sent = 0
            for due in await self._ready(tx, now_ms):
                is_gone = (due.assignee_id, due.creator_id) in gone
                sent += await self._remind(tx, due, now_ms, is_gone=is_gone)
            return sent

        sent = await self._store.write(write)
        if not sent:
            return {}
        log.info("followups_due", count=sent)
        return {"followups": sent}

    async def _ready(self, tx: Tx, now_ms: int) -> Sequence[DueReminder]:
        due = await followups.list_due(tx, now_ms)
        if not due:
            return []
        on = await on_shift.list_on(tx)
        return [one for one in due if may_go_out(one.due_at, now_ms, anybody_on=bool(on.get(one.creator_id)))]

    async def _remind(self, tx: Tx, due: DueReminder, now_ms: int, *, is_gone: bool) -> bool:
        """False: the card is there, and its mention has to wait on."""
        whom = await _whom(tx, due, is_gone=is_gone)
        ping, again_at = False, None
        if whom is not None:
            verdict = await mentions.call(
                tx,
                self._rules,
                whom,
                creator_id=due.creator_id,
                fan_account_id=due.fan_account_id,
                reason="followup",
                now_ms=now_ms,
            )
            ping, again_at = verdict.state == "send", mentions.ask_again_at(verdict, now_ms)
        if due.owed_card_id is not None:
            await followups.change(tx, due.id, ping_due_at=again_at)
            if ping:
                await cards.repost(tx, due.owed_card_id, whom, ping=True, scored_wall_at=None)
            return ping
        card_id = await cards.create_card(
            tx,
            NewCard(
                CardKind.NOTICE,
                due.creator_id,
                due.channel_id,
                CardPayload(followup_id=due.id),
                code=FOLLOWUP,
                mention=whom,
                ping=ping,
            ),
            now_ms,
        )
        await followups.change(tx, due.id, reminded_at=now_ms, card_id=card_id, ping_due_at=again_at)
        shown = await card_views.card_of_fan(tx, due.fan_account_id)
        await cards.bump(tx, [] if shown is None else [shown])
        return True


async def _whom(tx: Tx, due: DueReminder, *, is_gone: bool) -> Owner | None:
    """Whoever has it, if on shift; else the least loaded on shift; with nobody there whoever has it all the same.

    What a lead has is hers: it goes to no chatter while she is on. Who is gone is not called: then it is for whoever the
    creator's action items go to.
    """
    creator = await roster.get_creator(tx, due.creator_id)
    if creator is None:
        return None
    mine = due.assignee_id
    present = (await on_shift.list_on(tx, creator.id)).get(creator.id, ())
    if mine is not None and not is_gone and any(one.user_id == mine for one in present):
        return Owner("user", mine)
    team = await routing.load_team(tx, creator)
    if is_gone:
        # They may still be on a shift that nobody has ended, or her default chatter.
        team.on_shift = [one for one in team.on_shift if one != mine]
        team.lead_ids = [one for one in team.lead_ids if one != mine]
        if team.default_chatter_id == mine:
            team.default_chatter_id = None
        return team.choose(None)
    if team.on_shift or mine is None:
        return team.choose(None)
    return Owner("user", mine)
