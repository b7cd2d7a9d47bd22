"""Alembic's entry: the connection is given by `database.migrate`, never by an ini file."""

from alembic import context

from trading.ground import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.METADATA,
    render_as_batch=True,  # SQLite cannot alter a column in place
)
with context.begin_transaction():
    context.run_migrations()
