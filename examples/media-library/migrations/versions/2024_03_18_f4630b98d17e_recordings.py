"""recordings are media too

A new label can be used only after the transaction that added it, so it gets one of its own.

Revision ID: f4630b98d17e
Revises: 51d8e2f7a6c9
Create Date: 2024-03-18 09:30:00
"""

from alembic import op

revision = "f4630b98d17e"
down_revision = "51d8e2f7a6c9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE media_kind ADD VALUE IF NOT EXISTS 'audio'")


def downgrade() -> None:
    op.execute("ALTER TYPE media_kind RENAME TO media_kind_old")
    op.execute("CREATE TYPE media_kind AS ENUM ('photo', 'video')")
    op.execute(
        "ALTER TABLE media_items ALTER COLUMN kind TYPE media_kind "
        "USING (CASE kind WHEN 'audio' THEN 'video' ELSE kind::text END)::media_kind"
    )
    op.execute("DROP TYPE media_kind_old")
