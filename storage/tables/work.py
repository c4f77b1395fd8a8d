"""Episodes, what happened to them, and who looked at what."""

from __future__ import annotations

from sqlalchemy import Index, text

from storage.tables.base import flag_column, float_column, int_column, parent_key, tenant_table, text_column

episodes = tenant_table(
    "episodes",
    int_column("creator_id"),
    int_column("fan_account_id"),
    text_column("tier", null=True),
    flag_column("expired"),
    int_column("opened_at"),
    int_column("closed_at", null=True),
    int_column("opened_run_id"),
    int_column("changed_run_id"),
    float_column("score"),
    float_column("shown_score", null=True),
    float_column("score_before", null=True),
    text_column("reasons"),
    text_column("top_reason", null=True),
    int_column("pace_cents", null=True),
    int_column("total_cents", null=True),
    text_column("currency"),
    text_column("owner_kind", null=True),
    int_column("owner_id", null=True),
    int_column("claimed_by", null=True),
    int_column("claimed_at", null=True),
    int_column("card_id", null=True),
    flag_column("baseline"),
    flag_column("ping_wanted"),
    # Why the run that changed it still has to put it on a card; NULL: it has been.
    text_column("placement", null=True),
    # Snoozed: until when at the latest, by whom, and the score then; with `snooze_shift` it ends when that person next
    # comes on shift.
    int_column("snoozed_until", null=True),
    int_column("snoozed_by", null=True),
    float_column("snooze_score", null=True),
    flag_column("snooze_shift"),
    text_column("snooze_reason", null=True),
    # Closed by a person: with which outcome, and up to when it stays closed although the score is high.
    text_column("outcome", null=True),
    int_column("rests_until", null=True),
    float_column("rest_score", null=True),
    text_column("rest_tier", null=True),
    # Since when an action item waits for a claim (NULL: it does not), and whom it has gone to: 0 its owner, 1 the lead,
    # 2 the manager.
    int_column("escalate_from_at", null=True),
    int_column("escalation_stage", default=0),
    # When who has claimed it is reminded; NULL: not any more.
    int_column("remind_at", null=True),
    # Up to when quiet hours hold that reminder: it is held while remind_at is this.
    int_column("remind_held_until", null=True),
    # A mention that was due and could not be: 'held' by quiet hours until ping_due_at, or left to the 'digest'.
    text_column("ping_state", null=True),
    int_column("ping_due_at", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    parent_key("card_id", "cards"),
    # One open episode per fan account.
    Index(
        "uq_episodes_open",
        "agency_id",
        "fan_account_id",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    # The latest episode of a fan.
    Index(None, "agency_id", "fan_account_id", "opened_at"),
    # A creator's open work: the board and the queue.
    Index(None, "agency_id", "creator_id", "closed_at"),
    # The rows of a card.
    Index(None, "agency_id", "card_id"),
    # What one run changed, for grouping.
    Index(None, "agency_id", "changed_run_id"),
    # What the time alone moves: snoozes, escalations, reminders, held mentions.
    Index(
        "ix_episodes_snoozed",
        "agency_id",
        "snoozed_until",
        sqlite_where=text("snoozed_until IS NOT NULL"),
        postgresql_where=text("snoozed_until IS NOT NULL"),
    ),
    Index(
        "ix_episodes_escalate",
        "agency_id",
        "escalate_from_at",
        sqlite_where=text("escalate_from_at IS NOT NULL"),
        postgresql_where=text("escalate_from_at IS NOT NULL"),
    ),
    Index(
        "ix_episodes_remind",
        "agency_id",
        "remind_at",
        sqlite_where=text("remind_at IS NOT NULL"),
        postgresql_where=text("remind_at IS NOT NULL"),
    ),
    Index(
        "ix_episodes_ping",
        "agency_id",
        "ping_state",
        "ping_due_at",
        sqlite_where=text("ping_state IS NOT NULL"),
        postgresql_where=text("ping_state IS NOT NULL"),
    ),
    # Whose claims are open.
    Index(
        "ix_episodes_claimed",
        "agency_id",
        "claimed_by",
        sqlite_where=text("claimed_by IS NOT NULL"),
        postgresql_where=text("claimed_by IS NOT NULL"),
    ),
)

episode_events = tenant_table(
    "episode_events",
    int_column("episode_id"),
    int_column("creator_id"),
    int_column("fan_account_id"),
    text_column("change"),
    text_column("tier_before", null=True),
    text_column("tier_after", null=True),
    float_column("score", null=True),
    int_column("run_id", null=True),
    int_column("actor_id", null=True),
    text_column("code", null=True),
    int_column("at"),
    parent_key("episode_id", "episodes"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    # The story of an episode.
    Index(None, "agency_id", "episode_id", "at"),
    # The story of a fan.
    Index(None, "agency_id", "fan_account_id", "at"),
    # Counts of a creator over a span.
    Index(None, "agency_id", "creator_id", "at"),
)

audit_log = tenant_table(
    "audit_log",
    int_column("actor_id"),
    text_column("action"),
    text_column("target_kind"),
    int_column("target_id", null=True),
    int_column("creator_id", null=True),
    int_column("at"),
    int_column("wall_at"),
    parent_key("creator_id", "creators"),
    # Who looked at this?
    Index(None, "agency_id", "target_kind", "target_id", "at"),
    # What did this person do?
    Index(None, "agency_id", "actor_id", "at"),
)
