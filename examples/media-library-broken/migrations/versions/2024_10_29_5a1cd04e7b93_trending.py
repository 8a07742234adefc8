"""trending

Revision ID: 5a1cd04e7b93
Revises: d16a5f0e7c93
Create Date: 2024-10-29 09:30:00
"""

from alembic import op

revision = "5a1cd04e7b93"
down_revision = "d16a5f0e7c93"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE VIEW trending AS SELECT id, title FROM media_items ORDER BY created_at DESC LIMIT 10")


def downgrade() -> None:
    op.execute("DROP VIEW trending")
