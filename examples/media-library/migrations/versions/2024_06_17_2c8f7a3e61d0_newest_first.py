"""newest media first

Built without locking out those who write meanwhile, which no transaction allows.

Revision ID: 2c8f7a3e61d0
Revises: b73d1c5f90e4
Create Date: 2024-06-17 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "2c8f7a3e61d0"
down_revision = "b73d1c5f90e4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_media_items_owner_id_created_at",
            "media_items",
            ["owner_id", sa.text("created_at DESC")],
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(
            "ix_media_items_owner_id_created_at", table_name="media_items", postgresql_concurrently=True
        )
