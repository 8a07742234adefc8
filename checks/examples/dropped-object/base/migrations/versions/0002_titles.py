"""a view for the reports"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("CREATE VIEW titles AS SELECT title, count(*) AS notes FROM notes GROUP BY title")


def downgrade():
    op.execute("DROP VIEW titles")
