"""The ground's tables, and history that even the database refuses to rewrite.

Revision: 0001, the first. There is no way down: history is not undone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("journal", "cosignature")

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# A new row must be the next one of the table and of its stream; that also stops
# INSERT OR REPLACE, which would delete without asking a delete trigger.
SQLITE_NEXT = """
CREATE TRIGGER journal_next BEFORE INSERT ON journal
WHEN NEW.position <> 1 + coalesce((SELECT max(position) FROM journal), 0)
  OR NEW.seq <> 1 + coalesce((SELECT max(seq) FROM journal WHERE stream = NEW.stream), 0)
BEGIN SELECT RAISE(ABORT, 'journal rows are appended in order'); END
"""
SQLITE_FORBID = """
CREATE TRIGGER {table}_no_{action} BEFORE {action} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
SQLITE_NO_REPLACE = """
CREATE TRIGGER cosignature_no_replace BEFORE INSERT ON cosignature
WHEN EXISTS (SELECT 1 FROM cosignature WHERE id = NEW.id OR (log_id = NEW.log_id
  AND size = NEW.size AND key_hash = NEW.key_hash AND at = NEW.at))
BEGIN SELECT RAISE(ABORT, 'cosignature is append-only'); END
"""
POSTGRES_NEXT = """
CREATE FUNCTION journal_next() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.position <> 1 + coalesce((SELECT max(position) FROM journal), 0)
    OR NEW.seq <> 1 + coalesce((SELECT max(seq) FROM journal WHERE stream = NEW.stream), 0)
  THEN RAISE EXCEPTION 'journal rows are appended in order'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER journal_next BEFORE INSERT ON journal
FOR EACH ROW EXECUTE FUNCTION journal_next()
"""
POSTGRES_FORBID = """
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("stream", sa.String(200), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("chain", sa.LargeBinary(32), nullable=False),
        sa.UniqueConstraint("stream", "seq", name="uq_journal_stream_seq"),
    )
    op.create_table(
        "cosignature",
        sa.Column("id", COUNTER, primary_key=True),
        sa.Column("log_id", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.UniqueConstraint("log_id", "size", "key_hash", "at", name="uq_cosignature"),
    )
    op.create_table(
        "private",
        sa.Column("ref", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(64), nullable=False, index=True),
        sa.Column("field", sa.String(100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
    )
    op.create_table(
        "session",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        sa.Column("person", sa.String(64), nullable=False, index=True),
        sa.Column("key", sa.String(64), nullable=False, index=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False, index=True),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("id", COUNTER, primary_key=True),
        sa.Column("key", sa.String(200), nullable=False, unique=True),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
    )
    op.create_index("ix_outbox_waiting", "outbox", ["sent_at", "id"])
    op.create_table(
        "record",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(100), nullable=False, index=True),
        sa.Column("subject", sa.String(64), nullable=False, index=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("ledger_index", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "answer",
        sa.Column("key_sha256", sa.String(64), primary_key=True),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False, index=True),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgres()


def _guard_sqlite() -> None:
    op.execute(SQLITE_NEXT)
    op.execute(SQLITE_NO_REPLACE)
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            op.execute(SQLITE_FORBID.format(table=table, action=action))


def _guard_postgres() -> None:
    op.execute(POSTGRES_NEXT)
    op.execute(POSTGRES_FORBID)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
        )
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM PUBLIC, CURRENT_USER")
