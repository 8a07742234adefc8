"""podcasts

Revision ID: f0a7d3c95b18
Revises: 78b4c9d2e01f
Create Date: 2024-10-14 09:30:00
"""

from alembic import op

revision = "f0a7d3c95b18"
down_revision = "78b4c9d2e01f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TYPE media_kind ADD VALUE 'podcast'")
    op.execute("UPDATE media_items SET kind = 'podcast' WHERE duration_seconds > 1200")


def downgrade() -> None:
    op.execute("UPDATE media_items SET kind = 'audio' WHERE kind = 'podcast'")
