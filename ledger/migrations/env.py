"""What Alembic runs. `ledger.core.schema` opens the connection, takes the lock and hands it over."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("migrations are run by ledger.core.schema.upgrade(engine), which takes the lock they need")

# The caller's transaction holds all of it: a migration that fails leaves the version that stood before.
context.configure(connection=connection, target_metadata=SQLModel.metadata)
context.run_migrations()
