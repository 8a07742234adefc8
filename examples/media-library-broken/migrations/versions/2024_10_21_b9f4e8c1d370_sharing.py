"""sharing

Revision ID: b9f4e8c1d370
Revises: e3d7b5a8f201
Create Date: 2024-10-21 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "b9f4e8c1d370"
down_revision = "e3d7b5a8f201"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "media_shares",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("link", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_media_shares_owner_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_shares")),
    )
    op.create_index(op.f("ix_media_shares_owner_id"), "media_shares", ["owner_id"])
    op.create_table(
        "media_uploads",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_uploads")),
    )
    op.create_index(op.f("ix_media_uploads_owner_id"), "media_uploads", ["owner_id"])
    op.create_table(
        "media_exports",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_media_exports_owner_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_exports")),
    )
    op.create_table(
        "media_downloads",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("media_item_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_downloads")),
    )


def downgrade() -> None:
    op.drop_table("media_downloads")
    op.drop_table("media_exports")
    op.drop_table("media_uploads")
    op.drop_table("media_shares")
