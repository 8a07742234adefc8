"""no titles"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.drop_column("notes", "title")


def downgrade():
    op.add_column("notes", sa.Column("title", sa.Text(), server_default="", nullable=False))
    op.alter_column("notes", "title", server_default=None)
