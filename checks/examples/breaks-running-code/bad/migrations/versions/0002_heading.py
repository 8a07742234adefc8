"""a note has a heading"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.alter_column("notes", "title", new_column_name="heading")


def downgrade():
    op.alter_column("notes", "heading", new_column_name="title")
