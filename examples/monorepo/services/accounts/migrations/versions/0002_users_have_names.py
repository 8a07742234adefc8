"""Users have names."""

import sqlalchemy as sa
from alembic import op

revision = "9b3e64d8f150"
down_revision = "5d1f0a7c2e93"


def upgrade() -> None:
    op.add_column("users", sa.Column("name", sa.String()))


def downgrade() -> None:
    op.drop_column("users", "name")
