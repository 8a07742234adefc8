"""an index for titles, which have an end"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.create_index("ix_notes_title", "notes", ["title"])
    op.create_check_constraint("title_there", "notes", "length(title) < 1000")


def downgrade():
    op.drop_constraint("title_there", "notes")
    op.drop_index("ix_notes_title", "notes")
