"""events, a partition for each month"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("CREATE TABLE events (id bigint NOT NULL, happened date NOT NULL) PARTITION BY RANGE (happened)")
    op.execute("CREATE TABLE events_may PARTITION OF events FOR VALUES FROM ('2026-05-01') TO ('2026-06-01')")


def downgrade():
    op.drop_table("events")
