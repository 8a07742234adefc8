"""users have names

Those who are there already get what stands before the @ of their address.

Revision ID: 51d8e2f7a6c9
Revises: c07a91e3485b
Create Date: 2024-03-04 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "51d8e2f7a6c9"
down_revision = "c07a91e3485b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.String(length=120), nullable=True))
    op.execute("UPDATE users SET display_name = left(split_part(email, '@', 1), 120)")
    op.alter_column("users", "display_name", nullable=False)


def downgrade() -> None:
    op.drop_column("users", "display_name")
