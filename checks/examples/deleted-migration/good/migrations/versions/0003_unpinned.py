"""no pinned notes"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    # migration-gate: allow destructive -- no release has used it
    # migration-gate: allow breaks-running-code -- no release has used it
    op.drop_column("notes", "pinned")


def downgrade():
    op.add_column("notes", sa.Column("pinned", sa.Boolean()))
