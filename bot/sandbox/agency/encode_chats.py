"""Chats, messages and notifications as the data API writes them (api-contracts.md 2.10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.agency.encode import VIEW, dollars, dump
from bot.sandbox.agency.model import Creator, Fan, Message, Payment, Start
from bot.sandbox.times import MS_PER_DAY, to_iso

_SUB_TYPES = {"new": "new_subscriber", "returning": "returning_subscriber", "trial": "new_subscriber_trial"}
_SITE = "https://onlyfans.com"


@dataclass(frozen=True, slots=True)
class ChatState:
    """A chat at a glance. `unread`: what the fan has written since the last reply; mass messages are none."""

    last: Message
    read: Message | None
    unread: tuple[Message, ...]
    has_tips: bool

    @property
    def has_unread_tips(self) -> bool:
        return any(message.is_tip for message in self.unread)

    @classmethod
    def of(cls, messages: Sequence[Message]) -> ChatState:
        """`messages` are oldest first, and one at least."""
        replied = [number for number, m in enumerate(messages) if not m.from_fan and m.queue_id is None]
        first = replied[-1] + 1 if replied else 0
        return cls(
            last=messages[-1],
            read=messages[first - 1] if first else None,
            unread=tuple(message for message in messages[first:] if message.from_fan),
            has_tips=any(message.is_tip for message in messages),
        )


def chat_object(creator: Creator, fan: Fan, state: ChatState, encoded_fan: bytes) -> bytes:
    """An item of GET chats, encoded."""
    last = message_object(creator, fan, state.last, new=state.last in state.unread, named=False)
    del last["isSentByMe"]
    rest = {
        "lastMessage": last,
        "unreadMessagesCount": len(state.unread),
        "hasUnreadTips": state.has_unread_tips,
        "lastReadMessageId": None if state.read is None else state.read.id,
        "canSendMessage": fan.can_receive_messages,
        "canNotSendReason": None if fan.can_receive_messages else False,
        "isMutedNotifications": False,
    }
    return b'{"fan":%b,%b' % (encoded_fan, dump(rest)[1:])


def message_object(creator: Creator, fan: Fan, message: Message, *, new: bool, named: bool) -> dict[str, Any]:
    """A message. `named`: users are shown with their names, not by id alone."""
    opened = message.price_cents == 0 or message.payment is not None
    changed_at = message.at
    if message.price_cents and message.payment is not None:
        changed_at = message.payment.at
    sender: dict[str, Any] = _user(fan, named=named)
    if not message.from_fan:
        sender = {"id": creator.number, "_view": VIEW}
        if named:
            sender |= {"name": creator.name, "username": creator.username}
    return {
        "id": message.id,
        "text": f"<p>{message.text}</p>",
        "createdAt": to_iso(message.at),
        "changedAt": to_iso(changed_at),
        "fromUser": sender,
        "isSentByMe": not message.from_fan,
        "price": dollars(message.price_cents),
        "isFree": message.price_cents == 0,
        "isOpened": opened,
        "isNew": new,
        "isTip": message.is_tip,
        "isFromQueue": message.queue_id is not None,
        "queueId": message.queue_id,
        "mediaCount": message.media_count,
        "isMediaReady": True,
        "isLiked": False,
        "isPinned": False,
        "responseType": "message",
    }


def start_notification(creator: Creator, start: Start, now: int, *, named: bool) -> dict[str, Any]:
    """Somebody has subscribed."""
    cents = 0 if start.kind == "trial" else creator.price_cents
    pairs = {"{SUBSCRIBER_LINK}": _link(start.fan), "{PRICE}": _price(cents)}
    text = "{SUBSCRIBER_LINK} subscribed for {PRICE}"
    body = _notification(start.key, "subscribed", _SUB_TYPES[start.kind], start.at, text, pairs, now)
    return body | _user_part(start.fan, named=named)


def payment_notification(
    payment: Payment, opened: Message | None, now: int, *, named: bool
) -> dict[str, Any]:
    """A tip came in, or a message was opened: `opened`, None where it is not known which."""
    fan = payment.fan
    pairs = {"{SUBSCRIBER_LINK}": _link(fan), "{AMOUNT}": _price(payment.amount_cents)}
    if payment.type == "tips":
        text = "{SUBSCRIBER_LINK} tipped you {AMOUNT}"
        body = _notification(payment.key, "tip", "new_tips", payment.at, text, pairs, now)
        return body | _user_part(fan, named=named)
    text = "{SUBSCRIBER_LINK} purchased your message for {AMOUNT}"
    if opened is not None:
        address = f"{_SITE}/my/chats/chat/{fan.id}?firstId={opened.id}"
        pairs["{MESSAGE_LINK}"] = f"<a href='{address}'>message</a>"
        text = "{SUBSCRIBER_LINK} purchased your {MESSAGE_LINK} for {AMOUNT}"
    body = _notification(payment.key, "paided_message", None, payment.at, text, pairs, now)
    return body | _user_part(fan, named=named)


def _notification(
    key: int, kind: str, sub_type: str | None, at: int, text: str, pairs: dict[str, str], now: int
) -> dict[str, Any]:
    return {
        "id": key,
        "type": kind,
        "subType": sub_type,
        "createdAt": to_iso(at),
        "text": text,
        "replacePairs": pairs,
        "isRead": now - at >= MS_PER_DAY,
    }


def _user_part(fan: Fan, *, named: bool) -> dict[str, Any]:
    """Nothing for a deleted user: the notification then names nobody."""
    return {} if fan.username is None else {"user": _user(fan, named=named)}


def _user(fan: Fan, *, named: bool) -> dict[str, Any]:
    user: dict[str, Any] = {"id": fan.id, "_view": VIEW}
    if named and fan.username is not None:
        user |= {"name": fan.name, "username": fan.username}
    return user


def _link(fan: Fan) -> str:
    return "Deleted user" if fan.username is None else f"<a href='{_SITE}/{fan.username}'>{fan.name}</a>"


def _price(cents: int) -> str:
    return f"${cents / 100:.2f}"
