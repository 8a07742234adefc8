"""every note is pinned or not"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.execute("UPDATE notes SET pinned = false WHERE pinned IS NULL")
    op.alter_column("notes", "pinned", nullable=False, server_default=sa.false())


def downgrade():
    op.alter_column("notes", "pinned", nullable=True, server_default=None)
