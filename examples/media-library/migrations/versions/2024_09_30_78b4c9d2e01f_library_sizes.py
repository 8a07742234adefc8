"""how much everybody keeps

A view, for the page that shows it.

Revision ID: 78b4c9d2e01f
Revises: d16a5f0e7c93
Create Date: 2024-09-30 09:30:00
"""

from alembic import op

revision = "78b4c9d2e01f"
down_revision = "d16a5f0e7c93"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE VIEW library_sizes AS
        SELECT users.id AS owner_id,
               count(media_items.id) AS items,
               coalesce(sum(media_items.size_bytes), 0) AS bytes
        FROM users
        LEFT JOIN media_items ON media_items.owner_id = users.id
        GROUP BY users.id
        """
    )


def downgrade() -> None:
    op.execute("DROP VIEW library_sizes")
