"""Calls somebody to an alert: through the gate of mentions, by a new message of the alert's own card."""

from __future__ import annotations

from bot.domain.desk import DeskRules
from bot.domain.models import CardKind
from bot.domain.views import Owner
from storage import cards, episodes, mentions, roster
from storage.cards import CardPayload, NewCard
from storage.claims import Work
from storage.mentions import Verdict
from storage.tx import Tx


async def call_to(tx: Tx, rules: DeskRules, work: Work, who: Owner, now_ms: int) -> Verdict:
    """Mention `who` on the card of an open episode, where the gate lets it through now; what the gate has said.

    An edit notifies nobody, so the card is posted again. What stood in a list gets a card of its own by this.
    """
    verdict = await mentions.call(
        tx,
        rules,
        who,
        creator_id=work.creator_id,
        fan_account_id=work.fan_account_id,
        reason="action",
        now_ms=now_ms,
    )
    if verdict.state != "send":
        await episodes.leave_mention(tx, [work.id], verdict.state, verdict.until_at)
        return verdict
    if work.card_id is not None and await cards.kind_of(tx, work.card_id) is CardKind.ALERT:
        await cards.repost(tx, work.card_id, who, ping=True, scored_wall_at=None)
        return verdict
    await make_card(tx, work.creator_id, work.id, who, now_ms)
    if work.card_id is not None:
        await cards.bump(tx, [work.card_id])
    return verdict


async def make_card(tx: Tx, creator_id: int, episode_id: int, who: Owner, now_ms: int) -> None:
    """Give an open episode that stands on no card, or in a list, a card of its own that mentions `who`.

    That they may be mentioned has been asked before.
    """
    creator = await roster.get_creator(tx, creator_id)
    assert creator is not None  # noqa: S101 - no episode is without one
    made = NewCard(
        CardKind.ALERT,
        creator.id,
        creator.channel_id,
        CardPayload(episode_id=episode_id),
        mention=who,
        ping=True,
    )
    await episodes.put_on_card(tx, await cards.create_card(tx, made, now_ms), [episode_id])
