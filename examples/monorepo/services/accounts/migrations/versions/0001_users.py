"""Users."""

import sqlalchemy as sa
from alembic import op

revision = "5d1f0a7c2e93"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("email", sa.String(), nullable=False, unique=True),
    )


def downgrade() -> None:
    op.drop_table("users")
