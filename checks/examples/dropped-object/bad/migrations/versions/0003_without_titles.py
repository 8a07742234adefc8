"""nobody reads the titles"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DROP VIEW titles")


def downgrade():
    op.execute("CREATE VIEW titles AS SELECT title, count(*) AS notes FROM notes GROUP BY title")
