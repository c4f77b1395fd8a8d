"""Finding fans by name and reading one whole: always within the creators the asker may see."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from sqlalchemy import Select, and_, case, func, select

from bot.domain.models import MS_PER_DAY, AlertTier, Scores
from bot.domain.subscription import subscription_status
from bot.domain.views import FanChoice, FanProfile
from storage import followups, holds, notes, outcomes
from storage.episodes import decode_reasons
from storage.fans import name_key
from storage.message_facts import UNKNOWN, read_message_facts
from storage.parts import LABEL, to_label, to_owner
from storage.tables import creators, episodes, fan_accounts, fan_names, scores, transactions
from storage.tx import Tx

T = TypeVar("T")

DEFAULT_CURRENCY = "USD"
_PROBE = 60
"""Names read per creator before the best are chosen: enough to order by money, few enough to stay quick."""

_f, _n, _c, _s, _t = fan_accounts.c, fan_names.c, creators.c, scores.c, transactions.c


def _choices(tx: Tx) -> Select[Any]:
    return (
        select(
            _f.id,
            *LABEL,
            _f.total_cents,
            _c.name.label("creator_name"),
            _s.churn_risk,
        )
        .select_from(
            fan_accounts.join(creators, and_(_c.agency_id == _f.agency_id, _c.id == _f.creator_id)).outerjoin(
                scores, and_(_s.agency_id == _f.agency_id, _s.fan_account_id == _f.id)
            )
        )
        .where(_f.agency_id == tx.agency_id)
    )


def _to_choice(row: Any) -> FanChoice:
    return FanChoice(
        fan_account_id=row.id,
        creator_name=row.creator_name,
        fan=to_label(row),
        total_cents=row.total_cents,
        currency=DEFAULT_CURRENCY,
        churn_risk=row.churn_risk,
    )


def _most_money(choices: list[FanChoice], limit: int) -> list[FanChoice]:
    return sorted(choices, key=lambda c: (-(c.total_cents or 0), c.fan_account_id))[:limit]


async def _by_ids(tx: Tx, ids: Collection[int]) -> list[FanChoice]:
    if not ids:
        return []
    return [_to_choice(row) for row in await tx.all(_choices(tx).where(_f.id.in_(sorted(ids))))]


async def search_names(tx: Tx, creator_ids: Collection[int], prefix: str, limit: int) -> list[FanChoice]:
    """Fans whose username, platform id or alias begins with `prefix`, most money first, at most `limit`.

    One range probe of the name index per creator; no wildcard is ever interpreted.
    """
    key = name_key(prefix)
    if not key:
        return await top_by_money(tx, creator_ids, limit)
    ids: set[int] = set()
    for creator_id in sorted(creator_ids):
        rows = await tx.all(
            select(_n.fan_account_id)
            .where(
                _n.agency_id == tx.agency_id,
                _n.creator_id == creator_id,
                _n.name_key >= key,
                _n.name_key < key + chr(0x10FFFF),
            )
            .order_by(_n.name_key)
            .limit(_PROBE)
        )
        ids.update(row.fan_account_id for row in rows)
    return _most_money(await _by_ids(tx, ids), limit)


async def top_by_money(tx: Tx, creator_ids: Collection[int], limit: int) -> list[FanChoice]:
    """The fans with the largest lifetime spend."""
    found: list[FanChoice] = []
    for creator_id in sorted(creator_ids):
        query = _choices(tx).where(_f.creator_id == creator_id, _f.total_cents.is_not(None))
        found += [
            _to_choice(row) for row in await tx.all(query.order_by(_f.total_cents.desc(), _f.id).limit(limit))
        ]
    return _most_money(found, limit)


async def find_exact(tx: Tx, creator_ids: Collection[int], text: str, limit: int = 25) -> list[FanChoice]:
    """The fans with exactly this username, platform id or alias (case aside), most money first."""
    key = name_key(text)
    if not key or not creator_ids:
        return []
    rows = await tx.all(
        select(_n.fan_account_id)
        .where(
            _n.agency_id == tx.agency_id,
            _n.creator_id.in_(sorted(creator_ids)),
            _n.name_key == key,
        )
        .limit(limit)
    )
    return _most_money(await _by_ids(tx, {row.fan_account_id for row in rows}), limit)


async def find_choice(tx: Tx, creator_ids: Collection[int], fan_account_id: int) -> FanChoice | None:
    """One fan by id; None where there is none or she belongs to another creator."""
    row = await tx.first(_choices(tx).where(_f.id == fan_account_id, _f.creator_id.in_(sorted(creator_ids))))
    return None if row is None else _to_choice(row)


async def get_profile(
    tx: Tx, creator_ids: Collection[int], fan_account_id: int, now_ms: int
) -> FanProfile | None:
    """Everything about one fan at `now_ms`; None where there is none or she belongs to another creator."""
    fan = await tx.first(
        select(fan_accounts).where(
            _f.agency_id == tx.agency_id, _f.id == fan_account_id, _f.creator_id.in_(sorted(creator_ids))
        )
    )
    if fan is None:
        return None
    creator = await tx.first(
        select(_c.name, _c.synced_at, _c.payments_synced_at).where(
            _c.agency_id == tx.agency_id, _c.id == fan.creator_id
        )
    )
    score = await tx.first(
        select(scores).where(_s.agency_id == tx.agency_id, _s.fan_account_id == fan_account_id)
    )
    episode = await tx.first(
        select(episodes).where(
            episodes.c.agency_id == tx.agency_id,
            episodes.c.fan_account_id == fan_account_id,
            episodes.c.closed_at.is_(None),
        )
    )
    windows = await _spend_windows(tx, fan_account_id, now_ms)
    spans = {} if fan.messages_from_at is None else {fan.id: (fan.messages_from_at, fan.messages_until_at)}
    said = await read_message_facts(tx, fan.creator_id, spans, now_ms)
    messages_30d, ppv_open_rate = said.get(fan.id, UNKNOWN)
    known = creator is not None and creator.payments_synced_at is not None
    status = subscription_status(fan.subscribed, fan.expired_now, fan.expires_at, fan.rebill_off, now_ms)
    return FanProfile(
        fan_account_id=fan.id,
        creator_id=fan.creator_id,
        creator_name=creator.name if creator is not None else "",
        fan=to_label(fan),
        status=status.value if status else None,
        subscribed_at=fan.subscribed_at,
        expires_at=fan.expires_at,
        rebill_off=fan.rebill_off,
        price_cents=fan.price_cents,
        total_cents=fan.total_cents,
        subscriptions_cents=fan.subscriptions_cents,
        tips_cents=fan.tips_cents,
        messages_cents=fan.messages_cents,
        posts_cents=fan.posts_cents,
        streams_cents=fan.streams_cents,
        spend_30d_cents=_reported(fan.reported_30d_cents, windows[0] if known else None),
        spend_prior_30d_cents=_reported(fan.reported_prior_30d_cents, windows[1] if known else None),
        currency=DEFAULT_CURRENCY,
        first_seen_at=fan.first_seen_at,
        last_active_at=fan.last_active_at,
        last_purchase_at=fan.last_purchase_at,
        messages_30d=_reported(fan.reported_messages_30d, messages_30d),
        ppv_open_rate=_reported(fan.reported_ppv_open_rate, ppv_open_rate),
        scores=None
        if score is None
        else Scores(
            score.churn_risk,
            score.ltv,
            score.engagement,
            score.upsell,
            score.loyalty,
            score.churn_probability,
        ),
        scored_at=score.scored_at if score is not None else None,
        score_model=score.model if score is not None else None,
        reasons=decode_reasons(episode.reasons) if episode is not None else (),
        open_tier=AlertTier(episode.tier) if episode is not None and episode.tier else None,
        owner=None if episode is None else to_owner(episode.owner_kind, episode.owner_id),
        claimed_by=episode.claimed_by if episode is not None else None,
        is_blocked=fan.is_blocked,
        is_restricted=fan.is_restricted,
        is_performer=fan.is_performer,
        synced_at=creator.synced_at if creator is not None else None,
        note_count=await notes.count(tx, fan_account_id),
        newest_note=await notes.newest(tx, fan_account_id),
        hold=await holds.find_on(tx, fan_account_id),
        followup=await followups.find_next(tx, fan_account_id),
        last=await outcomes.last_closing(tx, fan_account_id),
        mood=await outcomes.last_closing(tx, fan_account_id, with_mood=True),
        moods=await outcomes.count_moods(tx, fan_account_id),
    )


def _reported(theirs: T | None, ours: T | None) -> T | None:
    """What the vendor has counted itself goes before what we have: it has seen more."""
    return ours if theirs is None else theirs


async def _spend_windows(tx: Tx, fan_account_id: int, now_ms: int) -> tuple[int, int]:
    recent = now_ms - 30 * MS_PER_DAY
    older = now_ms - 60 * MS_PER_DAY
    row = await tx.first(
        select(
            func.coalesce(func.sum(case((_t.occurred_at > recent, _t.amount_cents), else_=0)), 0).label("a"),
            func.coalesce(func.sum(case((_t.occurred_at <= recent, _t.amount_cents), else_=0)), 0).label("b"),
        ).where(
            _t.agency_id == tx.agency_id,
            _t.fan_account_id == fan_account_id,
            _t.occurred_at > older,
            _t.occurred_at <= now_ms,
            _t.counted,
        )
    )
    return (int(row.a), int(row.b)) if row is not None else (0, 0)
