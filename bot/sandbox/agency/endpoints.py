"""The endpoints of one account: what each answers, before the envelope is put around it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import get_args

from bot.sandbox.agency import query as q
from bot.sandbox.agency.answers import Answer, ApiError, Query
from bot.sandbox.agency.chats import ChatEndpoints
from bot.sandbox.agency.encode import (
    FanEncoder,
    Shape,
    chargeback_object,
    dollars,
    dump,
    iso,
    payment_object,
    profile_object,
)
from bot.sandbox.agency.model import Creator, Fan, Payment, PaymentType
from bot.sandbox.agency.paging import FanLists, ListName, PageTrap, latest_first
from bot.sandbox.times import MS_PER_DAY

FANS_PAGE = 20
LATEST_PAGE = 50
USERS_A_CALL = 10
TOP_FANS = 50
TRANSACTIONS_PAGE = 100
TRANSACTIONS_DEFAULT = 10
TRANSACTION_DAYS = 30
CHARGEBACKS_PAGE = 100
_PAYMENT_TYPES = ("subscribes", "tips", "post", "chat_messages", "stream")
_TIP_SOURCES = ("profile", "post_all", "chat", "stream", "story")
_TOP_BY: dict[str, PaymentType | None] = {
    "total": None,
    "subscribes": "subscribes",
    "tips": "tips",
    "messages": "chat_messages",
    "post": "post",
    "streams": "stream",
}


class Endpoints:
    """One account's endpoints. `take_trap(path)` says how the page at hand is to be spoiled, if at all."""

    def __init__(self, creator: Creator, *, seed: int, take_trap: Callable[[str], str | None]) -> None:
        self._creator = creator
        self._lists = FanLists(creator, seed)
        self._encoder = FanEncoder(creator)
        self._take_trap = take_trap
        self._chats = ChatEndpoints(creator, self._lists, self._encoder, self._trap)

    def answer(self, parts: list[str], query: Query, now: int) -> Answer:
        """Answer a GET below /api/{account}. Raises ApiError and query.InvalidError."""
        match parts:
            case ["me"]:
                return Answer(dump(profile_object(self._creator)))
            case ["fans", "all" | "active" | "expired" as name]:
                return self._fans(name, query, now)
            case ["fans", "latest"]:
                return self._latest(query)
            case ["fans", "top"]:
                return self._top(query)
            case ["fans", fan_id, "subscriptions-history"]:
                return self._subscriptions(fan_id)
            case ["users", "list"]:
                return self._users(query)
            case ["users", username]:
                return self._user(username)
            case ["transactions"]:
                return self._transactions(query, now)
            case ["chargebacks"]:
                return self._chargebacks(query, now)
            case ["chats"]:
                return self._chats.chats(query, now)
            case ["chats", chat_id, "messages"]:
                return self._chats.messages(chat_id, query, now)
            case ["notifications"]:
                return self._chats.notifications(query, now)
        raise ApiError.not_found()

    def _trap(self, path: str) -> PageTrap | None:
        trap = self._take_trap(f"{self._creator.account_id}/{path}")
        return next((known for known in get_args(PageTrap) if known == trap), None)

    def _fans(self, name: ListName, query: Query, now: int) -> Answer:
        limit = q.number(query, "limit", FANS_PAGE, 1, FANS_PAGE)
        offset = q.number(query, "offset", 0, 0)
        wanted = q.fan_filter(query, now)
        chosen = None
        if wanted is not None:
            state = {"active": True, "expired": False}.get(name)
            chosen = [
                fan for fan in reversed(self._creator.fans) if wanted(fan) and state in (None, fan.subscribed)
            ]
        page = self._lists.page(name, chosen, offset, limit, self._trap(f"fans/{name}"))
        data = b'{"list":[%b],"hasMore":%b}' % (self._many(page.fans, "listed"), _json_bool(page.has_more))
        return Answer(data, True, _next_offset(query, offset, limit) if page.has_more else None)

    def _latest(self, query: Query) -> Answer:
        limit = q.number(query, "limit", FANS_PAGE, 1, LATEST_PAGE)
        offset = q.number(query, "offset", 0, 0)
        kind = q.choice(query, "type", ("total", "new", "renew"))
        span = q.span(query)
        chosen = None
        if span is not None or kind in ("new", "renew"):
            chosen = [fan for fan in latest_first(self._creator.fans) if _is_latest(fan, kind, span)]
        page = self._lists.page("latest", chosen, offset, limit, self._trap("fans/latest"))
        users = self._many(page.fans, "listed")
        data = b'{"users":[%b],"hasMore":%b,"offset":%d}' % (users, _json_bool(page.has_more), offset + limit)
        return Answer(data, True, _next_offset(query, offset, limit) if page.has_more else None)

    def _top(self, query: Query) -> Answer:
        by = _TOP_BY[q.choice(query, "by", tuple(_TOP_BY)) or "total"]
        span = q.span(query)
        if span is None:
            spent = {
                fan.id: fan.total_cents if by is None else fan.spent.get(by, 0) for fan in self._creator.fans
            }
        else:
            spent = {}
            for payment in self._creator.payments:
                if span[0] <= payment.at <= span[1] and by in (None, payment.type):
                    spent[payment.fan.id] = spent.get(payment.fan.id, 0) + payment.amount_cents
        best = sorted((cents, fan_id) for fan_id, cents in spent.items() if cents > 0)[::-1][:TOP_FANS]
        fans = [self._creator.by_id[fan_id] for _, fan_id in best]
        return Answer(b'{"users":[%b]}' % self._many(fans, "top"))

    def _users(self, query: Query) -> Answer:
        texts = [text.strip() for text in query.get("ids", "").split(",") if text.strip()]
        if not texts:
            raise q.InvalidError("ids", "The ids field is required.")
        if len(texts) > USERS_A_CALL:
            raise q.InvalidError("ids", f"The ids field must not have more than {USERS_A_CALL} items.")
        found: list[bytes] = []
        for text in dict.fromkeys(texts):
            if not text.isdecimal():
                raise q.InvalidError("ids", "The ids field must hold integers.")
            fan = self._creator.by_id.get(int(text))
            if fan is not None:
                found.append(b'"%d":%b' % (fan.id, self._encoder.encode(fan, "single")))
        return Answer(b"{%b}" % b",".join(found))

    def _user(self, username: str) -> Answer:
        for fan in self._creator.fans:
            if fan.username is not None and fan.username == username:
                return Answer(self._encoder.encode(fan, "single"))
        raise ApiError.not_found()

    def _subscriptions(self, fan_id: str) -> Answer:
        fan = self._creator.by_id.get(int(fan_id)) if fan_id.isdecimal() else None
        if fan is None:
            raise ApiError.not_found()
        periods = [
            {
                "subscribeDate": iso(period.starts_at),
                "expireDate": iso(period.ends_at),
                "price": dollars(period.price_cents),
            }
            for period in reversed(fan.periods)
        ]
        return Answer(dump({"list": periods, "hasMore": False}))

    def _transactions(self, query: Query, now: int) -> Answer:
        limit = q.number(query, "limit", TRANSACTIONS_DEFAULT, 1, TRANSACTIONS_PAGE)
        marker = q.number(query, "marker", 0, 0)
        since = q.moment(query, "startDate")
        kind = q.choice(query, "type", _PAYMENT_TYPES)
        source = q.choice(query, "tipsSource", _TIP_SOURCES)
        if source is not None and kind != "tips":
            raise q.InvalidError("tipsSource", "The tipsSource field needs type tips.")
        oldest = now - TRANSACTION_DAYS * MS_PER_DAY if since is None else since
        payments = self._creator.payments
        end = bisect_left(payments, marker, key=_key) if marker else len(payments)
        trap = self._trap("transactions")
        if trap == "shift_page" and marker and end < len(payments):
            end += 1
        wanted = limit - 1 if trap == "short_page" and limit > 1 else limit
        shown: list[Payment] = []
        has_more = False
        for index in range(end - 1, -1, -1):
            payment = payments[index]
            if payment.at < oldest:
                break
            if kind is not None and payment.type != kind:
                continue
            if len(shown) == wanted:
                has_more = True
                break
            shown.append(payment)
        following = shown[-1].key if has_more else None
        if trap == "empty_page" and shown and marker != shown[0].key + 1:
            following, has_more = shown[0].key + 1, True
            shown = []
        data = {
            "list": [payment_object(payment, now) for payment in shown],
            "marker": marker or (shown[0].key + 1 if shown else 0),
            "nextMarker": following,
            "hasMore": has_more,
        }
        following_query = None if following is None else dict(query) | {"marker": str(following)}
        return Answer(dump(data), True, following_query)

    def _chargebacks(self, query: Query, now: int) -> Answer:
        limit = q.number(query, "limit", TRANSACTIONS_DEFAULT, 1, CHARGEBACKS_PAGE)
        offset = q.number(query, "offset", 0, 0)
        span = q.span(query)
        found = [
            chargeback
            for chargeback in reversed(self._creator.chargebacks)
            if span is None or span[0] <= chargeback.at <= span[1]
        ]
        shown = found[offset : offset + limit]
        data = {
            "list": [chargeback_object(chargeback, now) for chargeback in shown],
            "marker": shown[-1].number if shown else 0,
        }
        more = offset + limit < len(found)
        return Answer(dump(data), True, _next_offset(query, offset, limit) if more else None)

    def _many(self, fans: list[Fan], shape: Shape) -> bytes:
        return b",".join([self._encoder.encode(fan, shape) for fan in fans])


def _key(payment: Payment) -> int:
    return payment.key


def _json_bool(value: bool) -> bytes:
    return b"true" if value else b"false"


def _next_offset(query: Query, offset: int, limit: int) -> dict[str, str]:
    return dict(query) | {"limit": str(limit), "offset": str(offset + limit)}


def _is_latest(fan: Fan, kind: str | None, span: tuple[int, int] | None) -> bool:
    at = fan.periods[-1].starts_at
    if span is not None and not span[0] <= at <= span[1]:
        return False
    is_new = at == fan.subscribed_since
    return kind in (None, "total") or is_new == (kind == "new")
