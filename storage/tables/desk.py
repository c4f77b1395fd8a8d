"""What people write down and hand out: notes with their history, winbacks, the threads of fans."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text

from storage.tables.base import int_column, parent_key, tenant_table, text_column

notes = tenant_table(
    "notes",
    int_column("creator_id"),
    int_column("fan_account_id"),
    int_column("author_id"),
    text_column("text"),
    text_column("source"),
    # The message a note was saved from.
    int_column("source_channel_id", null=True),
    int_column("source_message_id", null=True),
    # The form it was written in, so that one that arrives twice is kept once.
    text_column("form_id", null=True),
    # 1, and one more with every edit: an edit of an older version is refused.
    int_column("version"),
    int_column("created_at"),
    int_column("edited_at", null=True),
    int_column("edited_by", null=True),
    # A deleted note keeps its row and history until its fan is erased, so that it can be brought back.
    int_column("deleted_at", null=True),
    int_column("deleted_by", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    CheckConstraint("source IN ('command', 'form', 'message')", name="source"),
    # The notes of a fan, newest first.
    Index(None, "agency_id", "fan_account_id", "created_at"),
)

note_revisions = tenant_table(
    "note_revisions",
    int_column("note_id"),
    # The text as it was before a change, with who had written it and when.
    text_column("text"),
    int_column("author_id"),
    int_column("written_at"),
    parent_key("note_id", "notes"),
    # The history of a note.
    Index(None, "agency_id", "note_id", "written_at"),
)

winback_spreads = tenant_table(
    "winback_spreads",
    # The creators whose fans are handed out, comma separated.
    text_column("creator_ids"),
    text_column("kind", null=True),
    int_column("min_spent_cents", null=True),
    # Discord users, comma separated, in the order in which they are served.
    text_column("user_ids"),
    # How many are handed out in all, and how many of them one person has open at once.
    int_column("top"),
    int_column("per_person"),
    int_column("due_ms", null=True),
    int_column("created_by"),
    int_column("created_at"),
    int_column("ended_at", null=True),
    text_column("ended_why", null=True),
    # The form or command it came from: the same one twice is one spread.
    text_column("request"),
    UniqueConstraint("agency_id", "request"),
    # The spreads that still refill.
    Index(None, "agency_id", "ended_at"),
)

winbacks = tenant_table(
    "winbacks",
    int_column("creator_id"),
    int_column("fan_account_id"),
    text_column("kind"),
    text_column("state"),
    int_column("assignee_id"),
    # Whom it was handed to first; somebody else than the assignee: it has been handed over.
    int_column("first_assignee_id"),
    int_column("assigned_by"),
    int_column("assigned_at"),
    int_column("due_at", null=True),
    text_column("note", null=True),
    int_column("spread_id", null=True),
    # The winback of the same spread whose end made room for this one.
    int_column("refill_of", null=True),
    text_column("outcome", null=True),
    text_column("outcome_note", null=True),
    int_column("done_at", null=True),
    int_column("done_by", null=True),
    int_column("created_at"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    parent_key("spread_id", "winback_spreads"),
    CheckConstraint("kind IN ('quiet', 'expired', 'other')", name="kind"),
    CheckConstraint("state IN ('open', 'done', 'withdrawn')", name="state"),
    CheckConstraint("outcome IN ('kept', 'waiting', 'lost', 'false_alarm')", name="outcome"),
    # One open winback per fan account.
    Index(
        "uq_winbacks_open",
        "agency_id",
        "fan_account_id",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    # What a person has to do.
    Index(None, "agency_id", "assignee_id", "state"),
    # A creator's winbacks.
    Index(None, "agency_id", "creator_id", "state"),
    # What a spread has handed out.
    Index(None, "agency_id", "spread_id", "state"),
    # The winbacks a fan has had.
    Index(None, "agency_id", "fan_account_id", "created_at"),
)

fan_threads = tenant_table(
    "fan_threads",
    int_column("creator_id"),
    int_column("fan_account_id"),
    int_column("channel_id"),
    int_column("thread_id"),
    int_column("created_at"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    UniqueConstraint("agency_id", "thread_id"),
    key=("fan_account_id",),
)
