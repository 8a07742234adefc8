"""users have a network"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import CIDR

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("users", sa.Column("network", CIDR(), nullable=False))


def downgrade():
    op.drop_column("users", "network")
