"""The endpoints of chats, messages and notifications (api-contracts.md 2.10), before the envelope is put around.

Beyond what is documented: a chat is there as soon as there is a message in it, and `skip_users` none adds the name and
username to a user's id. A page of messages may come short; asked for oldest first, its last message is the first of
the next page.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Callable, Iterator, Sequence

from bot.sandbox.agency import query as q
from bot.sandbox.agency.answers import Answer, ApiError, Query
from bot.sandbox.agency.encode import FanEncoder, dump
from bot.sandbox.agency.encode_chats import (
    ChatState,
    chat_object,
    message_object,
    payment_notification,
    start_notification,
)
from bot.sandbox.agency.model import Chats, Creator, Message, Payment, Start
from bot.sandbox.agency.paging import FanLists, PageTrap

PAGE_DEFAULT, PAGE_MOST = 10, 100
_SHORT_ONE_IN = 11
_CHAT_FILTERS = ("pinned", "priority", "unread", "with_tips", "unread_with_tips")
_NOTIFICATION_TYPES = (
    *("all", "subscriptions", "onlyfans", "purchases", "tips", "tags", "comments", "mentions", "likes"),
    "promotions",
)
_USERS = ("all", "none")

Trap = Callable[[str], PageTrap | None]


class ChatEndpoints:
    """One account's. `trap(path)` says how the page at hand is to be spoiled, if at all."""

    def __init__(self, creator: Creator, lists: FanLists, encoder: FanEncoder, trap: Trap) -> None:
        self._creator = creator
        self._lists = lists
        self._encoder = encoder
        self._trap = trap

    def chats(self, query: Query, now: int) -> Answer:
        """GET chats. Raises ApiError where the key may not, and query.InvalidError."""
        chats = self._readable()
        limit = q.number(query, "limit", PAGE_DEFAULT, 1, PAGE_MOST)
        offset = q.number(query, "offset", 0, 0)
        order = q.choice(query, "order", ("recent", "old")) or "recent"
        wanted = q.choice(query, "filter", _CHAT_FILTERS)
        q.choice(query, "skip_users", _USERS)
        words = query.get("query", "").casefold()
        states: dict[int, ChatState] = {}
        for fan in self._creator.fans:
            if words and words not in f"{fan.username or ''} {fan.name or ''}".casefold():
                continue
            messages = chats.messages(fan, now)
            if messages:
                state = ChatState.of(messages)
                if wanted is None or _fits(state, wanted):
                    states[fan.id] = state
        newest_last = sorted(states, key=lambda fan_id: (states[fan_id].last.at, fan_id))
        ids = newest_last[::-1] if order == "recent" else newest_last
        chosen = [self._creator.by_id[fan_id] for fan_id in ids]
        page = self._lists.page("chats", chosen, offset, limit, self._trap("chats"))
        objects = [
            chat_object(self._creator, fan, states[fan.id], self._encoder.encode(fan, "single"))
            for fan in page.fans
        ]
        following = None
        if page.has_more:
            following = dict(query) | {"limit": str(limit), "offset": str(offset + limit)}
        return Answer(b"[%b]" % b",".join(objects), True, following)

    def messages(self, chat_id: str, query: Query, now: int) -> Answer:
        """GET chats/{chat_id}/messages. Raises ApiError and query.InvalidError."""
        chats = self._readable()
        fan = self._creator.by_id.get(int(chat_id)) if chat_id.isdecimal() else None
        if fan is None:
            raise ApiError.not_found()
        limit = q.number(query, "limit", PAGE_DEFAULT, 1, PAGE_MOST)
        rising = q.choice(query, "order", ("desc", "asc")) == "asc"
        first, last = q.number(query, "first_id", 0, 0), q.number(query, "last_id", 0, 0)
        pinned = q.choice(query, "filter", ("pinned",)) is not None
        named = q.choice(query, "skip_users", _USERS) == "none"
        everything = chats.messages(fan, now)
        trap = self._trap(f"chats/{chat_id}/messages")
        if pinned:
            rest: Sequence[Message] = ()
        elif rising:
            rest = [message for message in everything if message.id >= last]
        else:
            repeated = 1 if trap == "shift_page" else 0
            rest = [m for m in reversed(everything) if not first or m.id < first + repeated]
        shown = rest[:limit]
        if len(shown) > 1 and len(rest) > len(shown) and (trap == "short_page" or _comes_short(shown[0])):
            shown = shown[:-1]
        following = dict(query) | {"limit": str(limit)}
        more = len(rest) > len(shown)
        if trap == "empty_page" and shown and not rising and first != shown[0].id + 1:
            following["first_id"] = str(shown[0].id + 1)
            shown, more = (), True
        elif more and rising:
            following["last_id"] = str(shown[-1].id if len(shown) > 1 else rest[1].id)
        elif more:
            following["first_id"] = str(shown[-1].id)
        unread = ChatState.of(everything).unread if everything else ()
        objects = [message_object(self._creator, fan, m, new=m in unread, named=named) for m in shown]
        return Answer(dump(objects), True, following if more else None)

    def notifications(self, query: Query, now: int) -> Answer:
        """GET notifications, newest first. Raises query.InvalidError."""
        limit = q.number(query, "limit", PAGE_DEFAULT, 1, PAGE_MOST)
        before = q.number(query, "from_id", 0, 0)
        kind = q.choice(query, "type", _NOTIFICATION_TYPES) or "all"
        named = q.choice(query, "skip_users", _USERS) == "none"
        trap = self._trap("notifications")
        wanted = limit - 1 if trap == "short_page" and limit > 1 else limit
        found: list[Start | Payment] = []
        more = False
        for item in self._noticed(kind):
            if before and item.key >= before:
                continue
            if len(found) == wanted:
                more = True
                break
            found.append(item)
        objects = [
            start_notification(self._creator, item, now, named=named)
            if isinstance(item, Start)
            else payment_notification(item, self._opened_by(item, now), now, named=named)
            for item in found
        ]
        return Answer(dump({"list": objects, "hasMore": more}))

    def _readable(self) -> Chats:
        if self._creator.chats is None:
            raise ApiError.forbidden()
        return self._creator.chats

    def _noticed(self, kind: str) -> Iterator[Start | Payment]:
        types = {"all": ("chat_messages", "tips"), "purchases": ("chat_messages",), "tips": ("tips",)}
        starts: Iterator[Start | Payment] = iter(())
        if kind in ("all", "subscriptions"):
            starts = reversed(self._creator.starts)
        payments: Iterator[Start | Payment] = (
            payment for payment in reversed(self._creator.payments) if payment.type in types.get(kind, ())
        )
        return heapq.merge(starts, payments, key=lambda item: -item.key)

    def _opened_by(self, payment: Payment, now: int) -> Message | None:
        chats = self._creator.chats
        if chats is None or payment.type != "chat_messages":
            return None
        return next((m for m in chats.messages(payment.fan, now) if m.payment is payment), None)


def _fits(state: ChatState, wanted: str) -> bool:
    if wanted == "unread":
        return bool(state.unread)
    if wanted == "with_tips":
        return state.has_tips
    return wanted == "unread_with_tips" and state.has_unread_tips


def _comes_short(message: Message) -> bool:
    return zlib.crc32(b"%d" % message.id) % _SHORT_ONE_IN == 0
