"""no notes without a title"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    # migration-gate: allow lost-rows -- nobody can find a note without a title
    op.execute("DELETE FROM notes WHERE title = ''")


def downgrade():
    pass  # the notes are gone
