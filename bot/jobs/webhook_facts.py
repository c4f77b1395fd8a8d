"""What a creator's waiting events come to: whom to ask for, and what to write in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.domain.models import MS_PER_HOUR, EventSource, FanRecord, SubscriptionEvent, TransactionKind
from bot.fanapi.webhooks import (
    AccountNews,
    DeletedNews,
    Event,
    ExpiryNews,
    MessageNews,
    PaymentNews,
    SubscriptionNews,
    UnlockNews,
)
from storage import fans, messages, transactions, webhook_facts
from storage.subscription_log import NewEvent, append_events
from storage.tx import Tx
from storage.webhook_inbox import Waiting

SAME_END_MS = MS_PER_HOUR
"""How far apart two sources tell the end of the same period."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event that waits, and what it says."""

    row: Waiting
    event: Event


@dataclass(slots=True)
class Questions:
    """What the events leave open. `latest_since`: somebody unnamed has subscribed since then; None: nobody."""

    by_fan: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Platform fan id -> the rows that want him looked at."""
    unnamed: set[int] = field(default_factory=set)
    latest_since: int | None = None

    def ask(self, platform_fan_id: str, row_id: int) -> None:
        self.by_fan[platform_fan_id].add(row_id)

    def ask_latest(self, since_ms: int, row_id: int) -> None:
        self.unnamed.add(row_id)
        self.latest_since = since_ms if self.latest_since is None else min(self.latest_since, since_ms)

    def rows(self) -> set[int]:
        """The rows that are not done before the questions are answered."""
        return self.unnamed.union(*self.by_fan.values())

    def __bool__(self) -> bool:
        return bool(self.by_fan or self.unnamed)


async def find_questions(tx: Tx, creator_id: int, told: Sequence[Told]) -> Questions:
    """Whom the events concern without saying enough about him."""
    questions = Questions()
    payments = {
        t.event.news.record.platform_transaction_id for t in told if isinstance(t.event.news, PaymentNews)
    }
    paid = await transactions.known_ids(tx, creator_id, sorted(payments))
    seen = await webhook_facts.read_records(tx, creator_id, sorted(_named(told)))
    for one in told:
        news, row = one.event.news, one.row
        if isinstance(news, SubscriptionNews):
            if news.platform_fan_id is None:
                questions.ask_latest((news.at or row.received_at) - MS_PER_HOUR, row.id)
            else:
                questions.ask(news.platform_fan_id, row.id)
        elif isinstance(news, ExpiryNews) and news.platform_fan_id is not None:
            if news.platform_fan_id not in seen or news.at is None:
                questions.ask(news.platform_fan_id, row.id)
        elif isinstance(news, PaymentNews) and news.record.platform_fan_id is not None:
            fan_id = news.record.platform_fan_id
            # A payment that a poll has found first, with its fan; at a second try it is our own.
            told_already = news.record.platform_transaction_id in paid and row.tries == 0
            renewal = news.record.kind is TransactionKind.SUBSCRIPTION
            if fan_id not in seen or (not told_already and (news.total_cents is None or renewal)):
                questions.ask(fan_id, row.id)
    return questions


def _named(told: Sequence[Told]) -> set[str]:
    found: set[str] = set()
    for one in told:
        news = one.event.news
        if isinstance(news, SubscriptionNews | ExpiryNews) and news.platform_fan_id is not None:
            found.add(news.platform_fan_id)
        elif isinstance(news, PaymentNews) and news.record.platform_fan_id is not None:
            found.add(news.record.platform_fan_id)
    return found


async def apply(
    tx: Tx, creator_id: int, told: Sequence[Told], looks: Sequence[FanRecord], looked_at: int, now_ms: int
) -> set[int]:
    """Write what the events say, in order of arrival, and the looks they led to; the fan accounts concerned.

    Any order of the same events, and any of them twice, leaves the same behind.
    """
    run_id = told[0].row.id
    ids = await fans.ensure_fans(tx, creator_id, _fans_of(told), now_ms)
    # Before the looks: a period's beginning has one event, and only the webhook says outright that it is a trial.
    await _log_subscriptions(tx, creator_id, told, ids, now_ms)
    await fans.apply_fan_page(tx, creator_id, looks, looked_at, run_id)
    looked = await fans.ids_by_platform(tx, creator_id, [look.platform_fan_id for look in looks])
    await _end_subscriptions(tx, creator_id, told, now_ms, run_id)
    await _apply_payments(tx, creator_id, told, ids, now_ms)
    for one in told:
        await _apply_message(tx, creator_id, one, ids, now_ms)
    return {*ids.values(), *looked.values()}


def _fans_of(told: Sequence[Told]) -> dict[str, str | None]:
    """Platform fan id -> username, of everybody whom an event names."""
    found: dict[str, str | None] = {}
    for one in told:
        news = one.event.news
        fan_id: str | None = None
        username: str | None = None
        if isinstance(news, SubscriptionNews):
            fan_id, username = news.platform_fan_id, news.username
        elif isinstance(news, PaymentNews):
            fan_id, username = news.record.platform_fan_id, news.record.username
        elif isinstance(news, MessageNews):
            fan_id = news.record.platform_fan_id
        elif isinstance(news, ExpiryNews | UnlockNews):
            fan_id = news.platform_fan_id
        if fan_id is not None:
            found[fan_id] = found.get(fan_id) or username
    return found


async def _log_subscriptions(
    tx: Tx, creator_id: int, told: Sequence[Told], ids: dict[str, int], now_ms: int
) -> None:
    events: list[NewEvent] = []
    for one in told:
        news = one.event.news
        if isinstance(news, SubscriptionNews) and news.trial and news.platform_fan_id is not None:
            at = one.row.received_at if news.at is None else news.at
            kind = SubscriptionEvent.TRIAL_STARTED
        elif isinstance(news, ExpiryNews) and news.platform_fan_id is not None and news.at is not None:
            at, kind = news.at, SubscriptionEvent.EXPIRED
        else:
            continue
        events.append(NewEvent(ids[news.platform_fan_id], kind, at, EventSource.WEBHOOK))
    await append_events(tx, creator_id, events, now_ms)


async def _end_subscriptions(tx: Tx, creator_id: int, told: Sequence[Told], now_ms: int, run_id: int) -> None:
    """Show as expired whose period has ended, unless he has subscribed again since."""
    ends: dict[str, int] = {}
    for one in told:
        news = one.event.news
        if isinstance(news, ExpiryNews) and news.platform_fan_id is not None and news.at is not None:
            ends[news.platform_fan_id] = max(news.at, ends.get(news.platform_fan_id, news.at))
    stored = await webhook_facts.read_records(tx, creator_id, sorted(ends))
    over = [
        replace(known, subscribed=False, expired_now=True, expires_at=ends[fan_id])
        for fan_id, known in stored.items()
        if not _is_newer(known, ends[fan_id])
    ]
    await fans.apply_fan_page(tx, creator_id, over, now_ms, run_id)


def _is_newer(known: FanRecord, ended_at: int) -> bool:
    """Whether what is stored comes after that end: a later period, or the same end seen already."""
    if known.expires_at is not None and known.expires_at > ended_at + SAME_END_MS:
        return True
    if known.expired_now and not known.subscribed:
        return known.expires_at is not None and known.expires_at >= ended_at - SAME_END_MS
    began = max(known.subscribed_at or 0, known.renewed_at or 0)
    # Without an end of its own a running period counts by when it began.
    return known.expires_at is None and bool(known.subscribed) and began > ended_at


async def _apply_payments(
    tx: Tx, creator_id: int, told: Sequence[Told], ids: dict[str, int], now_ms: int
) -> None:
    news = [one.event.news for one in told if isinstance(one.event.news, PaymentNews)]
    await transactions.apply_transactions(tx, creator_id, [one.record for one in news], now_ms)
    for one in news:
        if one.total_cents is not None and one.record.platform_fan_id is not None:
            await webhook_facts.raise_total(tx, ids[one.record.platform_fan_id], one.total_cents)


async def _apply_message(tx: Tx, creator_id: int, one: Told, ids: dict[str, int], now_ms: int) -> None:
    news = one.event.news
    if isinstance(news, MessageNews):
        fan_id = ids[news.record.platform_fan_id]
        await messages.apply_messages(
            tx,
            creator_id,
            fan_id,
            [news.record],
            now_ms=now_ms,
            known_from_at=None,
            known_until_at=None,
        )
        if news.record.from_fan:
            await webhook_facts.note_active(tx, fan_id, news.record.sent_at)
    elif isinstance(news, DeletedNews):
        await messages.mark_deleted(tx, creator_id, news.platform_message_id, one.row.received_at)
    elif isinstance(news, UnlockNews):
        await _apply_unlock(tx, creator_id, one, news, ids, now_ms)


async def _apply_unlock(
    tx: Tx, creator_id: int, one: Told, news: UnlockNews, ids: dict[str, int], now_ms: int
) -> None:
    fan_id = None if news.platform_fan_id is None else ids[news.platform_fan_id]
    if fan_id is None and news.platform_message_id is not None:
        fan_id = await webhook_facts.fan_of_message(tx, creator_id, news.platform_message_id)
    if fan_id is None:
        # Of nobody: the payment that comes with it says whose it was.
        return
    await webhook_facts.note_unlocked(
        tx,
        creator_id,
        fan_id,
        news.platform_message_id,
        price_cents=news.amount_cents,
        at_ms=one.row.received_at if news.at is None else news.at,
        now_ms=now_ms,
    )


def lost_account(told: Sequence[Told], account_id: str) -> bool | None:
    """Whether the last word about her present connection is that it was lost; None: nothing was said of it."""
    said = [
        one.event.news.lost
        for one in told
        if isinstance(one.event.news, AccountNews) and one.row.account_id == account_id
    ]
    return said[-1] if said else None
