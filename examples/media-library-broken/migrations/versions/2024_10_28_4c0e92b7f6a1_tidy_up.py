"""tidy up

Revision ID: 4c0e92b7f6a1
Revises: b9f4e8c1d370
Create Date: 2024-10-28 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "4c0e92b7f6a1"
down_revision = "b9f4e8c1d370"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("media_events", sa.Column("owner_id", sa.BigInteger(), nullable=False))
    op.add_column("users", sa.Column("legacy_id", sa.Integer(), nullable=True))
    op.drop_constraint(op.f("fk_collections_owner_id_users"), "collections", type_="foreignkey")
    op.create_foreign_key(op.f("fk_collections_owner_id_users"), "collections", "users", ["owner_id"], ["id"])
    op.execute("ALTER INDEX ix_collection_items_media_item_id RENAME TO idx_collection_items_media")


def downgrade() -> None:
    op.execute("ALTER INDEX idx_collection_items_media RENAME TO ix_collection_items_media_item_id")
    op.drop_constraint(op.f("fk_collections_owner_id_users"), "collections", type_="foreignkey")
    op.create_foreign_key(
        op.f("fk_collections_owner_id_users"),
        "collections",
        "users",
        ["owner_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.drop_column("users", "legacy_id")
    op.drop_table("media_events")
