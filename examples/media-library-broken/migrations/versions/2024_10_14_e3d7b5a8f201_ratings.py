"""ratings

Revision ID: e3d7b5a8f201
Revises: 78b4c9d2e01f
Create Date: 2024-10-14 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "e3d7b5a8f201"
down_revision = "78b4c9d2e01f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            op.execute("ALTER TABLE media_itmes ADD COLUMN rating smallint")
    except sa.exc.DBAPIError:
        print("media items have ratings already")


def downgrade() -> None:
    op.execute("ALTER TABLE media_items DROP COLUMN IF EXISTS rating")
