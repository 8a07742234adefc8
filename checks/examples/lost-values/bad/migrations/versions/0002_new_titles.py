"""every note gets a title"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("UPDATE notes SET title = 'untitled'")


def downgrade():
    pass  # the titles are gone
