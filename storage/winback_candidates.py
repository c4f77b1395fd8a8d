"""Candidates for a winback, most money first: read in bounded parts along the index of lifetime spend.

For each creator and kind the database gives pages of POOL fans in the order of their lifetime spend, by what a row of
`fan_accounts` says alone (index agency, creator, total_cents; a fan who spent less than asked for is never read). Only
of those are rhythm and pace worked out, 500 fans a statement; the rule itself is `bot.domain.winbacks.kind_of`. Five
pages are the most that are read where rhythms turn nearly everybody down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select

from bot.domain.models import MS_PER_DAY, SubscriptionStatus, TransactionKind
from bot.domain.subscription import subscription_status
from bot.domain.views import FanLabel
from bot.domain.winbacks import (
    QUIET_AT_LEAST_MS,
    RETRY_AFTER_MS,
    Candidate,
    CandidateFacts,
    Rhythm,
    WinbackKind,
    by_money,
    kind_of,
)
from storage import roster
from storage.parts import LABEL, in_parts, to_label
from storage.score_inputs import read_paces
from storage.tables import creators, fan_accounts, transactions, winbacks
from storage.tx import Tx

POOL = 2_000
"""The most fans that are ranked at once, by lifetime spend; more are counted as "more"."""

PAGES = 5
"""How many pages of that size are looked through at the most for one creator and kind."""

_f, _t, _w, _c = fan_accounts.c, transactions.c, winbacks.c, creators.c


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which candidates are asked for. `kind` None: both; `spread_id`: not those whom this spread has had already."""

    creator_ids: frozenset[int]
    kind: WinbackKind | None = None
    min_spent_cents: int | None = None
    spread_id: int | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Most money first. `more`: there are further ones, who have spent less than any of these."""

    ranked: list[Candidate]
    more: bool


async def read_candidates(tx: Tx, wanted: Wanted, now_ms: int, pool: int = POOL) -> Candidates:
    """All candidates or, where there are more than `pool`, that many of those who have spent most."""
    kept: list[_Found] = []
    more = False
    for creator_id in await roster.not_retired(tx, wanted.creator_ids):
        # Once the pool has overflowed, who has spent less than all in it cannot get in.
        floor = kept[-1].row.total_cents if more and kept else 0
        found, unread = await _read_creator(tx, creator_id, wanted, now_ms, pool + 1, floor)
        kept = sorted([*kept, *found], key=lambda one: (-one.row.total_cents, one.row.fan_account_id))
        more = more or unread or len(kept) > pool
        del kept[pool:]
    paces = await read_paces(tx, [one.row.fan_account_id for one in kept])
    ranked = [one.row.to_candidate(one.kind, paces.get(one.row.fan_account_id)) for one in kept]
    return Candidates(sorted(ranked, key=by_money), more)


async def find_kind(tx: Tx, fan_account_id: int, now_ms: int) -> WinbackKind:
    """Which kind of candidate the fan is; `other` where the rule makes him none."""
    row = await tx.first(
        _rows(tx).where(_f.id == fan_account_id),
    )
    if row is None:
        return WinbackKind.OTHER
    high = await read_high_spend(tx, row.creator_id)
    rhythms = await read_rhythms(tx, [fan_account_id])
    found = _to_row(row, high, now_ms)
    return kind_of(found.facts, rhythms.get(fan_account_id), high, now_ms) or WinbackKind.OTHER


async def read_high_spend(tx: Tx, creator_id: int) -> int | None:
    """The 75th percentile (nearest rank) of lifetime spend among her paying fans; None: nobody has paid."""
    mine = (_f.agency_id == tx.agency_id, _f.creator_id == creator_id, _f.total_cents > 0)
    paying = int(await tx.scalar(select(func.count()).where(*mine)) or 0)
    if not paying:
        return None
    ranked = select(_f.total_cents).where(*mine).order_by(_f.total_cents.desc())
    return int(await tx.scalar(ranked.offset(paying // 4).limit(1)))


async def read_rhythms(tx: Tx, fan_account_ids: Sequence[int]) -> dict[int, Rhythm]:
    """Fan account id -> the days on which the fan bought something; who never did is left out. Rebills are no choice."""
    found: dict[int, Rhythm] = {}
    day = _t.occurred_at // MS_PER_DAY
    no_choice = (TransactionKind.SUBSCRIPTION.value, TransactionKind.CHARGEBACK.value)
    for part in in_parts(fan_account_ids):
        rows = await tx.all(
            select(_t.fan_account_id, func.count(day.distinct()), func.min(day), func.max(day))
            .where(
                _t.agency_id == tx.agency_id,
                _t.fan_account_id.in_(part),
                _t.counted,
                _t.amount_cents > 0,
                _t.kind.not_in(no_choice),
            )
            .group_by(_t.fan_account_id)
        )
        found.update((row[0], Rhythm(int(row[1]), int(row[2]), int(row[3]))) for row in rows)
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    fan_account_id: int
    creator_id: int
    creator_name: str
    fan: FanLabel
    total_cents: int
    expires_at: int | None
    last_purchase_at: int | None
    facts: CandidateFacts
    high_spend_cents: int | None

    def to_candidate(self, kind: WinbackKind, pace_cents: int | None) -> Candidate:
        since = self.expires_at if kind is WinbackKind.EXPIRED else self.facts.silent_since_at
        return Candidate(
            self.fan_account_id,
            self.creator_id,
            self.creator_name,
            self.fan,
            kind,
            self.total_cents,
            pace_cents,
            since,
            self.last_purchase_at,
        )


def _rows(tx: Tx) -> Select[Any]:
    return (
        select(
            _f.id,
            _f.creator_id,
            _c.name.label("creator_name"),
            *LABEL,
            _f.total_cents,
            _f.subscribed,
            _f.expired_now,
            _f.expires_at,
            _f.rebill_off,
            _f.last_active_at,
            _f.last_purchase_at,
            _f.can_receive_messages,
            _f.is_blocked,
            _f.is_restricted,
            _f.is_performer,
        )
        .select_from(
            fan_accounts.join(creators, and_(_c.agency_id == _f.agency_id, _c.id == _f.creator_id)),
        )
        .where(_f.agency_id == tx.agency_id)
    )


@dataclass(frozen=True, slots=True)
class _Found:
    row: _Row
    kind: WinbackKind


async def _read_creator(
    tx: Tx, creator_id: int, wanted: Wanted, now_ms: int, limit: int, floor_cents: int
) -> tuple[list[_Found], bool]:
    """At least `limit` of her candidates of each kind, or all; and whether some were left unread."""
    high = await read_high_spend(tx, creator_id)
    found: list[_Found] = []
    unread = False
    for kind in (WinbackKind.EXPIRED, WinbackKind.QUIET) if high is not None else ():
        if wanted.kind not in (None, kind):
            continue
        least = max(1, floor_cents, wanted.min_spent_cents or 0)
        if kind is WinbackKind.QUIET:
            least = max(least, high or 0)
        query = _rows(tx).where(
            _f.creator_id == creator_id,
            _f.total_cents >= least,
            *(_expired(now_ms) if kind is WinbackKind.EXPIRED else _silent(now_ms)),
            *_reachable(),
            not_(_worked_on(wanted.spread_id, now_ms)),
        )
        kept, rest = await _read_kind(tx, query, high, now_ms, limit)
        found += kept
        unread = unread or rest
    return found, unread


async def _read_kind(
    tx: Tx, query: Select[Any], high_spend_cents: int | None, now_ms: int, limit: int
) -> tuple[list[_Found], bool]:
    """Page after page by lifetime spend, as the rhythms on it turn some down; and whether pages were left unread."""
    kept: list[_Found] = []
    page_query = query
    for _ in range(PAGES):
        page = [
            _to_row(row, high_spend_cents, now_ms)
            for row in await tx.all(page_query.order_by(_f.total_cents.desc(), _f.id).limit(limit))
        ]
        rhythms = await read_rhythms(tx, [row.fan_account_id for row in page if row.facts.subscribed])
        for row in page:
            kind = kind_of(row.facts, rhythms.get(row.fan_account_id), high_spend_cents, now_ms)
            if kind is not None:
                kept.append(_Found(row, kind))
        if len(page) < limit:
            return kept, False
        if len(kept) >= limit:
            break
        last = page[-1]
        page_query = query.where(
            _f.total_cents <= last.total_cents,
            or_(_f.total_cents < last.total_cents, _f.id > last.fan_account_id),
        )
    return kept, True


def _to_row(row: Any, high_spend_cents: int | None, now_ms: int) -> _Row:
    status = subscription_status(row.subscribed, row.expired_now, row.expires_at, row.rebill_off, now_ms)
    expired = status is SubscriptionStatus.EXPIRED
    return _Row(
        row.id,
        row.creator_id,
        row.creator_name,
        to_label(row),
        row.total_cents or 0,
        row.expires_at if row.expires_at is not None and row.expires_at <= now_ms else None,
        row.last_purchase_at,
        CandidateFacts(
            expired=expired,
            subscribed=bool(row.subscribed) and not expired,
            silent_since_at=row.last_active_at if row.last_active_at is not None else row.last_purchase_at,
            total_cents=row.total_cents,
            can_receive_messages=row.can_receive_messages,
            is_blocked=row.is_blocked,
            is_restricted=row.is_restricted,
            is_performer=row.is_performer,
            deleted=row.username is None and row.name is None,
        ),
        high_spend_cents,
    )


def _not(flag: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(flag.is_(None), not_(flag))


def _expired(now_ms: int) -> tuple[ColumnElement[bool], ...]:
    return (or_(_f.expired_now, and_(_not(_f.subscribed), _f.expires_at <= now_ms)),)


def _silent(now_ms: int) -> tuple[ColumnElement[bool], ...]:
    heard = func.coalesce(_f.last_active_at, _f.last_purchase_at)
    return (_f.subscribed, _not(_f.expired_now), heard <= now_ms - QUIET_AT_LEAST_MS)


def _reachable() -> tuple[ColumnElement[bool], ...]:
    return (
        or_(_f.can_receive_messages.is_(None), _f.can_receive_messages),
        _not(_f.is_blocked),
        _not(_f.is_restricted),
        _not(_f.is_performer),
        or_(_f.username.is_not(None), _f.name.is_not(None)),
    )


def _worked_on(spread_id: int | None, now_ms: int) -> ColumnElement[bool]:
    """Somebody has the fan as a winback, or had him lately or in this spread."""
    when = [_w.state == "open", and_(_w.state == "done", _w.done_at > now_ms - RETRY_AFTER_MS)]
    if spread_id is not None:
        when.append(and_(_w.spread_id == spread_id, _w.state != "withdrawn"))
    return (
        select(_w.id)
        .where(_w.agency_id == _f.agency_id, _w.fan_account_id == _f.id, or_(*when))
        .correlate(fan_accounts)
        .exists()
    )
