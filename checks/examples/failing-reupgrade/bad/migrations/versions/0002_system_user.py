"""system user"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("ALTER TABLE users ADD COLUMN nickname text")
    op.execute("INSERT INTO users (id, email) VALUES (1000, 'system@example.org')")


def downgrade():
    op.drop_column("users", "nickname")
