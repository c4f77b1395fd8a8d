"""The schema: every table, its constraints and why each index is there.

Plain types only (Text, BigInteger, Float, Boolean), so that a row is the same tuple for a bulk write on both engines.
Instants are BIGINT UTC milliseconds, money is BIGINT minor units, JSON is text. Except for `agencies` every table is a
tenant table: it has `agency_id`, its keys begin with it, and foreign keys between tenants cannot be written at all.
"""

from __future__ import annotations

from storage.tables.base import metadata
from storage.tables.calm import alert_feedback, contacts, digests, fan_holds, mentions, mutes, quiet_hours
from storage.tables.derived import creator_daily, score_history, scores
from storage.tables.desk import fan_threads, note_revisions, notes, winback_spreads, winbacks
from storage.tables.facts import fan_events, messages, subscription_events, subscriptions
from storage.tables.fans import fan_accounts, fan_names, transactions
from storage.tables.machinery import (
    api_usage,
    cards,
    command_hashes,
    import_runs,
    score_runs,
    sync_runs,
    webhook_inbox,
)
from storage.tables.on_shift import handover_items, handovers, shift_sessions
from storage.tables.outcomes import desk_actions, followups, outcomes, playbook_ticks, playbooks
from storage.tables.roster import (
    agencies,
    creator_accounts,
    creator_chatters,
    creator_leads,
    creators,
    members,
    role_tiers,
    setting_changes,
    shifts,
)
from storage.tables.work import audit_log, episode_events, episodes

APPEND_ONLY = ("episode_events", "audit_log", "subscription_events", "fan_events")
"""The tables that triggers keep from ever being changed or emptied: ids and codes only."""

TENANT_TABLES = frozenset(table.name for table in metadata.tables.values() if "agency_id" in table.c)

__all__ = [
    "APPEND_ONLY",
    "TENANT_TABLES",
    "agencies",
    "alert_feedback",
    "api_usage",
    "audit_log",
    "cards",
    "command_hashes",
    "contacts",
    "creator_accounts",
    "creator_chatters",
    "creator_daily",
    "creator_leads",
    "creators",
    "desk_actions",
    "digests",
    "episode_events",
    "episodes",
    "fan_accounts",
    "fan_events",
    "fan_holds",
    "fan_names",
    "fan_threads",
    "followups",
    "handover_items",
    "handovers",
    "import_runs",
    "members",
    "mentions",
    "messages",
    "metadata",
    "mutes",
    "note_revisions",
    "notes",
    "outcomes",
    "playbook_ticks",
    "playbooks",
    "quiet_hours",
    "role_tiers",
    "score_history",
    "score_runs",
    "scores",
    "setting_changes",
    "shift_sessions",
    "shifts",
    "subscription_events",
    "subscriptions",
    "sync_runs",
    "transactions",
    "webhook_inbox",
    "winback_spreads",
    "winbacks",
]
