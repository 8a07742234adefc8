"""every media item has an owner

Those of nobody are left-overs of deleted accounts.

Revision ID: a92c5e7d3f60
Revises: f4630b98d17e
Create Date: 2024-04-02 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "a92c5e7d3f60"
down_revision = "f4630b98d17e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM media_items WHERE owner_id IS NULL")
    op.alter_column("media_items", "owner_id", existing_type=sa.BigInteger(), nullable=False)
    op.drop_constraint(op.f("fk_media_items_owner_id_users"), "media_items", type_="foreignkey")
    op.create_foreign_key(
        op.f("fk_media_items_owner_id_users"),
        "media_items",
        "users",
        ["owner_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(op.f("ix_media_items_owner_id"), "media_items", ["owner_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_media_items_owner_id"), table_name="media_items")
    op.drop_constraint(op.f("fk_media_items_owner_id_users"), "media_items", type_="foreignkey")
    op.create_foreign_key(op.f("fk_media_items_owner_id_users"), "media_items", "users", ["owner_id"], ["id"])
    op.alter_column("media_items", "owner_id", existing_type=sa.BigInteger(), nullable=True)
