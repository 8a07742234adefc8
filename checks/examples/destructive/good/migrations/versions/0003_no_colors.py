"""no colors"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    # migration-gate: allow destructive -- no release has read it since 2.3
    op.drop_column("notes", "color")


def downgrade():
    op.add_column("notes", sa.Column("color", sa.Text()))
