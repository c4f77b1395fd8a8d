"""The tables that revision 0004 adds: a copy as they were then, never changed again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    text,
)

from storage.migrations.schema_0001.base import flag_column, float_column, int_column, parent_key, text_column
from storage.migrations.schema_0003 import metadata as before

metadata = MetaData(naming_convention=before.naming_convention)
for table in before.tables.values():
    table.to_metadata(metadata)


def tenant_table(name: str, *items: Any, key: tuple[str, ...] = ("id",)) -> Table:
    columns = [int_column("agency_id"), *([int_column("id")] if key == ("id",) else [])]
    agency = ForeignKeyConstraint(["agency_id"], ["agencies.id"])
    return Table(name, metadata, *columns, *items, PrimaryKeyConstraint("agency_id", *key), agency)


mentions = tenant_table(
    "mentions",
    int_column("creator_id", null=True),
    int_column("fan_account_id", null=True),
    int_column("card_id", null=True),
    # 'user' or 'role', and its Discord id.
    text_column("kind"),
    int_column("discord_id"),
    # Why: action, woken, escalated, reminder, followup, handover, held, drill.
    text_column("reason"),
    int_column("at"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    parent_key("card_id", "cards"),
    CheckConstraint("kind IN ('user', 'role')", name="kind"),
    # How many somebody has had lately.
    Index(None, "agency_id", "discord_id", "at"),
)

mutes = tenant_table(
    "mutes",
    int_column("creator_id"),
    # NULL: all fans of the creator.
    int_column("fan_account_id", null=True),
    # NULL: until somebody ends it.
    int_column("until_at", null=True),
    text_column("reason"),
    int_column("created_by"),
    int_column("created_at"),
    int_column("ended_at", null=True),
    int_column("ended_by", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    # What is muted of a creator.
    Index(None, "agency_id", "creator_id", "ended_at"),
)

quiet_hours = tenant_table(
    "quiet_hours",
    # Of a creator's channel, or of a person; never both.
    int_column("creator_id", null=True),
    int_column("user_id", null=True),
    # Minutes after local midnight; an end that is not after the start is on the next day.
    int_column("starts_minute"),
    int_column("ends_minute"),
    text_column("zone"),
    int_column("set_by"),
    int_column("set_at"),
    int_column("removed_at", null=True),
    parent_key("creator_id", "creators"),
    CheckConstraint("(creator_id IS NULL) <> (user_id IS NULL)", name="scope"),
    # One at a time for each channel and each person.
    Index(
        "uq_quiet_hours_creator",
        "agency_id",
        "creator_id",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
    Index(
        "uq_quiet_hours_user",
        "agency_id",
        "user_id",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
)

fan_holds = tenant_table(
    "fan_holds",
    int_column("creator_id"),
    int_column("fan_account_id"),
    # NULL: until somebody ends it.
    int_column("until_at", null=True),
    text_column("reason"),
    int_column("created_by"),
    int_column("created_at"),
    int_column("ended_at", null=True),
    int_column("ended_by", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    # One at a time for each fan.
    Index(
        "uq_fan_holds_open",
        "agency_id",
        "fan_account_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    # Whom not to contact of a creator.
    Index(None, "agency_id", "creator_id", "ended_at"),
)

contacts = tenant_table(
    "contacts",
    int_column("creator_id"),
    int_column("fan_account_id"),
    int_column("user_id"),
    # What tells of it: outcome, playbook, followup, winback, logged.
    text_column("source"),
    int_column("at"),
    # The desk action that logged it, and whether that was undone.
    int_column("action_id", null=True),
    int_column("undone_at", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    # Who wrote to this fan lately?
    Index(None, "agency_id", "fan_account_id", "at"),
    # What did the team do in a span?
    Index(None, "agency_id", "creator_id", "at"),
    # What an undo takes back.
    Index(None, "agency_id", "action_id"),
)

digests = tenant_table(
    "digests",
    # 0: the whole agency's.
    int_column("creator_id"),
    # The local date on whose morning it is posted, YYYY-MM-DD.
    text_column("day"),
    # What it says, as JSON: counts, sums and ids, never names.
    text_column("figures"),
    int_column("card_id", null=True),
    int_column("made_at"),
    parent_key("card_id", "cards"),
    key=("creator_id", "day"),
)

alert_feedback = tenant_table(
    "alert_feedback",
    int_column("creator_id"),
    int_column("fan_account_id"),
    int_column("episode_id"),
    int_column("user_id"),
    flag_column("useful"),
    int_column("at"),
    int_column("action_id", null=True),
    int_column("undone_at", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    parent_key("episode_id", "episodes"),
    # What was said of an alert.
    Index(None, "agency_id", "episode_id"),
    # What was said of a creator's alerts in a span.
    Index(None, "agency_id", "creator_id", "at"),
    # What an undo takes back.
    Index(None, "agency_id", "action_id"),
)

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

shift_sessions = tenant_table(
    "shift_sessions",
    int_column("creator_id"),
    int_column("user_id"),
    # How it began: by /shift start, by the plan, by a claim.
    text_column("source"),
    int_column("started_at"),
    # When it ends by itself: the planned end, or some hours after the start.
    int_column("until_at"),
    int_column("ended_at", null=True),
    # How it ended: by /shift end, by the plan, by itself after its hours.
    text_column("ended_how", null=True),
    # When the person was last seen doing something; NULL: not since it began.
    int_column("seen_at", null=True),
    # When the claims that are left lapse; NULL: nothing to lapse, or they have.
    int_column("lapse_at", null=True),
    parent_key("creator_id", "creators"),
    CheckConstraint("source IN ('start', 'plan', 'claim')", name="source"),
    CheckConstraint("ended_how IN ('end', 'plan', 'hours')", name="ended_how"),
    # One at a time for each person and creator.
    Index(
        "uq_shift_sessions_open",
        "agency_id",
        "creator_id",
        "user_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    # When was anybody on for a creator?
    Index(None, "agency_id", "creator_id", "started_at"),
    # A person's shifts.
    Index(None, "agency_id", "user_id", "started_at"),
    # Whose claims lapse.
    Index(
        "ix_shift_sessions_lapse",
        "agency_id",
        "lapse_at",
        sqlite_where=text("lapse_at IS NOT NULL"),
        postgresql_where=text("lapse_at IS NOT NULL"),
    ),
)

handovers = tenant_table(
    "handovers",
    int_column("creator_id"),
    # Whose shift ended.
    int_column("user_id"),
    int_column("session_id"),
    int_column("card_id", null=True),
    int_column("created_at"),
    int_column("closed_at", null=True),
    parent_key("creator_id", "creators"),
    parent_key("session_id", "shift_sessions"),
    parent_key("card_id", "cards"),
    # The hand-overs of a creator that wait for somebody.
    Index(None, "agency_id", "creator_id", "closed_at"),
)

handover_items = tenant_table(
    "handover_items",
    int_column("handover_id"),
    # claim, snooze, followup, hold: what its id is of.
    text_column("kind"),
    int_column("target_id"),
    int_column("taken_by", null=True),
    int_column("taken_at", null=True),
    parent_key("handover_id", "handovers"),
    CheckConstraint("kind IN ('claim', 'snooze', 'followup', 'hold')", name="kind"),
    key=("handover_id", "kind", "target_id"),
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
