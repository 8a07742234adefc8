"""an index on the events"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.execute("CREATE INDEX events_id ON ONLY events (id)")


def downgrade():
    op.execute("DROP INDEX events_id")
