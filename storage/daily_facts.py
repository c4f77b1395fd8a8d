"""The figures of a day from the facts as they are now: money, fans, open work. Whole runs of days in one query each."""

from __future__ import annotations

from collections import Counter, defaultdict

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, union

from bot.domain.daily import DayFigures, Money, Stretch
from bot.domain.models import AlertTier, SubscriptionEvent, TransactionKind
from bot.domain.money import USD
from bot.domain.winbacks import WinbackState
from storage.tables import episode_events, fan_accounts, subscription_events, transactions, winbacks
from storage.tx import Tx

_MONEY_COLUMNS = {
    TransactionKind.SUBSCRIPTION.value: "subscriptions_cents",
    TransactionKind.MESSAGE.value: "messages_cents",
    TransactionKind.TIP.value: "tips_cents",
    TransactionKind.POST.value: "posts_cents",
    TransactionKind.STREAM.value: "streams_cents",
    TransactionKind.CHARGEBACK.value: "chargebacks_cents",
}
_OTHER = "other_cents"

_t, _f, _w, _v, _s = transactions.c, fan_accounts.c, winbacks.c, episode_events.c, subscription_events.c


async def compute(
    tx: Tx, creator_id: int, stretch: Stretch, *, fans_since: int | None, as_of: int
) -> list[DayFigures]:
    """The figures of these days from the facts as they are now. `as_of`: how fresh they are; `fans_since`: when her fans
    were first seen whole; None: never yet.

    For a day that is not over, its fans and its work are as of `as_of`.
    """
    money = await _money(tx, creator_id, stretch)
    new = await _new_fans(tx, creator_id, stretch)
    ended = await _expired_fans(tx, creator_id, stretch, as_of)
    done = await _done(tx, creator_id, stretch)
    found = []
    for number, span in enumerate(stretch.spans):
        at = min(span.ends_at, as_of)
        active: int | None = None
        tiers: Counter[str] | None = None
        if fans_since is not None and fans_since <= at:
            active = await _active_fans(tx, creator_id, at)
            tiers = await _open_tiers(tx, creator_id, at)
        found.append(
            DayFigures(
                span=span,
                money=money[number],
                active_fans=active,
                new_fans=new[number],
                expired_fans=ended[number],
                at_risk=None if tiers is None else tiers[AlertTier.AT_RISK.value],
                action_items=None if tiers is None else tiers[AlertTier.ACTION.value],
                done=done[number],
            )
        )
    return found


def _number(at: ColumnElement[int], stretch: Stretch) -> ColumnElement[int]:
    return ((at - stretch.starts_at) // stretch.day_ms).label("number")


def _within(at: ColumnElement[int], stretch: Stretch) -> ColumnElement[bool]:
    return and_(at >= stretch.starts_at, at < stretch.ends_at)


async def _money(tx: Tx, creator_id: int, stretch: Stretch) -> list[Money]:
    paid = (
        select(
            _number(_t.occurred_at, stretch),
            _t.currency,
            _t.kind,
            _t.amount_cents,
            _t.net_cents,
            _t.fan_account_id,
        )
        .where(
            _t.agency_id == tx.agency_id,
            _t.creator_id == creator_id,
            _t.counted,
            _within(_t.occurred_at, stretch),
        )
        .subquery()
    )
    p = paid.c
    sums = await tx.all(
        select(
            p.number,
            p.currency,
            p.kind,
            func.sum(p.amount_cents).label("cents"),
            func.sum(p.net_cents).label("net"),
            func.count(p.net_cents).label("with_net"),
            func.count().label("n"),
        ).group_by(p.number, p.currency, p.kind)
    )
    payers = {
        (row.number, row.currency): int(row.n)
        for row in await tx.all(
            select(p.number, p.currency, func.count(p.fan_account_id.distinct()).label("n"))
            .where(p.kind != TransactionKind.CHARGEBACK.value, p.amount_cents > 0)
            .group_by(p.number, p.currency)
        )
    }
    rows_of: defaultdict[int, list[tuple[str, str, int, int, bool, int]]] = defaultdict(list)
    usual: Counter[str] = Counter()
    for row in sums:
        whole = row.with_net == row.n
        rows_of[row.number].append(
            (row.currency, row.kind, int(row.cents), int(row.net or 0), whole, int(row.n))
        )
        usual[row.currency] += row.n
    # A day without payments is in the currency of the others.
    fallback = _most(usual) or await _latest_currency(tx, creator_id) or USD
    found = []
    for number in range(len(stretch.spans)):
        by_currency: Counter[str] = Counter()
        for currency, _, _, _, _, n in rows_of[number]:
            by_currency[currency] += n
        chosen = _most(by_currency) or fallback
        cents: Counter[str] = Counter()
        net: int | None = 0
        payments = 0
        for currency, kind, amount, part, whole, n in rows_of[number]:
            if currency != chosen:
                continue
            cents[_MONEY_COLUMNS.get(kind, _OTHER)] += amount
            net = net + part if net is not None and whole else None
            payments += 0 if kind == TransactionKind.CHARGEBACK.value else n
        found.append(
            Money(
                currency=chosen,
                subscriptions_cents=cents["subscriptions_cents"],
                messages_cents=cents["messages_cents"],
                tips_cents=cents["tips_cents"],
                posts_cents=cents["posts_cents"],
                streams_cents=cents["streams_cents"],
                other_cents=cents[_OTHER],
                chargebacks_cents=cents["chargebacks_cents"],
                net_cents=net,
                payments=payments,
                payers=payers.get((number, chosen), 0),
            )
        )
    return found


def _most(counts: Counter[str]) -> str | None:
    """The most frequent; of equals the first in the alphabet, so that a day comes out the same every time."""
    return min(counts, key=lambda name: (-counts[name], name)) if counts else None


async def _latest_currency(tx: Tx, creator_id: int) -> str | None:
    found = await tx.scalar(
        select(_t.currency)
        .where(_t.agency_id == tx.agency_id, _t.creator_id == creator_id, _t.counted)
        .order_by(_t.occurred_at.desc())
        .limit(1)
    )
    return None if found is None else str(found)


async def _new_fans(tx: Tx, creator_id: int, stretch: Stretch) -> Counter[int]:
    began = (
        select(_number(_f.subscribed_at, stretch))
        .where(_f.agency_id == tx.agency_id, _f.creator_id == creator_id, _within(_f.subscribed_at, stretch))
        .subquery()
    )
    return await _count(tx, select(began.c.number, func.count()).group_by(began.c.number))


async def _expired_fans(tx: Tx, creator_id: int, stretch: Stretch, as_of: int) -> Counter[int]:
    """By the events on record and, of those who are gone still, by the end the API shows; a fan a day counts once."""
    gone = or_(_f.expired_now, _f.subscribed.is_(None), ~_f.subscribed)
    ended = union(
        select(_number(_f.expires_at, stretch), _f.id.label("fan_id")).where(
            _f.agency_id == tx.agency_id,
            _f.creator_id == creator_id,
            _within(_f.expires_at, stretch),
            _f.expires_at <= as_of,
            gone,
        ),
        select(_number(_s.occurred_at, stretch), _s.fan_account_id.label("fan_id")).where(
            _s.agency_id == tx.agency_id,
            _s.creator_id == creator_id,
            _s.event == SubscriptionEvent.EXPIRED.value,
            _within(_s.occurred_at, stretch),
        ),
    ).subquery()
    return await _count(tx, select(ended.c.number, func.count()).group_by(ended.c.number))


async def _done(tx: Tx, creator_id: int, stretch: Stretch) -> Counter[int]:
    closed = (
        select(_number(_w.done_at, stretch))
        .where(
            _w.agency_id == tx.agency_id,
            _w.creator_id == creator_id,
            _w.state == WinbackState.DONE.value,
            _within(_w.done_at, stretch),
        )
        .subquery()
    )
    return await _count(tx, select(closed.c.number, func.count()).group_by(closed.c.number))


async def _active_fans(tx: Tx, creator_id: int, at: int) -> int:
    """Who was subscribed at an instant, as far back as the present state and the log of events tell."""
    came_back = exists().where(
        _s.agency_id == tx.agency_id,
        _s.fan_account_id == _f.id,
        _s.event == SubscriptionEvent.RESUBSCRIBED.value,
        _s.occurred_at >= at,
    )
    is_on = and_(_f.subscribed, or_(_f.expired_now.is_(None), ~_f.expired_now))
    found = await tx.scalar(
        select(func.count()).where(
            _f.agency_id == tx.agency_id,
            _f.creator_id == creator_id,
            func.coalesce(_f.subscribed_at, _f.first_seen_at) < at,
            or_(_f.expires_at >= at, is_on),
            ~came_back,
        )
    )
    return int(found or 0)


async def _open_tiers(tx: Tx, creator_id: int, at: int) -> Counter[str]:
    """How many episodes were open at an instant, by tier: what the last change of each until then left it at."""
    last = (
        select(func.max(_v.id).label("id"))
        .where(_v.agency_id == tx.agency_id, _v.creator_id == creator_id, _v.at < at)
        .group_by(_v.episode_id)
        .subquery()
    )
    rows = await tx.all(
        select(_v.tier_after, func.count())
        .select_from(episode_events.join(last, _v.id == last.c.id))
        .where(_v.agency_id == tx.agency_id, _v.tier_after.is_not(None))
        .group_by(_v.tier_after)
    )
    return Counter({row[0]: int(row[1]) for row in rows})


async def _count(tx: Tx, query: Select[tuple[int, int]]) -> Counter[int]:
    return Counter({row[0]: int(row[1]) for row in await tx.all(query)})
