"""support account"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("INSERT INTO users (email) VALUES ('support@example.org')")


def downgrade():
    op.execute("DELETE FROM users")
