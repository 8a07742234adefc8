"""an index for titles, which have an end"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("ALTER TABLE notes ADD CONSTRAINT title_there CHECK (length(title) < 1000) NOT VALID")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE notes VALIDATE CONSTRAINT title_there")
        op.create_index("ix_notes_title", "notes", ["title"], postgresql_concurrently=True)


def downgrade():
    op.drop_constraint("title_there", "notes")
    op.drop_index("ix_notes_title", "notes")
