"""The read-only views: what operators and their spreadsheets may rely on. `docs/reports.md` says what each column holds.

The product reads none of them. A migration that changes a table under a view drops the view before and makes it anew.
"""

from __future__ import annotations

from typing import Final

_FAN: Final = ("creator_id", "creator", "fan_account_id", "fan_id", "username")

VIEWS: Final[dict[str, frozenset[str]]] = {
    "v_fans": frozenset(
        [
            *("agency_id", *_FAN, "name", "alias", "currency", "total_spend", "spend_30d", "spend_prior_30d"),
            *("spend_subscriptions", "spend_ppv", "spend_tips", "spend_posts", "spend_streams", "status"),
            *("expires_at", "rebill_off", "last_active_at", "days_since_active", "messages_30d"),
            *("ppv_open_rate", "churn_risk", "ltv", "engagement", "model", "scored_at", "first_seen_at"),
            *("updated_at", "as_of"),
        ]
    ),
    "v_transactions": frozenset(
        [
            *("agency_id", *_FAN, "transaction_id", "platform_transaction_id", "kind", "amount", "net"),
            *("currency", "status", "counted", "occurred_at"),
        ]
    ),
    "v_subscription_events": frozenset(
        ["agency_id", *_FAN, "event_id", "event", "source", "occurred_at", "recorded_at", "winback_id"]
    ),
    "v_creator_daily": frozenset(
        [
            *("agency_id", "creator_id", "creator", "day", "currency", "revenue", "subscriptions", "ppv"),
            *("tips", "posts", "streams", "other", "chargebacks", "net", "payments", "payers", "active_fans"),
            *("new_fans", "expired_fans", "arpu", "at_risk", "action_items", "done", "starts_at", "ends_at"),
            "computed_at",
        ]
    ),
    "v_open_work": frozenset(
        [
            *("agency_id", *_FAN, "work", "work_id", "state", "score", "spend_a_month", "currency"),
            *("assignee_id", "opened_at", "due_at"),
        ]
    ),
}
"""The columns of each view, all of which are documented."""
