"""an index for owners"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("ix_owner", "notes", ["owner_id"], postgresql_concurrently=True)


def downgrade():
    op.drop_index("ix_owner", "notes")
