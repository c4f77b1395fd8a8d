"""What is computed from the facts: scores and their history."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Text

from storage.tables.base import float_column, int_column, parent_key, tenant_table, text_column

scores = tenant_table(
    "scores",
    int_column("fan_account_id"),
    int_column("creator_id"),
    text_column("model"),
    int_column("model_version"),
    float_column("churn_risk"),
    float_column("ltv", null=True),
    float_column("engagement", null=True),
    float_column("upsell", null=True),
    float_column("loyalty", null=True),
    float_column("churn_probability", null=True),
    int_column("run_id"),
    int_column("scored_at"),
    # The score last kept in score_history, or the first one.
    float_column("kept_churn_risk"),
    int_column("kept_at"),
    parent_key("fan_account_id", "fan_accounts"),
    parent_key("creator_id", "creators"),
    # The worst scores of a creator.
    Index(None, "agency_id", "creator_id", "churn_risk"),
    key=("fan_account_id",),
)

score_history = tenant_table(
    "score_history",
    int_column("creator_id"),
    int_column("fan_account_id"),
    text_column("model"),
    int_column("model_version"),
    float_column("churn_risk"),
    float_column("ltv", null=True),
    float_column("engagement", null=True),
    int_column("scored_at"),
    text_column("why"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    CheckConstraint("why IN ('tier', 'move', 'weekly')", name="why"),
    # The last kept score of a fan.
    Index(None, "agency_id", "fan_account_id", "scored_at"),
    # A creator's history over a span.
    Index(None, "agency_id", "creator_id", "scored_at"),
)

creator_daily = tenant_table(
    "creator_daily",
    int_column("creator_id"),
    # The agency's local date, YYYY-MM-DD, and the instants it lies between: [starts_at, ends_at).
    Column("day", Text, nullable=False),
    int_column("starts_at"),
    int_column("ends_at"),
    # Gross, in the currency that most of the day's payments are in; others are not mixed in.
    text_column("currency"),
    int_column("subscriptions_cents"),
    int_column("messages_cents"),
    int_column("tips_cents"),
    int_column("posts_cents"),
    int_column("streams_cents"),
    int_column("other_cents"),
    # Negative.
    int_column("chargebacks_cents"),
    # After the platform's share; NULL: the API did not say for all of them.
    int_column("net_cents", null=True),
    int_column("payments"),
    int_column("payers"),
    # As of the day's end: subscribed fans; NULL for a day that was over before she was connected.
    int_column("active_fans", null=True),
    int_column("new_fans"),
    int_column("expired_fans"),
    int_column("at_risk", null=True),
    int_column("action_items", null=True),
    int_column("done"),
    int_column("computed_at"),
    parent_key("creator_id", "creators"),
    key=("creator_id", "day"),
)
