"""What the data API tells of a fan beyond the profile: subscriptions, messages, and the logs that are only added to."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from storage.tables.base import flag_column, int_column, parent_key, tenant_table, text_column

subscriptions = tenant_table(
    "subscriptions",
    int_column("creator_id"),
    int_column("fan_account_id"),
    # A paid or free stretch; a fan has one that begins at an instant.
    int_column("starts_at"),
    int_column("ends_at", null=True),
    # When rebill was switched off; NULL: nothing says so.
    int_column("cancelled_at", null=True),
    int_column("price_cents", null=True),
    int_column("regular_price_cents", null=True),
    # NULL: nothing tells a trial from another period.
    flag_column("trial", null=True),
    text_column("platform_period_id", null=True),
    int_column("updated_at"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    UniqueConstraint("agency_id", "fan_account_id", "starts_at"),
    # Which of a creator's periods end in a span.
    Index(None, "agency_id", "creator_id", "ends_at"),
)

subscription_events = tenant_table(
    "subscription_events",
    int_column("creator_id"),
    int_column("fan_account_id"),
    text_column("event"),
    # When it happened, as well as the source tells; when it was written down.
    int_column("occurred_at"),
    int_column("recorded_at"),
    # What told of it.
    text_column("source"),
    # The winback of a `win_back_sent`.
    int_column("winback_id", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    CheckConstraint(
        "event IN ('subscribed', 'rebilled', 'cancelled', 'expired', 'resubscribed', 'trial_started',"
        " 'trial_converted', 'win_back_sent')",
        name="event",
    ),
    CheckConstraint("source IN ('difference', 'period', 'webhook', 'import', 'contact')", name="source"),
    # The same event is written once, whichever source is first.
    UniqueConstraint("agency_id", "fan_account_id", "event", "occurred_at"),
    # A creator's events over a span.
    Index(None, "agency_id", "creator_id", "occurred_at"),
)

fan_events = tenant_table(
    "fan_events",
    int_column("creator_id"),
    int_column("fan_account_id"),
    # A code; what it means and the unit of its value: docs/sync.md.
    text_column("kind"),
    int_column("value", null=True),
    int_column("occurred_at"),
    int_column("recorded_at"),
    text_column("source"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    # The log of a fan, newest first.
    Index(None, "agency_id", "fan_account_id", "occurred_at"),
    # A creator's log over a span.
    Index(None, "agency_id", "creator_id", "occurred_at"),
)

messages = tenant_table(
    "messages",
    int_column("creator_id"),
    # NULL: deleted before it was seen; then the row tells no more than that.
    int_column("fan_account_id", null=True),
    text_column("platform_message_id"),
    # False: the creator's side wrote it.
    flag_column("from_fan"),
    int_column("sent_at"),
    # What opening it costs; NULL: unknown or nothing.
    int_column("price_cents", null=True),
    flag_column("unlocked", null=True),
    int_column("unlocked_at", null=True),
    int_column("read_at", null=True),
    flag_column("is_tip"),
    # A copy of what went to many at once: nobody's reply.
    flag_column("is_mass"),
    int_column("media_count", null=True),
    # Only with STORE_MESSAGE_TEXT.
    text_column("text", null=True),
    int_column("deleted_at", null=True),
    int_column("updated_at"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    UniqueConstraint("agency_id", "creator_id", "platform_message_id"),
    # What scoring sums up for a page of fans, and the talk with one fan in order.
    Index(None, "agency_id", "creator_id", "fan_account_id", "sent_at"),
)
