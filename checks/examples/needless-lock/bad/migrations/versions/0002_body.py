"""the text of a note"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("LOCK TABLE users IN SHARE MODE")
    op.execute("ALTER TABLE notes DROP COLUMN IF EXISTS summary")
    op.add_column("notes", sa.Column("body", sa.Text()))


def downgrade():
    op.drop_column("notes", "body")
