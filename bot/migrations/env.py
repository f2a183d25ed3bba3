"""Alembic's entry point: always on a connection that the caller opened."""

from alembic import context

from bot.catalogue.models import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
