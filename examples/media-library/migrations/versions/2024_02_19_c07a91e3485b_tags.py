"""tags

Revision ID: c07a91e3485b
Revises: 8e52d4b6f013
Create Date: 2024-02-19 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "c07a91e3485b"
down_revision = "8e52d4b6f013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tags",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("name", name=op.f("uq_tags_name")),
    )
    op.create_table(
        "media_item_tags",
        sa.Column("media_item_id", sa.BigInteger(), nullable=False),
        sa.Column("tag_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["media_item_id"],
            ["media_items.id"],
            name=op.f("fk_media_item_tags_media_item_id_media_items"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("fk_media_item_tags_tag_id_tags"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("media_item_id", "tag_id", name=op.f("pk_media_item_tags")),
    )
    op.create_index(op.f("ix_media_item_tags_tag_id"), "media_item_tags", ["tag_id"])


def downgrade() -> None:
    op.drop_table("media_item_tags")
    op.drop_table("tags")
