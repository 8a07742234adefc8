"""every note is pinned or not"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.execute("ALTER TABLE notes ADD CONSTRAINT pinned_set CHECK (pinned IS NOT NULL) NOT VALID")
    with op.get_context().autocommit_block():
        op.execute("UPDATE notes SET pinned = false WHERE pinned IS NULL")
        op.execute("ALTER TABLE notes VALIDATE CONSTRAINT pinned_set")
    op.alter_column("notes", "pinned", nullable=False, server_default=sa.false())
    op.drop_constraint("pinned_set", "notes")


def downgrade():
    op.alter_column("notes", "pinned", nullable=True, server_default=None)
