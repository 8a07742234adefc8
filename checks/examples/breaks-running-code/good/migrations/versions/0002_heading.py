"""a note has a heading, too; its title goes when no code uses it any more"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("notes", sa.Column("heading", sa.Text()))


def downgrade():
    op.drop_column("notes", "heading")
