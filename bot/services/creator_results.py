"""What becomes of what managers do with creators, and what accounts are called."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.domain.models import AccountRecord
from storage.creator_settings import Value


@dataclass(frozen=True, slots=True)
class AddResult:
    """`creator_id`: the new one, or (taken) the one who has the account or the channel. `name`: hers."""

    status: Literal["added", "unknown_account", "no_answer", "account_taken", "channel_taken"]
    creator_id: int | None = None
    name: str = ""
    begins: bool = False
    """Added, and her first look is due at once rather than at the end of the set-up."""


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What became of a change. `before` and `after` hold what differs; `change_id` is for undoing it."""

    status: Literal[
        "changed", "same", "not_found", "invalid", "channel_taken", "too_late", "overtaken", "waiting"
    ]
    before: Mapping[str, Value]
    after: Mapping[str, Value]
    change_id: int | None = None
    problem: str = ""
    baseline: bool = False
    """The next look at her is due at once and silent."""
    taken_by: str = ""
    """Whose the channel is: hostile text."""


def account_token(account_id: str) -> str:
    """A name of an account that fits into a custom_id, whatever the data API calls its accounts."""
    return hashlib.blake2b(account_id.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def account_name(account: AccountRecord) -> str:
    """What people call her: hostile text, to be made safe when rendered."""
    return (account.display_name or account.username or account.account_id)[:100]
