"""media items

Revision ID: 8e52d4b6f013
Revises: 3b1f0c7a9d24
Create Date: 2024-02-12 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "8e52d4b6f013"
down_revision = "3b1f0c7a9d24"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "media_items",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Enum("photo", "video", name="media_kind"), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_media_items_owner_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_items")),
    )


def downgrade() -> None:
    op.drop_table("media_items")
    sa.Enum(name="media_kind").drop(op.get_bind())
