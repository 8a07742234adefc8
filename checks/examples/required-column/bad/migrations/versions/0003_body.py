"""the text of a note"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.add_column("notes", sa.Column("body", sa.Text(), nullable=False))


def downgrade():
    op.drop_column("notes", "body")
