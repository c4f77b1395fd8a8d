"""What scoring reads and writes: facts in pages of fans, scores where they moved, history where the move matters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, BindParameter, and_, bindparam, case, func, literal_column, or_, select

from bot.domain.models import MS_PER_DAY, AlertTier, CreatorMaxima, FanFacts, Scores
from bot.domain.subscription import subscription_status
from storage.bulk import BulkRead, bulk_insert, bulk_upsert
from storage.parts import in_parts
from storage.tables import episodes, fan_accounts, score_history, scores, transactions
from storage.tx import Tx

WINDOW_MS = 30 * MS_PER_DAY
PACE_MS = 90 * MS_PER_DAY
REOPEN_LOOK_MS = 14 * MS_PER_DAY
"""How long a closed episode can still be reopened; older ones are not read."""
WEEK_MS = 7 * MS_PER_DAY
HISTORY_MOVE = 5.0

_f, _s, _t, _e = fan_accounts.c, scores.c, transactions.c, episodes.c


class Previous(msgspec.Struct, frozen=True, gc=False):
    """A fan's stored score."""

    values: Scores
    model: str
    model_version: int
    kept_churn_risk: float
    kept_at: int
    """What stands in the history last, and since when."""


class ScoreInput(msgspec.Struct, frozen=True, gc=False):
    """One fan as a scoring run sees her: facts, what decides whether she is alerted on, and her latest episode."""

    facts: FanFacts
    paid: bool
    subscribed: bool
    can_receive_messages: bool | None
    is_blocked: bool | None
    is_restricted: bool | None
    is_performer: bool | None
    deleted: bool
    first_sight_pending: bool
    expiry_pending: bool
    last_pinged_at: int | None
    previous: Previous | None
    episode_id: int | None
    episode_tier: AlertTier | None
    """None: there is no open episode."""
    episode_expired: bool
    episode_closed_at: int | None

    def moved(self, values: Scores, model: str, model_version: int) -> bool:
        """Whether these scores differ from the stored ones."""
        old = self.previous
        return old is None or old.values != values or old.model != model or old.model_version != model_version


class ScoredFan(msgspec.Struct, frozen=True, gc=False):
    """A score to write, with what stood there before."""

    fan_account_id: int
    previous: Previous | None
    values: Scores


async def creator_maxima(tx: Tx, creator_id: int, now_ms: int) -> CreatorMaxima:
    """The largest lifetime and 30-day spend among her fans at `now_ms`, in cents; 0 where there are none.

    A fan without a payment in the window spent 0, so a window of nothing but chargebacks has the maximum 0.
    """
    total = await tx.scalar(
        select(func.max(_f.total_cents)).where(_f.agency_id == tx.agency_id, _f.creator_id == creator_id)
    )
    sums = (
        select(_t.fan_account_id, func.sum(_t.amount_cents).label("spend"))
        .where(
            _t.agency_id == tx.agency_id,
            _t.creator_id == creator_id,
            _t.fan_account_id.is_not(None),
            _t.occurred_at > now_ms - WINDOW_MS,
            _t.occurred_at <= now_ms,
            _t.counted,
        )
        .group_by(_t.fan_account_id)
        .subquery()
    )
    row = await tx.first(select(func.max(sums.c.spend).label("spend"), func.count().label("spenders")))
    fans = await tx.scalar(
        select(func.count()).where(_f.agency_id == tx.agency_id, _f.creator_id == creator_id)
    )
    largest = int(row.spend) if row is not None and row.spend is not None else 0
    if row is not None and int(row.spenders) < int(fans or 0):
        largest = max(largest, 0)
    return CreatorMaxima(int(total or 0), largest)


def _given(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger)


_MINE = (_f.agency_id == _given("agency_id"), _f.creator_id == _given("creator_id"))
_PAGE = BulkRead(
    select(
        _f.id,
        _f.total_cents,
        _f.last_active_at,
        _f.subscribed,
        _f.expired_now,
        _f.expires_at,
        _f.rebill_off,
        _f.paid,
        _f.can_receive_messages,
        _f.is_blocked,
        _f.is_restricted,
        _f.is_performer,
        and_(_f.username.is_(None), _f.name.is_(None)).label("deleted"),
        _f.first_sight_pending,
        _f.expiry_pending,
        _f.last_pinged_at,
        _s.churn_risk,
        _s.ltv,
        _s.engagement,
        _s.upsell,
        _s.loyalty,
        _s.churn_probability,
        _s.model,
        _s.model_version,
        _s.kept_churn_risk,
        _s.kept_at,
    )
    .select_from(
        fan_accounts.outerjoin(scores, and_(_s.agency_id == _f.agency_id, _s.fan_account_id == _f.id))
    )
    .where(*_MINE, _f.id > _given("after_id"))
    .order_by(_f.id)
    .limit(_given("page"))
)
_SPENDS = BulkRead(
    select(
        _f.id,
        func.sum(case((_t.occurred_at > _given("recent"), _t.amount_cents), else_=0)),
        func.sum(case((_t.occurred_at <= _given("recent"), _t.amount_cents), else_=0)),
    )
    .select_from(
        # The sum keeps SQLite from carrying the page's bounds over to the payments, which it would then walk in full
        # for each fan.
        fan_accounts.join(
            transactions, and_(_t.agency_id == _f.agency_id, _t.fan_account_id == _f.id + literal_column("0"))
        )
    )
    .where(
        *_MINE,
        _f.id.between(_given("low"), _given("high")),
        _t.occurred_at > _given("since"),
        _t.occurred_at <= _given("until"),
        _t.counted,
    )
    .group_by(_f.id)
)
_EPISODES = BulkRead(
    select(_e.fan_account_id, _e.id, _e.tier, _e.expired, _e.closed_at)
    .where(
        _e.agency_id == _given("agency_id"),
        _e.creator_id == _given("creator_id"),
        _e.fan_account_id.between(_given("low"), _given("high")),
        or_(_e.closed_at.is_(None), _e.closed_at >= _given("since")),
    )
    # An open one last, so that it wins; else the one closed last.
    .order_by(case((_e.closed_at.is_(None), 1), else_=0), _e.closed_at, _e.id)
)


async def read_score_page(
    tx: Tx, creator_id: int, after_id: int | None, limit: int, now_ms: int
) -> list[ScoreInput]:
    """The next `limit` fans of a creator by account id, as they stand at `now_ms`; empty: that was all."""
    fans = await _PAGE.fetch(tx, creator_id=creator_id, after_id=after_id or 0, page=limit)
    if not fans:
        return []
    mine = {"creator_id": creator_id, "low": fans[0][0], "high": fans[-1][0]}
    recent = now_ms - WINDOW_MS
    spent = await _SPENDS.fetch(tx, **mine, recent=recent, since=recent - WINDOW_MS, until=now_ms)
    spends = {fan_id: (int(last), int(prior)) for fan_id, last, prior in spent}
    found = await _EPISODES.fetch(tx, **mine, since=now_ms - REOPEN_LOOK_MS)
    latest = {fan_id: _to_episode(*values) for fan_id, *values in found}
    return [_to_input(row, spends.get(row[0], (0, 0)), latest.get(row[0]), now_ms) for row in fans]


def _to_episode(
    episode_id: int, tier: str | None, expired: bool, closed_at: int | None
) -> tuple[int, AlertTier | None, bool, int | None]:
    open_tier = AlertTier(tier) if tier is not None and closed_at is None else None
    return episode_id, open_tier, bool(expired), closed_at


def _flag(value: bool | None) -> bool | None:
    """SQLite gives flags as 0 and 1."""
    return None if value is None else bool(value)


def _to_input(
    row: Any,
    spend: tuple[int, int],
    episode: tuple[int, AlertTier | None, bool, int | None] | None,
    now_ms: int,
) -> ScoreInput:
    (
        fan_id,
        total_cents,
        last_active_at,
        subscribed,
        expired_now,
        expires_at,
        rebill_off,
        paid,
        can_receive_messages,
        is_blocked,
        is_restricted,
        is_performer,
        deleted,
        first_sight_pending,
        expiry_pending,
        last_pinged_at,
        churn_risk,
        ltv,
        engagement,
        upsell,
        loyalty,
        probability,
        model,
        model_version,
        kept_churn_risk,
        kept_at,
    ) = row
    status = subscription_status(subscribed, expired_now, expires_at, rebill_off, now_ms)
    days = None if last_active_at is None else max(0, (now_ms - last_active_at) // MS_PER_DAY)
    previous = None
    if churn_risk is not None:
        values = Scores(churn_risk, ltv, engagement, upsell, loyalty, probability)
        previous = Previous(values, model, model_version, kept_churn_risk, kept_at)
    episode_id, tier, expired, closed_at = episode if episode is not None else (None, None, False, None)
    return ScoreInput(
        facts=FanFacts(fan_id, total_cents, spend[0], spend[1], days, None, None, status),
        paid=bool(paid),
        subscribed=bool(subscribed) and not expired_now,
        can_receive_messages=_flag(can_receive_messages),
        is_blocked=_flag(is_blocked),
        is_restricted=_flag(is_restricted),
        is_performer=_flag(is_performer),
        deleted=bool(deleted),
        first_sight_pending=bool(first_sight_pending),
        expiry_pending=bool(expiry_pending),
        last_pinged_at=last_pinged_at,
        previous=previous,
        episode_id=episode_id,
        episode_tier=tier,
        episode_expired=expired,
        episode_closed_at=closed_at,
    )


async def read_paces(tx: Tx, fan_account_ids: Sequence[int]) -> dict[int, int]:
    """Fan account id -> net spend of the 90 days up to the last purchase, per 30 days, in cents.

    Who has no purchase on record is left out: the pace is unknown.
    """
    found: dict[int, int] = {}
    for part in in_parts(fan_account_ids):
        rows = await tx.all(
            select(_f.id, func.sum(_t.amount_cents))
            .select_from(
                fan_accounts.join(
                    transactions, and_(_t.agency_id == _f.agency_id, _t.fan_account_id == _f.id)
                )
            )
            .where(
                _f.agency_id == tx.agency_id,
                _f.id.in_(part),
                _f.last_purchase_at.is_not(None),
                _t.occurred_at > _f.last_purchase_at - PACE_MS,
                _t.occurred_at <= _f.last_purchase_at,
                _t.counted,
            )
            .group_by(_f.id)
        )
        found.update((row[0], round(int(row[1]) / 3)) for row in rows)
    return found


_SCORE_COLUMNS = (
    "agency_id",
    "fan_account_id",
    "creator_id",
    "model",
    "model_version",
    "churn_risk",
    "ltv",
    "engagement",
    "upsell",
    "loyalty",
    "churn_probability",
    "run_id",
    "scored_at",
    "kept_churn_risk",
    "kept_at",
)
_HISTORY_COLUMNS = (
    "agency_id",
    "id",
    "creator_id",
    "fan_account_id",
    "model",
    "model_version",
    "churn_risk",
    "ltv",
    "engagement",
    "scored_at",
    "why",
)


async def write_scores(
    tx: Tx,
    creator_id: int,
    run_id: int,
    model: str,
    model_version: int,
    moved: Sequence[ScoredFan],
    now_ms: int,
) -> None:
    """Write the scores that moved, with a row of history on a change of tier, a move of 5, or once a week."""
    rows: list[tuple[object, ...]] = []
    history: list[tuple[object, ...]] = []
    for fan in moved:
        values = fan.values
        why = _why_kept(fan, now_ms)
        kept = (values.churn_risk, now_ms)
        if why is None and fan.previous is not None:
            kept = (fan.previous.kept_churn_risk, fan.previous.kept_at)
        score = (
            creator_id,
            model,
            model_version,
            values.churn_risk,
            values.ltv,
            values.engagement,
            values.upsell,
            values.loyalty,
            values.churn_probability,
        )
        rows.append((tx.agency_id, fan.fan_account_id, *score, run_id, now_ms, *kept))
        if why is not None:
            history.append(
                (
                    tx.agency_id,
                    tx.ids.next(),
                    creator_id,
                    fan.fan_account_id,
                    *score[1:6],
                    now_ms,
                    why,
                )
            )
    if rows:
        await bulk_upsert(
            tx,
            scores,
            _SCORE_COLUMNS,
            rows,
            conflict=("agency_id", "fan_account_id"),
            update=_SCORE_COLUMNS[2:],
        )
    if history:
        await bulk_insert(tx, score_history, _HISTORY_COLUMNS, history)


def _why_kept(fan: ScoredFan, now_ms: int) -> str | None:
    """Why a score goes into the history; the first one does not: the scores table has it, with its time."""
    old, new = fan.previous, fan.values.churn_risk
    if old is None:
        return None
    before = old.kept_churn_risk
    if any((before > edge) != (new > edge) for edge in (60.0, 80.0)):
        return "tier"
    if abs(new - before) >= HISTORY_MOVE:
        return "move"
    return "weekly" if now_ms - old.kept_at >= WEEK_MS else None
