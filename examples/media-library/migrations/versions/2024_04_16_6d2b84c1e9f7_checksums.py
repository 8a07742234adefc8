"""checksums

Revision ID: 6d2b84c1e9f7
Revises: a92c5e7d3f60
Create Date: 2024-04-16 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "6d2b84c1e9f7"
down_revision = "a92c5e7d3f60"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "media_items",
        sa.Column(
            "checksum", sa.String(length=64), nullable=True, comment="SHA-256 of the file, in hexadecimal"
        ),
    )
    op.create_index(
        "ix_media_items_checksum_known",
        "media_items",
        ["checksum"],
        unique=True,
        postgresql_where=sa.text("checksum IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_media_items_checksum_known", table_name="media_items")
    op.drop_column("media_items", "checksum")
