"""What messages say about fans, for those of whom all messages of the last 30 days are known."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import BigInteger, BindParameter, and_, bindparam, case, func, literal_column, or_, select

from bot.domain.models import MS_PER_DAY
from storage.bulk import BulkRead
from storage.tables import fan_accounts, messages
from storage.tx import Tx

WINDOW_MS = 30 * MS_PER_DAY
OFFERS_MS = 90 * MS_PER_DAY
"""How far back offers count for how many of them are opened."""
SETTLED_MS = 2 * MS_PER_DAY
"""How old the last look at a fan's messages may be for their number to be known."""

_f, _m = fan_accounts.c, messages.c

MessageFacts = tuple[int | None, float | None]
"""Messages from the fan in the last 30 days, and the share of priced ones opened, 0 to 1; None: unknown."""
UNKNOWN: MessageFacts = (None, None)
_SILENT: MessageFacts = (0, None)


def _given(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger)


_OFFERED = and_(
    ~_m.from_fan,
    _m.price_cents > 0,
    _m.sent_at >= _f.messages_from_at,
    _m.sent_at > _given("offered_since"),
    # One taken back before it was opened could not be opened any more.
    or_(_m.deleted_at.is_(None), _m.unlocked),
)
_PAGE = BulkRead(
    select(
        _f.id,
        func.sum(case((and_(_m.from_fan, _m.sent_at > _given("recent")), 1), else_=0)),
        func.sum(case((_OFFERED, 1), else_=0)),
        func.sum(case((and_(_OFFERED, _m.unlocked), 1), else_=0)),
    )
    .select_from(
        # The sum keeps SQLite from carrying the page's bounds over to the messages, as for payments in `scores`.
        fan_accounts.join(
            messages,
            and_(
                _m.agency_id == _f.agency_id,
                _m.creator_id == _f.creator_id,
                _m.fan_account_id == _f.id + literal_column("0"),
            ),
        )
    )
    .where(
        _f.agency_id == _given("agency_id"),
        _f.creator_id == _given("creator_id"),
        _f.id.between(_given("low"), _given("high")),
        _f.messages_from_at <= _given("recent"),
        _f.messages_until_at >= _given("settled"),
        _m.sent_at > _given("offered_since"),
        _m.sent_at <= _given("until"),
    )
    .group_by(_f.id)
)


async def read_message_facts(
    tx: Tx, creator_id: int, spans: Mapping[int, tuple[int, int]], now_ms: int
) -> dict[int, MessageFacts]:
    """Fan account id -> what the messages up to `now_ms` say; who is left out is unknown.

    `spans`: of each fan, between which instants all messages are known. Nothing is asked where none reaches far enough.
    """
    recent, settled = now_ms - WINDOW_MS, now_ms - SETTLED_MS
    known = [fan_id for fan_id, (since, until) in spans.items() if since <= recent and until >= settled]
    if not known:
        return {}
    facts = dict.fromkeys(known, _SILENT)
    rows = await _PAGE.fetch(
        tx,
        creator_id=creator_id,
        low=min(known),
        high=max(known),
        recent=recent,
        settled=settled,
        offered_since=now_ms - OFFERS_MS,
        until=now_ms,
    )
    for fan_id, written, offered, opened in rows:
        facts[fan_id] = (int(written), int(opened) / int(offered) if offered else None)
    return facts
