"""What scoring reads: the facts of a creator's fans, page by page, and the largest spends they are measured by."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from sqlalchemy import BigInteger, BindParameter, and_, bindparam, case, func, literal_column, or_, select

from bot.domain.models import MS_PER_DAY, AlertTier, CreatorMaxima, FanFacts
from bot.domain.subscription import subscription_status
from storage.bulk import BulkRead
from storage.message_facts import UNKNOWN, MessageFacts, read_message_facts
from storage.parts import in_parts
from storage.tables import episodes, fan_accounts, scores, transactions
from storage.tx import Tx

WINDOW_MS = 30 * MS_PER_DAY
REOPEN_LOOK_MS = 31 * MS_PER_DAY
"""How long a closed episode can still be reopened, or rest; older ones are not read."""
FANS_A_STRETCH = 500
"""Fans read off their rows before others have a turn."""

_f, _s, _t, _e = fan_accounts.c, scores.c, transactions.c, episodes.c


class LatestEpisode(msgspec.Struct, frozen=True, gc=False):
    """A fan's open episode, or the one that closed last. `tier` None: it is closed."""

    episode_id: int
    tier: AlertTier | None
    expired: bool
    closed_at: int | None
    snoozed_until: int | None
    snooze_score: float | None
    rests_until: int | None
    rest_score: float | None
    rest_tier: AlertTier | None


class ScoreInput(msgspec.Struct, frozen=True, gc=False):
    """One fan as a scoring run sees her: facts, what decides whether she is alerted on, and her latest episode.

    Most fans need no more than their facts, so the rest is read off the row only where somebody asks.
    """

    facts: FanFacts
    row: tuple[Any, ...]
    """As `_PAGE` selects it."""
    episode: LatestEpisode | None

    @property
    def paid(self) -> bool:
        return bool(self.row[_PAID])

    @property
    def subscribed(self) -> bool:
        return bool(self.row[_SUBSCRIBED]) and not self.row[_EXPIRED_NOW]

    @property
    def can_receive_messages(self) -> bool | None:
        return _flag(self.row[_CAN_RECEIVE])

    @property
    def is_blocked(self) -> bool | None:
        return _flag(self.row[_BLOCKED])

    @property
    def is_restricted(self) -> bool | None:
        return _flag(self.row[_RESTRICTED])

    @property
    def is_performer(self) -> bool | None:
        return _flag(self.row[_PERFORMER])

    @property
    def deleted(self) -> bool:
        return bool(self.row[_DELETED])

    @property
    def first_sight_pending(self) -> bool:
        return bool(self.row[_FIRST_SIGHT])

    @property
    def expiry_pending(self) -> bool:
        return bool(self.row[_EXPIRY])

    @property
    def last_pinged_at(self) -> int | None:
        return self.row[_PINGED_AT]  # type: ignore[no-any-return]

    @property
    def scored(self) -> tuple[Any, ...] | None:
        """The stored values in the order of `Scores`' columns, the model and its version; None: never scored."""
        return None if self.row[_VALUES] is None else self.row[_VALUES:_KEPT]

    @property
    def kept(self) -> tuple[float, int]:
        """The churn risk that the history has last, and when. Of one who was scored."""
        return self.row[_KEPT], self.row[_KEPT + 1]


async def creator_maxima(tx: Tx, creator_id: int, now_ms: int) -> CreatorMaxima:
    """The largest lifetime and 30-day spend among her fans at `now_ms`, in cents; 0 where there are none.

    A fan without a payment in the window spent 0, so a window of nothing but chargebacks has the maximum 0.
    """
    of_fans = await tx.all(
        select(func.max(_f.total_cents), func.max(_f.reported_30d_cents)).where(
            _f.agency_id == tx.agency_id, _f.creator_id == creator_id
        )
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
    total, reported = of_fans[0]
    return CreatorMaxima(int(total or 0), largest if reported is None else max(largest, int(reported)))


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
        _f.reported_30d_cents,
        _f.reported_prior_30d_cents,
        _f.reported_messages_30d,
        _f.reported_ppv_open_rate,
        _f.messages_from_at,
        _f.messages_until_at,
    )
    .select_from(
        fan_accounts.outerjoin(scores, and_(_s.agency_id == _f.agency_id, _s.fan_account_id == _f.id))
    )
    .where(*_MINE, _f.id > _given("after_id"))
    .order_by(_f.id)
    .limit(_given("page"))
)
# Where the columns of `_PAGE` stand.
_SUBSCRIBED, _EXPIRED_NOW = 3, 4
_PAID, _CAN_RECEIVE, _BLOCKED, _RESTRICTED, _PERFORMER, _DELETED = range(7, 13)
_FIRST_SIGHT, _EXPIRY, _PINGED_AT = range(13, 16)
_VALUES, _KEPT, _REPORTED, _SPAN = 16, 24, 26, 30
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
    select(
        _e.fan_account_id,
        _e.id,
        _e.tier,
        _e.expired,
        _e.closed_at,
        _e.snoozed_until,
        _e.snooze_score,
        _e.rests_until,
        _e.rest_score,
        _e.rest_tier,
    )
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
    tx: Tx, creator_id: int, after_id: int | None, limit: int, now_ms: int, *, payments_known: bool = True
) -> list[ScoreInput]:
    """The next `limit` fans of a creator by account id, as they stand at `now_ms`; empty: that was all.

    `payments_known` False: the data API shows none, so that a sum it does not tell is unknown, not nothing.
    """
    fans = await _PAGE.fetch(tx, creator_id=creator_id, after_id=after_id or 0, page=limit)
    if not fans:
        return []
    mine = {"creator_id": creator_id, "low": fans[0][0], "high": fans[-1][0]}
    recent = now_ms - WINDOW_MS
    spends: dict[int, tuple[int, int]] = {}
    if payments_known:
        spent = await _SPENDS.fetch(tx, **mine, recent=recent, since=recent - WINDOW_MS, until=now_ms)
        spends = {fan_id: (int(last), int(prior)) for fan_id, last, prior in spent}
    spans = {row[0]: (row[_SPAN], row[_SPAN + 1]) for row in fans if row[_SPAN] is not None}
    written = await read_message_facts(tx, creator_id, spans, now_ms) if spans else {}
    nothing = (0, 0) if payments_known else (None, None)
    found = await _EPISODES.fetch(tx, **mine, since=now_ms - REOPEN_LOOK_MS)
    latest = {fan_id: _to_episode(*values) for fan_id, *values in found}
    page: list[ScoreInput] = []
    for part in in_parts(fans, FANS_A_STRETCH):
        for row in part:
            spend, talk = spends.get(row[0], nothing), written.get(row[0], UNKNOWN)
            page.append(ScoreInput(_to_facts(row, spend, talk, now_ms), tuple(row), latest.get(row[0])))
        # Others have their turn: this is the event loop's own time.
        await asyncio.sleep(0)
    return page


def _flag(value: bool | None) -> bool | None:
    """SQLite gives flags as 0 and 1."""
    return None if value is None else bool(value)


def _to_episode(
    episode_id: int,
    tier: str | None,
    expired: bool,
    closed_at: int | None,
    snoozed_until: int | None,
    snooze_score: float | None,
    rests_until: int | None,
    rest_score: float | None,
    rest_tier: str | None,
) -> LatestEpisode:
    return LatestEpisode(
        episode_id,
        AlertTier(tier) if tier is not None and closed_at is None else None,
        bool(expired),
        closed_at,
        snoozed_until,
        snooze_score,
        rests_until,
        rest_score,
        AlertTier(rest_tier) if rest_tier is not None else None,
    )


def _to_facts(
    row: tuple[Any, ...], spend: tuple[int | None, int | None], talk: MessageFacts, now_ms: int
) -> FanFacts:
    fan_id, total_cents, last_active_at, subscribed, expired_now, expires_at, rebill_off = row[:_PAID]
    days = None if last_active_at is None else max(0, (now_ms - last_active_at) // MS_PER_DAY)
    status = subscription_status(subscribed, expired_now, expires_at, rebill_off, now_ms)
    recent, prior, messages, opened = row[_REPORTED:_SPAN]
    return FanFacts(
        fan_id,
        total_cents,
        spend[0] if recent is None else recent,
        spend[1] if prior is None else prior,
        days,
        talk[0] if messages is None else messages,
        talk[1] if opened is None else opened,
        status,
    )
