"""larger media, longer titles, descriptions

Revision ID: 0f9b6e4d82a7
Revises: e58a07d6c3b2
Create Date: 2024-05-13 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0f9b6e4d82a7"
down_revision = "e58a07d6c3b2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("media_items", "size_bytes", existing_type=sa.Integer(), type_=sa.BigInteger())
    op.create_check_constraint(op.f("ck_media_items_size_not_negative"), "media_items", "size_bytes >= 0")
    op.alter_column("media_items", "title", existing_type=sa.String(length=100), type_=sa.String(length=200))
    op.add_column("media_items", sa.Column("description", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("media_items", "description")
    op.alter_column(
        "media_items",
        "title",
        existing_type=sa.String(length=200),
        type_=sa.String(length=100),
        postgresql_using="left(title, 100)",
    )
    op.drop_constraint(op.f("ck_media_items_size_not_negative"), "media_items", type_="check")
    op.alter_column("media_items", "size_bytes", existing_type=sa.BigInteger(), type_=sa.Integer())
