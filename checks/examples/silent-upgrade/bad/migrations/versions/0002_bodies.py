"""notes have a body"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("CREATE TABLE IF NOT EXISTS notes (id bigint PRIMARY KEY, title text NOT NULL, body text)")


def downgrade():
    pass
