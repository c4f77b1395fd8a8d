"""Alembic's entry: always over the connection that `storage.migrations.run` hands in; there is no alembic.ini."""

from __future__ import annotations

from alembic import context
from sqlalchemy.engine import Connection

from storage.tables import metadata

_connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=_connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=False
)
context.run_migrations()
