"""a network may be a single address with its network"""

from alembic import op
from sqlalchemy.dialects.postgresql import CIDR, INET

revision = "0003"
down_revision = "0002"


def upgrade():
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.alter_column("users", "network", type_=INET(), existing_type=CIDR())


def downgrade():
    op.alter_column("users", "network", type_=CIDR(), existing_type=INET(), postgresql_using="network::cidr")
