"""titles are not empty"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("ALTER TABLE notes ADD CONSTRAINT title_there CHECK (title <> '') NOT VALID")


def downgrade():
    op.drop_constraint("title_there", "notes")
