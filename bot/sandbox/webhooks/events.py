"""An event as the vendor tells it, and the catalogue of those there are."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

CATALOGUE = {
    "accounts.connected": "An account was connected.",
    "accounts.reconnected": "An account was connected again.",
    "accounts.disconnected": "An account was disconnected.",
    "accounts.session_expired": "The session of an account has expired.",
    "accounts.authentication_failed": "An account could not be authenticated.",
    "accounts.otp_code_required": "A code is needed to go on connecting an account.",
    "accounts.face_otp_required": "A face check is needed to go on connecting an account.",
    "subscriptions.new": "A fan has subscribed, for the first time or again.",
    "subscriptions.renewed": "A subscription was renewed.",
    "subscriptions.expired": "A subscription has expired.",
    "transactions.new": "Money came in.",
    "tips.received": "A tip came in.",
    "messages.ppv.unlocked": "A fan has paid for a message.",
    "messages.received": "A fan has written.",
    "messages.sent": "The account has written.",
    "messages.deleted": "A message was deleted.",
    "users.typing": "A fan is typing.",
    "users.online": "A fan came online.",
    "users.offline": "A fan went offline.",
    "chat_queue.updated": "A queued message has changed.",
    "chat_queue.finished": "A queued message was sent to all.",
    "posts.liked": "A fan liked a post.",
    "fan_summary.completed": "The summary of a fan is ready.",
}
"""Without data_exports.* and media_uploads.*, whose names are not public."""

FOR_A_CRM = (
    *(name for name in CATALOGUE if name.startswith(("accounts.", "subscriptions.", "messages."))),
    "transactions.new",
    "tips.received",
)
"""What the sandbox registers for the bot: presence and typing are too many to be of use."""


@dataclass(frozen=True, slots=True)
class VendorEvent:
    """One event.

    Attributes:
        at: when the vendor tells it, UTC ms of agency time.
        key: the idempotency key, stable per event; None = an ephemeral event has none.
    """

    at: int
    name: str
    account_id: str
    key: str | None
    payload: dict[str, Any]

    def body(self) -> bytes:
        """What is posted and signed."""
        told = {"event": self.name, "account_id": self.account_id, "payload": self.payload}
        return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()

    def without_user(self) -> VendorEvent:
        """The same event, naming the fan nowhere but in what stands in a text."""
        kept = {name: value for name, value in self.payload.items() if name not in _FAN_FIELDS}
        return replace(self, payload=kept)

    def without_key(self) -> VendorEvent:
        return replace(self, key=None)


_FAN_FIELDS = frozenset({"user", "fan", "fanData", "fromUser", "toUser"})


def idempotency_key(*parts: object) -> str:
    """`evt_` and 40 hex digits made of what identifies an event."""
    text = "|".join(str(part) for part in parts)
    return "evt_" + hashlib.blake2b(text.encode(), digest_size=20).hexdigest()
