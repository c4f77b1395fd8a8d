"""The tables that revision 0004 adds, in an order in which they can be made."""

from __future__ import annotations

from storage.migrations.schema_0004.base import metadata
from storage.migrations.schema_0004.calm import (
    alert_feedback,
    contacts,
    digests,
    fan_holds,
    mentions,
    mutes,
    quiet_hours,
)
from storage.migrations.schema_0004.on_shift import handover_items, handovers, shift_sessions
from storage.migrations.schema_0004.outcomes import (
    desk_actions,
    followups,
    outcomes,
    playbook_ticks,
    playbooks,
)

NEW_TABLES = (
    mentions,
    mutes,
    quiet_hours,
    fan_holds,
    contacts,
    digests,
    alert_feedback,
    outcomes,
    playbooks,
    playbook_ticks,
    followups,
    desk_actions,
    shift_sessions,
    handovers,
    handover_items,
)

__all__ = ["NEW_TABLES", "metadata"]
