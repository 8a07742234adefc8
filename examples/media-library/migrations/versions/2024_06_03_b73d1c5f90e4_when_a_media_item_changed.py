"""when a media item last changed

Kept by a trigger, so that no writer can forget it.

Revision ID: b73d1c5f90e4
Revises: 0f9b6e4d82a7
Create Date: 2024-06-03 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "b73d1c5f90e4"
down_revision = "0f9b6e4d82a7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "media_items",
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.execute("UPDATE media_items SET updated_at = created_at")
    op.execute(
        """
        CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.updated_at := now();
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER media_items_touch_updated_at BEFORE UPDATE ON media_items
        FOR EACH ROW EXECUTE FUNCTION touch_updated_at()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER media_items_touch_updated_at ON media_items")
    op.execute("DROP FUNCTION touch_updated_at()")
    op.drop_column("media_items", "updated_at")
