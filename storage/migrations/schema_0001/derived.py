"""What is computed from the facts: scores and their history."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index

from storage.migrations.schema_0001.base import (
    float_column,
    int_column,
    parent_key,
    tenant_table,
    text_column,
)

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
