"""Outcomes, playbooks, follow-ups, what can be undone: a copy as they were then, never changed again."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, text

from storage.migrations.schema_0001.base import flag_column, float_column, int_column, parent_key, text_column
from storage.migrations.schema_0004.base import tenant_table

outcomes = tenant_table(
    "outcomes",
    int_column("creator_id"),
    int_column("fan_account_id"),
    int_column("episode_id"),
    text_column("outcome"),
    # How the fan seemed: warm, neutral, cold, angry; NULL: not said.
    text_column("mood", null=True),
    text_column("note", null=True),
    int_column("closed_by"),
    int_column("closed_at"),
    # As the episode was when it was closed.
    text_column("tier", null=True),
    float_column("score"),
    int_column("pace_cents", null=True),
    text_column("currency"),
    int_column("claimed_at", null=True),
    # The form it came from, so that one that arrives twice counts once.
    text_column("form_id", null=True),
    int_column("action_id", null=True),
    int_column("undone_at", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    parent_key("episode_id", "episodes"),
    CheckConstraint("outcome IN ('kept', 'waiting', 'lost', 'false_alarm')", name="outcome"),
    CheckConstraint("mood IN ('warm', 'neutral', 'cold', 'angry')", name="mood"),
    # What came of a fan's episodes.
    Index(None, "agency_id", "fan_account_id", "closed_at"),
    # What came of a creator's alerts in a span.
    Index(None, "agency_id", "creator_id", "closed_at"),
    # What an undo takes back.
    Index(None, "agency_id", "action_id"),
)

playbooks = tenant_table(
    "playbooks",
    # The code of the reason it is for.
    text_column("reason"),
    # 1, and one more with every edit; the newest holds.
    int_column("version"),
    # The steps as a JSON list of texts.
    text_column("steps"),
    int_column("edited_by"),
    int_column("edited_at"),
    key=("reason", "version"),
)

playbook_ticks = tenant_table(
    "playbook_ticks",
    int_column("creator_id"),
    int_column("episode_id"),
    text_column("reason"),
    # 0: the steps Fanwatch comes with.
    int_column("version"),
    # From 0.
    int_column("step"),
    int_column("ticked_by"),
    int_column("ticked_at"),
    int_column("action_id", null=True),
    int_column("undone_at", null=True),
    parent_key("creator_id", "creators"),
    parent_key("episode_id", "episodes"),
    # The ticks of an episode.
    Index(None, "agency_id", "episode_id"),
    # What an undo takes back.
    Index(None, "agency_id", "action_id"),
)

followups = tenant_table(
    "followups",
    int_column("creator_id"),
    int_column("fan_account_id"),
    text_column("what"),
    int_column("due_at"),
    # NULL: whoever is on shift.
    int_column("assignee_id", null=True),
    # Something the fan was promised.
    flag_column("promise"),
    text_column("state"),
    int_column("created_by"),
    int_column("created_at"),
    # The command or form it came from: the same one twice is one follow-up.
    text_column("request"),
    int_column("reminded_at", null=True),
    # When whoever has it is called, where the reminder went out without: quiet hours, a hold, the budget of mentions.
    int_column("ping_due_at", null=True),
    int_column("card_id", null=True),
    text_column("done_note", null=True),
    int_column("done_by", null=True),
    int_column("done_at", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    parent_key("card_id", "cards"),
    CheckConstraint("state IN ('open', 'done', 'withdrawn')", name="state"),
    Index("uq_followups_request", "agency_id", "request", unique=True),
    # What is due.
    Index(
        "ix_followups_due",
        "agency_id",
        "due_at",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    # A fan's follow-ups.
    Index(None, "agency_id", "fan_account_id", "state"),
    # A person's follow-ups.
    Index(None, "agency_id", "assignee_id", "state"),
    # A creator's follow-ups.
    Index(None, "agency_id", "creator_id", "state"),
)

desk_actions = tenant_table(
    "desk_actions",
    int_column("actor_id"),
    # What was done: claim, release, snooze, wake, done, assign, take_over, take_all, feedback, tick, spread, ...
    text_column("action"),
    # What it was done to: episode (one or many, in `before`), winback, spread, note, setting, followup, mute, hold.
    text_column("target_kind"),
    int_column("target_id", null=True),
    int_column("creator_id", null=True),
    # How many things it changed.
    int_column("count"),
    # The work columns of each episode as JSON, as they were and as they became; empty for other targets.
    text_column("before"),
    text_column("after"),
    int_column("at"),
    # Machine time: the ten minutes of an undo are people's.
    int_column("wall_at"),
    int_column("undone_at", null=True),
    int_column("undone_by", null=True),
    parent_key("creator_id", "creators"),
    # What somebody did lately.
    Index(None, "agency_id", "actor_id", "wall_at"),
    # What was done to something lately.
    Index(None, "agency_id", "target_kind", "target_id"),
)
