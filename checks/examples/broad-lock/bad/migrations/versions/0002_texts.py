"""more texts"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("notes", sa.Column("body", sa.Text()))
    op.add_column("users", sa.Column("nick", sa.Text()))


def downgrade():
    op.drop_column("users", "nick")
    op.drop_column("notes", "body")
