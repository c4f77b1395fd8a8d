"""Reminds of follow-ups when they are due: once each, as soon as somebody is there to read it."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.domain.desk import DeskRules
from bot.domain.followups import may_go_out
from bot.domain.models import AccessTier, CardKind
from bot.domain.views import Owner
from storage import card_views, cards, followups, mentions, on_shift, roster, routing
from storage.cards import FOLLOWUP, CardPayload, NewCard
from storage.engine import AgencyStore, Tx
from storage.followups import DueReminder

log = structlog.get_logger(__name__)


class FollowupsJob:
    """The reminders of one agency. A follow-up that is due keeps in its row whether it was reminded of."""

    def __init__(self, store: AgencyStore, rules: DeskRules) -> None:
        self._store = store
        self._rules = rules

    async def run_due(self, now_ms: int) -> dict[str, int]:
        """Post a card for each follow-up that is due, while somebody is on shift or it has waited for twelve hours."""
        async with self._store.read() as tx:
            ready = await self._ready(tx, now_ms)
        if not ready:
            return {}

        async def write(tx: Tx) -> int:
            # What was closed or put off since is left out.
            still = await self._ready(tx, now_ms)
            for due in still:
                await self._remind(tx, due, now_ms)
            return len(still)

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

    async def _remind(self, tx: Tx, due: DueReminder, now_ms: int) -> None:
        whom = await _whom(tx, due)
        ping = False
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
            ping = verdict.state == "send"
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
        await followups.change(tx, due.id, reminded_at=now_ms, card_id=card_id)
        shown = await card_views.card_of_fan(tx, due.fan_account_id)
        await cards.bump(tx, [] if shown is None else [shown])


async def _whom(tx: Tx, due: DueReminder) -> Owner | None:
    """Whoever has it, if on shift; else the least loaded on shift; with nobody there whoever has it all the same.

    Who no longer works for the agency is not called: then it is for whoever her action items go to.
    """
    creator = await roster.get_creator(tx, due.creator_id)
    if creator is None:
        return None
    team = await routing.load_team(tx, creator)
    if team.on_shift or due.assignee_id is None:
        return team.choose(due.assignee_id)
    tier = (await roster.list_members(tx)).get(due.assignee_id, AccessTier.CHATTER)
    if tier >= AccessTier.CHATTER:
        return Owner("user", due.assignee_id)
    # Who is gone may still be her default chatter.
    if team.default_chatter_id == due.assignee_id:
        team.default_chatter_id = None
    team.lead_ids = [lead for lead in team.lead_ids if lead != due.assignee_id]
    return team.choose(None)
