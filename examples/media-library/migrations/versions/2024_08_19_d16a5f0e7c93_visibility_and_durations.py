"""visibility and durations

Revision ID: d16a5f0e7c93
Revises: 94e0d6b2a5f8
Create Date: 2024-08-19 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "d16a5f0e7c93"
down_revision = "94e0d6b2a5f8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    visibility = sa.Enum("private", "unlisted", "public", name="visibility")
    visibility.create(op.get_bind())
    op.add_column(
        "media_items", sa.Column("visibility", visibility, server_default="private", nullable=False)
    )
    op.add_column(
        "media_items",
        sa.Column(
            "duration_seconds",
            sa.Numeric(precision=9, scale=3),
            nullable=True,
            comment="of videos and recordings",
        ),
    )
    op.execute("UPDATE media_items SET duration_seconds = 0 WHERE kind IN ('video', 'audio')")


def downgrade() -> None:
    op.drop_column("media_items", "duration_seconds")
    op.drop_column("media_items", "visibility")
    sa.Enum(name="visibility").drop(op.get_bind())
