"""an index on the events"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.execute("CREATE INDEX events_id ON ONLY events (id)")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY events_may_id ON events_may (id)")
    op.execute("ALTER INDEX events_id ATTACH PARTITION events_may_id")


def downgrade():
    op.execute("DROP INDEX events_id")
