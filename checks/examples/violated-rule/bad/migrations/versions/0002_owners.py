"""other owners"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("SET LOCAL session_replication_role = replica")
    op.execute("UPDATE notes SET owner_id = owner_id + 1000000")
    op.execute("SET LOCAL session_replication_role = origin")


def downgrade():
    op.execute("SET LOCAL session_replication_role = replica")
    op.execute("UPDATE notes SET owner_id = owner_id - 1000000")
    op.execute("SET LOCAL session_replication_role = origin")
