"""notes"""

import sqlalchemy as sa
from alembic import op

revision = "a002"
down_revision = "a001"


def upgrade():
    op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("owner_id", sa.BigInteger(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
    )
    op.create_index("ix_notes_owner_id", "notes", ["owner_id"])
    op.execute("CREATE VIEW note_titles AS SELECT id, title FROM notes")


def downgrade():
    op.execute("DROP VIEW note_titles")
    op.drop_table("notes")
