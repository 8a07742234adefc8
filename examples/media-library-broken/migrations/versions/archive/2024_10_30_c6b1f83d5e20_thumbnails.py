"""thumbnails

Revision ID: c6b1f83d5e20
Revises: 78b4c9d2e01f
Create Date: 2024-10-30 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "c6b1f83d5e20"
down_revision = "78b4c9d2e01f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("media_items", sa.Column("thumbnail", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("media_items", "thumbnail")
