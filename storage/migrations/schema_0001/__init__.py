"""The schema that revision 0001 makes: a copy of the tables as they were then, never changed again."""

from __future__ import annotations

from storage.migrations.schema_0001 import derived, fans, machinery, roster, work
from storage.migrations.schema_0001.base import metadata

APPEND_ONLY = ("episode_events", "audit_log")

__all__ = ["APPEND_ONLY", "derived", "fans", "machinery", "metadata", "roster", "work"]
