"""Whom an episode may be opened for."""

from __future__ import annotations


def is_eligible(
    paid: bool,
    subscribed_or_seen_expiring: bool,
    can_receive_messages: bool | None,
    is_blocked: bool | None,
    is_restricted: bool | None,
    is_performer: bool | None,
    deleted: bool,
    alert_never_paid: bool = False,
) -> bool:
    """Whether somebody could do something about this fan leaving, and would lose something.

    `paid`: paid at least once, in any kind; `alert_never_paid` waives it. A flag that is None (unknown)
    counts as fine: the API leaves flags out, and a fan is not dropped for what nobody said.
    """
    return (
        (paid or alert_never_paid)
        and subscribed_or_seen_expiring
        and can_receive_messages is not False
        and not is_blocked
        and not is_restricted
        and not is_performer
        and not deleted
    )
