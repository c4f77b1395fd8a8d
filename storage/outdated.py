"""Whether a page of fans knows less of one than a webhook has told since."""

from __future__ import annotations

from typing import Any

from bot.domain.models import FanRecord


def is_outdated(record: FanRecord, old: Any, looked_at: int) -> bool:
    """Whether what is stored (`old`, a row of the fan) is younger than this look, and the look knows less.

    A page is dated by the start of its run, so younger alone proves nothing: a page that knows as much is taken.
    """
    if old.updated_at <= looked_at or old.row_hash is None:
        return False
    if _is_before(record.expires_at, old.expires_at) or _is_before(record.renewed_at, old.renewed_at):
        return True
    ended = bool(old.expired_now) and not old.subscribed
    return ended and bool(record.subscribed) and record.expires_at == old.expires_at


def _is_before(at: int | None, known: int | None) -> bool:
    return at is not None and known is not None and at < known
