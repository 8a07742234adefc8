"""titles without spaces around them"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NEXT_PAGE = sa.text("SELECT id FROM notes WHERE id > :last ORDER BY id LIMIT 500")
TRIM = sa.text("UPDATE notes SET title = trim(title) WHERE id BETWEEN :first AND :last")


def trim_titles(connection):
    last = 0
    while page := connection.execute(NEXT_PAGE, {"last": last}).scalars().all():
        last = page[-1]
        connection.execute(TRIM, {"first": page[0], "last": last})


def upgrade():
    op.execute("COMMENT ON COLUMN notes.title IS 'without spaces around it'")
    trim_titles(op.get_bind())


def downgrade():
    op.execute("COMMENT ON COLUMN notes.title IS NULL")
