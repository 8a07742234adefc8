"""no notes without their owner"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("DELETE FROM notes WHERE owner_id NOT IN (SELECT id FROM users)")


def downgrade():
    pass  # the notes are gone
