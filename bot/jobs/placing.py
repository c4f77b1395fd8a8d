"""Which cards the changes of a scoring run stand on, and whom they call: decided in the run's last transaction."""

from __future__ import annotations

from bot.domain.desk import DeskRules
from bot.domain.grouping import PlannedCard, RunItem, group, is_whale
from bot.domain.models import AlertTier, CardKind, Change
from bot.domain.views import Owner
from storage import cards, episodes, mentions, whales
from storage.cards import CardPayload, NewCard
from storage.engine import Tx
from storage.episodes import EXPIRED_GROUP, Unplaced
from storage.roster import Creator
from storage.runs import ScoreRun


async def place(tx: Tx, run: ScoreRun, creator: Creator, rules: DeskRules, wall_ms: int, *, at: int) -> None:
    """Give what a run has changed its cards, and say whom they mention. `wall_ms`: when it was scored, machine time.

    `at`: when people are called; that is later than what the run decides by where it was interrupted.
    """
    unplaced = await episodes.list_unplaced(tx, run.run_id)
    if not unplaced:
        return
    if at > run.now_at:
        await episodes.put_off(tx, [row.episode_id for row in unplaced], at)
    threshold = await whales.read_threshold(tx, creator.id)
    by_id = {u.episode_id: u for u in unplaced}
    for planned in group([_to_item(u, threshold) for u in unplaced]):
        await _carry_out(
            tx, run, creator, planned, [by_id[i] for i in planned.episode_ids], rules, wall_ms, at
        )


async def _carry_out(
    tx: Tx,
    run: ScoreRun,
    creator: Creator,
    planned: PlannedCard,
    rows: list[Unplaced],
    rules: DeskRules,
    wall_ms: int,
    at: int,
) -> None:
    first = rows[0]
    mention = _whom(first) if planned.mention or planned.expired else None
    ping = mention is not None and any(row.ping for row in rows)
    if ping and mention is not None:
        verdict = await mentions.call(
            tx,
            rules,
            mention,
            creator_id=creator.id,
            fan_account_id=first.fan_account_id if len(rows) == 1 else None,
            reason="action",
            now_ms=at,
        )
        if verdict.state != "send":
            ping = False
            # A list calls one person: held, it owes the others no mention of their own; the digest names them all.
            to_digest = verdict.state == "digest"
            waiting = [row.episode_id for row in rows if row.ping and (to_digest or _whom(row) == mention)]
            await episodes.leave_mention(tx, waiting, verdict.state, verdict.until_at)
        if verdict.nobody_until is not None:
            await episodes.put_off(tx, [row.episode_id for row in rows], verdict.nobody_until)
    if planned.reuse and first.card_id is not None:
        # Its own card: news that pings is a new message, because an edit notifies nobody.
        if ping:
            await cards.repost(tx, first.card_id, mention, ping=True, scored_wall_at=wall_ms)
        else:
            await cards.bump(tx, [first.card_id])
        await episodes.put_on_card(tx, first.card_id, [first.episode_id])
        return
    if planned.kind is CardKind.GROUPED:
        payload = CardPayload(expired=planned.expired, started_with=len(rows))
    else:
        payload = CardPayload(episode_id=first.episode_id)
    card_id = await cards.create_card(
        tx,
        NewCard(
            planned.kind,
            creator.id,
            creator.channel_id,
            payload,
            code=EXPIRED_GROUP if planned.expired else None,
            mention=mention,
            ping=ping,
            scored_wall_at=wall_ms,
        ),
        run.now_at,
    )
    left = [row.card_id for row in rows if row.card_id is not None]
    await episodes.put_on_card(tx, card_id, [row.episode_id for row in rows])
    await cards.bump(tx, left)


def _whom(row: Unplaced) -> Owner | None:
    """Whose work it is: who has claimed it, else who it was given to."""
    return Owner("user", row.claimed_by) if row.claimed_by is not None else row.owner


def _to_item(row: Unplaced, threshold_cents: int | None) -> RunItem:
    had_card = row.card_kind is CardKind.ALERT
    change, tier = {
        "flag": (Change.OPENED, AlertTier.AT_RISK),
        "action": (Change.RAISED, AlertTier.ACTION),
        "expired": (Change.EXPIRED, AlertTier.ACTION),
    }[row.placement]
    return RunItem(
        episode_id=row.episode_id,
        tier=tier,
        change=change,
        expired=row.placement == "expired",
        # Somebody works it on its own card already: it stays there, as a whale's would.
        whale=is_whale(row.total_cents, threshold_cents) or (had_card and row.claimed_by is not None),
        money_cents=None if row.pace_cents is None else round(row.pace_cents * row.score / 100),
        had_card=had_card,
    )
